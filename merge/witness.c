/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a merged tree is asked for, to prove that all that belongs into it is there. */
#include "witness.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "text.h"

#define TRIES 5

static bool looks_same(const struct stat *a, const struct stat *b) {
	if (S_ISDIR(a->st_mode) || S_ISDIR(b->st_mode))
		return (a->st_mode & S_IFMT) == (b->st_mode & S_IFMT);
	return a->st_mode == b->st_mode && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/*
 * Whether the merged tree shows what the layer has at the path now. The host's own directory and directory
 * extensions live on: what changes between the two looks is looked at again.
 */
static bool shows(int tree, int layer, const char *path) {
	for (unsigned i = 0; i < TRIES; i++) {
		struct stat seen, own;
		bool is_seen = fstatat(tree, path, &seen, AT_SYMLINK_NOFOLLOW) == 0;
		bool is_own = fstatat(layer, path, &own, AT_SYMLINK_NOFOLLOW) == 0;

		if (is_seen ? is_own && looks_same(&seen, &own) : !is_own)
			return true;
	}
	return false;
}

/* Whether something that lies above all layers has the file: what is written or imported, or the host's own. */
static bool is_hidden(const struct hierarchy *h, const char *path) {
	struct stat st;

	return (h->upper && upper_hides(h->upper, path)) ||
	       (hierarchy_base_is_top(h) &&
		fstatat(h->base, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

static bool shows_layer(int fd, const struct hierarchy *h, unsigned number) {
	const struct layer *l = &h->layers[number - 1];

	for (size_t i = 0; i < l->n_witnesses; i++)
		if (hierarchy_supplies(h, l->witnesses[i], number) &&
		    !is_hidden(h, l->witnesses[i]))
			return shows(fd, l->fd, l->witnesses[i]);
	return true; /* all that was kept of it is hidden by others: nothing of it can be asked for */
}

int witness_check(int fd, const struct hierarchy *h, char **ret_why) {
	if (h->witness && !(h->upper && upper_hides(h->upper, h->witness)) &&
	    !shows(fd, h->base, h->witness)) {
		*ret_why = text_format("/%s/%s of the host is missing in the new tree",
				       h->name, h->witness);
		return -EXDEV;
	}
	for (unsigned i = 1; i <= h->n_layers; i++)
		if (!shows_layer(fd, h, i)) {
			*ret_why =
				text_format("the files of %s are missing in the new /%s",
					    h->layers[i - 1].extension->name.name,
					    h->name);
			return -EXDEV;
		}
	return 0;
}
