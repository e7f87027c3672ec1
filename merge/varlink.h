/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of Varlink (varlink.org): as much of it as a program needs that answers one, and ends (specs: boot.9). Pure. */
#pragma once

#include "base.h"

#define VARLINK_CALL_MAX ((size_t)1024 * 1024) /* bytes, the NUL at its end included */

struct varlink_call {
	char *method;	/* "org.varlink.service.GetInfo" */
	bool is_oneway; /* nobody waits for an answer */
};

/*
 * Takes a call apart: `len` bytes without the NUL at the end. Parameters are checked for being JSON and dropped. 0,
 * -ENOMEM, or -EBADMSG for what is no call.
 */
int varlink_parse_call(const char *text, size_t len, struct varlink_call *ret);
void varlink_call_done(struct varlink_call *c);
