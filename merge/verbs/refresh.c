/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge refresh: makes what is merged equal to what is there, without a gap. */
#include "change.h"
#include "services.h"
#include "verbs.h"

static enum exit_code run(const struct options *o) {
	struct route r = ROUTE_NONE;
	enum exit_code code;

	if (o->service || o->pid || o->all_services)
		return services_refresh(o);
	code = route_open_locked(&r, o);
	if (code == EXIT_DONE)
		code = change_run(&r);
	if (code == EXIT_DONE)
		change_note(&r);
	route_done(&r);
	return code;
}

const struct verb verb_refresh = {
	.name = "refresh",
	.help = "Merge what is new or changed, take away what is gone",
	.run = run,
};
