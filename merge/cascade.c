/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that lie in several directories, of which the best one that has a name counts for it. */
#include "cascade.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "file.h"
#include "strv.h"
#include "text.h"

#define TARGET_MAX 16 /* "/dev/null" fits, and what does not is something else */

static struct cascade_file *add_file(struct cascade *c, const char *directory,
				     const char *name) {
	struct cascade_file *grown = reallocarray(c->items, c->n + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	c->items = grown;
	grown[c->n] = (struct cascade_file){ .path = file_join(directory, name),
					     .fd = -EBADF };
	return grown[c->n].path ? &grown[c->n++] : NULL;
}

/* It stays in the list, so that nothing else takes its place. */
static int refuse(struct cascade_file *f, const char *why) {
	f->why = strdup(why);
	return f->why ? 0 : -ENOMEM;
}

/* A read that fails is an error: what is not known must decide nothing, as it will be known the next time. */
static int refuse_error(struct cascade_file *f, int error) {
	if (file_is_shortage(error) || error == -EIO)
		return error;
	f->error = error;
	f->why = text_format("it cannot be read: %s", strerror(-error));
	return f->why ? 0 : -ENOMEM;
}

/* NULL where only root, or we ourselves, can write it. */
static const char *check_writers(const struct stat *st) {
	if (st->st_mode & S_IWOTH)
		return "it can be written by everybody";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it does not belong to root";
	return NULL;
}

/* Below another root there may be no /dev/null: then what the link says counts. */
static bool is_dangling_mask(int directory, const char *name) {
	char target[TARGET_MAX];
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(target, "/dev/null") == 0;
}

static bool is_null_device(const struct stat *st) {
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Fills in what `f` is; `directory` is where the name was found. */
static int judge(int root, int directory, const char *name, struct cascade_file *f) {
	_cleanup_close_ int fd = file_open_in(root, f->path, O_PATH);
	struct stat *st = &f->st;
	const char *why;

	if (fd < 0 && is_dangling_mask(directory, name)) {
		f->is_mask = true;
		return 0;
	}
	if (fd < 0 || fstat(fd, st) < 0)
		return refuse_error(f, fd < 0 ? fd : -errno);
	f->is_mask = is_null_device(st);
	if (f->is_mask)
		return 0;
	why = S_ISREG(st->st_mode) ? check_writers(st) : "it is no regular file";
	if (why)
		return refuse(f, why);
	f->is_mask = st->st_size == 0;
	if (!f->is_mask)
		f->fd = TAKE_FD(fd);
	return 0;
}

/* Something above it is no directory, so it is not there; that is no concern of ours. */
static bool is_below_file(int root, const char *path) {
	_cleanup_close_ int fd = file_open_in(root, path, O_PATH);

	return fd == -ENOTDIR;
}

/* The directory as an O_PATH fd, or -ENOENT. */
static int open_directory(int root, const char *path, struct stat *ret) {
	int fd = file_open_in(root, path, O_PATH | O_DIRECTORY), r;

	if (fd == -ENOTDIR && is_below_file(root, path))
		return -ENOENT;
	if (fd < 0 || fstat(fd, ret) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static int refuse_directory(struct cascade *c, const char *path, const char *why,
			    int error) {
	struct cascade_file *f = add_file(c, path, "");

	if (!f)
		return -ENOMEM;
	return why ? refuse(f, why) : refuse_error(f, error);
}

/* 1 where the directory has the name, which is then an item of `c`. */
static int find_in(int root, const char *path, const char *name, struct cascade *c) {
	struct stat st, entry;
	_cleanup_close_ int directory = open_directory(root, path, &st);
	const char *why = directory < 0 ? NULL : check_writers(&st);
	struct cascade_file *f;
	int r;

	/* Where it is a file, nothing lies in it. */
	if (directory == -ENOENT || directory == -ENOTDIR ||
	    (directory >= 0 &&
	     fstatat(directory, name, &entry, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT))
		return 0;
	if (directory < 0 || why) {
		r = refuse_directory(c, path, why, directory);
	} else {
		f = add_file(c, path, name);
		r = f ? judge(root, directory, name, f) : -ENOMEM;
	}
	return r < 0 ? r : 1;
}

int cascade_find(int root, const char *const *directories, const char *name,
		 struct cascade *ret) {
	_cleanup_(cascade_done) struct cascade c = { 0 };
	int r = 0;

	for (; r == 0 && *directories; directories++)
		r = find_in(root, *directories, name, &c);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct cascade){ 0 };
	return 0;
}

/* A name, and the best directory that has it. */
struct candidate {
	char *name;
	const char *path;
	int directory; /* the listing's */
};

struct listing {
	int root;
	const char *suffix;
	struct candidate *items;
	size_t n;
	int *fds; /* the directories, to be kept until all names are judged */
	size_t n_fds;
	struct cascade found;
};

static void listing_done(struct listing *l) {
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].name);
	for (size_t i = 0; i < l->n_fds; i++)
		close_fdp(&l->fds[i]);
	free(l->items);
	free(l->fds);
	cascade_done(&l->found);
}

static bool is_wanted(const struct listing *l, const char *name) {
	size_t len = strlen(name), end = strlen(l->suffix);

	if (name[0] == '.' || len <= end || strcmp(name + len - end, l->suffix) != 0)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i].name, name) == 0)
			return false;
	return true;
}

/* A name counts in the best directory that has it, whatever it is there. */
static int add_name(struct listing *l, const char *name, const char *path, int directory) {
	struct candidate *grown;

	if (!is_wanted(l, name))
		return 0;
	grown = reallocarray(l->items, l->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->items = grown;
	grown[l->n] = (struct candidate){ strdup(name), path, directory };
	return grown[l->n++].name ? 0 : -ENOMEM;
}

static int list_directory(struct listing *l, const char *path) {
	_cleanup_strv_ char **names = NULL;
	const char *why;
	struct stat st;
	int r, fd = open_directory(l->root, path, &st);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return refuse_directory(&l->found, path, NULL, fd);
	l->fds[l->n_fds++] = fd;
	why = check_writers(&st);
	r = why ? 0 : file_list(fd, CASCADE_ENTRIES_MAX, &names);
	if (why || r < 0)
		return refuse_directory(&l->found, path, why, r);
	for (char **name = names; r == 0 && *name; name++)
		r = add_name(l, *name, path, fd);
	return r;
}

static int compare_candidates(const void *a, const void *b) {
	return strcmp(((const struct candidate *)a)->name,
		      ((const struct candidate *)b)->name);
}

static int judge_all(struct listing *l) {
	int r = 0;

	if (l->n > 1)
		qsort(l->items, l->n, sizeof(*l->items), compare_candidates);
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		const struct candidate *c = &l->items[i];
		struct cascade_file *f = add_file(&l->found, c->path, c->name);

		r = f ? judge(l->root, c->directory, c->name, f) : -ENOMEM;
	}
	return r;
}

int cascade_list(int root, const char *const *directories, const char *suffix,
		 struct cascade *ret) {
	_cleanup_(listing_done) struct listing l = { .root = root, .suffix = suffix };
	size_t n = strv_length((char *const *)directories);
	int r = 0;

	l.fds = calloc(n, sizeof(*l.fds));
	if (!l.fds)
		return -ENOMEM;
	for (; r == 0 && *directories; directories++)
		r = list_directory(&l, *directories);
	if (r == 0)
		r = judge_all(&l);
	if (r < 0)
		return r;
	*ret = l.found;
	l.found = (struct cascade){ 0 };
	return 0;
}

void cascade_done(struct cascade *c) {
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].path);
		free(c->items[i].why);
		close_fdp(&c->items[i].fd);
	}
	free(c->items);
	*c = (struct cascade){ 0 };
}
