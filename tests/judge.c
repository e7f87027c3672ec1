/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compares what a file gives out with what it should, page by page:
 *     judge FILE GOOD
 * prints "RIGHT WRONG MISSING": how many pages of GOOD are the same in FILE, differ, and are not given out. For
 * tests/root/verified-*.sh.
 */
#include <fcntl.h>
#include <string.h>

#include "merge/base.h"

#define PAGE 4096

int main(int argc, char **argv) {
	unsigned long right = 0, wrong = 0, missing = 0;
	_cleanup_close_ int file = -EBADF, good = -EBADF;
	char got[PAGE], expected[PAGE];
	ssize_t n, m;

	if (argc != 3)
		return 2;
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	good = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (file < 0 || good < 0)
		return 1;
	for (off_t at = 0; (n = pread(good, expected, PAGE, at)) > 0; at += PAGE) {
		m = pread(file, got, PAGE, at);
		if (m > n || (m > 0 && memcmp(got, expected, (size_t)m) != 0))
			wrong++;
		else if (m < n)
			missing++;
		else
			right++;
	}
	printf("%lu %lu %lu\n", right, wrong, missing);
	return 0;
}
