/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking a person at a terminal for a passphrase. */
#include "passphrase.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>

#define CTRL_C 3

/* Up to the end of the line; what does not fit is an error, not cut off. */
static int read_line(int fd, char *ret, size_t size) {
	size_t n = 0;
	char c;

	for (;;) {
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0 || c == CTRL_C)
			return -ECANCELED;
		if (c == '\n')
			return n > 0 ? (int)n : -ECANCELED;
		if (n == size)
			return -EFBIG;
		ret[n++] = c;
	}
}

int passphrase_ask(const char *question, char *ret, size_t size) {
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios old, quiet;
	int r;

	if (fd < 0)
		return -ENXIO;
	if (tcgetattr(fd, &old) < 0)
		return -errno;
	quiet = old;
	/* Without ISIG, so that Ctrl-C cannot end the process while the terminal is silent. */
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
		return -errno;
	dprintf(fd, "%s: ", question);
	r = read_line(fd, ret, size);
	dprintf(fd, "\n");
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	return r;
}
