/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge merge: the first merge; refuses where something is merged. */
#include "../log.h"
#include "change.h"
#include "verbs.h"

static enum exit_code refuse_merged(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];

		if (!route_has_class(r, h->class) || h->kind != STATE_MERGED)
			continue;
		log_error("Cannot merge: /%s is merged already", h->name);
		log_hint("extmerge refresh brings it up to date");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_open_locked(&r, o);

	if (code == EXIT_DONE)
		code = refuse_merged(&r);
	if (code == EXIT_DONE)
		code = change_run(&r);
	if (code == EXIT_DONE)
		change_note(&r);
	route_done(&r);
	return code;
}

const struct verb verb_merge = {
	.name = "merge",
	.help = "Merge what fits; refuses where something is merged",
	.run = run,
};
