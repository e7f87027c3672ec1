/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge discard: empties what was written in the merged trees. */
#include <limits.h>
#include <string.h>

#include "../log.h"
#include "change.h"
#include "verbs.h"

static bool is_called(const struct state_hierarchy *h, const char *path) {
	return strcmp(path + (*path == '/'), h->name) == 0;
}

static enum exit_code choose_one(struct route *r, const char *path) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (!is_called(h, path) || !route_has_class(r, h->class))
			continue;
		if (!h->record || !h->record->is_writable) {
			log_error("Cannot empty what was written in /%s: it is not merged so that "
				  "it can be written",
				  h->name);
			return EXIT_FAILED;
		}
		r->renews[i] = true;
		return EXIT_DONE;
	}
	log_error("There is no hierarchy '%s'", path);
	return EXIT_USAGE;
}

/* Those that are named, or all that can be written. */
static enum exit_code choose(struct route *r) {
	enum exit_code code = EXIT_DONE;

	for (char *const *path = r->options->operands; code == EXIT_DONE && *path; path++)
		code = choose_one(r, *path);
	for (size_t i = 0; !*r->options->operands && i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		r->renews[i] = route_has_class(r, h->class) && h->record &&
			       h->record->is_writable;
	}
	return code;
}

static bool has_any(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->renews[i])
			return true;
	return false;
}

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_open_locked(&r, o);

	if (code == EXIT_DONE)
		code = choose(&r);
	if (code == EXIT_DONE && has_any(&r))
		code = change_run(&r);
	else if (code == EXIT_DONE)
		change_report(&r, "Nothing is merged that can be written.");
	route_done(&r);
	return code;
}

const struct verb verb_discard = {
	.name = "discard",
	.operands = "[HIERARCHY...]",
	.help = "Empty what was written, without a gap",
	.max = INT_MAX,
	.run = run,
};
