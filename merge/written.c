/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was written in a merged hierarchy. */
#include "written.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "file.h"
#include "strv.h"
#include "tree.h"

#define NAMES_SIZE_MAX 65536 /* XATTR_LIST_MAX */
#define VALUE_SIZE_MAX 65536 /* XATTR_SIZE_MAX */
#define CHUNK 65536
#define ENTRIES_MAX 1000000

const char *written_kind_word(enum written_kind k) {
	static const char *const words[] = {
		[WRITTEN_ADDED] = "added", [WRITTEN_CHANGED] = "changed", [WRITTEN_REMOVED] = "removed"
	};

	return words[k];
}

const char *written_type_word(mode_t mode) {
	return S_ISREG(mode)	? "file"
	       : S_ISDIR(mode)	? "directory"
	       : S_ISLNK(mode)	? "symlink"
	       : S_ISFIFO(mode) ? "fifo"
	       : S_ISSOCK(mode) ? "socket"
				: "device";
}

const char *written_what_word(enum written_what w) {
	switch (w) {
	case WRITTEN_TYPE:
		return "type";
	case WRITTEN_CONTENT:
		return "content";
	case WRITTEN_MODE:
		return "mode";
	case WRITTEN_OWNER:
		return "owner";
	case WRITTEN_ATTRIBUTES:
		return "attributes";
	}
	return NULL;
}

bool written_is_mark(const char *attribute) {
	return strncmp(attribute, "trusted.overlay.", 16) == 0 ||
	       strncmp(attribute, "user.overlay.", 13) == 0;
}

static bool is_whiteout(const struct stat *st) {
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(int fd) {
	char value;

	return fgetxattr(fd, "trusted.overlay.opaque", &value, sizeof(value)) == 1 &&
	       value == 'y';
}

/* What lies below a path: in which of the lower layers, as an O_PATH fd. */
struct below {
	int fd;
	struct stat st;
	const struct extension *own;
	bool is_imported;
};

#define BELOW_NONE \
	{ .fd = -EBADF }

static void below_done(struct below *b) {
	close_fdp(&b->fd);
}

struct walk {
	const struct hierarchy *h;
	int (*f)(const struct written_change *c, void *data);
	void *data;
};

/* How many layers there are below what is written, and number `i` of them, the uppermost first (mutable.10). */
static size_t count_layers(const struct hierarchy *h) {
	return h->n_layers + 2;
}

static int get_layer(const struct hierarchy *h, size_t i, struct below *ret) {
	const bool is_top = hierarchy_base_is_top(h);

	*ret = (struct below)BELOW_NONE;
	if (i == 0) {
		ret->is_imported = h->upper && h->upper->is_imported && !h->upper->is_host;
		return ret->is_imported ? h->upper->directory : -EBADF;
	}
	if (i == (is_top ? 1 : h->n_layers + 1))
		return hierarchy_base_is_layer(h) ? h->base : -EBADF;
	ret->own = h->layers[h->n_layers - i + is_top].extension;
	return h->layers[h->n_layers - i + is_top].fd;
}

/*
 * The uppermost thing at the path. 1 with *ret; 0 where there is none: no layer has it, or what is above it is no directory, or
 * hides it. What is mounted on the host's own directory is no part of a layer.
 */
static int find_below(const struct walk *w, const char *path, struct below *ret) {
	for (size_t i = 0; i < count_layers(w->h); i++) {
		struct below b;
		int layer = get_layer(w->h, i, &b);
		int fd = layer < 0 ? -ENOENT
				   : file_open_exact(layer, path, O_PATH | O_NOFOLLOW);

		if (fd == -ENOENT || fd == -EXDEV)
			continue;
		if (fd == -ENOTDIR || fd == -ELOOP)
			return 0;
		if (fd < 0)
			return fd;
		if (fstat(fd, &b.st) < 0 || is_whiteout(&b.st)) {
			close(fd);
			return 0;
		}
		b.fd = fd;
		*ret = b;
		return 1;
	}
	return 0;
}

/* 1 if the two files have other bytes, 0 if not, or a negative errno. */
static int compare_bytes(int a, int b) {
	_cleanup_free_ char *left = malloc(CHUNK), *right = malloc(CHUNK);
	ssize_t n = 1, m;

	if (!left || !right)
		return -ENOMEM;
	for (uint64_t at = 0; n > 0; at += (uint64_t)n) {
		n = file_read_at(a, left, CHUNK, at);
		m = file_read_at(b, right, CHUNK, at);
		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(left, right, (size_t)n) != 0)
			return 1;
	}
	return 0;
}

static int compare_links(int a, int b) {
	char left[4096], right[4096];
	ssize_t n = readlinkat(a, "", left, sizeof(left)),
		m = readlinkat(b, "", right, sizeof(right));

	return n < 0 || n != m || memcmp(left, right, (size_t)n) != 0;
}

static int compare_content(int upper, const struct stat *st, const struct below *b) {
	_cleanup_close_ int left = -EBADF, right = -EBADF;

	if (S_ISLNK(st->st_mode))
		return compare_links(upper, b->fd);
	if (!S_ISREG(st->st_mode))
		return st->st_rdev != b->st.st_rdev;
	if (st->st_size != b->st.st_size)
		return 1;
	left = file_reopen(upper, O_RDONLY);
	right = file_reopen(b->fd, O_RDONLY);
	return left < 0 ? left : right < 0 ? right : compare_bytes(left, right);
}

/* Whether one has an attribute that the other has not, or with another value. */
static int lacks_attribute(const char *path, const char *other) {
	_cleanup_free_ char *names = malloc(NAMES_SIZE_MAX),
			    *value = malloc(2 * VALUE_SIZE_MAX);
	ssize_t len = names ? listxattr(path, names, NAMES_SIZE_MAX) : -1;

	if (!names || !value)
		return -ENOMEM;
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n, m;

		if (written_is_mark(name))
			continue;
		n = getxattr(path, name, value, VALUE_SIZE_MAX);
		m = getxattr(other, name, value + VALUE_SIZE_MAX, VALUE_SIZE_MAX);
		if (n != m || (n > 0 && memcmp(value, value + VALUE_SIZE_MAX, (size_t)n)))
			return 1;
	}
	return 0;
}

/* By /proc, as an O_PATH fd has none; of a symlink, which has none but a label, nobody asks. */
static int compare_attributes(int a, int b, const struct stat *st) {
	char left[FILE_FD_PATH_MAX], right[FILE_FD_PATH_MAX];
	int r;

	if (S_ISLNK(st->st_mode))
		return 0;
	file_fd_path(a, left);
	file_fd_path(b, right);
	r = lacks_attribute(left, right);
	return r == 0 ? lacks_attribute(right, left) : r;
}

static int compare(int upper, const struct stat *st, const struct below *b,
		   unsigned *ret) {
	unsigned what = 0;
	int r;

	if ((st->st_mode & S_IFMT) != (b->st.st_mode & S_IFMT)) {
		*ret = WRITTEN_TYPE;
		return 0;
	}
	if (!S_ISDIR(st->st_mode)) {
		r = compare_content(upper, st, b);
		if (r < 0)
			return r;
		what |= r ? WRITTEN_CONTENT : 0;
	}
	if ((st->st_mode & 07777) != (b->st.st_mode & 07777))
		what |= WRITTEN_MODE;
	if (st->st_uid != b->st.st_uid || st->st_gid != b->st.st_gid)
		what |= WRITTEN_OWNER;
	r = compare_attributes(upper, b->fd, st);
	if (r < 0)
		return r;
	*ret = what | (r ? WRITTEN_ATTRIBUTES : 0);
	return 0;
}

static int tell(const struct walk *w, struct written_change *c, const struct below *b) {
	if (b) {
		c->below = &b->st;
		c->own = b->own;
		c->is_imported = b->is_imported;
	}
	return w->f(c, w->data);
}

static int tell_removed(const struct walk *w, const char *path) {
	_cleanup_(below_done) struct below b = BELOW_NONE;
	struct written_change c = { .kind = WRITTEN_REMOVED, .path = path };
	int r = find_below(w, path, &b);

	if (r <= 0)
		return r; /* a whiteout of what is not there any more */
	c.st = b.st;
	return tell(w, &c, &b);
}

/* The names that lower layers have in the directory. */
static int list_below(const struct walk *w, const char *path, char ***ret) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < count_layers(w->h); i++) {
		_cleanup_strv_ char **names = NULL;
		struct below b;
		int layer = get_layer(w->h, i, &b);
		_cleanup_close_ int fd =
			layer < 0 ? layer
				  : file_open_exact(layer, path, O_RDONLY | O_DIRECTORY);

		if (fd < 0)
			continue;
		r = file_list(fd, ENTRIES_MAX, &names);
		for (char **name = names; r == 0 && name && *name; name++)
			r = strv_append(ret, *name);
	}
	strv_sort(*ret);
	return r;
}

/* What an opaque directory hides, and has not written anew. */
static int tell_hidden(const struct walk *w, const struct tree_entry *e) {
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r = list_below(w, e->path, &names);

	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_free_ char *path = NULL;

		if ((name > names && strcmp(name[0], name[-1]) == 0) ||
		    fstatat(e->fd, *name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		path = file_join(e->path, *name);
		r = path ? tell_removed(w, path + 1) : -ENOMEM;
	}
	return r;
}

static int open_entry(const struct tree_entry *e) {
	return e->fd >= 0 ? file_open_exact(e->fd, ".", O_PATH | O_DIRECTORY)
			  : file_open_exact(e->parent, e->name, O_PATH | O_NOFOLLOW);
}

static int enter(const struct tree_entry *e, void *data) {
	_cleanup_(below_done) struct below b = BELOW_NONE;
	const struct walk *w = data;
	struct written_change c = { .kind = WRITTEN_CHANGED, .path = e->path };
	_cleanup_close_ int fd = -EBADF;
	int r = 0, found;

	if (e->depth == 0)
		return 0;
	if (is_whiteout(&e->st))
		return tell_removed(w, e->path);
	fd = open_entry(e);
	found = fd < 0 ? fd : find_below(w, e->path, &b);
	if (found < 0)
		return found;
	c.st = e->st;
	c.is_opaque = e->fd >= 0 && found && S_ISDIR(b.st.st_mode) && is_opaque(e->fd);
	if (found)
		r = compare(fd, &e->st, &b, &c.what);
	else
		c.kind = WRITTEN_ADDED;
	if (r == 0 && (!found || c.what || c.is_opaque))
		r = tell(w, &c, found ? &b : NULL);
	if (r == 0 && c.is_opaque)
		r = tell_hidden(w, e);
	return r;
}

int written_walk(const struct hierarchy *h, int upper,
		 int (*f)(const struct written_change *c, void *data), void *data) {
	struct walk w = { h, f, data };
	const struct tree_visitor visitor = { .enter = enter, .data = &w };

	return tree_walk(upper, &tree_limits_default, &visitor);
}

int written_leave(struct written_left *l, const char *path, const char *why,
		  bool is_whole) {
	struct written_left_item *grown = reallocarray(l->items, l->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	l->items = grown;
	grown[l->n] = (struct written_left_item){ strdup(path), why, is_whole };
	if (!grown[l->n].path)
		return -ENOMEM;
	l->n++;
	return 0;
}

void written_left_done(struct written_left *l) {
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].path);
	free(l->items);
	*l = (struct written_left){ 0 };
}

/* layer.5 */
static bool is_os_release(const struct hierarchy *h, const char *path) {
	return (strcmp(h->name, "usr") == 0 && strcmp(path, "lib/os-release") == 0) ||
	       (strcmp(h->name, "etc") == 0 && strcmp(path, "os-release") == 0);
}

const char *written_refuse(const struct written_change *c, const struct hierarchy *h) {
	const mode_t type = c->st.st_mode & S_IFMT;

	if (c->kind == WRITTEN_REMOVED)
		return "it is removed, and an extension can hide nothing";
	if (c->is_opaque)
		return "it hides what lies below it, and an extension can hide nothing";
	if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK)
		return "it is neither a file nor a directory nor a symlink";
	if (c->what & WRITTEN_TYPE && (type == S_IFDIR || S_ISDIR(c->below->st_mode)))
		return "a layer cannot exchange directories with other things";
	if (c->below && c->is_imported)
		return "what is imported lies above all extensions";
	if (c->below && !c->own && hierarchy_base_is_top(h))
		return "the host's own files lie above all extensions";
	return is_os_release(h, c->path) ? "no extension may bring it" : NULL;
}
