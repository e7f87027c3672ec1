/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge list: every extension there is, and whether it fits. */
#include "../json.h"
#include "../report.h"
#include "verbs.h"

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_survey(&r, o);

	if (code == EXIT_DONE && o->json != JSON_OFF) {
		struct json_object *object = json_new("list");

		json_add_extensions(object, &r, NULL);
		json_print(object, o->json);
	} else if (code == EXIT_DONE) {
		report_list(&r);
		report_notes(&r);
	}
	if (code == EXIT_DONE && o->strict && route_count_skipped(&r) > 0)
		code = EXIT_SKIPPED;
	route_done(&r);
	return code;
}

const struct verb verb_list = {
	.name = "list",
	.help = "Show all extensions, and why one does not fit",
	.run = run,
};
