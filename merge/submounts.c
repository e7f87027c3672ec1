/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted on a hierarchy, found in the mount table, and looked at. */
#include "submounts.h"

#include <string.h>

#include "file.h"
#include "kernel.h"
#include "meta.h"
#include "stack.h"
#include "strv.h"
#include "text.h"

struct search {
	int fd;	      /* the hierarchy */
	char *prefix; /* its path as the mount table has it, with a slash at the end */
	char **found;
	char **barred; /* below a mount that lets nobody but its user in, root neither */
	int tree;      /* the mount that `fd` is on */
	struct record *record; /* NULL: it is not one of ours */
};

/* No path leads there: something covers it, or it is in a tree whose server has ended. */
static bool is_out_of_reach(int error) {
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP ||
	       error == -ENOTCONN || error == -ECONNABORTED;
}

/* 1 if what is seen at `path` below the hierarchy is this mount, not one that covers it; else 0 or an errno. */
static int is_visible(const struct search *s, const char *path, int id) {
	_cleanup_close_ int fd = file_open_below(s->fd, path, O_PATH);
	int seen;

	if (fd < 0)
		return is_out_of_reach(fd) ? 0 : fd;
	seen = mount_id(fd);
	return seen < 0 ? seen : seen == id;
}

/* adopt.4: what they have mounted in their tree for themselves. */
static bool is_of_peer(const struct mount_info *i, size_t prefix) {
	return strcmp(i->target + prefix, ".systemd-sysext") == 0 ||
	       strcmp(i->target + prefix, ".systemd-confext") == 0;
}

/* mutable.9: what is mounted in the tree for ourselves. */
static bool is_of_record(const struct mount_info *i, size_t prefix) {
	const size_t len = strlen(META_PLACE);
	const char *path = i->target + prefix;

	return strncmp(i->source, META_SOURCE, strlen(META_SOURCE)) == 0 &&
	       strncmp(path, META_PLACE, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

/* switch.17: what somebody has mounted on a graft lies on that, not on the tree. */
static bool is_graft(const struct search *s, const struct mount_info *i,
		     const char *path) {
	return s->record && s->record->grafts && i->parent == s->tree &&
	       strv_contains(s->record->grafts, path);
}

/* The record of the tree that the hierarchy is seen through, be it the host's or a service's. */
static void find_record(const struct mounts *m, struct search *s) {
	struct mount_info i;

	s->tree = mount_id(s->fd);
	if (s->tree >= 0 && mounts_find(m, s->tree, &i) && stack_is_ours(&i))
		(void)stack_read_record(s->fd, &s->record);
}

static int collect_submount(const struct mount_info *i, void *data) {
	struct search *s = data;
	size_t len = strlen(s->prefix);
	int r;

	if (strncmp(i->target, s->prefix, len) != 0 || is_of_record(i, len) ||
	    is_of_peer(i, len) || is_graft(s, i, i->target + len))
		return 0;
	r = is_visible(s, i->target + len, i->id);
	if (r == -EACCES)
		return strv_append(&s->barred, i->target + len);
	return r <= 0 ? r : strv_append(&s->found, i->target + len);
}

/* Whether `path` is one of the paths or lies below it. */
static bool is_within(char *const *paths, const char *path) {
	for (; paths && *paths; paths++) {
		size_t len = strlen(*paths);

		if (strncmp(*paths, path, len) == 0 &&
		    (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

/* Keeps the outermost of the sorted paths: each brings what is mounted below it along. */
static int keep_outermost(char *const *paths, char ***ret) {
	int r = 0;

	for (; r == 0 && paths && *paths; paths++)
		if (!is_within(*ret, *paths))
			r = strv_append(ret, *paths);
	return r;
}

/* What is mounted there, or was and is covered, comes or stays with the mount that bars the way. */
static int check_barred(char *const *outermost, char *const *barred) {
	for (; barred && *barred; barred++)
		if (!is_within(outermost, *barred))
			return -EACCES;
	return 0;
}

/* The path that the mount table has for the directory `fd`, with a slash at the end. */
static char *table_path(int fd) {
	char link[FILE_FD_PATH_MAX], path[4096];
	ssize_t n;

	file_fd_path(fd, link);
	n = readlink(link, path, sizeof(path) - 2);
	if (n <= 0 || path[0] != '/')
		return NULL;
	path[n] = '\0';
	return text_format("%s/", path);
}

int submounts_list(const struct mounts *m, int fd, char ***ret) {
	_cleanup_free_ char *prefix = table_path(fd);
	struct search s = { .fd = fd, .prefix = prefix };
	char **outermost = NULL;
	int r;

	find_record(m, &s);
	r = prefix ? mounts_each(m, collect_submount, &s) : -ENOENT;
	record_free(s.record);
	strv_sort(s.found);
	if (r == 0)
		r = keep_outermost(s.found, &outermost);
	if (r == 0)
		r = check_barred(outermost, s.barred);
	strv_free(s.found);
	strv_free(s.barred);
	if (r < 0) {
		strv_free(outermost);
		return r;
	}
	*ret = outermost;
	return 0;
}
