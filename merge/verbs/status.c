/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge status: what is merged now, and whether that is still what is there. */
#include "../inputs.h"
#include "../json.h"
#include "../report.h"
#include "status-services.h"
#include "verbs.h"

/* Root can look below what is merged, and others where the root is their own (switch.18). */
static bool is_able_to_tell(const struct route *r) {
	struct stat st;

	return geteuid() == 0 || (fstat(r->root, &st) == 0 && st.st_uid == geteuid());
}

/* Whether a refresh would change something. */
static bool is_pending(struct route *r) {
	if (!is_able_to_tell(r) || route_enter(r) != EXIT_DONE ||
	    route_discover(r) != EXIT_DONE)
		return false;
	return !inputs_settle(r) && route_examine(r) == EXIT_DONE &&
	       plan_has_work(&r->plan);
}

static void print_json(const struct route *r, bool pending) {
	struct json_object *o = json_new("status");

	json_add_number(o, "generation", (int64_t)route_generation(r));
	json_add_bool(o, "pending", pending);
	json_add_state(o, r);
	status_add_services(o, r->options);
	json_print(o, r->options->json);
}

/* In the namespace of a service, what there is to merge is the service's. */
static const char *find_service(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].record &&
		    r->state.hierarchies[i].record->service)
			return r->state.hierarchies[i].record->service;
	return NULL;
}

static void print_text(const struct route *r, bool pending) {
	report_status(r, pending);
	status_print_services(r->options);
}

static enum exit_code run(const struct options *given) {
	struct options o = *given;
	struct route r;
	enum exit_code code = route_open(&r, &o);

	if (code == EXIT_DONE) {
		bool pending;

		o.service = o.service ?: find_service(&r);
		pending = is_pending(&r);
		if (o.json != JSON_OFF)
			print_json(&r, pending);
		else
			print_text(&r, pending);
	}
	route_done(&r);
	return code;
}

const struct verb verb_status = {
	.name = "status",
	.help = "Show what is merged; so does extmerge without a verb",
	.run = run,
};
