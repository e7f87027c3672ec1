/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of overlayfs for names that are in more than one layer. */
#include "merger.h"

#include <dirent.h>
#include <string.h>
#include <sys/random.h>

#include "../merge/kernel.h"

#define LISTING_SIZE ((size_t)64 * 1024)

struct merger {
	struct layers *layers;
	struct directories *directories;
	struct dirindex_builder builder;
	char listing[LISTING_SIZE];
};

/* One directory in one layer. */
struct source {
	const struct directory *dir;
	const struct layer *layer;
	uint16_t number;    /* of the layer */
	bool has_whiteouts; /* that are files with an attribute */
	int fd;		    /* open for reading */
};

int merger_new(struct layers *layers, struct directories *directories,
	       struct merger **ret) {
	struct merger *m = calloc(1, sizeof(*m));
	uint64_t seed;

	if (!m)
		return -ENOMEM;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		merger_free(m);
		return -EIO;
	}
	m->layers = layers;
	m->directories = directories;
	m->builder.seed = seed;
	*ret = m;
	return 0;
}

void merger_free(struct merger *m) {
	if (!m)
		return;
	dirindex_builder_done(&m->builder);
	free(m);
}

static bool needs_stat(const struct source *s, unsigned char type) {
	return s->layer->stat_all || type == DT_UNKNOWN || type == DT_CHR ||
	       (type == DT_DIR && s->layer->stat_directories) ||
	       (type == DT_REG && s->has_whiteouts);
}

/* union.6: an empty file with an attribute, in a directory that is marked as having such. */
static int find_file_whiteout(const struct merger *m, const struct source *s,
			      const char *name, const struct stat *st) {
	if (!s->has_whiteouts || !S_ISREG(st->st_mode) || st->st_size != 0)
		return 0;
	return layers_has_mark(m->layers, s->layer, s->fd, name, WHITEOUT_MARK_WHITEOUT);
}

/* What cannot be looked at spoils only itself: it is listed, and gives its error to those who look it up. */
static int describe_unseen(struct merger *m, const struct source *s,
			   const struct kernel_dirent *listed,
			   struct dirindex_entry *ret) {
	*ret = (struct dirindex_entry){ .type = listed->d_type,
					.layer = s->number,
					.flags = DIRINDEX_CLOSED };
	return inode_number(&m->layers->devices, s->layer->device, listed->d_ino,
			    &ret->inode);
}

/* What one name of the listing is: type, number, whether it is a whiteout. */
static int describe(struct merger *m, const struct source *s,
		    const struct kernel_dirent *listed, struct dirindex_entry *ret) {
	struct dirindex_entry e = { .type = listed->d_type, .layer = s->number };
	dev_t device = s->layer->device;
	uint64_t number = listed->d_ino;
	struct stat st;
	int r;

	if (needs_stat(s, listed->d_type)) {
		if (fstatat(s->fd, listed->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT || errno == ENOMEM
				       ? -errno
				       : describe_unseen(m, s, listed, ret);
		e.type = (uint8_t)IFTODT(st.st_mode);
		device = st.st_dev;
		number = st.st_ino;
		r = find_file_whiteout(m, s, listed->d_name, &st);
		if (r < 0)
			return r;
		if (r > 0 || whiteout_is_device(&st))
			e.flags = DIRINDEX_WHITEOUT;
	}
	r = inode_number(&m->layers->devices, device, number, &e.inode);
	if (r == 0)
		*ret = e;
	return r;
}

/* union.5: whether the directory that an entry is in its lowest layer so far hides what lies below. */
static int is_opaque(struct merger *m, const struct source *s,
		     const struct dirindex_entry *e, const char *name) {
	uint16_t above = dirindex_lowest(&m->builder, e);
	int fd = directories_fd(m->directories, s->dir, above), r;

	if (fd < 0)
		return layers_is_gone(fd) ? 0 : fd;
	r = layers_opaque(m->layers, &m->layers->list[above], fd, name);
	if (layers_is_gone(r))
		return 0;
	return r < 0 ? r : r == WHITEOUT_HIDES;
}

/* The name is there already: directories merge, and everything else ends the entry. */
static int merge(struct merger *m, const struct source *s, struct dirindex_entry *e,
		 const char *name, const struct dirindex_entry *lower) {
	int r;

	if (dirindex_lowest(&m->builder, e) == s->number) /* listed twice */
		return 0;
	if (e->type != DT_DIR || lower->type != DT_DIR ||
	    lower->flags & DIRINDEX_WHITEOUT) {
		e->flags |= DIRINDEX_CLOSED;
		return 0;
	}
	r = is_opaque(m, s, e, name);
	if (r > 0)
		e->flags |= DIRINDEX_CLOSED;
	return r == 0 ? dirindex_add_layer(&m->builder, e, s->number) : r > 0 ? 0 : r;
}

static int add(struct merger *m, const struct source *s,
	       const struct kernel_dirent *listed) {
	const char *name = listed->d_name;
	size_t length = strlen(name);
	struct dirindex_entry e, *there;
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	there = dirindex_built(&m->builder, name, length);
	if (there && there->flags & (DIRINDEX_WHITEOUT | DIRINDEX_CLOSED))
		return 0;
	r = describe(m, s, listed, &e);
	if (r == -ENOENT)
		return 0; /* gone since it was listed */
	if (r < 0)
		return r;
	return there ? merge(m, s, there, name, &e)
		     : dirindex_add(&m->builder, MERGER_ENTRIES_MAX, name, length, &e);
}

static int read_listing(struct merger *m, const struct source *s) {
	int r = 0;

	while (r == 0) {
		ssize_t n = sys_getdents64(s->fd, m->listing, sizeof(m->listing));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct kernel_dirent *listed =
				(const void *)(m->listing + at);

			at += listed->d_reclen;
			r = add(m, s, listed);
		}
	}
	return r;
}

static int read_layer(struct merger *m, const struct directory *dir, uint16_t number) {
	struct source s = { .dir = dir,
			    .layer = &m->layers->list[number],
			    .number = number };
	struct directories_listing open;
	int r = directories_begin_listing(m->directories, dir, number, &open);

	if (r < 0)
		return r;
	s.fd = open.fd;
	r = layers_opaque(m->layers, s.layer, s.fd, ".");
	s.has_whiteouts = r == WHITEOUT_HAS_WHITEOUTS;
	if (r >= 0)
		r = read_listing(m, &s);
	directories_end_listing(m->directories, &open);
	return r;
}

int merger_index(struct merger *m, struct directory *dir) {
	_cleanup_(dirindex_freep) struct dirindex *index = NULL;
	int r = 0;

	if (dir->index)
		return 0;
	dirindex_begin(&m->builder);
	for (unsigned i = 0; r == 0 && i < dir->n_layers; i++) {
		r = read_layer(m, dir, dir->layers[i]);
		if (layers_is_gone(r))
			r = 0;
	}
	if (r == 0)
		r = dirindex_finish(&m->builder, &index);
	return r == 0 ? directories_set_index(m->directories, dir, &index) : r;
}
