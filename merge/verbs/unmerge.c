/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge unmerge: shows the host's own directories again. */
#include "../transition.h"
#include "change.h"
#include "verbs.h"

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_open_locked(&r, o);

	if (code == EXIT_DONE)
		code = route_enter(&r);
	if (code == EXIT_DONE)
		code = route_plan_removal(&r);
	if (code == EXIT_DONE) {
		hooks_note(&r);
		code = transition_run(&r);
		if (code != EXIT_DONE)
			hooks_drop(&r);
	}
	if (code == EXIT_DONE)
		hooks_run(&r);
	if (code == EXIT_DONE)
		change_report(&r, "Nothing is merged.");
	route_done(&r);
	return code;
}

const struct verb verb_unmerge = {
	.name = "unmerge",
	.help = "Take everything away again",
	.run = run,
};
