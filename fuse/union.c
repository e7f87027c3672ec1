/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lookups, attributes and listings on the table of directories. One lock is held but while data are read. */
#include "union.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/xattr.h>

#include "merger.h"
#include "place.h"

struct union_tree {
	pthread_mutex_t lock;
	struct layers layers;
	struct directories directories;
	struct merger *merger;
	struct places places; /* in both */
};

static void unlock(pthread_mutex_t **lock) {
	pthread_mutex_unlock(*lock);
}

static pthread_mutex_t *lock(struct union_tree *u) {
	pthread_mutex_lock(&u->lock);
	return &u->lock;
}
#define LOCKED(u) pthread_mutex_t *held __attribute__((cleanup(unlock), unused)) = lock(u)

int union_new(const int *fds, unsigned n, enum whiteout_space space,
	      struct union_tree **ret) {
	struct union_tree *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	pthread_mutex_init(&u->lock, NULL);
	u->places = (struct places){ &u->layers, &u->directories };
	fdcache_init(&u->directories.fds);
	fdcache_init(&u->directories.files);
	r = layers_init(&u->layers, fds, n, space);
	if (r == 0)
		r = directories_init(&u->directories, &u->layers);
	if (r == 0)
		r = merger_new(&u->layers, &u->directories, &u->merger);
	if (r < 0)
		union_free(u);
	else
		*ret = u;
	return r;
}

void union_free(struct union_tree *u) {
	if (!u)
		return;
	merger_free(u->merger);
	directories_done(&u->directories);
	layers_done(&u->layers);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

bool union_has_xattrs(const struct union_tree *u) {
	return u->layers.have_xattrs;
}

bool union_has_acls(const struct union_tree *u) {
	return u->layers.have_acls;
}

unsigned union_depth(const struct union_tree *u) {
	return u->layers.are_stacked ? 2 : 1;
}

/* --- nodes --- */

/* The directory that a node is, with its index. */
static int find_directory(struct union_tree *u, uint64_t node, struct directory **ret) {
	struct directory *dir = directories_get(&u->directories, 0);
	struct place p;
	int r = place_find(&u->places, node, &p);

	if (r < 0)
		return r;
	if (p.entry && p.entry->type != DT_DIR)
		return -ENOTDIR;
	if (p.entry)
		r = directories_enter(&u->directories, p.parent, (uint32_t)node, &dir);
	if (r == 0)
		r = merger_index(u->merger, dir);
	if (r == 0)
		*ret = dir;
	return r;
}

int union_lookup(struct union_tree *u, uint64_t directory, const char *name,
		 uint64_t *ret_node, struct stat *ret) {
	struct directory *dir;
	struct place p;
	uint32_t i;
	LOCKED(u);
	int r = find_directory(u, directory, &dir);

	if (r < 0)
		return r;
	i = dirindex_find(dir->index, name, strlen(name));
	if (i == DIRINDEX_NONE)
		return strlen(name) > DIRINDEX_NAME_MAX ? -ENAMETOOLONG : -ENOENT;
	p = (struct place){ dir, &dir->index->entries[i] };
	r = place_examine(&u->places, &p, ret);
	if (r < 0)
		return r;
	directories_use(dir, p.entry, 1);
	*ret_node = place_node(dir, i);
	return 0;
}

bool union_forget(struct union_tree *u, uint64_t node, uint64_t times) {
	struct place p;
	LOCKED(u);

	if (place_find(&u->places, node, &p) < 0 || !p.entry)
		return false;
	directories_forget(p.parent, p.entry, times);
	return p.entry->users == 0;
}

int union_stat(struct union_tree *u, uint64_t node, struct stat *ret) {
	struct place p;
	LOCKED(u);
	int r = place_find(&u->places, node, &p);

	return r < 0 ? r : place_stat(&u->places, &p, ret);
}

void union_birth(struct union_tree *u, uint64_t node, struct statx *ret) {
	const char *name;
	struct place p;
	LOCKED(u);
	int r = place_find(&u->places, node, &p), fd;

	fd = r < 0 ? r : place_reach(&u->places, &p, &name);
	if (fd < 0 || statx(fd, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, ret) < 0)
		ret->stx_mask = 0;
}

int union_readlink(struct union_tree *u, uint64_t node, char *target, size_t size) {
	const char *name;
	struct place p;
	LOCKED(u);
	int r = place_find(&u->places, node, &p), fd;

	if (r < 0)
		return r;
	fd = place_reach(&u->places, &p, &name);
	return fd < 0 ? fd : layers_readlink(fd, name, target, size);
}

/* --- listings --- */

/* The number of the directory itself: its own entry's, or the root's. */
static int number_of(struct union_tree *u, const struct directory *dir, uint64_t *ret) {
	const struct place root = { .parent = NULL };
	struct stat st;
	int r;

	if (dir->number != 0) {
		*ret = directories_get(&u->directories, dir->parent)
			       ->index->entries[dir->entry]
			       .inode;
		return 0;
	}
	r = place_stat(&u->places, &root, &st);
	if (r == 0)
		*ret = st.st_ino;
	return r;
}

static int list_dot(struct union_tree *u, const struct directory *dir, uint64_t position,
		    struct union_listed *ret) {
	int r;

	*ret = (struct union_listed){ .name = position == 0 ? "." : "..",
				      .next = position + 1,
				      .st.st_mode = S_IFDIR };
	if (position == 1)
		dir = directories_get(&u->directories, dir->parent);
	r = number_of(u, dir, &ret->st.st_ino);
	return r;
}

/* What is a whiteout after all gets no name. */
static void list_entry(struct union_tree *u, struct directory *dir, uint32_t i,
		       bool look_up, struct union_listed *ret) {
	struct place p = { dir, &dir->index->entries[i] };
	int r = look_up ? place_examine(&u->places, &p, &ret->st) : -ENODATA;

	*ret = (struct union_listed){
		.name = dirindex_name(dir->index, p.entry),
		.next = (uint64_t)i + 3,
		.node = r == 0 ? place_node(dir, i) : 0,
		.st = ret->st,
	};
	if (p.entry->flags & DIRINDEX_WHITEOUT)
		ret->name = NULL;
	if (r < 0)
		ret->st = (struct stat){ .st_ino = p.entry->inode,
					 .st_mode = DTTOIF(p.entry->type) };
}

int union_list(struct union_tree *u, uint64_t directory, uint64_t position, bool look_up,
	       bool (*take)(const struct union_listed *l, void *data), void *data) {
	struct union_listed l = { .name = NULL };
	struct directory *dir;
	LOCKED(u);
	int r = find_directory(u, directory, &dir);

	for (; r == 0 && position < 2; position++) {
		r = list_dot(u, dir, position, &l);
		if (r == 0 && !take(&l, data))
			return 0;
	}
	for (; r == 0 && position - 2 < dir->index->n; position++) {
		uint32_t i = (uint32_t)(position - 2);

		list_entry(u, dir, i, look_up, &l);
		if (!l.name)
			continue;
		if (!take(&l, data))
			return 0;
		if (l.node != 0)
			directories_use(dir, &dir->index->entries[i], 1);
	}
	return r;
}

/* --- data --- */

static int open_file(struct union_tree *u, const struct place *p) {
	const struct layer *layer = &u->layers.list[p->entry->layer];
	const char *name;
	int directory = place_reach(&u->places, p, &name), r;
	_cleanup_close_ int fd = -EBADF;

	if (directory < 0)
		return directory;
	r = layers_has_mark(&u->layers, layer, directory, name, WHITEOUT_MARK_METACOPY);
	if (r != 0)
		return r < 0 ? r : -EPERM;
	fd = layers_open(directory, name, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? fd : TAKE_FD(fd);
}

int union_open(struct union_tree *u, uint64_t node, struct union_file *ret) {
	struct place p;
	LOCKED(u);
	int r = place_find(&u->places, node, &p), fd;

	if (r < 0)
		return r;
	if (!p.entry || p.entry->type != DT_REG)
		return -EISDIR;
	fd = fdcache_find(&u->directories.files, node);
	*ret = (struct union_file){ .node = node, .fd = fd };
	if (fd < 0) {
		fd = open_file(u, &p);
		if (fd < 0)
			return fd;
		*ret = (struct union_file){ .node = node, .fd = fd };
		ret->is_ours = !fdcache_add(&u->directories.files, node, fd);
	}
	if (!ret->is_ours)
		fdcache_pin(&u->directories.files, node);
	return 0;
}

void union_close(struct union_tree *u, struct union_file *f) {
	LOCKED(u);

	if (f->is_ours)
		close(f->fd);
	else
		fdcache_unpin(&u->directories.files, f->node);
}

/* --- attributes that are extended --- */

ssize_t union_getxattr(struct union_tree *u, uint64_t node, const char *name, void *value,
		       size_t size) {
	char buffer[WHITEOUT_NAME_MAX];
	const char *entry, *inside = whiteout_to_layer(u->layers.space, name, buffer);
	struct place p;
	LOCKED(u);
	int r = place_find(&u->places, node, &p), fd;

	if (r < 0 || !inside)
		return r < 0 ? r : -ERANGE;
	fd = place_reach(&u->places, &p, &entry);
	return fd < 0 ? fd : layers_xattr(fd, entry, inside, value, size);
}

ssize_t union_listxattr(struct union_tree *u, uint64_t node, char *list, size_t size) {
	const char *entry;
	struct place p;
	ssize_t n;
	LOCKED(u);
	int r = place_find(&u->places, node, &p), fd;

	if (r < 0)
		return r;
	fd = place_reach(&u->places, &p, &entry);
	if (fd < 0)
		return fd;
	n = layers_list_xattrs(fd, entry, list, size);
	return n < 0 ? n
		     : (ssize_t)whiteout_filter_list(u->layers.space, list, (size_t)n);
}

int union_number(struct union_tree *u, dev_t device, ino_t number, uint64_t *ret) {
	LOCKED(u);

	return inode_number(&u->layers.devices, device, number, ret);
}

int union_statfs(struct union_tree *u, struct statvfs *ret) {
	return fstatvfs(u->layers.list[0].fd, ret) < 0 ? -errno : 0;
}
