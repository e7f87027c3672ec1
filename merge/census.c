/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a walk through a tree has seen. */
#include "census.h"

#include <string.h>

/* Paths lie one after the other in one text. */
struct line {
	size_t path;
	unsigned depth;
	mode_t mode;
	bool is_walked; /* a directory whose contents follow */
};

struct census {
	struct line *lines;
	size_t n, room;
	char *paths;
	size_t len, paths_room;
};

struct taking {
	struct census *census;
	struct digest *digest;
};

static int add_path(struct census *c, const char *path) {
	size_t len = strlen(path) + 1;

	if (len > c->paths_room - c->len) {
		size_t room = (c->paths_room + len) * 2 + 1024;
		char *grown = realloc(c->paths, room);

		if (!grown)
			return -ENOMEM;
		c->paths = grown;
		c->paths_room = room;
	}
	memcpy(c->paths + c->len, path, len);
	c->len += len;
	return 0;
}

static int add_line(struct census *c, const struct tree_entry *e) {
	if (c->n == c->room) {
		size_t room = c->room * 2 + 64;
		struct line *grown = reallocarray(c->lines, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->lines = grown;
		c->room = room;
	}
	c->lines[c->n++] = (struct line){ .path = c->len,
					  .depth = e->depth,
					  .mode = e->st.st_mode,
					  .is_walked = e->fd >= 0 };
	return add_path(c, e->path);
}

static int take_entry(const struct tree_entry *e, void *data) {
	struct taking *t = data;

	tree_digest_entry(e, t->digest);
	return add_line(t->census, e);
}

int census_take(int root, const struct tree_limits *limits, struct digest *d,
		struct census **ret) {
	_cleanup_(census_freep) struct census *c = calloc(1, sizeof(*c));
	struct taking t = { .census = c, .digest = d };
	const struct tree_visitor visitor = { .enter = take_entry, .data = &t };
	int r = c ? tree_walk(root, limits, &visitor) : -ENOMEM;

	if (r == 0)
		*ret = TAKE_PTR(c);
	return r;
}

static struct tree_entry describe(const struct census *c, const struct line *l, int root) {
	const char *path = c->paths + l->path, *slash = strrchr(path, '/');

	return (struct tree_entry){
		.path = path,
		.name = slash ? slash + 1 : path,
		.depth = l->depth,
		.parent = l->depth == 1 ? root : -EBADF,
		.fd = l->is_walked ? root : -EBADF,
		/* Not 0/0: that would be a whiteout where it is a device. */
		.st = { .st_mode = l->mode, .st_rdev = (dev_t)-1 },
	};
}

/* Says goodbye to the directories that the walk has left when it comes to `depth`. */
static void leave_down_to(const struct census *c, size_t *inside, unsigned *n,
			  unsigned depth, int root, const struct tree_visitor *visitor) {
	while (*n > depth) {
		struct tree_entry e = describe(c, &c->lines[inside[--*n]], root);

		if (visitor->leave)
			visitor->leave(&e, visitor->data);
	}
}

int census_replay(const struct census *c, int root, const struct tree_visitor *visitor) {
	_cleanup_free_ size_t *inside = calloc(c->n + 1, sizeof(*inside));
	unsigned n = 0; /* how many directories deep, the root counted */
	int r = inside ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		const struct line *l = &c->lines[i];
		struct tree_entry e = describe(c, l, root);

		leave_down_to(c, inside, &n, l->depth, root, visitor);
		if (l->depth >
		    n) /* below a directory that the visitor did not want to enter */
			continue;
		r = visitor->enter(&e, visitor->data);
		if (r == 0 && l->is_walked)
			inside[n++] = i;
		else if (r == TREE_SKIP)
			r = 0;
	}
	if (inside)
		leave_down_to(c, inside, &n, 0, root, visitor);
	return r;
}

void census_free(struct census *c) {
	if (!c)
		return;
	free(c->lines);
	free(c->paths);
	free(c);
}
