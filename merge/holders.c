/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who keeps files of a file system open for writing. */
#include "holders.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "file.h"
#include "strv.h"
#include "text.h"

#define PROCESSES_MAX (4u * 1024 * 1024)
#define FILES_MAX (1024u * 1024)
#define TEXT_MAX 4096
#define TABLE_MAX (16u * 1024 * 1024)

struct numbers {
	unsigned long *items;
	size_t n;
};

/* The file system, and what has been found of it. */
struct search {
	int proc;
	dev_t device;
	struct numbers mounts; /* ids of its mounts; none is there twice in the machine */
	struct numbers namespaces; /* whose tables have been read */
	char **ret_first;
};

static bool has_number(const struct numbers *s, unsigned long number) {
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i] == number)
			return true;
	return false;
}

static int add_number(struct numbers *s, unsigned long number) {
	unsigned long *items = realloc(s->items, (s->n + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	s->items = items;
	s->items[s->n++] = number;
	return 0;
}

/* --- mounts --- */

/* Lines begin with the mount's id, its parent's, and the file system's device. */
static int take_mounts(struct search *s, const char *table) {
	int r = 0;

	for (const char *line = table; r == 0 && line && *line;) {
		unsigned id, major, minor;

		if (sscanf(line, "%u %*u %u:%u ", &id, &major, &minor) == 3 &&
		    makedev(major, minor) == s->device)
			r = add_number(&s->mounts, id);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return r;
}

/* The table of the namespace that the process is in, once for each. */
static int read_mounts(struct search *s, const char *pid) {
	_cleanup_free_ char *link = text_format("%s/ns/mnt", pid);
	_cleanup_free_ char *path = text_format("%s/mountinfo", pid);
	_cleanup_free_ char *table = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	size_t len;

	if (!link || !path)
		return -ENOMEM;
	if (fstatat(s->proc, link, &st, 0) < 0 ||
	    has_number(&s->namespaces, (unsigned long)st.st_ino))
		return 0;
	fd = openat(s->proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read(fd, TABLE_MAX, &table, &len) < 0)
		return 0; /* it has ended */
	if (add_number(&s->namespaces, (unsigned long)st.st_ino) < 0)
		return -ENOMEM;
	return take_mounts(s, table);
}

/* --- files --- */

/* The number behind the key of a line of fdinfo, or -1. */
static long find_number(const char *text, const char *key, int base) {
	const char *at = strstr(text, key);

	return at ? strtol(at + strlen(key), NULL, base) : -1;
}

static bool is_held(const struct search *s, int directory, const char *name) {
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char text[TEXT_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	long flags, mount;

	if (n <= 0)
		return false; /* it was closed meanwhile */
	text[n] = '\0';
	flags = find_number(text, "flags:\t", 8);
	mount = find_number(text, "mnt_id:\t", 10);
	return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY &&
	       mount >= 0 && has_number(&s->mounts, (unsigned long)mount);
}

static char *describe(int proc, const char *pid, const char *file) {
	_cleanup_free_ char *comm = text_format("%s/comm", pid);
	_cleanup_free_ char *link = text_format("%s/fd/%s", pid, file);
	_cleanup_close_ int fd = comm ? openat(proc, comm, O_RDONLY | O_CLOEXEC) : -1;
	char name[64], path[TEXT_MAX];
	ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
	ssize_t len = link ? readlinkat(proc, link, path, sizeof(path) - 1) : -1;

	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	path[len > 0 ? len : 0] = '\0';
	return text_format("%s (%s)%s%s", name, pid, len > 0 ? ": " : "", path);
}

static int count_of(const struct search *s, const char *pid) {
	_cleanup_free_ char *path = text_format("%s/fdinfo", pid);
	_cleanup_close_ int directory =
		path ? openat(s->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_strv_ char **names = NULL;
	int n = 0;

	if (directory < 0 || file_list(directory, FILES_MAX, &names) < 0)
		return 0; /* it has ended */
	for (char **name = names; name && *name; name++) {
		if (!is_held(s, directory, *name))
			continue;
		if (!*s->ret_first)
			*s->ret_first = describe(s->proc, pid, *name);
		n++;
	}
	return n;
}

static bool is_process(const char *name) {
	return *name >= '1' && *name <= '9';
}

int holders_count(int fd, char **ret_first) {
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **pids = NULL;
	struct search s = { .proc = proc, .ret_first = ret_first };
	struct stat st;
	int r, n = 0;

	*ret_first = NULL;
	if (proc < 0 || fstat(fd, &st) < 0)
		return -errno;
	s.device = st.st_dev;
	r = file_list(proc, PROCESSES_MAX, &pids);
	for (char **pid = pids; r == 0 && pid && *pid; pid++)
		r = is_process(*pid) ? read_mounts(&s, *pid) : 0;
	for (char **pid = pids; r == 0 && pid && *pid; pid++)
		n += is_process(*pid) ? count_of(&s, *pid) : 0;
	free(s.mounts.items);
	free(s.namespaces.items);
	return r < 0 ? r : n;
}
