/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a discovered extension to a verdict. */
#include "examine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "file.h"
#include "image.h"
#include "source.h"
#include "strv.h"
#include "text.h"

#define RELEASE_PREFIX "extension-release."
#define RELEASE_FILES_MAX 1024

/* A block of a protected image that cannot be read is one that is wrong (trust.10). */
static bool is_wrong_block(const struct extension *e, int error) {
	return error == -EIO && extension_guard_word(e);
}

/* Where the release files are: below the tree's root, or below a /usr of its own. */
static int open_release_directory(const struct extension *e) {
	if (e->usr_tree >= 0 && strncmp(e->class->release_dir, "usr/", 4) == 0)
		return file_open_in(e->usr_tree, e->class->release_dir + 4,
				    O_RDONLY | O_DIRECTORY);
	return file_open_in(e->root_tree, e->class->release_dir, O_RDONLY | O_DIRECTORY);
}

/* Opens a release file, which may be a link inside of the image. */
static int open_release(const struct extension *e, const char *file) {
	bool below_usr = e->usr_tree >= 0 &&
			 strncmp(e->class->release_dir, "usr/", 4) == 0;
	_cleanup_free_ char *path = file_join(e->class->release_dir + (below_usr ? 4 : 0),
					      file);

	if (!path)
		return -ENOMEM;
	return file_open_in(below_usr ? e->usr_tree : e->root_tree, path, O_RDONLY);
}

/* match.12: the attribute that lets a release file go with an image of another name. */
static bool is_relaxed(const struct extension *e, const char *file) {
	static const char *const words[] = { "0", "no", "n", "false", "f", "off" };
	_cleanup_close_ int fd = open_release(e, file);
	char value[8];
	ssize_t n = fd < 0 ? -1
			   : fgetxattr(fd, "user.extension-release.strict", value,
				       sizeof(value) - 1);

	if (n < 0)
		return false;
	value[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

static int refuse_mismatch(struct extension *e, ssize_t chosen, char *const *files) {
	if (chosen == -ENOTUNIQ)
		return verdict_set(&e->verdict, VERDICT_AMBIGUOUS,
				   "more than one file in /%s could be meant for it",
				   e->class->release_dir);
	if (strv_length(files) > 0)
		return verdict_set(&e->verdict, VERDICT_NAME_MISMATCH,
				   "the image is named \"%s\" but carries %s",
				   e->name.full, files[0]);
	return verdict_set(&e->verdict, VERDICT_NO_RELEASE, "it has no /%s/%s%s",
			   e->class->release_dir, RELEASE_PREFIX, e->name.name);
}

/* The names in the release directory that count; none where there is no directory. */
static int list_release_files(const struct extension *e, char ***ret) {
	_cleanup_(file_entries_done) struct file_entries entries = { 0 };
	_cleanup_close_ int fd = open_release_directory(e);
	int r;

	/* What cannot be read is not known to be missing. */
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	r = file_list_opened(fd, RELEASE_FILES_MAX, &entries);
	for (size_t i = 0; r == 0 && i < entries.n; i++)
		if (strncmp(entries.items[i].name, RELEASE_PREFIX,
			    strlen(RELEASE_PREFIX)) == 0)
			r = strv_append(ret, entries.items[i].name);
	return r;
}

static int choose_release(struct extension *e, char *const *files, const char **ret) {
	_cleanup_free_ struct match_candidate *candidates = NULL;
	size_t n = strv_length(files);
	bool is_named = false;
	ssize_t chosen;

	candidates = calloc(n + 1, sizeof(*candidates));
	if (!candidates)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		candidates[i].suffix = files[i] + strlen(RELEASE_PREFIX);
		is_named |= strcmp(candidates[i].suffix, e->name.full) == 0;
	}
	/* Where a file has the full name, the attribute of the others does not count. */
	for (size_t i = 0; !is_named && i < n; i++)
		candidates[i].relaxed = is_relaxed(e, files[i]);
	chosen = match_choose(candidates, n, e->name.full, e->name.name);
	if (chosen < 0)
		return refuse_mismatch(e, chosen, files);
	*ret = files[chosen];
	return 0;
}

static int refuse_block(struct extension *e) {
	return verdict_set(&e->verdict, VERDICT_CORRUPT,
			   "a block of it is not the one that its hash tree names");
}

static int refuse_release(struct extension *e, const char *file, int error) {
	if (file_is_shortage(error))
		return error;
	if (is_wrong_block(e, error))
		return refuse_block(e);
	return verdict_set(&e->verdict, VERDICT_BAD_RELEASE, "%s %s", file,
			   error == -EFBIG   ? "is longer than 64 KiB"
			   : error == -ELOOP ? "is no regular file"
					     : strerror(-error));
}

static int parse_release(struct extension *e, const char *file) {
	_cleanup_close_ int fd = open_release(e, file);
	_cleanup_free_ char *text = NULL;
	const char *why;
	unsigned line;
	struct stat st;
	size_t len;
	int r = fd;

	if (r >= 0)
		r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -ELOOP;
	if (r == 0)
		r = file_read(fd, RELEASE_SIZE_MAX, &text, &len);
	if (r < 0)
		return refuse_release(e, file, r);
	r = release_parse(text, len, &e->release, &why, &line);
	if (r == -EINVAL || r == -EFBIG)
		return verdict_set(&e->verdict, VERDICT_BAD_RELEASE, "%s, line %u: %s",
				   file, line, why);
	return r;
}

static int read_release(struct extension *e) {
	_cleanup_strv_ char **files = NULL;
	const char *file = NULL;
	int r = list_release_files(e, &files);

	if (r == 0)
		r = choose_release(e, files, &file);
	return r < 0 || !file ? r : parse_release(e, file);
}

/* --force overrides what is only about fitting; what was overridden stays known. */
static void force(struct extension *e, const struct examine_options *o) {
	if (extension_fits(e) || !verdict_is_forcible(e->verdict.code) ||
	    !(o->force_all || strv_contains(o->force, e->name.name)))
		return;
	verdict_done(&e->forced);
	e->forced = e->verdict;
	e->verdict = (struct verdict){ .code = VERDICT_FITS };
}

/* "/usr or /opt". NULL where memory ran out. */
static char *name_hierarchies(struct hierarchy *const *hierarchies, size_t n) {
	char *text = strdup("");

	for (size_t i = 0; text && i < n; i++) {
		char *longer = text_format("%s%s/%s", text,
					   i == 0	? ""
					   : i == n - 1 ? " or "
							: ", ",
					   hierarchies[i]->name);

		free(text);
		text = longer;
	}
	return text;
}

static int refuse_empty(struct extension *e, struct hierarchy *const *hierarchies,
			size_t n) {
	_cleanup_free_ char *names = name_hierarchies(hierarchies, n);

	return names ? verdict_set(&e->verdict, VERDICT_EMPTY, "it has nothing for %s",
				   names)
		     : -ENOMEM;
}

/* All layers of the extension, or none. */
static int add_layers(struct extension *e, struct hierarchy *const *hierarchies,
		      size_t n) {
	size_t before = 0, after = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		before += hierarchies[i]->n_layers;
	for (size_t i = 0; r == 0 && extension_fits(e) && i < n; i++)
		r = hierarchy_add(hierarchies[i], e);
	for (size_t i = 0; i < n; i++)
		after += hierarchies[i]->n_layers;
	if (r == 0 && extension_fits(e) && after == before)
		r = refuse_empty(e, hierarchies, n);
	for (size_t i = 0; i < n; i++)
		if (r == 0 && extension_fits(e))
			hierarchy_commit(hierarchies[i]);
		else
			hierarchy_revert(hierarchies[i], e);
	return r;
}

/* A directory's fingerprint is made on the walk through its layers, if it is not known yet. */
static int start_digest(struct extension *e) {
	return e->fingerprint || e->access != EXTENSION_ACCESS_DIRECTORY
		       ? 0
		       : digest_new(&e->digest);
}

static int end_digest(struct extension *e) {
	if (e->digest && extension_fits(e))
		return image_take_digest(e);
	digest_free(e->digest);
	e->digest = NULL;
	return image_fingerprint(e);
}

static int match(struct extension *e, const struct host *h) {
	const struct match_host host = host_match(h);

	return match_release(e->class, &host, e->release, &e->verdict);
}

static int examine_once(struct extension *e, const struct examine_options *o,
			struct hierarchy *const *hierarchies, size_t n) {
	int r = source_attach(e, &o->source);

	if (r == 0 && extension_fits(e))
		r = read_release(e);
	if (r == 0 && extension_fits(e) && e->release && o->source.assess.host)
		r = match(e, o->source.assess.host);
	force(e, o);
	if (r == 0 && extension_fits(e))
		r = start_digest(e);
	if (r == 0 && extension_fits(e))
		r = add_layers(e, hierarchies, n);
	return r;
}

static void start_again(struct extension *e) {
	close_fdp(&e->root_tree);
	close_fdp(&e->usr_tree);
	e->root_tree = e->usr_tree = -EBADF;
	release_free(e->release);
	e->release = NULL;
	digest_free(e->digest);
	e->digest = NULL;
	extension_trust_done(&e->trust);
	verdict_done(&e->verdict);
}

/*
 * Whether the verdict may come of a read that failed, now or on the way to what it says is missing: a good
 * image must not be dropped for a hiccup.
 */
static bool may_be_a_hiccup(enum verdict_code code) {
	static const enum verdict_code codes[] = {
		VERDICT_UNREADABLE, VERDICT_CORRUPT,	   VERDICT_BAD_RELEASE,
		VERDICT_NO_RELEASE, VERDICT_NAME_MISMATCH, VERDICT_BAD_HIERARCHY,
		VERDICT_EMPTY,	    VERDICT_UNSUPPORTED,   VERDICT_NO_PRIVILEGE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

/* What is no fault of the machine as a whole ends as a verdict: one bad image never stops the good ones. */
static int judge(struct extension *e, int error) {
	if (error >= 0 || file_is_shortage(error) || error == -EPERM)
		return error;
	if (is_wrong_block(e, error))
		return refuse_block(e);
	return verdict_set(&e->verdict, VERDICT_UNREADABLE, "cannot be read: %s",
			   strerror(-error));
}

int examine(struct extension *e, const struct examine_options *o,
	    struct hierarchy *const *hierarchies, size_t n) {
	int r;

	force(e, o);
	if (!extension_fits(e))
		return 0;
	r = judge(e, examine_once(e, o, hierarchies, n));
	if (r == 0 && may_be_a_hiccup(e->verdict.code)) {
		start_again(e);
		r = judge(e, examine_once(e, o, hierarchies, n));
	}
	if (r == 0)
		r = end_digest(e);
	close_fdp(&e->fd); /* its trees hold what they need */
	e->fd = -EBADF;
	return r;
}
