/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk through a new layer that judges it against what lies under it. */
#include "survey.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "file.h"
#include "kernel.h"
#include "tree.h"

/* The state of the walk through one layer. */
struct survey {
	struct hierarchy *h;
	struct layer *layer;
	unsigned number;
	/* For each directory that the walk is in: its number in the index, its fd in the base. */
	uint32_t *nodes;
	int *bases;
	bool has_xattrs;
};

static enum overlap_type type_of(const struct stat *st) {
	return S_ISDIR(st->st_mode)   ? OVERLAP_DIRECTORY
	       : S_ISLNK(st->st_mode) ? OVERLAP_SYMLINK
				      : OVERLAP_OTHER;
}

static const char *type_word(enum overlap_type t) {
	static const char *const words[] = {
		[OVERLAP_ABSENT] = "nothing",
		[OVERLAP_DIRECTORY] = "a directory",
		[OVERLAP_SYMLINK] = "a symlink",
		[OVERLAP_OTHER] = "a file",
	};

	return words[t];
}

/* Whether the host's `path` below the hierarchy leads to a directory, resolved inside the root. */
static bool leads_to_directory(const struct hierarchy *h, const char *path) {
	_cleanup_free_ char *whole = file_join(h->name, path);
	_cleanup_close_ int fd =
		whole ? file_open_in(h->root, whole, O_PATH | O_DIRECTORY) : -ENOMEM;

	return fd >= 0;
}

static bool has_same_text(int a, int b, const char *link) {
	char left[4096], right[4096];
	ssize_t n = readlinkat(a, link, left, sizeof(left));

	return n >= 0 && readlinkat(b, link, right, sizeof(right)) == n &&
	       memcmp(left, right, (size_t)n) == 0;
}

/*
 * Whether the entry over a link of the host takes away what the link leads to (layer.3): a file does, and
 * so does another link where the host has its own directories, as in usr/sbin -> bin.
 */
static bool takes_away(const struct survey *s, const struct tree_entry *e,
		       enum overlap_type above) {
	return above == OVERLAP_OTHER ||
	       (above == OVERLAP_SYMLINK && e->depth == 1 &&
		!has_same_text(s->bases[0], e->parent, e->name));
}

/* What lies under the entry: in the uppermost layer below that has it, else in the host. Or an errno. */
static int look_below(const struct survey *s, const struct tree_entry *e,
		      enum overlap_type above, unsigned *ret_layer) {
	struct overlap_node found;
	enum overlap_type type;
	struct stat st;

	if (overlap_find(s->h->index, s->nodes[e->depth - 1], e->name, &found) >= 0) {
		*ret_layer = found.layer;
		return found.type;
	}
	*ret_layer = 0;
	if (s->bases[e->depth - 1] < 0 || hierarchy_base_is_top(s->h))
		return OVERLAP_ABSENT;
	if (fstatat(s->bases[e->depth - 1], e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? OVERLAP_ABSENT : -errno;
	type = type_of(&st);
	if (type == OVERLAP_SYMLINK && takes_away(s, e, above) &&
	    leads_to_directory(s->h, e->path))
		type = OVERLAP_DIRECTORY;
	return type;
}

static int refuse_conflict(struct survey *s, const struct tree_entry *e,
			   enum overlap_type above, enum overlap_type below,
			   unsigned below_layer) {
	const char *owner = below_layer
				    ? s->h->layers[below_layer - 1].extension->name.name
				    : "the host";

	return verdict_set(&s->layer->extension->verdict, VERDICT_TYPE_CONFLICT,
			   "/%s/%s is %s here, but %s of %s", s->h->name, e->path,
			   type_word(above), type_word(below), owner);
}

/*
 * mutable.21: the host lies above. 1 if its file, or link, hides this one, 0 if nothing does, or an errno; a
 * directory over a file, or a file over a directory, is a verdict.
 */
static int look_above(struct survey *s, const struct tree_entry *e,
		      enum overlap_type type) {
	int base = s->bases[e->depth - 1];
	enum overlap_type host;
	struct stat st;

	if (base < 0 || !hierarchy_base_is_top(s->h))
		return 0;
	if (fstatat(base, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	host = type_of(&st);
	if ((host == OVERLAP_DIRECTORY) != (type == OVERLAP_DIRECTORY))
		return verdict_set(
			&s->layer->extension->verdict, VERDICT_TYPE_CONFLICT,
			"/%s/%s is %s here, but %s of the host, which lies above",
			s->h->name, e->path, type_word(type), type_word(host));
	if (host == OVERLAP_DIRECTORY)
		return 0;
	s->layer->hidden_by_host++;
	if (S_ISREG(st.st_mode) && !s->h->contested)
		s->h->contested = strdup(e->path);
	return 1;
}

/* layer.4: entries that only mean something to overlayfs. A whiteout is a 0/0 character device. */
static int check_whiteout(struct survey *s, const struct tree_entry *e) {
	if (!S_ISCHR(e->st.st_mode) || e->st.st_rdev != makedev(0, 0))
		return 0;
	return verdict_set(&s->layer->extension->verdict, VERDICT_WHITEOUT,
			   "/%s/%s is a whiteout, which would hide what lies under it",
			   s->h->name, e->path);
}

/* The first name of the list that overlayfs would act on, or NULL. */
static const char *find_overlay_xattr(const char *names, ssize_t len) {
	static const char *const prefixes[] = { "trusted.overlay.", "user.overlay." };

	for (const char *name = names; name < names + len; name += strlen(name) + 1)
		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
			if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
				return name;
	return NULL;
}

/* Names of a file are had through its directory's fd: the file itself is never opened. */
static ssize_t list_xattrs(const struct tree_entry *e, char *buffer, size_t size) {
	char directory[FILE_FD_PATH_MAX];
	_cleanup_free_ char *path = NULL;
	ssize_t n;

	if (e->fd >= 0)
		return flistxattr(e->fd, buffer, size);
	n = sys_listxattrat(e->parent, e->name, AT_SYMLINK_NOFOLLOW, buffer, size);
	/* Before Linux 6.13, or where a filter of system calls does not know it. */
	if (n >= 0 || (errno != ENOSYS && errno != EPERM))
		return n;
	file_fd_path(e->parent, directory);
	if (asprintf(&path, "%s/%s", directory, e->name) < 0)
		return -1;
	return llistxattr(path, buffer, size);
}

static int check_xattrs(struct survey *s, const struct tree_entry *e) {
	struct verdict *v = &s->layer->extension->verdict;
	char names[1024];
	const char *found;
	ssize_t n;

	if (!s->has_xattrs || (!S_ISDIR(e->st.st_mode) && !S_ISREG(e->st.st_mode)))
		return 0;
	n = list_xattrs(e, names, sizeof(names));
	if (n < 0 && errno == EOPNOTSUPP) {
		s->has_xattrs = false;
		return 0;
	}
	if (n < 0 && errno != ERANGE)
		return -errno;
	if (n < 0)
		return verdict_set(
			v, VERDICT_OVERLAY_XATTR,
			"/%s/%s has more than %zu bytes of extended attribute names",
			s->h->name, e->path, sizeof(names));
	found = find_overlay_xattr(names, n);
	if (!found)
		return 0;
	return verdict_set(
		v, VERDICT_OVERLAY_XATTR,
		"/%s/%s carries the extended attribute %s, which only overlayfs may set",
		s->h->name, e->path, found);
}

/* layer.5: UAPI.4 forbids it, as the host would take itself for another system. */
static int check_os_release(struct survey *s, const struct tree_entry *e) {
	const char *forbidden = strcmp(s->h->name, "usr") == 0	 ? "lib/os-release"
				: strcmp(s->h->name, "etc") == 0 ? "os-release"
								 : NULL;

	if (!forbidden || strcmp(e->path, forbidden) != 0)
		return 0;
	return verdict_set(&s->layer->extension->verdict, VERDICT_OS_RELEASE,
			   "/%s/%s must not be in an extension", s->h->name, forbidden);
}

static int keep_witness(struct layer *l, const struct tree_entry *e) {
	if (l->n_witnesses == LAYER_WITNESSES || !S_ISREG(e->st.st_mode))
		return 0;
	l->witnesses[l->n_witnesses] = strdup(e->path);
	if (!l->witnesses[l->n_witnesses])
		return -ENOMEM;
	l->n_witnesses++;
	return 0;
}

static void count_hidden(struct survey *s, unsigned below_layer) {
	if (below_layer == 0)
		s->layer->hides_host++;
	else
		s->layer->hides[below_layer - 1]++;
}

/* The walk goes into a directory: both the index and the host's tree have to go with it. */
static int descend(struct survey *s, const struct tree_entry *e, int64_t node,
		   enum overlap_type below) {
	int parent = below == OVERLAP_ABSENT ? -EBADF : s->bases[e->depth - 1];
	int base = -EBADF;

	if (hierarchy_base_is_top(s->h)) /* it is not below, but beside */
		parent = s->bases[e->depth - 1];
	if (parent >= 0)
		base = openat(parent, e->name,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The host has none, or something else there; other errors must not pass for that. */
	if (base < 0 && parent >= 0 && errno != ENOENT && errno != ENOTDIR &&
	    errno != ELOOP)
		return -errno;
	s->nodes[e->depth] = (uint32_t)node;
	s->bases[e->depth] = base;
	return 0;
}

/* layer.7: the host's mount stays on top of it, so nothing in it will be seen. */
static int note_covered(struct layer *l, const struct tree_entry *e) {
	/* The fingerprint is of all that is there: this walk does not see it. */
	digest_free(l->extension->digest);
	l->extension->digest = NULL;
	if (!l->covered)
		l->covered = strdup(e->path);
	return l->covered ? TREE_SKIP : -ENOMEM;
}

static int enter_one(struct survey *s, const struct tree_entry *e) {
	enum overlap_type above = type_of(&e->st);
	enum overlap_effect effect;
	unsigned below_layer;
	int64_t node;
	int r, below, hidden = look_above(s, e, above);

	if (hidden < 0 || !extension_fits(s->layer->extension))
		return hidden < 0 ? hidden : 0;
	below = look_below(s, e, above, &below_layer);
	if (below < 0)
		return below;
	effect = overlap_judge(above, (enum overlap_type)below);
	if (effect == OVERLAP_CONFLICTS)
		return refuse_conflict(s, e, above, (enum overlap_type)below, below_layer);
	if (effect == OVERLAP_HIDES && !hidden)
		count_hidden(s, below_layer);
	node = overlap_put(s->h->index, s->nodes[e->depth - 1], e->name, above, s->number);
	if (node < 0)
		return (int)node;
	s->layer->entries++;
	if (hierarchy_has_mount(s->h, e->path))
		return note_covered(s->layer, e);
	r = hidden ? 0 : keep_witness(s->layer, e);
	return r < 0 || e->fd < 0 ? r : descend(s, e, node, (enum overlap_type)below);
}

static int enter(const struct tree_entry *e, void *data) {
	struct survey *s = data;
	struct extension *extension = s->layer->extension;
	int r = check_whiteout(s, e);

	if (extension->digest)
		tree_digest_entry(e, extension->digest);
	if (r == 0 && extension_fits(extension))
		r = check_xattrs(s, e);
	if (r == 0 && extension_fits(extension))
		r = check_os_release(s, e);
	if (r == 0 && extension_fits(extension) && e->depth > 0)
		r = enter_one(s, e);
	/* A verdict ends the walk; hierarchy_add() tells the two apart. */
	return r == 0 && !extension_fits(extension) ? -ECANCELED : r;
}

static void leave(const struct tree_entry *e, void *data) {
	struct survey *s = data;

	if (e->depth > 0)
		close_fdp(&s->bases[e->depth]);
	s->bases[e->depth] = -EBADF;
}

/* The limits and faults of a walk as verdicts; what is the machine's fault is returned. */
static int judge_walk(const struct hierarchy *h, struct extension *e, int error) {
	const struct tree_limits *l = &tree_limits_default;

	switch (error) {
	case 0:
	case -ECANCELED:
		return 0;
	case -E2BIG:
		return verdict_set(&e->verdict, VERDICT_TOO_LARGE,
				   "/%s has more than %llu entries", h->name,
				   (unsigned long long)l->nodes);
	case -EOVERFLOW:
		return verdict_set(
			&e->verdict, VERDICT_TOO_LARGE,
			"with those below it, /%s would have more than %u entries",
			h->name, OVERLAP_NODES_MAX);
	case -ELOOP:
		return verdict_set(&e->verdict, VERDICT_TOO_LARGE,
				   "/%s is more than %u directories deep", h->name,
				   l->depth);
	case -ETIME:
		return verdict_set(&e->verdict, VERDICT_TOO_LARGE,
				   "/%s was not read within %llu seconds", h->name,
				   (unsigned long long)l->milliseconds / 1000);
	default:
		if (file_is_shortage(error))
			return error;
		return verdict_set(&e->verdict, VERDICT_CORRUPT, "/%s cannot be read: %s",
				   h->name, strerror(-error));
	}
}

/* What is known has been walked a moment ago, for its fingerprint, and needs no look at its files. */
static const struct census *find_census(const struct hierarchy *h,
					const struct extension *e) {
	for (size_t i = 0; e->is_known && e->hierarchies[i]; i++)
		if (strcmp(e->hierarchies[i], h->name) == 0)
			return e->census[i];
	return NULL;
}

int survey_layer(struct hierarchy *h, struct layer *l) {
	unsigned depth = tree_limits_default.depth + 2;
	_cleanup_free_ uint32_t *nodes = calloc(depth, sizeof(*nodes));
	_cleanup_free_ int *bases = calloc(depth, sizeof(*bases));
	struct survey s = { .h = h,
			    .layer = l,
			    .number = (unsigned)h->n_layers,
			    .nodes = nodes,
			    .bases = bases,
			    .has_xattrs = !l->extension->is_known };
	const struct tree_visitor visitor = { .enter = enter, .leave = leave, .data = &s };
	const struct census *census;
	int r;

	if (!nodes || !bases)
		return -ENOMEM;
	for (unsigned i = 0; i < depth; i++)
		bases[i] = -EBADF;
	bases[0] = h->base;
	census = find_census(h, l->extension);
	r = census ? census_replay(census, l->fd, &visitor)
		   : tree_walk(l->fd, &tree_limits_default, &visitor);
	for (unsigned i = 1; i < depth; i++)
		close_fdp(&bases[i]);
	return judge_walk(h, l->extension, r);
}
