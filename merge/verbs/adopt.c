/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge adopt: takes over what systemd-sysext and systemd-confext have merged, without a gap. */
#include <unistd.h>

#include "../adopt.h"
#include "../log.h"
#include "change.h"
#include "verbs.h"

static enum exit_code open_healed(struct route *r, const struct options *o) {
	bool is_changed = true;
	enum exit_code code = route_open_locked(r, o);

	while (code == EXIT_DONE && is_changed) {
		code = adopt_heal(r, &is_changed);
		if (code != EXIT_DONE || !is_changed)
			break;
		route_done(r);
		code = route_open_locked(r, o);
	}
	return code;
}

static enum exit_code take_over(struct route *r, const struct adopt *a) {
	bool is_settled;
	enum exit_code code;

	if (!a->is_any) {
		change_report(r,
			      "Nothing of systemd-sysext or systemd-confext is merged.");
		return EXIT_DONE;
	}
	code = change_examine(r, &is_settled);
	if (code == EXIT_DONE)
		code = adopt_plan(a, r);
	if (code == EXIT_DONE)
		code = change_apply(r);
	if (code == EXIT_DONE && access("/run/systemd/system", F_OK) == 0)
		log_hint(
			"systemctl mask systemd-sysext.service systemd-confext.service, so that it stays so");
	return code;
}

static enum exit_code run(const struct options *o) {
	struct adopt a = { 0 };
	struct route r;
	enum exit_code code = open_healed(&r, o);

	if (code == EXIT_DONE)
		code = adopt_open(&a, &r);
	if (code == EXIT_DONE)
		code = take_over(&r, &a);
	adopt_done(&a);
	route_done(&r);
	return code;
}

const struct verb verb_adopt = {
	.name = "adopt",
	.help = "Take over what systemd-sysext has merged",
	.run = run,
};
