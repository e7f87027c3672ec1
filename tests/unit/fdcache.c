/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Few fds are open, pinned ones stay. */

#include <check.h>
#include <fcntl.h>

#include "fuse/fdcache.h"
#include "unit.h"

static bool is_open(int fd) {
	return fcntl(fd, F_GETFD) >= 0;
}

static int some_fd(void) {
	int fd = open("/", O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* union.14 */
START_TEST(there_is_a_bound) {
	struct fdcache c;
	unsigned n = 0;

	fdcache_init(&c);
	for (uint64_t key = 1; key <= 2000; key++) {
		int fd = some_fd();

		ck_assert(fdcache_add(&c, key, fd));
		ck_assert_int_eq(fdcache_find(&c, key), fd);
	}
	for (uint64_t key = 1; key <= 2000; key++)
		n += fdcache_find(&c, key) >= 0;
	ck_assert_uint_le(n, FDCACHE_SETS * FDCACHE_WAYS);
	ck_assert_uint_ge(n, FDCACHE_SETS);
	fdcache_done(&c);
	ck_assert_int_eq(fdcache_find(&c, 2000), -ENOENT);
}
END_TEST

START_TEST(pinned_ones_stay) {
	struct fdcache c;
	int fd = some_fd(), refused = 0;

	fdcache_init(&c);
	ck_assert(fdcache_add(&c, 1, fd));
	fdcache_pin(&c, 1);
	for (uint64_t key = 2; key <= 1000; key++) {
		int other = some_fd();

		if (!fdcache_add(&c, key, other)) {
			close(other);
			refused++;
		} else {
			fdcache_pin(&c, key);
		}
		ck_assert(is_open(fd));
	}
	ck_assert_int_eq(refused, 1000 - FDCACHE_SETS * FDCACHE_WAYS);
	fdcache_unpin(&c, 1);
	fdcache_done(&c);
	ck_assert(!is_open(fd));
}
END_TEST

START_TEST(a_directory_is_dropped) {
	struct fdcache c;
	int kept = some_fd();

	fdcache_init(&c);
	fdcache_add(&c, UINT64_C(7) << 32 | 1, some_fd());
	fdcache_add(&c, UINT64_C(7) << 32 | 2, some_fd());
	fdcache_add(&c, UINT64_C(8) << 32 | 1, kept);
	fdcache_drop(&c, 7);
	ck_assert_int_eq(fdcache_find(&c, UINT64_C(7) << 32 | 1), -ENOENT);
	ck_assert_int_eq(fdcache_find(&c, UINT64_C(7) << 32 | 2), -ENOENT);
	ck_assert_int_eq(fdcache_find(&c, UINT64_C(8) << 32 | 1), kept);
	fdcache_done(&c);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { there_is_a_bound, pinned_ones_stay,
				       a_directory_is_dropped, NULL };

	return unit_main("fdcache", tests);
}
