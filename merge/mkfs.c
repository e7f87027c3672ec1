/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running the programs that make file systems. */
#include "mkfs.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "file.h"
#include "program.h"
#include "strv.h"
#include "text.h"

#define SAID_MAX ((size_t)4096)
/* The program's own fds: what it reads and writes, whatever their numbers are here. */
#define CHILD_DIRECTORY 3
#define CHILD_FILE 4

static const struct maker {
	enum fstype format;
	const char *program, *package;
	bool takes_epoch; /* in the environment */
	int (*arguments)(const struct mkfs_request *m, char ***ret);
} makers[];

static int append_number(char ***v, int64_t number) {
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return strv_append(v, text);
}

static int append_all(char ***v, const char *const *texts) {
	int r = 0;

	for (; r == 0 && *texts; texts++)
		r = strv_append(v, *texts);
	return r;
}

/*
 * -T gives all files that time, unless the environment has one as well. The time of the file system alone goes
 * through the environment: an option for that came only with erofs-utils 1.8.
 */
static int erofs_arguments(const struct mkfs_request *m, char ***ret) {
	const char *const start[] = { "-zlz4hc,12", "-U", m->uuid, NULL };
	const char *const end[] = { "/proc/self/fd/4", "/proc/self/fd/3/.", NULL };
	int r = append_all(ret, start);

	if (r == 0 && m->fix_times)
		r = strv_append(ret, "-T");
	if (r == 0 && m->fix_times)
		r = append_number(ret, m->time);
	if (r == 0 && m->all_root)
		r = strv_append(ret, "--all-root");
	return r < 0 ? r : append_all(ret, end);
}

static int squashfs_arguments(const struct mkfs_request *m, char ***ret) {
	const char *const start[] = {
		"/proc/self/fd/3/.",
		"/proc/self/fd/4",
		"-noappend",
		"-quiet",
		"-no-progress",
		"-no-recovery",
		"-comp",
		"zstd",
		"-mkfs-time",
		NULL,
	};
	int r = append_all(ret, start);

	if (r == 0)
		r = append_number(ret, m->time);
	if (r == 0 && m->fix_times)
		r = strv_append(ret, "-all-time");
	if (r == 0 && m->fix_times)
		r = append_number(ret, m->time);
	if (r == 0 && m->all_root)
		r = strv_append(ret, "-all-root");
	return r;
}

static const struct maker makers[] = {
	{ FSTYPE_EROFS, "mkfs.erofs", "erofs-utils", true, erofs_arguments },
	{ FSTYPE_SQUASHFS, "mksquashfs", "squashfs-tools", false, squashfs_arguments },
};

static const struct maker *find_maker(enum fstype format) {
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (makers[i].format == format)
			return &makers[i];
	return NULL;
}

enum fstype mkfs_format_from(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (strcmp(fstype_name(makers[i].format), name) == 0)
			return makers[i].format;
	return FSTYPE_NONE;
}

const char *mkfs_program(enum fstype format) {
	return find_maker(format)->program;
}

const char *mkfs_package(enum fstype format) {
	return find_maker(format)->package;
}

bool mkfs_is_there(enum fstype format) {
	_cleanup_free_ char *path = program_find(mkfs_program(format));

	return path != NULL;
}

/* The caller's, but for the language, and for the time: mksquashfs refuses to be told twice. */
static int copy_environment(const struct maker *maker, const struct mkfs_request *m,
			    char ***ret) {
	char epoch[48];
	int r = strv_append(ret, "LC_ALL=C");

	snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%lld", (long long)m->time);
	if (r == 0 && maker->takes_epoch && !m->fix_times)
		r = strv_append(ret, epoch);
	for (char **v = environ; r == 0 && *v; v++)
		if (strncmp(*v, "SOURCE_DATE_EPOCH=", 18) != 0 &&
		    strncmp(*v, "LC_ALL=", 7) != 0)
			r = strv_append(ret, *v);
	return r;
}

/* dup2() onto its own number would leave close-on-exec set, so all are moved out of the way first. */
static int add_fds(posix_spawn_file_actions_t *actions, const struct mkfs_request *m,
		   int output, int keep[static 2]) {
	int r;

	keep[0] = fcntl(m->directory, F_DUPFD_CLOEXEC, CHILD_FILE + 1);
	keep[1] = fcntl(m->file, F_DUPFD_CLOEXEC, CHILD_FILE + 1);
	if (keep[0] < 0 || keep[1] < 0)
		return -errno;
	r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY,
					     0);
	r = r ?: posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	r = r ?: posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
	r = r ?: posix_spawn_file_actions_adddup2(actions, keep[0], CHILD_DIRECTORY);
	r = r ?: posix_spawn_file_actions_adddup2(actions, keep[1], CHILD_FILE);
	return -r;
}

static int spawn(const char *path, char **arguments, char **environment,
		 const struct mkfs_request *m, int output, pid_t *ret) {
	posix_spawn_file_actions_t actions;
	int keep[2] = { -EBADF, -EBADF };
	int r = -posix_spawn_file_actions_init(&actions);

	if (r < 0)
		return r;
	r = add_fds(&actions, m, output, keep);
	if (r == 0)
		r = -posix_spawn(ret, path, &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	close_fdp(&keep[0]);
	close_fdp(&keep[1]);
	return r;
}

static int wait_for(pid_t pid) {
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* The end of it, where programs say why; without blanks around. */
static char *read_said(int fd) {
	off_t size = lseek(fd, 0, SEEK_END);
	_cleanup_free_ char *text = calloc(1, SAID_MAX + 1);
	char *start = text;
	ssize_t n;

	if (!text || size <= 0)
		return NULL;
	n = file_read_at(fd, text, SAID_MAX,
			 size > (off_t)SAID_MAX ? (uint64_t)size - SAID_MAX : 0);
	while (n > 0 && strchr(" \n\r\t", text[n - 1]))
		text[--n] = '\0';
	while (*start && strchr(" \n\r\t", *start))
		start++;
	return n > 0 && *start ? strdup(start) : NULL;
}

static int run(const struct maker *maker, const char *path, const struct mkfs_request *m,
	       int output) {
	_cleanup_strv_ char **arguments = NULL, **environment = NULL;
	pid_t pid = -1;
	int r = strv_append(&arguments, maker->program);

	if (r == 0)
		r = maker->arguments(m, &arguments);
	if (r == 0)
		r = copy_environment(maker, m, &environment);
	if (r == 0)
		r = spawn(path, arguments, environment, m, output, &pid);
	return r < 0 ? r : wait_for(pid);
}

int mkfs_run(enum fstype format, const struct mkfs_request *m, char **ret_said) {
	const struct maker *maker = find_maker(format);
	_cleanup_free_ char *path = program_find(maker->program);
	_cleanup_close_ int output = -EBADF;
	int r;

	*ret_said = NULL;
	if (!path)
		return -ENOENT;
	output = memfd_create("extmerge-mkfs", MFD_CLOEXEC);
	if (output < 0)
		return -errno;
	r = run(maker, path, m, output);
	if (r == -EIO)
		*ret_said = read_said(output);
	return r;
}
