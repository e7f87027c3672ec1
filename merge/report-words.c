/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to say of a layer or a tree, in words. */
#include "report-parts.h"

#include <string.h>

#include "strv.h"
#include "text.h"

const char report_dead_note[] = "its server has died, and reads fail: extmerge refresh "
				"mends it";

/* order.8; NULL where memory ran out. */
char *report_place(const char *placed_by) {
	return text_format("placed by %s", placed_by);
}

/* "hides 3 files of the host, docker (11)" and whatever else was noted. */
char *report_layer_note(const struct record_layer *l) {
	const char *dead = l->is_dead ? report_dead_note : NULL;
	_cleanup_free_ char *hides = NULL, *placed = NULL;
	char host[64] = "", hidden[64] = "", *note = NULL;

	if (l->hides_host)
		snprintf(host, sizeof(host), "%u of the host", l->hides_host);
	if (l->hides_host || l->hides) {
		hides = text_format("hides files: %s%s%s", host,
				    l->hides_host && l->hides ? ", " : "", l->hides ?: "");
		if (!hides)
			return NULL;
	}
	if (l->placed_by) {
		placed = report_place(l->placed_by);
		if (!placed)
			return NULL;
	}
	if (l->hidden_by_host)
		snprintf(hidden, sizeof(hidden), "files hidden by the host: %u",
			 l->hidden_by_host);
	if (text_join("; ",
		      (const char *const[]){ dead, placed, hides, *hidden ? hidden : NULL,
					     l->note },
		      5, &note) < 0)
		return NULL;
	return note ?: strdup("");
}

/* Overlayfs is what everybody expects. */
static bool is_by_other(const struct record *r) {
	return r->backend && strcmp(r->backend, backend_text(BACKEND_OVERLAY)) != 0;
}

/* "by fuse (this kernel has no overlayfs), data cached" */
char *report_backend(const struct record *r) {
	const char *why = r->backend_why;
	const size_t failed = strv_length(r->grafts_failed);
	char grafts[96] = "";

	if (r->grafts || failed > 0)
		snprintf(grafts, sizeof(grafts), ", with %zu of its directories mounted",
			 strv_length(r->grafts));
	if (failed > 0)
		snprintf(grafts + strlen(grafts), sizeof(grafts) - strlen(grafts),
			 " (%zu could not be)", failed);
	return text_format("by %s%s%s%s%s%s%s", r->backend, why ? " (" : ", as asked for",
			   why ?: "", why ? ")" : "", grafts, r->io ? ", data " : "",
			   r->io ?: "");
}

char *report_form(const struct record *r) {
	_cleanup_free_ char *written = NULL, *imported = NULL, *by = NULL;
	char *text = NULL;

	if (is_by_other(r))
		by = report_backend(r);
	if (r->is_writable)
		written = text_format("writable (%s): %s", r->mutable ?: "?",
				      r->upper && !r->is_imported
					      ? r->upper
					      : "in memory, until it is unmerged");
	if (r->is_imported)
		imported = text_format("%s imported", r->upper ?: "?");
	if ((r->is_writable && !written) || (r->is_imported && !imported) ||
	    (is_by_other(r) && !by) ||
	    text_join("; ",
		      (const char *const[]){ by, written, imported,
					     r->base && strcmp(r->base, "top") == 0
						     ? "the host's own files win"
						     : NULL },
		      4, &text) < 0)
		return NULL;
	return text ?: strdup("");
}

/* Whether something else than a refresh without options has been looked at. */
static bool is_special(const struct options *o) {
	bool is_given = o->n_given_of > 0;

	for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++)
		is_given |= o->given[i] != NULL;
	return is_given || o->force || o->force_all || o->strict || o->verity ||
	       o->on_corruption;
}

char *report_refresh(const struct options *o) {
	const bool is_one = o->classes[CLASS_SYSEXT] != o->classes[CLASS_CONFEXT];
	const bool is_other = strcmp(o->root, "/") != 0;

	return text_format("extmerge refresh%s%s%s%s%s", is_other ? " --root=" : "",
			   is_other ? o->root : "", is_one ? " --class=" : "",
			   !is_one		      ? ""
			   : o->classes[CLASS_SYSEXT] ? classes[CLASS_SYSEXT].name
						      : classes[CLASS_CONFEXT].name,
			   is_special(o) ? ", with the same options" : "");
}

void report_none(const struct route *r) {
	report_say("No extensions found. They are looked for in:");
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (const char *const *directory = classes[c].search;
		     r->options->classes[c] && *directory; directory++)
			report_say("  /%-24s %ss", *directory, classes[c].name);
}

/* "28.0.4 -> 28.1.0", or the one version there is. */
static char *describe_version(const struct plan_change *c) {
	const char *old = c->old ? c->old->version : NULL;
	const char *wanted = c->wanted ? c->wanted->version : NULL;

	if (old && wanted && strcmp(old, wanted) != 0)
		return text_format("%s -> %s", old, wanted);
	return strdup(wanted ?: old ?: "");
}

char *report_change(const struct plan_change *c) {
	const struct record_layer *l = c->wanted ?: c->old;
	_cleanup_free_ char *version = describe_version(c);

	return text_format("  %s %-8s %s%s%s  (%s, %s, %s)", plan_change_sign(c->kind),
			   plan_change_word(c->kind), l->name,
			   version && *version ? " " : "", version ?: "", c->class->name,
			   l->format ?: "?", l->trust ?: "?");
}

const char *report_mounter(const struct record *r) {
	return r->layers_by && strcmp(r->layers_by, RECORD_BY_HELPER) == 0
		       ? RECORD_BY_HELPER
		       : "this kernel";
}
