/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How layers become one mount: by the kernel's overlayfs, or by a server of ours. */
#include "stack.h"

#include <string.h>

#include "file.h"
#include "kernel.h"
#include "meta.h"
#include "mount.h"
#include "overlay.h"
#include "text.h"
#include "unite.h"

/* The two back ends (DESIGN, stack). */
static const struct row {
	const char *fstype; /* as the mount table shows it */
	int (*mount)(const struct stacking *s, struct stacking_info *ret);
	/* Mounts parts of what only one layer brings; NULL where nothing is gained by that. */
	int (*graft)(const struct stacking *s, int tree, unsigned max, char ***ret,
		     char ***ret_failed);
} rows[] = {
	[BACKEND_OVERLAY] = { "overlay", overlay_mount, NULL },
	[BACKEND_FUSE] = { "fuse.extmerge-fuse", unite_mount, unite_graft },
};

/* Whether the host's own directory is the lowest layer. */
static bool is_bottom(const struct hierarchy *h) {
	return hierarchy_base_is_layer(h) && !hierarchy_base_is_top(h);
}

/*
 * More layers than one tree takes: the lowest extensions become a tree of their own, which is
 * then the lowest extension. The host stays a layer of the outer one, so that it is never deeper
 * than it has to be.
 */
static int group_lowest(const struct row *row, struct stacking *s, int *layers,
			char **ret_why) {
	size_t n_own = is_bottom(s->h), excess = s->n - STACKING_LAYERS_MAX + 1;
	size_t at = s->n - n_own - excess;
	struct stacking_info info = { .by = NULL };
	struct stacking lowest = *s;
	char name[WORKSHOP_NAME_MAX];
	int fd, r;

	lowest.layers = layers + at;
	lowest.n = excess;
	lowest.upper = NULL;
	fd = row->mount(&lowest, &info);
	if (fd < 0)
		*ret_why = TAKE_PTR(info.why);
	stacking_info_done(&info);
	if (fd < 0)
		return fd;
	r = workshop_attach(s->workshop, fd, name);
	if (r < 0) {
		close_fdp(&fd);
		return r;
	}
	layers[at] = fd; /* the layers that it stands for are the hierarchy's to close */
	if (n_own > 0)
		layers[at + 1] = s->h->base;
	s->n = at + 1 + n_own;
	return fd;
}

/* Top first (mutable.10, mutable.20). */
size_t stack_list_layers(const struct hierarchy *h, int meta, int *ret) {
	size_t n = 0;

	ret[n++] = meta;
	if (h->upper && h->upper->is_imported && !h->upper->is_host)
		ret[n++] = h->upper->directory;
	if (hierarchy_base_is_layer(h) && hierarchy_base_is_top(h))
		ret[n++] = h->base;
	for (size_t i = h->n_layers; i > 0; i--)
		ret[n++] = h->layers[i - 1].fd;
	if (is_bottom(h))
		ret[n++] = h->base;
	return n;
}

uint64_t stack_attributes(const struct hierarchy *h) {
	const uint64_t of_class = h->class->mount_attributes &
				  ~(uint64_t)MOUNT_ATTR_NOEXEC;

	return of_class | (h->is_noexec ? MOUNT_ATTR_NOEXEC : 0) |
	       (hierarchy_is_writable(h) ? MOUNT_ATTR_NOATIME : MOUNT_ATTR_RDONLY);
}

/* All layers; `layers` has room for them. */
static struct stacking stacking_of(const struct hierarchy *h, struct workshop *w,
				   int meta, const char *source, int *layers) {
	return (struct stacking){
		.h = h,
		.layers = layers,
		.n = stack_list_layers(h, meta, layers),
		.source = source,
		.upper = hierarchy_is_writable(h) ? h->upper : NULL,
		.attributes = stack_attributes(h),
		.workshop = w,
	};
}

static int *room_for_layers(const struct hierarchy *h) {
	return calloc(h->n_layers + 4, sizeof(int));
}

/* All layers by one back end. */
static int mount_by(const struct row *row, const struct hierarchy *h, struct workshop *w,
		    int meta, const char *source, struct stacking_info *ret) {
	_cleanup_free_ int *layers = room_for_layers(h);
	_cleanup_close_ int group = -EBADF;
	struct stacking s;

	if (!layers)
		return -ENOMEM;
	s = stacking_of(h, w, meta, source, layers);
	if (s.n > STACKING_LAYERS_MAX) {
		group = group_lowest(row, &s, layers, &ret->why);
		if (group < 0)
			return group;
	}
	return row->mount(&s, ret);
}

/* What the record says of it. */
static int note(struct record *r, enum backend used, const char *why,
		struct stacking_info *info) {
	free(r->backend);
	free(r->backend_why);
	free(r->layers_by);
	free(r->server);
	free(r->io);
	r->backend = strdup(backend_text(used));
	r->backend_why = why ? strdup(why) : NULL;
	r->layers_by = strdup(info->by);
	r->io = info->io ? strdup(info->io) : NULL;
	r->server = TAKE_PTR(info->server);
	return r->backend && r->layers_by && (r->backend_why || !why) &&
			       (r->io || !info->io)
		       ? 0
		       : -ENOMEM;
}

/* Both have been tried, and both reasons count. */
static char *join_reasons(const char *overlay, int error, const char *why) {
	return text_format("by overlayfs: %s; by FUSE: %s", overlay,
			   why ?: strerror(-error));
}

/*
 * switch.14: where nobody has chosen, overlayfs, unless it cannot be had. What was found out by stack_choose() is
 * not tried again.
 */
static int mount_layers(const struct hierarchy *h, struct workshop *w, int meta,
			enum backend choice, struct record *r, char **ret_why) {
	_cleanup_(stacking_info_done) struct stacking_info info = { .by = NULL };
	_cleanup_free_ char *source = stack_source(r), *no_overlay = NULL;
	enum backend used = choice == BACKEND_FUSE ? choice : BACKEND_OVERLAY;
	int fd = -ENOMEM, e;

	if (choice == BACKEND_AUTO && r->backend_why) {
		used = BACKEND_FUSE;
		no_overlay = TAKE_PTR(r->backend_why);
	}
	if (source)
		fd = mount_by(&rows[used], h, w, meta, source, &info);
	if (choice == BACKEND_AUTO && used == BACKEND_OVERLAY && backend_is_missing(fd)) {
		no_overlay = TAKE_PTR(info.why) ?: strdup(strerror(-fd));
		used = BACKEND_FUSE;
		if (no_overlay)
			fd = mount_by(&rows[used], h, w, meta, source, &info);
	}
	if (fd < 0) {
		*ret_why = no_overlay ? join_reasons(no_overlay, fd, info.why)
				      : TAKE_PTR(info.why);
		return no_overlay && backend_is_missing(fd) ? -ENODEV : fd;
	}
	e = note(r, used, no_overlay, &info);
	if (e < 0)
		close_fdp(&fd);
	return e < 0 ? e : fd;
}

/*
 * switch.17: never in what is written. Where some layers are a tree of their own, what only one of them brings is not
 * known.
 */
static int attach_grafts(const struct hierarchy *h, struct workshop *w, int meta,
			 const char *name, struct record *r) {
	_cleanup_close_ int tree = openat(w->scratch, name,
					  O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ int *layers = room_for_layers(h);
	_cleanup_free_ char *source = stack_source(r);
	enum backend used;
	struct stacking s;

	if (r->grafts_most == 0 || hierarchy_is_writable(h) ||
	    backend_from(r->backend, &used) < 0 || !rows[used].graft)
		return 0;
	if (tree < 0)
		return -errno;
	if (!layers || !source)
		return -ENOMEM;
	s = stacking_of(h, w, meta, source, layers);
	return s.n > STACKING_LAYERS_MAX
		       ? 0
		       : rows[used].graft(&s, tree, r->grafts_most, &r->grafts,
					  &r->grafts_failed);
}

/* The mounts of the host go where they were, in the tree that nobody sees yet; not where a link of it leads to. */
static int attach_submounts(const struct workshop *w, const char *name,
			    const struct stack_submount *submounts, size_t n,
			    char **ret_why) {
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *path = text_format("%s/%s", name, submounts[i].path);
		_cleanup_close_ int place =
			path ? file_open_below(w->scratch, path, O_PATH) : -ENOMEM;
		int r = place < 0 ? place : 0;

		if (r == 0 &&
		    move_mount(submounts[i].fd, "", place, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
			r = -errno;
		if (r == 0)
			continue;
		if (!*ret_why)
			*ret_why = text_format(
				"the mount at '%s' has no place in the merged tree",
				submounts[i].path);
		return r;
	}
	return 0;
}

/* mutable.9: a detached mount of `fd`, one of ours, at a place in the tree that is attached as `name`. */
static int attach_at(const struct workshop *w, int fd, const char *name,
		     const char *place, bool is_read_only) {
	_cleanup_free_ char *path = text_format("%s/%s", name, place);
	_cleanup_close_ int clone =
		open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = clone < 0 ? -errno : 0;

	if (r == 0 && is_read_only)
		r = mount_set_read_only(clone, true);
	if (r < 0 || !path)
		return r < 0 ? r : -ENOMEM;
	return move_mount(clone, "", w->scratch, path, MOVE_MOUNT_F_EMPTY_PATH) < 0
		       ? -errno
		       : 0;
}

static int attach_place(const struct hierarchy *h, const struct workshop *w, int place,
			const char *name) {
	int r = attach_at(w, place, name, META_PLACE, true);

	if (r < 0 || h->upper->memory < 0)
		return r;
	return attach_at(w, h->upper->memory, name, META_PLACE "/" META_MEMORY, false);
}

int stack_choose(const struct hierarchy *h, struct workshop *w, enum backend choice,
		 struct record *r) {
	_cleanup_(stacking_info_done) struct stacking_info info = { .by = NULL };
	int e = choice == BACKEND_AUTO ? overlay_probe(h, w, &info) : 0;

	if (e < 0 && !backend_is_missing(e))
		return e;
	if (e < 0) {
		free(r->backend_why);
		r->backend_why = TAKE_PTR(info.why) ?: strdup(strerror(-e));
		if (!r->backend_why)
			return -ENOMEM;
	}
	free(r->backend);
	r->backend = strdup(backend_text(e < 0			  ? BACKEND_FUSE
					 : choice == BACKEND_AUTO ? BACKEND_OVERLAY
								  : choice));
	return r->backend ? 0 : -ENOMEM;
}

int stack_build(const struct hierarchy *h, struct workshop *w, enum backend choice,
		struct record *r, const struct stack_submount *submounts,
		size_t n_submounts, struct stack *ret, char **ret_why) {
	_cleanup_close_ int meta = -EBADF, tree = -EBADF, place = -EBADF;
	char name[WORKSHOP_NAME_MAX];
	char *why = NULL;
	int e;

	meta = meta_make(w, r->created ? -EBADF : h->base);
	e = meta < 0 ? meta : 0;
	if (e == 0 && hierarchy_is_writable(h))
		e = place = meta_make_place(w, meta);
	if (e >= 0)
		e = tree = mount_layers(h, w, meta, choice, r, &why);
	if (e >= 0)
		e = workshop_attach(w, tree, name);
	if (e == 0)
		e = attach_grafts(h, w, meta, name, r);
	if (e == 0)
		e = stack_write_record(place >= 0 ? place : meta, r);
	if (e == 0 && place >= 0)
		e = attach_place(h, w, place, name);
	if (e == 0)
		e = attach_submounts(w, name, submounts, n_submounts, &why);
	if (e == 0) {
		*ret = (struct stack){ .tree = -EBADF, .meta = -EBADF };
		ret->tree = open_tree(w->scratch, name,
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
					      AT_NO_AUTOMOUNT);
		e = ret->tree < 0 ? -errno : 0;
	}
	/*
	 * What can be written will be so when the switch has succeeded (mutable.11). Not the mount, as others will get
	 * copies of it. What is on its way to the upper layer's disk need not be waited for in the switch then.
	 */
	if (e == 0 && place >= 0)
		e = mount_set_all_read_only(ret->tree, true);
	if (e == 0)
		ret->meta = place >= 0 ? TAKE_FD(place) : TAKE_FD(meta);
	if (e < 0)
		*ret_why = TAKE_PTR(why);
	free(why);
	return e;
}

void stack_done(struct stack *s) {
	close_fdp(&s->tree);
	close_fdp(&s->meta);
}

int stack_write_record(int meta, const struct record *r) {
	_cleanup_free_ char *text = NULL;
	int e = record_print(r, &text);

	return e < 0 ? e : meta_write(meta, text, strlen(text));
}

int stack_read_record(int tree, struct record **ret) {
	_cleanup_free_ char *text = NULL;
	size_t len;
	int e = meta_read(tree, &text, &len);

	return e < 0 ? e : record_parse(text, len, ret);
}

char *stack_source(const struct record *r) {
	return text_format(META_SOURCE "%s:%s:%llu%s%s", r->class->name, r->hierarchy,
			   (unsigned long long)r->generation, r->service ? "@" : "",
			   r->service ?: "");
}

uint64_t stack_source_generation(const char *source) {
	const char *colon = strrchr(source, ':');

	return colon ? strtoull(colon + 1, NULL, 10) : 0;
}

bool stack_is_ours(const struct mount_info *i) {
	bool is_known = false;

	for (size_t b = BACKEND_OVERLAY; b < ARRAY_SIZE(rows); b++)
		is_known |= strcmp(rows[b].fstype, i->fstype) == 0;
	return is_known && !i->is_users &&
	       strncmp(i->source, META_SOURCE, strlen(META_SOURCE)) == 0;
}
