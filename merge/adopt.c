/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking over what systemd-sysext and systemd-confext have merged. */
#include "adopt.h"

#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "log.h"
#include "peernames.h"
#include "strv.h"
#include "text.h"

#define NAMES_SIZE_MAX ((size_t)256 * 1024)

/* Of each class: the directory in the root of a tree of theirs, with the names. */
static const char *const names_files[CLASS_COUNT] = {
	[CLASS_CONFEXT] = ".systemd-confext/confexts",
	[CLASS_SYSEXT] = ".systemd-sysext/extensions",
};

/* Their mount is known by what only privilege could have set (record.4); what is in it is not, but read with bounds. */
static int read_names(const struct state_hierarchy *h, char ***ret) {
	_cleanup_close_ int fd = file_open_in(h->fd, names_files[h->class->id],
					      O_RDONLY | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd < 0 ? fd : file_read(fd, NAMES_SIZE_MAX, &text, &len);

	return r < 0 ? r : peernames_parse(text, len, ret);
}

static bool is_theirs(const struct route *r, const struct state_hierarchy *h) {
	return h->kind == STATE_PEER && route_has_class(r, h->class);
}

static enum exit_code refuse(const struct state_hierarchy *h, const char *why) {
	log_error("Cannot take over /%s: %s", h->name, why);
	log_hint("systemd-%s unmerge, then extmerge merge, does without it meanwhile",
		 h->class->name);
	return EXIT_FAILED;
}

static enum exit_code open_one(const struct state_hierarchy *h,
			       struct adopt_names *names) {
	int r;

	if (h->peers > 1)
		return refuse(h, "several of their trees lie on each other");
	/* adopt.3 */
	if (mount_is_read_only(h->fd) != 1)
		return refuse(h, "it is written to");
	r = read_names(h, &names->names);
	if (r < 0)
		return refuse(h, "it does not say which extensions are in it");
	return EXIT_DONE;
}

enum exit_code adopt_open(struct adopt *a, const struct route *r) {
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < r->state.n; i++)
		if (is_theirs(r, &r->state.hierarchies[i])) {
			a->is_any = true;
			code = open_one(&r->state.hierarchies[i], &a->of[i]);
		}
	return code;
}

enum exit_code adopt_heal(const struct route *r, bool *ret_changed) {
	*ret_changed = false;
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		int e;

		if (!is_theirs(r, h) || h->stacked == 0)
			continue;
		e = mount_detach(h->fd, r->directory);
		if (e < 0)
			return route_fail(e, "uncover the tree below theirs");
		*ret_changed = true;
		log_notice("/%s  a tree of extmerge's lay below theirs, and is seen again",
			   h->name);
	}
	return EXIT_DONE;
}

static const struct extension *find(const struct route *r, const struct class *class,
				    const char *name) {
	const struct extension *found = NULL;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *e = r->extensions.items[i];

		if (e->class != class ||
		    (strcmp(e->name.name, name) != 0 && strcmp(e->name.full, name) != 0))
			continue;
		found = e;
		if (e->verdict.code == VERDICT_FITS)
			break;
	}
	return found;
}

/* adopt.2 */
static enum exit_code check_names(const struct route *r, const struct state_hierarchy *h,
				  char *const *names) {
	enum exit_code code = EXIT_DONE;

	for (; names && *names; names++) {
		const struct extension *e = find(r, h->class, *names);

		if (e && e->verdict.code == VERDICT_FITS)
			continue;
		code = EXIT_FAILED;
		if (e)
			log_error(
				"Cannot take over /%s: '%s' is in it, and would not be: %s: %s",
				h->name, *names, verdict_word(e->verdict.code),
				e->verdict.text ?: "");
		else
			log_error(
				"Cannot take over /%s: '%s' is in it, and there is no such extension",
				h->name, *names);
	}
	return code;
}

/* Their tree is replaced, or taken away where none of the extensions has anything for the hierarchy. */
static void plan_step(const struct state_hierarchy *h, struct plan_step *s) {
	s->hierarchy = h->name;
	if (s->action == PLAN_MERGE)
		s->action = PLAN_REPLACE;
	else if (s->action == PLAN_NOTHING)
		s->action = PLAN_UNMERGE;
}

enum exit_code adopt_plan(const struct adopt *a, struct route *r) {
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < r->state.n; i++)
		if (check_names(r, &r->state.hierarchies[i], a->of[i].names) != EXIT_DONE)
			code = EXIT_FAILED;
	if (code != EXIT_DONE) {
		log_hint("nothing was changed; extmerge list shows all that does not fit");
		return code;
	}
	for (size_t i = 0; i < r->plan.n_steps; i++)
		if (is_theirs(r, &r->state.hierarchies[i]))
			plan_step(&r->state.hierarchies[i], &r->plan.steps[i]);
	r->adopts = true;
	return EXIT_DONE;
}

void adopt_done(struct adopt *a) {
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++)
		strv_free(a->of[i].names);
}
