/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One extension on its way along the route. */
#include "extension.h"

#include <stdarg.h>
#include <string.h>

#include "text.h"

const char *extension_kind_word(enum extension_kind k) {
	static const char *const words[] = {
		[EXTENSION_DIRECTORY] = "directory",
		[EXTENSION_SUBVOLUME] = "subvolume",
		[EXTENSION_RAW] = "raw",
		[EXTENSION_BLOCK] = "block",
		[EXTENSION_OTHER] = "other",
	};

	return words[k];
}

const char *extension_format_word(const struct extension *e) {
	if (e->kind == EXTENSION_DIRECTORY || e->kind == EXTENSION_SUBVOLUME)
		return extension_kind_word(e->kind);
	return fstype_name(e->format) ?: "-";
}

const char *extension_trust_word(const struct extension *e) {
	static const char *const words[] = {
		[EXTENSION_UNJUDGED] = NULL,
		[EXTENSION_UNPROTECTED] = "unprotected",
		[EXTENSION_VERITY] = "verity",
		[EXTENSION_SIGNED] = "signed",
	};

	return words[e->trust.protection];
}

const char *extension_guard_word(const struct extension *e) {
	return e->access == EXTENSION_ACCESS_DM_VERITY	     ? "dm-verity"
	       : e->access == EXTENSION_ACCESS_VERIFIED_FILE ? "verified-file"
							     : NULL;
}

void extension_trust_done(struct extension_trust *t) {
	free(t->root_hash);
	free(t->signer);
	free(t->signer_fingerprint);
	free(t->server);
	*t = (struct extension_trust){ 0 };
}

int extension_add_note(struct extension *e, const char *format, ...) {
	_cleanup_free_ char *text = NULL;
	char *note;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	/* It may be examined twice. */
	if (e->note && strstr(e->note, text))
		return 0;
	r = text_join("; ", (const char *const[]){ e->note, text }, 2, &note);
	if (r < 0)
		return r;
	free(e->note);
	e->note = note;
	return 0;
}

struct extension *extension_new(const struct class *class) {
	struct extension *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->class = class;
	e->hierarchies = class->hierarchies;
	e->fd = e->root_tree = e->usr_tree = -EBADF;
	return e;
}

void extension_free(struct extension *e) {
	if (!e)
		return;
	name_done(&e->name);
	free(e->path);
	close_fdp(&e->fd);
	free(e->sidecars);
	free(e->fingerprint);
	free(e->note);
	free(e->placed_by);
	extension_trust_done(&e->trust);
	close_fdp(&e->root_tree);
	close_fdp(&e->usr_tree);
	release_free(e->release);
	digest_free(e->digest);
	for (size_t i = 0; i < ARRAY_SIZE(e->census); i++)
		census_free(e->census[i]);
	verdict_done(&e->verdict);
	verdict_done(&e->forced);
	free(e);
}

int extensions_add(struct extensions *list, struct extension *e) {
	struct extension **grown = reallocarray(list->items, list->n + 1, sizeof(*grown));

	if (!grown) {
		extension_free(e);
		return -ENOMEM;
	}
	list->items = grown;
	list->items[list->n++] = e;
	return 0;
}

void extensions_done(struct extensions *list) {
	for (size_t i = 0; i < list->n; i++)
		extension_free(list->items[i]);
	free(list->items);
	*list = (struct extensions){ 0 };
}

struct extension *extensions_shown(const struct extensions *list, size_t i) {
	const struct class *class = list->items[i]->class;
	size_t first = i, last = i;

	while (first > 0 && list->items[first - 1]->class == class)
		first--;
	while (last + 1 < list->n && list->items[last + 1]->class == class)
		last++;
	return list->items[first + last - i];
}

bool extension_is_called(const struct extension *e, const char *name) {
	return strcmp(e->name.name, name) == 0 || strcmp(e->name.full, name) == 0;
}
