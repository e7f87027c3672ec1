/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which extensions there are. */
#include "discover.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "candidates.h"
#include "file.h"
#include "image.h"
#include "misnamed.h"
#include "responsive.h"
#include "strv.h"
#include "text.h"
#include "tree.h"

#define PATH_TEXT_MAX 4096

struct search {
	int root;
	const struct class *class;
	const struct host *host;
	bool has_doubt;		/* whether the directories might not answer */
	struct candidates here; /* of the search directory that is being read */
	struct candidates taken; /* masks of the directories so far, and winners (borrowed) */
	char **hung;		 /* entries of it that do not answer (strv) */
	char *safe;		 /* the last directory that only root can write */
	struct discovery *found;
};

static bool is_empty_directory(int fd) {
	char **names = NULL;
	int r = file_list(fd, 0, &names);

	strv_free(names);
	return r == 0;
}

static struct extension *make(const struct search *s, const char *directory,
			      const char *entry) {
	struct extension *e = extension_new(s->class);

	if (!e)
		return NULL;
	if (s->found->hierarchies)
		e->hierarchies = (const char *const *)s->found->hierarchies[s->class->id];
	e->path = file_join(directory, entry);
	if (!e->path) {
		extension_free(e);
		return NULL;
	}
	return e;
}

static bool is_foreign(const struct search *s, const char *architecture) {
	return architecture && strcmp(architecture, s->host->architecture) != 0 &&
	       (!s->host->secondary || strcmp(architecture, s->host->secondary) != 0);
}

static int open_entry(const struct search *s, const struct extension *e,
		      struct stat *ret) {
	_cleanup_close_ int fd = file_open_in(s->root, e->path, O_PATH);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : TAKE_FD(fd);
}

/* discover.pick: the kind, name and architecture that a directory of versions is for. */
static bool is_version_of(const struct search *s, const struct extension *directory,
			  const struct extension *e, const struct stat *st,
			  enum name_kind kind) {
	return strcmp(e->name.name, directory->name.name) == 0 &&
	       !is_foreign(s, e->name.architecture) &&
	       (kind == NAME_DIRECTORY) == (bool)S_ISDIR(st->st_mode);
}

/* `names` are those of the directory of versions, from this one on. */
static int add_version(struct search *s, const struct extension *directory, int versions,
		       char *const *names, enum name_kind kind) {
	const char *entry = *names;
	_cleanup_(extension_freep) struct extension *e = make(s, directory->path, entry);
	_cleanup_close_ int fd = -EBADF;
	const char *why;
	struct stat st;
	int r;

	if (!e)
		return -ENOMEM;
	r = name_parse(entry, kind, s->class->suffix, &e->name, &why);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	fd = open_entry(s, e, &st);
	if (fd < 0 || !is_version_of(s, directory, e, &st, kind))
		return 0;
	r = image_take(e, fd, &st);
	if (r == 0)
		r = image_check_writers(e, fd, &st, &s->safe);
	if (r == 0)
		r = image_note_sidecars(e, versions, names);
	if (r == 0)
		r = candidates_add(&s->here, (struct candidate){ .extension = e });
	if (r == 0)
		TAKE_PTR(e);
	return r;
}

/* The versions in a directory of them compete as if they lay beside it. */
static int add_versions(struct search *s, struct extension *directory, int fd,
			enum name_kind kind) {
	_cleanup_strv_ char **entries = NULL;
	int r = file_list(fd, DISCOVER_ENTRIES_MAX, &entries);

	if (r < 0 && file_is_shortage(r))
		return r;
	if (r < 0) {
		r = verdict_set(&directory->verdict, VERDICT_UNREADABLE,
				"cannot be listed: %s", strerror(-r));
		return r < 0 ? r
			     : candidates_add(&s->here, (struct candidate){
								.extension = directory });
	}
	for (char **entry = entries; r == 0 && *entry; entry++)
		r = add_version(s, directory, fd, entry, kind);
	return r < 0 ? r : TREE_SKIP;
}

static int add_entry(struct search *s, struct extension *e, const char *entry, int fd,
		     const struct stat *st) {
	enum name_kind kind = image_name_kind(entry, st->st_mode);
	bool is_mask = S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
	const char *why = NULL;
	int r;

	is_mask |= kind == NAME_DIRECTORY && S_ISDIR(st->st_mode) &&
		   is_empty_directory(fd);
	r = name_parse(entry, kind, s->class->suffix, &e->name, &why);
	if (r == -ENOENT)
		return TREE_SKIP;
	if (r == -EINVAL)
		r = image_refuse_name(e, entry, why);
	if (r < 0 || is_mask || !extension_fits(e))
		return r < 0 ? r
			     : candidates_add(&s->here,
					      (struct candidate){ .extension = e,
								  .is_mask = is_mask });
	if (kind == NAME_PICK_FILES || kind == NAME_PICK_DIRECTORIES)
		return add_versions(s, e, fd,
				    kind == NAME_PICK_FILES ? NAME_FILE : NAME_DIRECTORY);
	r = image_take(e, fd, st);
	if (r == 0)
		r = image_check_writers(e, fd, st, &s->safe);
	if (r == 0 && is_foreign(s, e->name.architecture))
		r = verdict_set(&e->verdict, VERDICT_OTHER_ARCHITECTURE,
				"its name says %s, host %s", e->name.architecture,
				s->host->architecture);
	return r < 0 ? r : candidates_add(&s->here, (struct candidate){ .extension = e });
}

/*
 * An entry that cannot be opened, most often a symlink that leads nowhere: a mask if it says /dev/null (there
 * is none below --root).
 */
static int add_dangling(struct search *s, struct extension *e, const char *entry,
			int directory, int error) {
	char target[PATH_TEXT_MAX];
	ssize_t n = readlinkat(directory, entry, target, sizeof(target) - 1);
	const char *why;
	bool is_mask;
	int r;

	if (n < 0 && error == -ENOENT)
		return TREE_SKIP; /* it is gone again */
	target[n < 0 ? 0 : n] = '\0';
	is_mask = strcmp(target, "/dev/null") == 0;
	r = name_parse(entry, image_name_kind(entry, 0), s->class->suffix, &e->name, &why);
	if (r == -ENOENT)
		return TREE_SKIP;
	if (r == -EINVAL)
		r = image_refuse_name(e, entry, why);
	e->kind = EXTENSION_OTHER;
	if (r == 0 && !is_mask)
		r = verdict_set(&e->verdict, VERDICT_UNREADABLE, "%s: %s",
				n < 0 ? "cannot be opened" : "a link that leads nowhere",
				strerror(-error));
	if (r < 0)
		return r;
	return candidates_add(&s->here,
			      (struct candidate){ .extension = e, .is_mask = is_mask });
}

/* It is known by its name alone: touching it would hold us as well. */
static int add_hung(struct search *s, struct extension *e, const char *entry) {
	const char *why;
	int r = name_parse(entry, image_name_kind(entry, 0), s->class->suffix, &e->name,
			   &why);

	if (r == -ENOENT)
		return TREE_SKIP;
	if (r == -EINVAL)
		r = image_refuse_name(e, entry, why);
	e->kind = EXTENSION_OTHER;
	if (r == 0)
		r = verdict_set(&e->verdict, VERDICT_UNRESPONSIVE,
				"what it lies on did not answer in time");
	return r < 0 ? r : candidates_add(&s->here, (struct candidate){ .extension = e });
}

/* `names` are those of the search directory, from this one on. */
static int read_entry(struct search *s, const char *directory, int directory_fd,
		      char *const *names) {
	const char *entry = *names;
	_cleanup_(extension_freep) struct extension *e = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	/* Hidden names are other programs' temporary files; lost+found is the file system's. */
	if (entry[0] == '.' || strcmp(entry, "lost+found") == 0)
		return 0;
	e = make(s, directory, entry);
	if (!e)
		return -ENOMEM;
	if (strv_contains(s->hung, entry)) {
		r = add_hung(s, e, entry);
		if (r == 0)
			TAKE_PTR(e);
		return r == TREE_SKIP ? 0 : r;
	}
	fd = open_entry(s, e, &st);
	if (fd < 0 && file_is_shortage(fd))
		return fd;
	r = image_note_sidecars(e, directory_fd, names);
	if (r < 0)
		return r;
	r = fd < 0 ? add_dangling(s, e, entry, directory_fd, fd)
		   : add_entry(s, e, entry, fd, &st);
	if (r == 0)
		TAKE_PTR(e);
	return r == TREE_SKIP ? 0 : r;
}

/* Before the next directory is read, each of this one has been compared with all. */
static int settle(struct search *s) {
	const struct contest c = { s->host->architecture, s->host->secondary,
				   s->found->losers };

	return candidates_settle(&s->here, &s->taken, &c, s->found->list);
}

static int add_problem(struct search *s, const char *directory, int error) {
	_cleanup_free_ char *text = NULL;
	int r;

	if (file_is_shortage(error))
		return error;
	if (error == -E2BIG)
		text = text_format("Cannot search '/%s': it has more than %d entries",
				   directory, DISCOVER_ENTRIES_MAX);
	else
		text = text_format("Cannot search '/%s': %s", directory, strerror(-error));
	r = text ? strv_append(&s->found->problems, text) : -ENOMEM;
	return r < 0 ? r : strv_append(&s->found->unread, directory);
}

/* discover.misnamed: no more than a sentence; the file is not opened. `names` are all of the directory's. */
static int note_misnamed(struct search *s, const char *directory, int fd,
			 const char *entry, char *const *names) {
	_cleanup_free_ char *wanted = NULL, *text = NULL;
	struct misnamed m;
	struct stat st;

	if (!misnamed_look(entry, &m) || strv_contains(s->hung, entry) ||
	    fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	wanted = text_format("%.*s.raw", (int)m.stem, entry);
	if (!wanted)
		return -ENOMEM;
	if (strv_contains(names, wanted))
		return 0;
	text = text_format("/%s/%s is passed over: %sit has to be called %s", directory,
			   entry, m.is_packed ? "unpacked, " : "", wanted);
	return text ? strv_append(&s->found->misnamed, text) : -ENOMEM;
}

static int read_directory(struct search *s, const char *directory, int fd) {
	_cleanup_strv_ char **entries = NULL;
	int r = file_list(fd, DISCOVER_ENTRIES_MAX, &entries);

	if (r < 0)
		return add_problem(s, directory, r);
	for (char **entry = entries; r == 0 && *entry; entry++) {
		r = read_entry(s, directory, fd, entry);
		if (r == 0)
			r = note_misnamed(s, directory, fd, *entry, entries);
	}
	return r < 0 ? r : settle(s);
}

static int search_directory(struct search *s, const char *directory) {
	_cleanup_close_ int fd = -EBADF;
	int r = 0;

	strv_free(s->hung);
	s->hung = NULL;
	if (s->has_doubt)
		r = responsive_check(s->root, directory, &s->hung);
	if (r == 0)
		fd = r = file_open_in(s->root, directory, O_PATH | O_DIRECTORY);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? add_problem(s, directory, r) : read_directory(s, directory, fd);
}

/* service.2: beside each directory of the host's lies one of the service's; all of them come before. */
static int search_service(struct search *s, const char *service,
			  const char *const *directories) {
	int r = 0;

	for (; r == 0 && *directories; directories++) {
		_cleanup_free_ char *own = text_format("%s.d/%s", *directories, service);

		r = own ? search_directory(s, own) : -ENOMEM;
	}
	return r;
}

/* discover.limit: the limit, counted from the lowest layer upwards. */
static int refuse_excess(struct extensions *list, const struct class *class) {
	unsigned n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		struct extension *e = list->items[i];

		if (e->class == class && extension_fits(e) &&
		    ++n > DISCOVER_EXTENSIONS_MAX)
			r = verdict_set(&e->verdict, VERDICT_TOO_MANY,
					"it is number %u, and the limit is %d", n,
					DISCOVER_EXTENSIONS_MAX);
	}
	return r;
}

int discover(int root, const struct class *class, const struct host *host,
	     struct discovery *d) {
	struct search s = { .root = root,
			    .class = class,
			    .host = host,
			    .has_doubt = d->has_doubt,
			    .found = d };
	bool is_initrd = strcmp(host->scope, "initrd") == 0;
	const char *const *directory = is_initrd ? class->search_initrd : class->search;
	int r = 0;

	if (d->service)
		r = search_service(&s, d->service, directory);
	for (; r == 0 && *directory; directory++)
		r = search_directory(&s, *directory);
	candidates_done(&s.here, &s.taken);
	strv_free(s.hung);
	free(s.safe);
	if (r < 0)
		return r;
	r = order_sort(d->list, d->orders);
	if (r < 0)
		return r;
	r = refuse_excess(d->list, class);
	for (size_t i = 0; i < d->list->n; i++)
		if (d->list->items[i]->class == class)
			d->list->items[i]->found = d->list->items[i]->verdict.code;
	return r;
}

void discovery_done(struct discovery *d) {
	strv_free(d->problems);
	strv_free(d->unread);
	strv_free(d->misnamed);
	d->problems = d->unread = d->misnamed = NULL;
}
