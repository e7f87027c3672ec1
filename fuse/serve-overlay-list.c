/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a writable union on directories: what is listed is what was there when it was begun. */
#define FUSE_USE_VERSION 35
#include <dirent.h>

#include "overlay-ops.h"

#define LISTED_MAX ((size_t)1024 * 1024 * 1024) /* bytes */

struct directory_handle {
	struct dirindex *listing; /* NULL until it is asked for */
};

static struct directory_handle *handle_of(const struct fuse_file_info *info) {
	return (struct directory_handle *)(uintptr_t)info->fh;
}

static void drop_listing(fuse_req_t request, struct directory_handle *h) {
	struct serve_overlay *s = fuse_req_userdata(request);

	if (h->listing)
		__atomic_sub_fetch(&s->listed, h->listing->size, __ATOMIC_RELAXED);
	dirindex_free(h->listing);
	h->listing = NULL;
}

/* overlay.14: however many directories are held open, their listings need no more than so much. */
static int take_listing(fuse_req_t request, fuse_ino_t node, struct directory_handle *h) {
	struct serve_overlay *s = fuse_req_userdata(request);
	int r = overlay_list(s->overlay, node, &h->listing);

	if (r < 0)
		return r;
	if (__atomic_add_fetch(&s->listed, h->listing->size, __ATOMIC_RELAXED) <=
	    LISTED_MAX)
		return 0;
	drop_listing(request, h);
	return -ENOMEM;
}

void serve_overlay_on_opendir(fuse_req_t request, fuse_ino_t node,
			      struct fuse_file_info *info) {
	struct directory_handle *h = calloc(1, sizeof(*h));

	if (!h) {
		reply(request, -ENOMEM);
		return;
	}
	info->fh = (uintptr_t)h;
	info->keep_cache = 1;
	info->cache_readdir = 1;
	if (fuse_reply_open(request, info) < 0)
		free(h);
}

void serve_overlay_on_releasedir(fuse_req_t request, fuse_ino_t node,
				 struct fuse_file_info *info) {
	struct directory_handle *h = handle_of(info);

	drop_listing(request, h);
	free(h);
	reply(request, 0);
}

struct listing {
	fuse_req_t request;
	uint64_t directory;
	char *buffer;
	size_t size, used;
	bool looks_up;
};

static bool add_plain(struct listing *l, const char *name, const struct dirindex_entry *e,
		      off_t next) {
	const struct stat st = { .st_ino = e->inode, .st_mode = DTTOIF(e->type) };
	size_t left = l->size - l->used, needed;

	needed = fuse_add_direntry(l->request, l->buffer + l->used, left, name, &st, next);
	if (needed > left)
		return false;
	l->used += needed;
	return true;
}

/* What has gone since is left out; what cannot be looked up is listed without. */
static bool add_plus(struct listing *l, const char *name, const struct dirindex_entry *e,
		     off_t next) {
	struct stat st = { .st_ino = e->inode, .st_mode = DTTOIF(e->type) };
	struct overlay *o = overlay_of(l->request);
	size_t left = l->size - l->used, needed;
	struct fuse_entry_param entry;
	uint64_t node = 0;
	int r = next <= 2 ? -ENODATA : overlay_lookup(o, l->directory, name, &node, &st);

	if (r == -ENOENT)
		return true;
	fill_entry(&entry, node, &st);
	needed = fuse_add_direntry_plus(l->request, l->buffer + l->used, left, name,
					&entry, next);
	if (needed <= left)
		l->used += needed;
	else if (node != 0)
		overlay_forget(o, node, 1);
	return needed <= left;
}

static int fill_listing(struct listing *l, struct directory_handle *h, uint64_t from) {
	bool more = true;
	int r = 0;

	if (!h->listing || from == 0) {
		drop_listing(l->request, h);
		r = take_listing(l->request, l->directory, h);
	}
	for (; r == 0 && more && from < h->listing->n; from++) {
		const struct dirindex_entry *e = &h->listing->entries[from];
		const char *name = dirindex_name(h->listing, e);

		more = l->looks_up ? add_plus(l, name, e, (off_t)from + 1)
				   : add_plain(l, name, e, (off_t)from + 1);
	}
	/* The kernel keeps what it has got, so it hardly comes back. */
	if (r == 0 && from >= h->listing->n && l->used == 0)
		drop_listing(l->request, h);
	return r;
}

static void list(fuse_req_t request, fuse_ino_t node, size_t size, off_t position,
		 const struct fuse_file_info *info, bool looks_up) {
	struct listing l = { .request = request,
			     .directory = node,
			     .buffer = buffer_of(request),
			     .size = size < BUFFER_SIZE ? size : BUFFER_SIZE,
			     .looks_up = looks_up };
	int r = fill_listing(&l, handle_of(info), (uint64_t)position);

	if (r < 0)
		reply(request, r);
	else
		fuse_reply_buf(request, l.buffer, l.used);
}

void serve_overlay_on_readdir(fuse_req_t request, fuse_ino_t node, size_t size,
			      off_t position, struct fuse_file_info *info) {
	list(request, node, size, position, info, false);
}

void serve_overlay_on_readdirplus(fuse_req_t request, fuse_ino_t node, size_t size,
				  off_t position, struct fuse_file_info *info) {
	list(request, node, size, position, info, true);
}

void serve_overlay_on_fsyncdir(fuse_req_t request, fuse_ino_t node, int datasync,
			       struct fuse_file_info *info) {
	reply(request, overlay_sync_directory(overlay_of(request), node));
}
