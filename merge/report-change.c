/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a change did, and what it left out: talk for people, on stderr. */
#include "report-parts.h"

#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "log.h"
#include "strv.h"
#include "text.h"

/* Whether the directory `path` below the root has nothing in it; what cannot be looked at may have. */
static bool is_empty(const struct route *r, const char *path) {
	_cleanup_close_ int fd = file_open_in(r->base, path, O_PATH | O_DIRECTORY);
	_cleanup_strv_ char **names = NULL;

	return fd >= 0 && file_list(fd, 0, &names) == 0;
}

/* mutable.22: where what was written is, when it is not seen any more; NULL where nothing was, or it still is. */
static const char *find_kept(const struct route *r, const struct plan_step *s) {
	const char *upper = s->old ? s->old->upper : NULL;

	if (!upper || !s->old->is_writable || s->old->is_imported ||
	    strcmp(upper + 1, s->hierarchy) == 0 ||
	    (s->wanted && s->wanted->upper && strcmp(s->wanted->upper, upper) == 0))
		return NULL;
	return is_empty(r, upper) ? NULL : upper;
}

/* "3 layers over the host's own, writable, without a gap". */
static char *describe_tree(const struct record *w) {
	const bool is_top = w->base && strcmp(w->base, "top") == 0;
	char gap[80] = "without a gap";

	if (w->gap > 0)
		snprintf(gap, sizeof(gap),
			 "with a gap of %lld us: %s cannot mount beneath",
			 (long long)w->gap, report_mounter(w));
	return text_format("%zu layer%s %s the host's own%s, %s", w->n_layers,
			   text_plural(w->n_layers), is_top ? "under" : "over",
			   w->is_writable ? ", writable" : "", gap);
}

/* written.5; what commit has made an extension of is told by itself. */
static const char *describe_renewal(const struct route *r, const struct plan_step *s) {
	const size_t i = (size_t)(s - r->plan.steps);

	return r->renews[i] && !r->keeps[i] ? "what was written in it is discarded"
					    : NULL;
}

static void notice_step(const struct route *r, const struct plan_step *s) {
	const char *reason = describe_renewal(r, s) ?: plan_reason(s);
	_cleanup_free_ char *tree = NULL;
	const char *kept;

	if (s->action == PLAN_NOTHING || s->action == PLAN_KEEP)
		return;
	kept = find_kept(r, s);
	tree = s->action == PLAN_UNMERGE ? strdup("unmerged") : describe_tree(s->wanted);
	log_notice("/%s  %s%s%s%s%s", s->hierarchy, tree ?: "out of memory",
		   reason ? "; made anew, as " : "", reason ?: "",
		   kept ? "; what was written stays in " : "", kept ?: "");
	for (char **text = s->wanted ? s->wanted->grafts_failed : NULL; text && *text;
	     text++)
		log_warning("/%s has no graft of %s; the server shows it", s->hierarchy,
			    *text);
	if (s->wanted && s->wanted->pause > 0)
		log_detail("/%s could not be written for %lld us", s->hierarchy,
			   (long long)s->wanted->pause);
	if (s->wanted)
		log_detail("/%s was built by the '%s' rung of generation %llu",
			   s->hierarchy, s->wanted->layers_by ?: "?",
			   (unsigned long long)route_generation(r) + 1);
}

void report_changes(const struct route *r) {
	const struct plan *p = &r->plan;

	for (size_t i = 0; i < p->n_changes; i++) {
		_cleanup_free_ char *text = report_change(&p->changes[i]);

		if (p->changes[i].kind != PLAN_SAME)
			log_notice("%s", text ?: "out of memory");
	}
	for (size_t i = 0; i < p->n_steps; i++)
		notice_step(r, &p->steps[i]);
}

/* Once for each verdict, however many there are; with the name where there is one. */
static void hint_skipped(const struct route *r, const struct extension *x) {
	_cleanup_free_ char *advice = verdict_advice(x->verdict.code, x->name.name ?: "");
	const char *hint = verdict_hint(x->verdict.code);
	size_t n = 0;

	for (size_t i = 0; i < r->extensions.n; i++)
		n += r->extensions.items[i]->verdict.code == x->verdict.code;
	if (hint)
		log_hint("%s", n == 1 && advice ? advice : hint);
}

void report_skipped(const struct route *r) {
	bool is_hinted[VERDICT_COUNT] = { false };

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);
		const struct verdict *v = &x->verdict;

		if (x->forced.text)
			log_warning("%s: forced, although %s", x->path, x->forced.text);
		if (extension_fits(x) && x->note)
			log_warning("%s: %s", x->path, x->note);
		if (extension_fits(x) || verdict_is_quiet(v->code))
			continue;
		log_warning("%s skipped: %s: %s", x->path, verdict_word(v->code), v->text);
		if (!is_hinted[v->code])
			hint_skipped(r, x);
		is_hinted[v->code] = true;
	}
}

void report_notes(const struct route *r) {
	fflush(stdout); /* what they are about stands there */
	for (char **note = r->found.misnamed; note && *note; note++)
		log_notice("Note: %s", *note);
	for (char **note = r->absent; note && *note; note++)
		log_notice("Note: %s", *note);
}

void report_hooks(const struct route *r) {
	for (size_t i = 0; i < r->hooks.n; i++) {
		const struct hook_result *h = &r->hooks.items[i];

		if (h->why)
			log_warning("Hook '%s' failed: %s%s%s", h->name, h->program ?: "",
				    h->program ? ": " : "", h->why);
	}
}
