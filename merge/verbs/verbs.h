/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of the command line: one file each, ending in a const struct. */
#pragma once

#include "../options.h"

struct verb {
	const char *name;
	const char *operands; /* for the synopsis: "PATH|NAME", or NULL where it takes none */
	const char *help;
	int min, max; /* how many operands */
	enum exit_code (*run)(const struct options *o);
};

extern const struct verb verb_status, verb_list, verb_plan, verb_merge, verb_refresh,
	verb_adopt, verb_unmerge, verb_inspect, verb_why, verb_verify, verb_pack,
	verb_config, verb_run, verb_service_drop_in, verb_diff, verb_discard, verb_commit,
	verb_sysupdate_notify;
