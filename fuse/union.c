/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lookups, attributes and listings on the table of directories. One lock is held but while data are read. */
#include "union.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/xattr.h>

#include "merger.h"

struct union_tree {
	pthread_mutex_t lock;
	struct layers layers;
	struct directories directories;
	struct merger *merger;
};

/* Where a node is: an entry of a directory, or the root, which has none. */
struct place {
	struct directory *parent;
	struct dirindex_entry *entry;
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

/* --- nodes --- */

/* The directory's number and the entry's, so that no table is needed. None is UNION_ROOT. */
static uint64_t node_of(const struct directory *parent, uint32_t entry) {
	return (uint64_t)(parent->number + 1) << 32 | entry;
}

static int find_place(struct union_tree *u, uint64_t node, struct place *ret) {
	struct directory *parent;

	if (node == UNION_ROOT) {
		*ret = (struct place){ .parent = NULL };
		return 0;
	}
	parent = directories_get(&u->directories, (uint32_t)(node >> 32) - 1);
	if (!parent || !parent->index || (uint32_t)node >= parent->index->n)
		return -ESTALE;
	*ret = (struct place){ parent, &parent->index->entries[(uint32_t)node] };
	return 0;
}

/* An fd and a name below it, by which the thing is reached. */
static int reach(struct union_tree *u, const struct place *p, const char **ret_name) {
	if (!p->entry) {
		*ret_name = ".";
		return u->layers.list[0].fd;
	}
	*ret_name = dirindex_name(p->parent->index, p->entry);
	return directories_fd(&u->directories, p->parent, p->entry->layer);
}

/* The directory that a node is, with its index. */
static int find_directory(struct union_tree *u, uint64_t node, struct directory **ret) {
	struct directory *dir = directories_get(&u->directories, 0);
	struct place p;
	int r = find_place(u, node, &p);

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

/* --- attributes --- */

static int stat_place(struct union_tree *u, const struct place *p, struct stat *ret) {
	const char *name;
	int fd = reach(u, p, &name), r;
	uint64_t number;
	bool merged = p->entry ? p->entry->more != DIRINDEX_NONE : u->layers.n > 1;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (p->entry && IFTODT(st.st_mode) != p->entry->type)
		return -EIO; /* changed below us */
	r = inode_number(&u->layers.devices, st.st_dev, st.st_ino, &number);
	if (r < 0)
		return r;
	st.st_ino = number;
	if (merged)
		st.st_nlink = 1; /* union.12 */
	if (p->entry)
		p->entry->inode = number;
	*ret = st;
	return 0;
}

/* 1 if the directory says that its contents are elsewhere, and not that it hides what is below; 0; negative errno. */
static int is_redirected(struct union_tree *u, const struct directory *dir,
			 uint16_t layer, const char *name) {
	const struct layer *l = &u->layers.list[layer];
	int fd = directories_fd(&u->directories, dir, layer), r;

	if (fd < 0)
		return fd;
	r = layers_has_mark(&u->layers, l, fd, name, WHITEOUT_MARK_REDIRECT);
	if (r <= 0)
		return r;
	r = layers_opaque(&u->layers, l, fd, name);
	return r < 0 ? r : r != WHITEOUT_HIDES;
}

/* union.8: the lowest layer has nothing to be redirected to. */
static int find_redirect(struct union_tree *u, const struct place *p) {
	const struct directory *dir = p->parent;
	const char *name = dirindex_name(dir->index, p->entry);
	uint16_t last = dir->layers[dir->n_layers - 1], layer = p->entry->layer;
	uint32_t more = p->entry->more;
	int r = 0;

	while (r == 0 && layer != last) {
		r = is_redirected(u, dir, layer, name);
		if (more == DIRINDEX_NONE)
			break;
		layer = dir->index->more[more].layer;
		more = dir->index->more[more].next;
	}
	return r;
}

/* Looks at what a listing does not tell, once: marks, and layers inside of layers. */
static int check(struct union_tree *u, const struct place *p, const struct stat *st) {
	struct dirindex_entry *e = p->entry;
	const struct layer *layer = &u->layers.list[e->layer];
	const char *name;
	int r = 0, fd;

	if (S_ISDIR(st->st_mode)) {
		r = find_redirect(u, p);
		if (r > 0)
			e->flags |= DIRINDEX_REFUSED;
	} else if (S_ISREG(st->st_mode) && st->st_size == 0) {
		fd = reach(u, p, &name);
		r = fd < 0 ? fd
			   : layers_has_mark(&u->layers, layer, fd, name,
					     WHITEOUT_MARK_WHITEOUT);
		if (r > 0)
			e->flags |= DIRINDEX_WHITEOUT;
	}
	if (r >= 0)
		e->flags |= DIRINDEX_CHECKED;
	return r < 0 ? r : 0;
}

static int overlap(struct union_tree *u, const struct place *p) {
	const char *name;
	int fd = reach(u, p, &name);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return layers_is_root(&u->layers, &st) ? -ELOOP : 0;
}

static int examine(struct union_tree *u, const struct place *p, struct stat *ret) {
	int r = stat_place(u, p, ret);

	if (r == 0 && !(p->entry->flags & DIRINDEX_CHECKED)) {
		r = check(u, p, ret);
		if (r == 0 && S_ISDIR(ret->st_mode))
			r = overlap(u, p);
	}
	if (r < 0)
		return r;
	if (p->entry->flags & DIRINDEX_WHITEOUT)
		return -ENOENT;
	return p->entry->flags & DIRINDEX_REFUSED ? -EPERM : 0;
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
		return -ENOENT;
	p = (struct place){ dir, &dir->index->entries[i] };
	r = examine(u, &p, ret);
	if (r < 0)
		return r;
	directories_use(dir, p.entry, 1);
	*ret_node = node_of(dir, i);
	return 0;
}

void union_forget(struct union_tree *u, uint64_t node, uint64_t times) {
	struct place p;
	LOCKED(u);

	if (find_place(u, node, &p) == 0 && p.entry)
		directories_forget(p.parent, p.entry, times);
}

int union_stat(struct union_tree *u, uint64_t node, struct stat *ret) {
	struct place p;
	LOCKED(u);
	int r = find_place(u, node, &p);

	return r < 0 ? r : stat_place(u, &p, ret);
}

int union_readlink(struct union_tree *u, uint64_t node, char *target, size_t size) {
	const char *name;
	struct place p;
	ssize_t n;
	LOCKED(u);
	int r = find_place(u, node, &p), fd;

	if (r < 0)
		return r;
	fd = reach(u, &p, &name);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, name, target, size);
	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	target[n] = '\0';
	return 0;
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
	r = stat_place(u, &root, &st);
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
	int r = look_up ? examine(u, &p, &ret->st) : -ENODATA;

	*ret = (struct union_listed){
		.name = dirindex_name(dir->index, p.entry),
		.next = (uint64_t)i + 3,
		.node = r == 0 ? node_of(dir, i) : 0,
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
	int directory = reach(u, p, &name), r;
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
	int r = find_place(u, node, &p), fd;

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
	int r = find_place(u, node, &p), fd;

	if (r < 0 || !inside)
		return r < 0 ? r : -ERANGE;
	fd = reach(u, &p, &entry);
	return fd < 0 ? fd : layers_xattr(fd, entry, inside, value, size);
}

ssize_t union_listxattr(struct union_tree *u, uint64_t node, char *list, size_t size) {
	const char *entry;
	struct place p;
	ssize_t n;
	LOCKED(u);
	int r = find_place(u, node, &p), fd;

	if (r < 0)
		return r;
	fd = reach(u, &p, &entry);
	if (fd < 0)
		return fd;
	n = layers_list_xattrs(fd, entry, list, size);
	return n < 0 ? n
		     : (ssize_t)whiteout_filter_list(u->layers.space, list, (size_t)n);
}

int union_statfs(struct union_tree *u, struct statvfs *ret) {
	return fstatvfs(u->layers.list[0].fd, ret) < 0 ? -errno : 0;
}
