/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command with a verified file as its fd 9:
 *     attach [OPTION...] DATA[@OFFSET:SIZE] TREE[@OFFSET:SIZE] ROOT-HASH COMMAND...
 *     --server=PATH   the program; otherwise the one beside ours
 *     --log=FILE      where the server's lines go; otherwise nowhere
 *     --threads=N, --cache=BYTES
 *     --workshop      in a private mount namespace, as extmerge does, which is gone when the command runs
 *     --mount=FS:DIR  with the file mounted there, and nothing at fd 9; --loop: through a loop device
 * Prints "ERRNO-NAME: reason" and exits with 1 where there is none. For tests/root/verified-file.sh and the bench.
 */
#include <string.h>

#include "fuse/attach.h"
#include "merge/file.h"
#include "merge/fs.h"
#include "merge/kernel.h"
#include "merge/workshop.h"
#include "verity/hex.h"
#include "verity/loop.h"

#define FILE_FD 9

static int open_area(char *text, uint64_t *ret_offset, uint64_t *ret_size) {
	unsigned long long offset = 0, size = 0;
	char *at = strchr(text, '@');
	struct stat st;
	int fd;

	if (at) {
		*at = '\0';
		if (sscanf(at + 1, "%llu:%llu", &offset, &size) != 2)
			return -1;
	}
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	*ret_offset = offset;
	*ret_size = at ? size : (uint64_t)st.st_size;
	return fd;
}

static int attach(const struct verity_target *t, const struct attach_options *o,
		  bool inside) {
	struct workshop w = WORKSHOP_NONE;
	char why[ATTACH_WHY_MAX];
	int r = inside ? workshop_enter(&w) : 0, fd;

	if (r < 0)
		return r;
	fd = attach_image(t, o, why);
	if (fd < 0)
		printf("%s: %s\n", strerrorname_np(-fd), why);
	fflush(stdout);
	workshop_done(&w);
	return fd;
}

struct test {
	struct attach_options o;
	const char *log, *mount; /* TYPE:DIR */
	bool inside, loop;
};

/* As extmerge mounts it: straight from the file, or through a loop device. Both keep what they need. */
static int mount_file(int file, const struct test *t) {
	_cleanup_free_ char *type = strdup(t->mount);
	_cleanup_close_ int fd = -EBADF, loop = -EBADF, nodes = -EBADF;
	char *colon = type ? strchr(type, ':') : NULL, path[FILE_FD_PATH_MAX];
	_cleanup_(fs_done) struct fs f = FS_NONE;
	struct stat st;

	if (!colon || fstat(file, &st) < 0)
		return -1;
	*colon = '\0';
	nodes = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->loop)
		loop = loop_attach(file, 0, (uint64_t)st.st_size, nodes);
	file_fd_path(t->loop ? loop : file, path);
	fs_open(&f, type);
	fs_set(&f, "source", path);
	fs_set_flag(&f, "ro");
	fd = fs_mount(&f, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (fd >= 0 &&
	    move_mount(fd, "", AT_FDCWD, colon + 1, MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return 0;
	printf("%s: %s\n", type, f.complaint ?: strerror(fd < 0 ? -fd : errno));
	return -1;
}

/* The value of the option `name` in `argument`, or NULL where that is something else. */
static const char *value_of(const char *argument, const char *name) {
	size_t len = strlen(name);

	return strncmp(argument, name, len) == 0 ? argument + len : NULL;
}

static void read_option(const char *argument, struct test *ret) {
	const char *value;

	if ((value = value_of(argument, "--server=")))
		ret->o.server = value;
	else if ((value = value_of(argument, "--log=")))
		ret->log = value;
	else if ((value = value_of(argument, "--mount=")))
		ret->mount = value;
	else if ((value = value_of(argument, "--threads=")))
		ret->o.threads = (unsigned)atoi(value);
	else if ((value = value_of(argument, "--cache=")))
		ret->o.cache_bytes = (size_t)atol(value);
	else if (strcmp(argument, "--workshop") == 0)
		ret->inside = true;
	else if (strcmp(argument, "--loop") == 0)
		ret->loop = true;
}

int main(int argc, char **argv) {
	struct test test = { .log = "/dev/null" };
	struct verity_target t = { 0 };
	int i, fd, log;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++)
		read_option(argv[i], &test);
	if (argc - i < 4) {
		fprintf(stderr, "usage: attach [OPTION...] DATA TREE HASH COMMAND...\n");
		return 2;
	}
	log = open(test.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	test.o.log_fd = &log;
	test.o.name = argv[i];
	t.root_size = strlen(argv[i + 2]) / 2;
	if (log < 0 || t.root_size > sizeof(t.root) ||
	    hex_decode(argv[i + 2], strlen(argv[i + 2]), true, t.root) < 0)
		return 2;
	t.data_fd = open_area(argv[i], &t.data_offset, &t.data_size);
	t.hash_fd = open_area(argv[i + 1], &t.hash_offset, &t.hash_size);
	if (t.data_fd < 0 || t.hash_fd < 0)
		return 2;
	fd = attach(&t, &test.o, test.inside);
	if (fd < 0 || (test.mount ? mount_file(fd, &test) : dup2(fd, FILE_FD)) < 0)
		return 1;
	execvp(argv[i + 3], argv + i + 3);
	return 2;
}
