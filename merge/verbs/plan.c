/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge plan: what a refresh would do. Changes nothing, takes no lock. */
#include "../json.h"
#include "../proxymount.h"
#include "../report.h"
#include "verbs.h"

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_survey(&r, o);

	if (code == EXIT_DONE)
		code = route_tell_backends(&r);
	if (code == EXIT_DONE)
		proxymount_tell_unseen(&r);
	if (code == EXIT_DONE && o->json != JSON_OFF) {
		struct json_object *object = json_new("plan");

		json_add_number(object, "generation", (int64_t)route_generation(&r));
		json_add_bool(object, "pending", plan_has_work(&r.plan));
		json_add_plan(object, &r);
		json_add_extensions(object, &r, NULL);
		json_print(object, o->json);
	} else if (code == EXIT_DONE) {
		report_plan(&r);
		report_notes(&r);
	}
	if (code == EXIT_DONE && o->strict && route_count_skipped(&r) > 0)
		code = EXIT_SKIPPED;
	else if (code == EXIT_DONE && plan_has_work(&r.plan))
		code = EXIT_PENDING;
	route_done(&r);
	return code;
}

const struct verb verb_plan = {
	.name = "plan",
	.help = "Show what a refresh would do; status 10 if anything",
	.run = run,
};
