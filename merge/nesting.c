/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether directories that become layers of one tree lie in each other. */
#include "nesting.h"

#include <fcntl.h>

#define ANCESTORS_MAX 256

static const struct nesting_place *find(const struct nesting *g, const struct stat *st) {
	for (size_t i = 0; i < g->n; i++)
		if (g->places[i].device == st->st_dev && g->places[i].inode == st->st_ino)
			return &g->places[i];
	return NULL;
}

static int push(struct nesting *g, const struct stat *st, unsigned owner, bool is_layer) {
	struct nesting_place *grown = reallocarray(g->places, g->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	g->places = grown;
	grown[g->n++] = (struct nesting_place){ .device = st->st_dev,
						.inode = st->st_ino,
						.owner = owner,
						.is_layer = is_layer };
	return 0;
}

/* Goes to the directory above. 1 where there is none. */
static int go_up(int *fd, struct stat *st) {
	_cleanup_close_ int up = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat above;

	if (up < 0 || fstat(up, &above) < 0)
		return -errno;
	if (above.st_dev == st->st_dev && above.st_ino == st->st_ino)
		return 1;
	close_fdp(fd);
	*fd = TAKE_FD(up);
	*st = above;
	return 0;
}

/* What is known to lie above a layer and is none itself has only such above it: the way ends there. */
static int look_upwards(struct nesting *g, int fd, struct stat *st, unsigned owner,
			enum nesting_relation *ret, unsigned *ret_other) {
	_cleanup_close_ int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = at < 0 ? -errno : 0;

	for (unsigned i = 0; r == 0 && i < ANCESTORS_MAX; i++) {
		const struct nesting_place *known;

		r = go_up(&at, st);
		if (r != 0)
			break;
		known = find(g, st);
		if (known && known->is_layer) {
			*ret = NESTING_INSIDE;
			*ret_other = known->owner;
		}
		if (known)
			return 0;
		r = push(g, st, owner, false);
	}
	return r < 0 ? r : 0;
}

int nesting_add(struct nesting *g, int fd, unsigned owner, enum nesting_relation *ret,
		unsigned *ret_other) {
	const struct nesting_place *known;
	struct stat st, above;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	known = find(g, &st);
	if (known) {
		*ret = known->is_layer ? NESTING_SAME : NESTING_AROUND;
		*ret_other = known->owner;
		return 0;
	}
	*ret = NESTING_APART;
	above = st;
	r = look_upwards(g, fd, &above, owner, ret, ret_other);
	return r < 0 || *ret != NESTING_APART ? r : push(g, &st, owner, true);
}

void nesting_revert(struct nesting *g, size_t n) {
	g->n = n;
}

void nesting_done(struct nesting *g) {
	free(g->places);
	*g = (struct nesting){ 0 };
}
