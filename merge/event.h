/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a change did, as entries of the journal with a MESSAGE_ID and fields (specs: log.3). */
#pragma once

#include "route.h"

enum event {
	EVENT_MERGED,
	EVENT_UNMERGED,
	EVENT_SKIPPED,
	EVENT_REFUSED,
	EVENT_GAP,
	EVENT_HOOK_FAILED,
	EVENT_COUNT,
};

/* The MESSAGE_ID, as in units/extmerge.catalog. */
const char *event_id(enum event e);

/* The extensions that do not fit; what came, changed and went, with the gap and the hooks that failed. */
void event_send_skipped(const struct route *r);
void event_send_changes(const struct route *r);

/* The service manager's line: how many extensions are merged, and how many do not fit. */
void event_send_status(const struct route *r);
