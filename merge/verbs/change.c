/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What merge, refresh and unmerge have in common. */
#include "change.h"

#include "../inputs.h"
#include "../json.h"
#include "../log.h"
#include "../report.h"
#include "../transition.h"

void change_report(const struct route *r, const char *nothing) {
	if (r->options->json != JSON_OFF) {
		struct json_object *o = json_new("change");

		json_add_bool(o, "changed", plan_has_work(&r->plan));
		json_add_plan(o, r);
		json_add_extensions(o, r, NULL);
		json_print(o, r->options->json);
		return;
	}
	report_changes(r);
	if (!plan_has_work(&r->plan))
		log_notice("%s", nothing);
}

enum exit_code change_run(struct route *r) {
	enum exit_code code = route_enter(r);

	if (code == EXIT_DONE)
		code = route_discover(r);
	if (code != EXIT_DONE)
		return code;
	if (inputs_settle(r)) {
		change_report(r, r->extensions.n ? "Nothing has changed."
						 : "No extensions found.");
		return EXIT_DONE;
	}
	code = route_examine(r);
	if (code != EXIT_DONE)
		return code;
	report_skipped(r);
	if (r->options->strict && route_count_skipped(r) > 0) {
		log_error(
			"Cannot merge all: %zu of %zu extensions do not fit, and --strict is given",
			route_count_skipped(r), r->extensions.n);
		log_hint("nothing was changed");
		return EXIT_SKIPPED;
	}
	code = transition_run(r);
	if (code == EXIT_DONE)
		change_report(r, "Nothing to do.");
	return code;
}
