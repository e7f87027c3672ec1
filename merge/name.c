/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splitting an image's file name from the right, and choosing between two versions. */
#include "name.h"

#include <limits.h>
#include <string.h>

#include "architecture.h"
#include "class.h"
#include "text.h"
#include "version.h"

#define NAME_LENGTH_MAX 255
#define COUNTER_DIGITS_MAX 9 /* fits an int */
#define DIGITS "0123456789"

static const char *const kind_suffixes[] = {
	[NAME_FILE] = ".raw",
	[NAME_DIRECTORY] = "",
	[NAME_PICK_FILES] = ".raw.v",
	[NAME_PICK_DIRECTORIES] = ".v",
};

static const struct name name_empty = {
	.left = NAME_TRIES_NONE,
	.done = NAME_TRIES_NONE,
};

static bool ends_with(const char *text, size_t len, const char *suffix) {
	size_t n = strlen(suffix);

	return len >= n && memcmp(text + len - n, suffix, n) == 0;
}

/* How many bytes are left without suffixes; -ENOENT for an entry that is none of ours. */
static int strip_suffixes(const char *entry, enum name_kind kind,
			  const char *class_suffix, size_t *ret) {
	size_t len = strlen(entry);

	if (!ends_with(entry, len, kind_suffixes[kind]))
		return -ENOENT;
	if (kind == NAME_PICK_DIRECTORIES &&
	    ends_with(entry, len, kind_suffixes[NAME_PICK_FILES]))
		return -ENOENT;

	len -= strlen(kind_suffixes[kind]);
	for (size_t i = 0; i < CLASS_COUNT; i++) {
		if (!ends_with(entry, len, classes[i].suffix))
			continue;
		if (strcmp(classes[i].suffix, class_suffix) != 0)
			return -ENOENT;
		len -= strlen(class_suffix);
		break;
	}
	*ret = len;
	return 0;
}

/* Why a name of this spelling cannot be taken, or NULL (specs: discover.spelling). */
static const char *find_fault(const char *entry) {
	if (entry[0] == '\0')
		return "the name is empty";
	if (entry[0] == '.')
		return "the name starts with a dot";
	if (strlen(entry) > NAME_LENGTH_MAX)
		return "the name is longer than 255 bytes";
	if (strchr(entry, '/'))
		return "the name has a slash";
	if (!name_is_printable(entry))
		return "the name has control characters or is not UTF-8";
	return NULL;
}

static bool parse_count(const char **s, int *ret) {
	size_t n = strspn(*s, DIGITS);

	if (n < 1 || n > COUNTER_DIGITS_MAX)
		return false;
	*ret = (int)strtol(*s, NULL, 10);
	*s += n;
	return true;
}

/* Cuts the boot counters off the end, if there are any (specs: discover.counter). */
static void cut_counters(char *text, int *left, int *done) {
	char *plus = strrchr(text, '+');
	int l, d = NAME_TRIES_NONE;
	const char *s;

	if (!plus)
		return;
	s = plus + 1;
	if (!parse_count(&s, &l))
		return;
	if (*s == '-' && (s++, !parse_count(&s, &d)))
		return;
	if (*s != '\0')
		return;
	*plus = '\0';
	*left = l;
	*done = d;
}

/* Cuts the version off the end and returns it, or NULL (specs: discover.version). */
static char *cut_version(char *text) {
	for (char *s = strchr(text, '_'); s; s = strchr(s + 1, '_'))
		if (s[1] >= '0' && s[1] <= '9') {
			*s = '\0';
			return s + 1;
		}
	return NULL;
}

/* The same for the architecture behind a version (specs: discover.architecture). */
static char *cut_architecture(char *version) {
	char *s = strrchr(version, '_');

	if (!s || !architecture_is_known(s + 1))
		return NULL;
	*s = '\0';
	return s + 1;
}

static int copy_text(const char *text, char **ret) {
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* Why these parts cannot stand together, or NULL. */
static const char *find_misfit(const struct name *n, enum name_kind kind) {
	bool pick = kind == NAME_PICK_FILES || kind == NAME_PICK_DIRECTORIES;

	if (n->name[0] == '\0')
		return "there is no name before the version or the counter";
	if (pick && (n->version || n->left != NAME_TRIES_NONE))
		return "a directory of versions has a version or counter in its own name";
	if (n->version && !version_is_valid(n->version))
		return "the version has characters that no version has";
	return NULL;
}

/* Fills `n`, which may be left half filled, from its `full`. */
static int split(struct name *n) {
	_cleanup_free_ char *text = strdup(n->full);
	char *version, *architecture;
	int r;

	if (!text)
		return -ENOMEM;
	cut_counters(text, &n->left, &n->done);
	version = cut_version(text);
	architecture = version ? cut_architecture(version) : NULL;

	r = copy_text(version, &n->version);
	if (r == 0)
		r = copy_text(architecture, &n->architecture);
	n->name = TAKE_PTR(text);
	return r;
}

int name_parse(const char *entry, enum name_kind kind, const char *class_suffix,
	       struct name *ret, const char **ret_why) {
	_cleanup_(name_done) struct name n = name_empty;
	const char *why;
	size_t len;
	int r;

	r = strip_suffixes(entry, kind, class_suffix, &len);
	if (r < 0)
		return r;
	why = find_fault(entry);
	if (!why) {
		n.full = strndup(entry, len);
		if (!n.full)
			return -ENOMEM;
		r = split(&n);
		if (r < 0)
			return r;
		why = find_misfit(&n, kind);
	}
	if (why) {
		*ret_why = why;
		return -EINVAL;
	}

	*ret = n;
	n = name_empty;
	return 0;
}

static int compare_ints(int a, int b) {
	return (a > b) - (a < b);
}

/* An image without a counter is trusted: it has more tries than any other. */
static int tries_left(const struct name *n) {
	return n->left == NAME_TRIES_NONE ? INT_MAX : n->left;
}

static int tries_done(const struct name *n) {
	return n->done == NAME_TRIES_NONE ? 0 : n->done;
}

/* How well the image's architecture suits the host: the greater the better. */
static int rank_architecture(const struct name *n, const char *native,
			     const char *secondary) {
	if (!n->architecture)
		return 0;
	if (strcmp(n->architecture, native) == 0)
		return 2;
	return secondary && strcmp(n->architecture, secondary) == 0 ? 1 : -1;
}

int name_compare_pick(const struct name *a, const struct name *b, const char *native,
		      const char *secondary) {
	int r;

	r = compare_ints(tries_left(a) > 0, tries_left(b) > 0);
	if (r == 0)
		r = version_compare(a->version, b->version);
	if (r == 0)
		r = compare_ints(rank_architecture(a, native, secondary),
				 rank_architecture(b, native, secondary));
	if (r == 0)
		r = compare_ints(tries_left(a), tries_left(b));
	if (r == 0)
		r = compare_ints(tries_done(b), tries_done(a));
	return r != 0 ? r : strcmp(a->full, b->full);
}

bool name_is_printable(const char *text) {
	size_t len;

	while ((len = text_printable_length(text)) > 0)
		text += len;
	return *text == '\0';
}

void name_done(struct name *n) {
	free(n->full);
	free(n->name);
	free(n->version);
	free(n->architecture);
	*n = name_empty;
}
