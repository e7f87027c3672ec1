/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the table of verdicts, and that the first reason stands. */
#include "merge/verdict.h"

#include <wchar.h>

#include "unit.h"

/* Written down a second time: the words are stable, and so is who may be overridden. */
static const struct {
	enum verdict_code code;
	const char *word;
	bool forcible, quiet, refusal;
} cases[] = {
	{ VERDICT_FITS, "fits", false, false, false },
	{ VERDICT_MASKED, "masked", false, true, false },
	{ VERDICT_SHADOWED, "shadowed", false, true, false },
	{ VERDICT_NO_RELEASE, "no-release", true, false, false },
	{ VERDICT_NAME_MISMATCH, "name-mismatch", true, false, false },
	{ VERDICT_WRONG_SCOPE, "wrong-scope", true, false, false },
	{ VERDICT_OTHER_ARCHITECTURE, "other-architecture", true, false, false },
	{ VERDICT_WRONG_ID, "wrong-id", true, false, false },
	{ VERDICT_WRONG_LEVEL, "wrong-level", true, false, false },
	{ VERDICT_WRONG_VERSION, "wrong-version", true, false, false },
	{ VERDICT_BAD_NAME, "bad-name", false, false, false },
	{ VERDICT_BAD_RELEASE, "bad-release", false, false, false },
	{ VERDICT_UNKNOWN_FORMAT, "unknown-format", false, false, false },
	{ VERDICT_AMBIGUOUS, "ambiguous", false, false, false },
	{ VERDICT_CORRUPT, "corrupt", false, false, false },
	{ VERDICT_UNREADABLE, "unreadable", false, false, false },
	{ VERDICT_UNRESPONSIVE, "unresponsive", false, false, false },
	{ VERDICT_UNSUPPORTED, "unsupported", false, false, false },
	{ VERDICT_NO_PRIVILEGE, "no-privilege", false, false, false },
	{ VERDICT_EMPTY, "empty", false, false, false },
	{ VERDICT_UNSIGNED, "unsigned", false, false, true },
	{ VERDICT_UNPROTECTED, "unprotected", false, false, true },
	{ VERDICT_UNKNOWN_SIGNER, "unknown-signer", false, false, true },
	{ VERDICT_BAD_SIGNATURE, "bad-signature", false, false, true },
	{ VERDICT_UNSUPPORTED_SIGNATURE, "unsupported-signature", false, false, true },
	{ VERDICT_ROOT_HASH_MISMATCH, "root-hash-mismatch", false, false, true },
	{ VERDICT_OUTSIDE_VALIDITY, "outside-validity", false, false, true },
	{ VERDICT_POLICY_REFUSED, "policy-refused", false, false, true },
	{ VERDICT_NO_VERITY_BACKEND, "no-verity-backend", false, false, true },
	{ VERDICT_UNSAFE_PATH, "unsafe-path", false, false, false },
	{ VERDICT_OS_RELEASE, "os-release", false, false, false },
	{ VERDICT_TYPE_CONFLICT, "type-conflict", false, false, false },
	{ VERDICT_WHITEOUT, "whiteout", false, false, false },
	{ VERDICT_OVERLAY_XATTR, "overlay-xattr", false, false, false },
	{ VERDICT_BAD_HIERARCHY, "bad-hierarchy", false, false, false },
	{ VERDICT_NESTED, "nested", false, false, false },
	{ VERDICT_DUPLICATE, "duplicate", false, false, false },
	{ VERDICT_TOO_LARGE, "too-large", false, false, false },
	{ VERDICT_TOO_MANY, "too-many", false, false, false },
};

static const struct {
	enum verdict_code code;
	const char *name, *end; /* of the advice */
} advices[] = {
	{ VERDICT_WRONG_ID, "tool", "--force=tool" },
	{ VERDICT_WRONG_ID, "a.b_c+d-e", "--force=a.b_c+d-e" },
	{ VERDICT_NO_RELEASE, "tool",
	  "extension-release.tool (confext: etc/...) with ID= in it, see extmerge(8)" },
	/* What a shell would take for something else is left to the reader. */
	{ VERDICT_WRONG_ID, "", "--force=NAME" },
	{ VERDICT_WRONG_ID, "-rf", "--force=NAME" },
	{ VERDICT_WRONG_ID, "a b", "--force=NAME" },
	{ VERDICT_WRONG_ID, "a;reboot", "--force=NAME" },
	{ VERDICT_WRONG_ID, "$(reboot)", "--force=NAME" },
	{ VERDICT_WRONG_ID, "\xc3\xa4", "--force=NAME" },
	/* Here it stands for any name. */
	{ VERDICT_BAD_NAME, "tool",
	  "Rename it to NAME.raw or NAME_VERSION.raw, see extmerge(8)" },
	{ VERDICT_CORRUPT, "tool", "with the source's" },
};

START_TEST(advice) {
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		char *text = verdict_advice(advices[i].code, advices[i].name);
		size_t n = strlen(advices[i].end);

		ck_assert_uint_ge(strlen(text), n);
		ck_assert_str_eq(text + strlen(text) - n, advices[i].end);
		free(text);
	}
	ck_assert_ptr_null(verdict_advice(VERDICT_FITS, "tool"));
}
END_TEST

START_TEST(table) {
	ck_assert_uint_eq(ARRAY_SIZE(cases), VERDICT_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_str_eq(verdict_word(cases[i].code), cases[i].word);
		ck_assert_msg(verdict_is_forcible(cases[i].code) == cases[i].forcible,
			      "%s", cases[i].word);
		ck_assert_msg(verdict_is_quiet(cases[i].code) == cases[i].quiet, "%s",
			      cases[i].word);
		ck_assert_msg(verdict_is_refusal(cases[i].code) == cases[i].refusal, "%s",
			      cases[i].word);
	}
}
END_TEST

/* A sentence for a person: from a capital, without a full stop, short. */
START_TEST(hints) {
	ck_assert_ptr_null(verdict_hint(VERDICT_FITS));
	for (enum verdict_code c = VERDICT_FITS + 1; c < VERDICT_COUNT; c++) {
		const char *hint = verdict_hint(c);

		ck_assert_msg(hint && strlen(hint) < 160, "%s", verdict_word(c));
		ck_assert_msg(hint[0] >= 'A' && hint[0] <= 'Z', "%s", hint);
		ck_assert_msg(hint[strlen(hint) - 1] != '.', "%s", hint);
		ck_assert_msg(!strstr(hint, "  ") && !strchr(hint, '\t'), "%s", hint);
	}
}
END_TEST

START_TEST(first_reason_stands) {
	struct verdict v = { 0 };

	ck_assert_int_eq(verdict_set(&v, VERDICT_WRONG_ID, "ID=%s, host %s", "a", "b"), 0);
	ck_assert_int_eq(verdict_set(&v, VERDICT_CORRUPT, "later"), 0);
	ck_assert_int_eq(v.code, VERDICT_WRONG_ID);
	ck_assert_str_eq(v.text, "ID=a, host b");

	verdict_done(&v);
	ck_assert_int_eq(v.code, VERDICT_FITS);
	ck_assert_ptr_null(v.text);
	verdict_done(&v);
}
END_TEST

START_TEST(fitting_has_no_sentence) {
	struct verdict v = { 0 };

	ck_assert_int_eq(verdict_set(&v, VERDICT_FITS, "well"), 0);
	ck_assert_int_eq(v.code, VERDICT_FITS);
	ck_assert_ptr_null(v.text);
}
END_TEST

/* A sentence that cannot be made leaves no half verdict: %lc with no character fails. */
START_TEST(failure_changes_nothing) {
	struct verdict v = { 0 };

	ck_assert_int_eq(verdict_set(&v, VERDICT_EMPTY, "%lc", (wint_t)0x110000), -ENOMEM);
	ck_assert_int_eq(v.code, VERDICT_FITS);
	ck_assert_ptr_null(v.text);
}
END_TEST

int main(void) {
	return unit_main("verdict", (const TTest *const[]){
					    table,
					    hints,
					    advice,
					    first_reason_stands,
					    fitting_has_no_sentence,
					    failure_changes_nothing,
					    NULL,
				    });
}
