/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is merged now, and the lock. */
#include "state.h"

#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "file.h"
#include "kernel.h"
#include "stack.h"
#include "strv.h"
#include "text.h"

#define LOCK_NAME "extmerge.lock"
#define LOCK_POLL_MILLISECONDS 20

/* By file system and source alone: both need privilege to set, and no layer can fake them. */
static bool is_ours(const struct mount_info *i) {
	return (strcmp(i->fstype, "overlay") == 0 ||
		strcmp(i->fstype, "fuse.extmerge") == 0) &&
	       strncmp(i->source, STACK_SOURCE_PREFIX, strlen(STACK_SOURCE_PREFIX)) == 0;
}

static bool is_peers(const struct mount_info *i) {
	return strcmp(i->fstype, "overlay") == 0 &&
	       (strcmp(i->source, "sysext") == 0 || strcmp(i->source, "confext") == 0);
}

/* The mount that `i` lies directly on, if it is at the same place. */
static bool find_under(const struct mounts *m, const struct mount_info *i,
		       struct mount_info *ret) {
	return mounts_find(m, i->parent, ret) && strcmp(ret->target, i->target) == 0;
}

/* Looks down from the uppermost mount of the hierarchy. */
static int judge(const struct mounts *m, const struct mount_info *top,
		 struct state_hierarchy *h) {
	struct mount_info at = *top;
	bool more = true;

	if (is_peers(top))
		h->kind = STATE_PEER;
	else if (is_ours(top))
		h->kind = STATE_MERGED;
	for (; more; more = find_under(m, &at, &at)) {
		if (is_ours(&at))
			h->stacked++;
		else if (h->stacked > 0)
			break;
	}
	if (h->kind == STATE_PLAIN && h->stacked > 0)
		h->kind = STATE_COVERED;
	if (h->kind == STATE_COVERED || h->kind == STATE_PEER) {
		h->other = text_format("%s '%s'", top->fstype, top->source);
		return h->other ? 0 : -ENOMEM;
	}
	return 0;
}

static int read_hierarchy(int root, const struct mounts *m, struct state_hierarchy *h) {
	struct mount_info top;
	int id, r;

	h->fd = file_open_in(root, h->name, O_PATH | O_DIRECTORY);
	if (h->fd == -ENOENT)
		return 0;
	if (h->fd < 0)
		return h->fd;
	if (!mount_is_root(h->fd))
		return 0;
	id = mount_id(h->fd);
	if (id < 0)
		return id;
	if (!mounts_find(m, id, &top))
		return 0;
	r = judge(m, &top, h);
	if (r < 0 || h->kind != STATE_MERGED)
		return r;
	r = stack_read_record(h->fd, &h->record);
	if (r == 0 || r == -ENOMEM || r == -EIO)
		return r;
	/* Without a record it is still ours; what is in it cannot be said. */
	h->record = record_new(h->class, h->name);
	return h->record ? 0 : -ENOMEM;
}

int state_read(int root, struct state *ret) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	struct state s = { .n = 0 };
	int r = mounts_read(&m);

	for (size_t c = 0; r == 0 && c < CLASS_COUNT; c++)
		for (const char *const *name = classes[c].hierarchies; r == 0 && *name;
		     name++) {
			struct state_hierarchy *h = &s.hierarchies[s.n++];

			*h = (struct state_hierarchy){ .class = &classes[c],
						       .name = *name };
			r = read_hierarchy(root, m, h);
		}
	if (r < 0) {
		state_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void state_done(struct state *s) {
	for (size_t i = 0; i < s->n; i++) {
		close_fdp(&s->hierarchies[i].fd);
		free(s->hierarchies[i].other);
		record_free(s->hierarchies[i].record);
	}
	s->n = 0;
}

/*
 * The working directory names the very mount, also where others lie on top of it, and needs no /proc.
 */
int state_detach(int fd, int directory) {
	int r = 0;

	if (fchdir(fd) < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0 && umount2(".", MNT_DETACH) < 0)
		r = -errno; /* tried twice: a switch that has come this far should be finished */
	if (fchdir(directory) < 0 && chdir("/") < 0)
		return -errno;
	return r;
}

static int peel_one(int root, const char *name, unsigned n, int directory) {
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		_cleanup_close_ int fd = file_open_in(root, name, O_PATH | O_DIRECTORY);

		r = fd < 0 ? fd : state_detach(fd, directory);
	}
	return r;
}

int state_peel(int root, int directory) {
	struct state s;
	int r = state_read(root, &s);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < s.n; i++)
		if (s.hierarchies[i].kind == STATE_MERGED)
			r = peel_one(root, s.hierarchies[i].name,
				     s.hierarchies[i].stacked, directory);
	state_done(&s);
	return r;
}

int state_heal(int root, int directory) {
	struct state s;
	int r = state_read(root, &s), healed = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < s.n; i++) {
		if (s.hierarchies[i].kind != STATE_MERGED || s.hierarchies[i].stacked < 2)
			continue;
		r = peel_one(root, s.hierarchies[i].name, s.hierarchies[i].stacked - 1,
			     directory);
		healed++;
	}
	state_done(&s);
	return r < 0 ? r : healed;
}

static int open_lock(int root) {
	_cleanup_close_ int run = file_open_in(root, "run", O_PATH | O_DIRECTORY);
	int fd = -EBADF;

	if (run >= 0)
		fd = openat(run, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0600);
	if (fd >= 0)
		return fd;
	return file_reopen(root, O_RDONLY | O_DIRECTORY);
}

int state_lock(int root, unsigned milliseconds) {
	const struct timespec poll = { .tv_nsec = LOCK_POLL_MILLISECONDS * 1000 * 1000 };
	_cleanup_close_ int fd = open_lock(root);

	if (fd < 0)
		return fd;
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0;) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= milliseconds)
			return -ETIMEDOUT;
		nanosleep(&poll, NULL);
		waited += LOCK_POLL_MILLISECONDS;
	}
	return TAKE_FD(fd);
}

struct submounts {
	int fd;	      /* the hierarchy */
	char *prefix; /* its path as the mount table has it, with a slash at the end */
	char **found;
};

/* Whether what is seen at `path` below the hierarchy is this mount, not one that covers it. */
static bool is_visible(const struct submounts *s, const char *path, int id) {
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	_cleanup_close_ int fd = sys_openat2(s->fd, path, &how);

	return fd >= 0 && mount_id(fd) == id;
}

static int collect_submount(const struct mount_info *i, void *data) {
	struct submounts *s = data;
	size_t len = strlen(s->prefix);

	if (strncmp(i->target, s->prefix, len) != 0 ||
	    !is_visible(s, i->target + len, i->id))
		return 0;
	return strv_append(&s->found, i->target + len);
}

/* Keeps the outermost of the sorted paths: each brings what is mounted below it along. */
static int keep_outermost(char *const *paths, char ***ret) {
	const char *last = NULL;
	int r = 0;

	for (; r == 0 && paths && *paths; paths++) {
		size_t len = last ? strlen(last) : 0;

		if (last && strncmp(*paths, last, len) == 0 &&
		    ((*paths)[len] == '/' || (*paths)[len] == '\0'))
			continue;
		r = strv_append(ret, *paths);
		last = *paths;
	}
	return r;
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

int state_submounts(int fd, char ***ret) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	_cleanup_free_ char *prefix = table_path(fd);
	struct submounts s = { .fd = fd, .prefix = prefix };
	char **outermost = NULL;
	int r = prefix ? mounts_read(&m) : -ENOENT;

	if (r == 0)
		r = mounts_each(m, collect_submount, &s);
	strv_sort(s.found);
	if (r == 0)
		r = keep_outermost(s.found, &outermost);
	strv_free(s.found);
	if (r < 0) {
		strv_free(outermost);
		return r;
	}
	*ret = outermost;
	return 0;
}
