/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New entries: made in their place, or, where a whiteout is, aside, and then exchanged with it. */
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "layers.h"
#include "overlay-state.h"

/* Where something is made, and what becomes of it. */
struct site {
	int directory; /* the upper directory */
	const char *name;
	bool over_whiteout;
	bool merges; /* the layers have a part of the directory */
	int stage; /* a directory like it, in the work directory, where there is a whiteout */
};

/* --- the stage: the same owner, mode and default access control list make the same of what is made --- */

#define STAGE "#stage"
#define DEFAULT_ACL "system.posix_acl_default"

static int copy_default_acl(int from, int to_directory, const char *to) {
	_cleanup_free_ char *value = NULL;
	ssize_t n = layers_xattr(from, ".", DEFAULT_ACL, NULL, 0);

	if (n == -ENODATA || n == -EOPNOTSUPP)
		return 0;
	if (n < 0)
		return (int)n;
	value = malloc((size_t)n + 1);
	if (!value)
		return -ENOMEM;
	n = layers_xattr(from, ".", DEFAULT_ACL, value, (size_t)n);
	return n < 0 ? (int)n
		     : upper_set_xattr(to_directory, to, DEFAULT_ACL, value, (size_t)n, 0);
}

static int set_stage(struct overlay *o, int directory) {
	int work = o->upper.work;
	struct stat st;

	if (fstat(directory, &st) < 0)
		return -errno;
	if (unlinkat(work, STAGE, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	if (mkdirat(work, STAGE, 0700) < 0 ||
	    fchownat(work, STAGE, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(work, STAGE, st.st_mode & 07777, 0) < 0)
		return -errno;
	return copy_default_acl(directory, work, STAGE);
}

static int open_stage(struct overlay *o, struct site *s) {
	int r = set_stage(o, s->directory);

	if (r == 0)
		s->stage = upper_open(o->upper.work, STAGE, O_PATH | O_DIRECTORY);
	return r == 0 && s->stage < 0 ? s->stage : r;
}

/* The directory is put into the upper one, and looked at. */
static int open_site(struct overlay *o, struct node *directory, const char *name,
		     struct site *s) {
	int r = overlay_copy_up(o, directory, true);

	if (r < 0)
		return r;
	s->directory = overlay_directory_fd(o, directory);
	if (s->directory < 0)
		return s->directory;
	s->name = name;
	s->merges = directory->lower != 0;
	r = overlay_has_whiteout(o, s->directory, name);
	if (r < 0)
		return r;
	s->over_whiteout = r > 0;
	return 0;
}

/* --- making --- */

static int make_file(int directory, const char *name, const struct overlay_making *m,
		     int *ret_fd) {
	int fd = openat(directory, name,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			m->mode & 07777);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int make_at(int directory, const char *name, const struct overlay_making *m,
		   int *ret_fd) {
	mode_t mode = m->mode & 07777;
	int r;

	if (m->opened)
		return make_file(directory, name, m, ret_fd);
	if (S_ISDIR(m->mode))
		r = mkdirat(directory, name, mode);
	else if (S_ISLNK(m->mode))
		r = symlinkat(m->target, directory, name);
	else
		r = mknodat(directory, name, m->mode, m->rdev);
	return r < 0 ? -errno : 0;
}

/* A new directory hides what the layers have by that name (specs: overlay.7). */
static int make_aside(struct overlay *o, struct site *s, const struct overlay_making *m,
		      const struct overlay_caller *by, int *ret_fd) {
	bool is_directory = S_ISDIR(m->mode);
	int r = open_stage(o, s);

	if (r < 0)
		return r;
	overlay_become(by);
	r = make_at(s->stage, "#", m, ret_fd);
	overlay_return();
	if (r == 0 && is_directory && s->merges)
		r = upper_set_opaque(&o->upper, s->stage, "#");
	if (r == 0)
		r = upper_rename(s->stage, "#", s->directory, s->name, RENAME_EXCHANGE);
	/* It is the whiteout now, or what has not become anything. */
	if (unlinkat(s->stage, "#", 0) < 0 && errno == EISDIR)
		unlinkat(s->stage, "#", AT_REMOVEDIR);
	return r;
}

static int make(struct overlay *o, struct site *s, const struct overlay_making *m,
		const struct overlay_caller *by, int *ret_fd) {
	int r;

	if (s->over_whiteout)
		return make_aside(o, s, m, by, ret_fd);
	overlay_become(by);
	r = make_at(s->directory, s->name, m, ret_fd);
	overlay_return();
	return r;
}

/* -EEXIST for what is there, also if the kernel did not know. */
static int check_free(struct overlay *o, struct node *directory, const char *name) {
	struct node *there;
	struct stat st;
	int r = overlay_find(o, directory, name, &there, &st);

	if (r == 0)
		overlay_tidy(o, there);
	return r == 0 ? -EEXIST : r == -ENOENT ? 0 : r;
}

/* Gives the node that was made to the kernel. */
static int give_out(struct overlay *o, struct node *node, int *fd, uint64_t *ret_node,
		    struct stat *ret) {
	int r;

	if (*fd >= 0) {
		r = overlay_give_fd(o, node, TAKE_FD(*fd), true);
		if (r < 0)
			return r;
		node->opens++;
	}
	r = overlay_stat_node(o, node, ret);
	if (r < 0)
		return r;
	node->lookups++;
	*ret_node = node->id;
	return 0;
}

static int enter_made(struct overlay *o, struct node *directory, const struct site *s,
		      struct node **ret) {
	struct stat st;

	if (fstatat(s->directory, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return overlay_enter(o, directory, s->name, &st, ret);
}

int overlay_make(struct overlay *o, uint64_t id, const char *name,
		 const struct overlay_making *m, const struct overlay_caller *by,
		 uint64_t *ret_node, struct stat *ret) {
	_cleanup_close_ int fd = -EBADF, stage = -EBADF;
	struct site s = { .stage = -EBADF };
	struct node *directory, *node;
	LOCKED(o);
	int r = overlay_directory(o, id, &directory);

	if (r == 0 && S_ISCHR(m->mode) && m->rdev == makedev(0, 0))
		r = -EPERM;
	if (r == 0 && S_ISLNK(m->mode) && !m->target)
		r = -EINVAL;
	if (r == 0 && m->opened)
		r = overlay_has_room(o);
	if (r == 0)
		r = check_free(o, directory, name);
	if (r == 0)
		r = open_site(o, directory, name, &s);
	if (r == 0)
		r = make(o, &s, m, by, &fd);
	stage = s.stage;
	if (r == 0)
		r = enter_made(o, directory, &s, &node);
	return r < 0 ? r : give_out(o, node, &fd, ret_node, ret);
}

int overlay_make_nameless(struct overlay *o, uint64_t id, mode_t mode,
			  const struct overlay_caller *by, uint64_t *ret_node,
			  struct stat *ret) {
	_cleanup_close_ int fd = -EBADF;
	struct node *directory, *node;
	struct site s;
	struct stat st;
	LOCKED(o);
	int r = overlay_directory(o, id, &directory);

	if (r == 0)
		r = overlay_has_room(o);
	if (r == 0)
		r = open_site(o, directory, ".", &s);
	if (r < 0)
		return r;
	overlay_become(by);
	fd = openat(s.directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode & 07777);
	r = fd < 0 ? -errno : 0;
	overlay_return();
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0)
		r = overlay_enter(o, directory, NULL, &st, &node);
	return r < 0 ? r : give_out(o, node, &fd, ret_node, ret);
}

/* --- further names --- */

static int link_at(struct overlay *o, struct node *node, int directory, const char *name) {
	const char *old;
	int fd = overlay_reach(o, node, &old);

	if (fd < 0)
		return fd;
	return linkat(fd, old, directory, name, *old ? 0 : AT_EMPTY_PATH) < 0 ? -errno
									      : 0;
}

/* `s.directory` is borrowed, and may be gone when the old name's directory is looked for: so it is duplicated. */
static int link_to(struct overlay *o, struct node *node, const struct site *s) {
	_cleanup_close_ int directory = fcntl(s->directory, F_DUPFD_CLOEXEC, 3);
	char made[UPPER_NAME_MAX];
	int r;

	if (directory < 0)
		return -errno;
	if (!s->over_whiteout)
		return link_at(o, node, directory, s->name);
	upper_new_name(&o->upper, made);
	r = link_at(o, node, o->upper.work, made);
	if (r < 0)
		return r;
	r = upper_publish(&o->upper, made, directory, s->name, true);
	if (r < 0)
		upper_discard(&o->upper, made);
	return r;
}

int overlay_link(struct overlay *o, uint64_t id, uint64_t directory, const char *name,
		 struct stat *ret) {
	struct node *node, *parent;
	struct site s;
	LOCKED(o);
	int r = overlay_node(o, id, &node);

	if (r == 0)
		r = overlay_directory(o, directory, &parent);
	if (r == 0 && S_ISDIR(node->type))
		r = -EPERM;
	if (r == 0)
		r = check_free(o, parent, name);
	if (r == 0)
		r = overlay_copy_up(o, node, true);
	if (r == 0)
		r = open_site(o, parent, name, &s);
	if (r == 0)
		r = link_to(o, node, &s);
	if (r == 0)
		r = nodes_name(&o->nodes, parent, name, node);
	if (r == 0)
		r = overlay_stat_node(o, node, ret);
	if (r == 0)
		node->lookups++;
	return r;
}
