/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why an extension is, or is not, part of the merge: a stable code and a sentence. Pure. */
#pragma once

#include "base.h"

/* The words of the table in verdict.c are stable: they stand in JSON and in other people's scripts. */
enum verdict_code {
	VERDICT_FITS,

	/* Left alone, because somebody wants it so. */
	VERDICT_MASKED, /* by an empty directory or a link to /dev/null */
	VERDICT_SHADOWED, /* the same name in an earlier search directory, or a better one in this */

	/* Does not fit this host (UAPI.4); --force overrides these. */
	VERDICT_NO_RELEASE,
	VERDICT_NAME_MISMATCH,
	VERDICT_WRONG_SCOPE,
	VERDICT_OTHER_ARCHITECTURE,
	VERDICT_WRONG_ID,
	VERDICT_WRONG_LEVEL,
	VERDICT_WRONG_VERSION,

	/* Cannot be read for what it claims to be. */
	VERDICT_BAD_NAME,
	VERDICT_BAD_RELEASE,
	VERDICT_UNKNOWN_FORMAT,
	VERDICT_AMBIGUOUS,
	VERDICT_CORRUPT,
	VERDICT_UNREADABLE,
	VERDICT_UNRESPONSIVE,
	VERDICT_UNSUPPORTED,
	VERDICT_NO_PRIVILEGE,
	VERDICT_EMPTY,

	/* Is not what the policy asks for, or cannot prove it (specs: trust.*). */
	VERDICT_UNSIGNED,
	VERDICT_UNPROTECTED,
	VERDICT_UNKNOWN_SIGNER,
	VERDICT_BAD_SIGNATURE,
	VERDICT_UNSUPPORTED_SIGNATURE,
	VERDICT_OUTSIDE_VALIDITY, /* of the signer's certificate, where that is asked for */
	VERDICT_ROOT_HASH_MISMATCH,
	VERDICT_POLICY_REFUSED,
	VERDICT_NO_VERITY_BACKEND,

	/* Would harm the host or another extension. */
	VERDICT_UNSAFE_PATH,
	VERDICT_OS_RELEASE,
	VERDICT_TYPE_CONFLICT,
	VERDICT_WHITEOUT,
	VERDICT_OVERLAY_XATTR,
	VERDICT_BAD_HIERARCHY,
	VERDICT_NESTED,
	VERDICT_DUPLICATE,
	VERDICT_TOO_LARGE,
	VERDICT_TOO_MANY,

	VERDICT_COUNT,
};

struct verdict {
	enum verdict_code code;
	char *text; /* one sentence with both sides in it, no full stop; NULL for VERDICT_FITS */
};

/* "wrong-version" */
const char *verdict_word(enum verdict_code code);

/* What to do about it, one sentence without a full stop, or NULL. */
const char *verdict_hint(enum verdict_code code);

/* The same with the extension's name in it, as far as a shell takes that as it is. Owned by the caller; NULL where memory ran out, too. */
char *verdict_advice(enum verdict_code code, const char *name);

/* Whether --force may override it: true for the match rules only. */
bool verdict_is_forcible(enum verdict_code code);

/* Whether it is somebody's wish (masked, shadowed) rather than something to report. */
bool verdict_is_quiet(enum verdict_code code);

/* Whether a policy asks for it, or what the policy asks for could not be done: specs cli.exit, 4. */
bool verdict_is_refusal(enum verdict_code code);

/* Sets the verdict, unless there is one already: the first reason stands. 0 or -ENOMEM. */
int verdict_set(struct verdict *v, enum verdict_code code, const char *format, ...)
	_printf_(3, 4);

void verdict_done(struct verdict *v);
