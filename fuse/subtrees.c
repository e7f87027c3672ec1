/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every such directory is the child of one that several layers share, and of those there are few. */
#include "subtrees.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "../merge/kernel.h"
#include "merger.h"
#include "place.h"

#define SHARED_MAX 256	    /* directories that are merged */
#define CANDIDATES_MAX 4096 /* those of upper levels first */
#define SAMPLED \
	8 /* subdirectories of each directory, of which the one with the most is followed, */
#define SAMPLED_DEPTH 5	  /* so many levels deep */
#define LISTED_MAX 4096	  /* entries of each directory */
#define BYTES_OF_ENTRY 64 /* rather many, as listings have gaps */
#define ENTRIES_MIN 100
/* Once to find candidates, which many layers make slow, and once to measure them. */
#define WORK_MAX_NS (15 * INT64_C(1000000))
#define TIME_MAX_NS (100 * INT64_C(1000000))

struct candidate {
	struct directory *parent;
	uint32_t entry;
	uint64_t weight; /* its entries, estimated */
	bool is_leaf;	 /* without subdirectories: by its attributes */
};

struct search {
	struct layers layers;
	struct directories directories;
	struct merger *merger;
	struct candidate *list;
	unsigned n;
	int64_t work_end, time_end; /* nanoseconds */
};

static int64_t now_ns(clockid_t clock) {
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void allow_more(struct search *s) {
	s->work_end += WORK_MAX_NS;
	s->time_end += TIME_MAX_NS;
}

/* Both, as others may have the processor, and disks take their time. */
static bool is_over(const struct search *s) {
	return now_ns(CLOCK_THREAD_CPUTIME_ID) > s->work_end ||
	       now_ns(CLOCK_MONOTONIC) > s->time_end;
}

static void search_done(struct search *s) {
	merger_free(s->merger);
	directories_done(&s->directories);
	layers_done(&s->layers);
	free(s->list);
}

static int heaviest_first(const void *a, const void *b) {
	const struct candidate *x = a, *y = b;

	return x->weight < y->weight ? 1 : x->weight > y->weight ? -1 : 0;
}

/* --- candidates --- */

static void consider(struct search *s, struct directory *dir, uint32_t entry) {
	struct places at = { &s->layers, &s->directories };
	const struct place p = { dir, &dir->index->entries[entry] };
	struct stat st;

	if (s->n == CANDIDATES_MAX || place_stat(&at, &p, &st) < 0)
		return;
	directories_use(dir, p.entry, 1); /* so that its directory stays */
	s->list[s->n++] = (struct candidate){ dir, entry,
					      (uint64_t)st.st_size / BYTES_OF_ENTRY,
					      st.st_nlink == 2 };
}

/* The children of one shared directory: shared ones are looked through later. */
static int look_through(struct search *s, struct directory *dir) {
	int r = merger_index(s->merger, dir);

	for (uint32_t i = 0; r == 0 && i < dir->index->n; i++) {
		const struct dirindex_entry *e = &dir->index->entries[i];
		struct directory *child;

		if (e->type != DT_DIR)
			continue;
		if (e->more == DIRINDEX_NONE)
			consider(s, dir, i);
		else
			r = directories_enter(&s->directories, dir, i, &child);
	}
	return r;
}

/* New directories get higher numbers, so this goes level by level. */
static int find_candidates(struct search *s) {
	int r = 0;

	for (uint32_t i = 0; i < s->directories.n && i < SHARED_MAX && !is_over(s); i++) {
		struct directory *dir = directories_get(&s->directories, i);

		if (dir)
			r = look_through(s, dir);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

/* --- how large they are --- */

struct sample {
	uint64_t entries, directories;
	char names[SAMPLED][DIRINDEX_NAME_MAX + 1];
};

/* The first ones, then those at powers of two, so that all of the listing has a say. */
static void take(struct sample *a, const struct kernel_dirent *e) {
	uint64_t n = a->directories;

	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return;
	a->entries++;
	if (e->d_type != DT_DIR)
		return;
	if (n < SAMPLED)
		snprintf(a->names[n], sizeof(a->names[n]), "%s", e->d_name);
	else if ((n & (n - 1)) == 0)
		snprintf(a->names[n % SAMPLED], sizeof(a->names[0]), "%s", e->d_name);
	a->directories++;
}

static void take_listing(int fd, struct sample *a) {
	char listing[8192];
	ssize_t n = 1;

	while (n > 0 && a->entries < LISTED_MAX) {
		n = sys_getdents64(fd, listing, sizeof(listing));
		for (ssize_t at = 0; at < n;) {
			const struct kernel_dirent *e = (const void *)(listing + at);

			at += e->d_reclen;
			take(a, e);
		}
	}
}

/* The name of the subdirectory that has the most subdirectories itself. */
static const char *largest(int fd, const struct sample *a) {
	const char *name = NULL;
	nlink_t links = 0;
	struct stat st;

	for (unsigned i = 0; i < SAMPLED && i < a->directories; i++)
		if (fstatat(fd, a->names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_nlink > links) {
			links = st.st_nlink;
			name = a->names[i];
		}
	return name;
}

/* Entries of the tree below: those of the largest subdirectory of some, and half of that for each of the others. */
static uint64_t estimate(const struct search *s, int above, const char *name,
			 unsigned depth) {
	_cleanup_close_ int fd = layers_open(above, name, O_RDONLY | O_DIRECTORY);
	struct sample a = { .entries = 0 };
	const char *next;
	uint64_t below;

	if (fd < 0 || is_over(s))
		return 0;
	take_listing(fd, &a);
	next = depth < SAMPLED_DEPTH ? largest(fd, &a) : NULL;
	if (!next)
		return a.entries;
	below = estimate(s, fd, next, depth + 1);
	return a.entries + below + (a.directories - 1) * below / 2;
}

static void measure(struct search *s) {
	for (unsigned i = 0; i < s->n && !is_over(s); i++) {
		struct candidate *c = &s->list[i];
		const struct dirindex_entry *e = &c->parent->index->entries[c->entry];
		int fd = c->is_leaf
				 ? -ENOENT
				 : directories_fd(&s->directories, c->parent, e->layer);

		if (fd >= 0)
			c->weight = estimate(s, fd, dirindex_name(c->parent->index, e), 0);
	}
	qsort(s->list, s->n, sizeof(*s->list), heaviest_first);
}

/* --- the result --- */

/* What is marked, or a layer itself, is left to the union. */
static bool is_plain(struct search *s, const struct candidate *c) {
	struct places at = { &s->layers, &s->directories };
	const struct place p = { c->parent, &c->parent->index->entries[c->entry] };
	const char *name;
	struct stat st;
	int fd;

	if (place_examine(&at, &p, &st) < 0)
		return false;
	fd = place_reach(&at, &p, &name);
	return fd >= 0 && layers_opaque(&s->layers, &s->layers.list[p.entry->layer], fd,
					name) == WHITEOUT_MERGES;
}

/* From the end to the beginning. NULL where it is too long, or there is no memory. */
static char *path_of(const struct search *s, const struct candidate *c) {
	char path[DIRECTORIES_PATH_MAX];
	size_t at = sizeof(path) - 1;
	const struct directory *dir = c->parent;
	uint32_t entry = c->entry;

	path[at] = '\0';
	for (;;) {
		const struct dirindex_entry *e = &dir->index->entries[entry];

		if (at < (size_t)e->length + 1)
			return NULL;
		at -= e->length;
		memcpy(path + at, dirindex_name(dir->index, e), e->length);
		if (dir->number == 0)
			return strdup(path + at);
		path[--at] = '/';
		entry = dir->entry;
		dir = directories_get(&s->directories, dir->parent);
	}
}

static int hand_out(struct search *s, unsigned max,
		    struct subtree ret[static SUBTREES_MAX]) {
	int n = 0;

	for (unsigned i = 0; i < s->n && (unsigned)n < max && n < SUBTREES_MAX; i++) {
		const struct candidate *c = &s->list[i];
		char *path = c->weight < ENTRIES_MIN || !is_plain(s, c) ? NULL
									: path_of(s, c);

		if (path)
			ret[n++] = (struct subtree){
				c->parent->index->entries[c->entry].layer, path, c->weight
			};
	}
	return n;
}

int subtrees_find(const int *fds, unsigned n, enum whiteout_space space, unsigned max,
		  struct subtree ret[static SUBTREES_MAX]) {
	_cleanup_(search_done) struct search s = {
		.work_end = now_ns(CLOCK_THREAD_CPUTIME_ID),
		.time_end = now_ns(CLOCK_MONOTONIC),
	};
	int r;

	allow_more(&s);
	fdcache_init(&s.directories.fds);
	fdcache_init(&s.directories.files);
	s.list = calloc(CANDIDATES_MAX, sizeof(*s.list));
	if (!s.list)
		return -ENOMEM;
	r = layers_init(&s.layers, fds, n, space);
	if (r == 0)
		r = directories_init(&s.directories, &s.layers);
	if (r == 0)
		r = merger_new(&s.layers, &s.directories, &s.merger);
	if (r == 0)
		r = find_candidates(&s);
	if (r < 0)
		return r;
	allow_more(&s);
	measure(&s);
	return hand_out(&s, max, ret);
}
