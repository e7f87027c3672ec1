/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every file needs: ownership by cleanup attribute, and array size. No functions of the project. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* Frees what the variable owns when it leaves its scope. */
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(free_charp)
#define _cleanup_close_ _cleanup_(close_fdp)
#define _cleanup_fclose_ _cleanup_(fclose_filep)
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Gives away what the variable owns: it is empty afterwards. */
#define TAKE_PTR(p)                     \
	({                              \
		typeof(p) _taken = (p); \
		(p) = NULL;             \
		_taken;                 \
	})
#define TAKE_FD(fd)                \
	({                         \
		int _taken = (fd); \
		(fd) = -EBADF;     \
		_taken;            \
	})

/* Defines `name`p(), the cleanup function of a type whose free function accepts NULL. */
#define DEFINE_CLEANUP(type, func)             \
	static inline void func##p(type **p) { \
		func(*p);                      \
	}

static inline void free_charp(void *p) {
	free(*(void **)p);
}

/* Keeps errno, so that it may run between a failed call and the look at its errno. */
static inline void close_fdp(int *fd) {
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void fclose_filep(FILE **f) {
	if (*f)
		fclose(*f);
}
