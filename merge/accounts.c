/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users and groups that extensions ask for, made before a merged /etc is read-only. */
#include "accounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "file.h"
#include "strv.h"
#include "text.h"
#include "trigger.h"

#define FILE_MAX ((size_t)64 * 1024)

static const char *const programs[] = { "/usr/bin/systemd-sysusers",
					"/bin/systemd-sysusers", NULL };

const char *accounts_program(void) {
	return command_find(programs);
}

/* sysusers.d(5): a file of the same name in /etc or /run says all, or nothing. */
static bool is_replaced(int host, const char *name) {
	static const char *const places[] = { "etc/sysusers.d", "run/sysusers.d" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = text_format("%s/%s", places[i], name);
		_cleanup_close_ int fd =
			path ? file_open_in(host, path, O_PATH | O_NOFOLLOW) : -ENOMEM;

		if (fd >= 0)
			return true;
	}
	return false;
}

static int add_lines(struct accounts *a, int fd, const char *path) {
	_cleanup_close_ int file = file_open_exact(fd, path, O_RDONLY);
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file < 0 ? file : file_read(file, FILE_MAX, &text, &length);

	if (r < 0)
		return r;
	if (a->lines < 0)
		a->lines = memfd_create("extmerge-accounts", MFD_CLOEXEC);
	if (a->lines < 0)
		return -errno;
	if (write(a->lines, text, length) != (ssize_t)length ||
	    write(a->lines, "\n", 1) != 1)
		return -EIO;
	return 0;
}

int accounts_add(struct accounts *a, int fd, const char *hierarchy, int host) {
	const char *directory = strcmp(hierarchy, "etc") == 0 ? "sysusers.d"
							      : "lib/sysusers.d";
	_cleanup_strv_ char **names = NULL;
	int r = trigger_names(fd, hierarchy, TRIGGER_USERS, &names);

	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_free_ char *path = text_format("%s/%s", directory, *name);

		a->is_any = true;
		if (!path)
			return -ENOMEM;
		r = is_replaced(host, *name) ? strv_append(&a->names, *name)
					     : add_lines(a, fd, path);
	}
	return r;
}

int accounts_make(const struct accounts *a, unsigned milliseconds,
		  struct command_result *ret) {
	_cleanup_strv_ char **arguments = NULL;
	int r = strv_append(&arguments, "systemd-sysusers");

	for (char **name = a->names; r == 0 && name && *name; name++)
		r = strv_append(&arguments, *name);
	if (r == 0 && a->lines >= 0)
		r = strv_append(&arguments, "-");
	if (r == 0 && a->lines >= 0 && lseek(a->lines, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r
		     : command_run(accounts_program(), arguments, a->lines, milliseconds,
				   ret);
}

void accounts_done(struct accounts *a) {
	close_fdp(&a->lines);
	strv_free(a->names);
}
