/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounded walk over a directory tree that is not trusted. */
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "file.h"

const struct tree_limits tree_limits_default = {
	.nodes = 1000 * 1000,
	.depth = 128,
	.milliseconds = 20 * 1000,
};

/* One directory that the walk is inside of. */
struct frame {
	struct file_entries entries;
	size_t next;	 /* not visited yet from here on */
	size_t path_len; /* of the walk's path up to and with this directory */
	struct tree_entry entry;
};

struct walk {
	const struct tree_limits *limits;
	const struct tree_visitor *visitor;
	struct timespec start;
	uint64_t nodes;
	struct frame *frames;
	unsigned n_frames;
	char *path;
	size_t path_room;
};

static uint64_t milliseconds_since(const struct timespec *start) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - start->tv_sec) * 1000 +
			  (now.tv_nsec - start->tv_nsec) / 1000000);
}

static int check_limits(struct walk *w) {
	if (++w->nodes > w->limits->nodes)
		return -E2BIG;
	/* A look at the clock now and then: the walk itself is what costs. */
	if (w->nodes % 64 == 0 && milliseconds_since(&w->start) > w->limits->milliseconds)
		return -ETIME;
	return 0;
}

/* Makes the path end with `name` behind the first `len` bytes. */
static int set_path(struct walk *w, size_t len, const char *name) {
	size_t need = len + strlen(name) + 2;

	if (need > w->path_room) {
		char *grown = realloc(w->path, need * 2);

		if (!grown)
			return -ENOMEM;
		w->path = grown;
		w->path_room = need * 2;
	}
	sprintf(w->path + len, "%s%s", len ? "/" : "", name);
	return 0;
}

static void pop_frame(struct walk *w) {
	struct frame *f = &w->frames[--w->n_frames];

	file_entries_done(&f->entries);
	close_fdp(&f->entry.fd);
}

/* Goes into the directory of `e`; takes over its fd, also on failure. */
static int push_frame(struct walk *w, const struct tree_entry *e) {
	struct frame *f = &w->frames[w->n_frames++];

	*f = (struct frame){ .entry = *e, .path_len = strlen(w->path) };
	return file_list_opened(e->fd, w->limits->nodes, &f->entries);
}

/*
 * A directory that nothing is mounted on is opened: device numbers would not tell, as a bind mount has its
 * source's, and a btrfs subvolume one of its own. O_NOFOLLOW, as its type may just have changed.
 */
static int open_directory(struct walk *w, struct tree_entry *e) {
	int fd;

	if (w->n_frames > w->limits->depth)
		return -ELOOP;
	fd = file_open_exact(e->parent, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd == -EXDEV)
		return 0;
	if (fd < 0)
		return fd;
	e->fd = fd;
	return fstat(e->fd, &e->st) < 0 ? -errno : 0;
}

/* What the directory says of the entry's type saves a system call for each directory, and decides nothing. */
static int look_at(struct walk *w, struct tree_entry *e, unsigned char type) {
	bool is_tried = type == DT_DIR;
	int r = is_tried ? open_directory(w, e) : 0;

	if (e->fd >= 0 || (r < 0 && r != -ENOTDIR && r != -ELOOP))
		return r;
	if (fstatat(e->parent, e->name, &e->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(e->st.st_mode))
		return 0;
	return is_tried ? r : open_directory(w, e);
}

static int visit(struct walk *w, struct tree_entry *e, unsigned char type) {
	int r = check_limits(w);

	if (r == 0)
		r = look_at(w, e, type);
	if (r == 0)
		r = w->visitor->enter(e, w->visitor->data);
	if (r == 0 && e->fd >= 0)
		return push_frame(w, e);
	close_fdp(&e->fd);
	return r == TREE_SKIP ? 0 : r;
}

static int step(struct walk *w) {
	struct frame *f = &w->frames[w->n_frames - 1];
	const struct file_entry *entry = f->entries.items + f->next;
	struct tree_entry e;
	int r;

	if (f->next == f->entries.n) {
		w->path[f->path_len] = '\0';
		f->entry.path = w->path;
		f->entry.name = strrchr(w->path, '/') ? strrchr(w->path, '/') + 1
						      : w->path;
		if (w->visitor->leave)
			w->visitor->leave(&f->entry, w->visitor->data);
		pop_frame(w);
		return 0;
	}
	f->next++;
	r = set_path(w, f->path_len, entry->name);
	if (r < 0)
		return r;
	e = (struct tree_entry){ .path = w->path,
				 .name = entry->name,
				 .depth = w->n_frames,
				 .parent = f->entry.fd,
				 .fd = -EBADF };
	return visit(w, &e, entry->type);
}

static int enter_root(struct walk *w, int root) {
	struct tree_entry e = { .path = "", .name = "", .parent = -EBADF, .fd = -EBADF };
	int r = set_path(w, 0, "");

	if (r == 0)
		e.fd = file_reopen(root, O_RDONLY | O_DIRECTORY);
	if (r == 0 && e.fd < 0)
		r = e.fd;
	if (r == 0 && fstat(e.fd, &e.st) < 0)
		r = -errno;
	if (r == 0)
		r = w->visitor->enter(&e, w->visitor->data);
	if (r == 0)
		return push_frame(w, &e);
	close_fdp(&e.fd);
	return r == TREE_SKIP ? 0 : r;
}

int tree_walk(int root, const struct tree_limits *limits,
	      const struct tree_visitor *visitor) {
	struct walk w = { .limits = limits, .visitor = visitor };
	int r;

	clock_gettime(CLOCK_MONOTONIC, &w.start);
	w.frames = calloc(limits->depth + 2, sizeof(*w.frames));
	if (!w.frames)
		return -ENOMEM;
	r = enter_root(&w, root);
	while (r == 0 && w.n_frames > 0)
		r = step(&w);
	while (w.n_frames > 0)
		pop_frame(&w);
	free(w.frames);
	free(w.path);
	return r;
}

void tree_digest_entry(const struct tree_entry *e, struct digest *d) {
	const uint64_t numbers[] = {
		e->st.st_mode,
		e->st.st_uid,
		e->st.st_gid,
		e->st.st_ino,
		e->st.st_dev,
		e->st.st_rdev,
		S_ISDIR(e->st.st_mode) ? 0 : (uint64_t)e->st.st_size,
		(uint64_t)e->st.st_mtim.tv_sec,
		(uint64_t)e->st.st_mtim.tv_nsec,
		(uint64_t)e->st.st_ctim.tv_sec,
		(uint64_t)e->st.st_ctim.tv_nsec,
	};

	digest_add_text(d, e->path);
	digest_add(d, numbers, sizeof(numbers));
}
