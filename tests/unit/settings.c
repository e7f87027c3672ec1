/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys: every one is found, read and shown (specs: config.10, config.11). */
#include "merge/settings.h"

#include "merge/strv.h"
#include "unit.h"

static const struct settings_origin here = { SETTINGS_FILE, "/etc/extmerge.conf", 7 };

START_TEST(keys_have_names) {
	for (int k = 0; k < SETTINGS_KEY_COUNT; k++) {
		const char *name = settings_key_name((enum settings_key)k);

		ck_assert_int_eq(settings_key_from(name), k);
		ck_assert_str_eq(settings_keys[k], name);
		ck_assert_ptr_nonnull(settings_key_allowed((enum settings_key)k));
	}
	ck_assert_ptr_null(settings_keys[SETTINGS_KEY_COUNT]);
	ck_assert_int_eq(settings_key_from("trust"), -ENOENT);
	ck_assert_int_eq(settings_key_from(""), -ENOENT);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		ck_assert(
			strv_contains((char *const *)settings_sections, classes[c].name));
}
END_TEST

/* What is shown may be given, and means the same. */
START_TEST(values_go_round) {
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (int k = 0; k < SETTINGS_KEY_COUNT; k++) {
			enum settings_key key = (enum settings_key)k;
			struct settings s = { 0 }, again = { 0 };
			_cleanup_free_ char *value = settings_value(&s, key, &classes[c]);
			_cleanup_free_ char *shown = NULL;
			const char *why = "";

			ck_assert_int_eq(settings_set(&again, key, value, &here, &why), 0);
			shown = settings_value(&again, key, &classes[c]);
			ck_assert_str_eq(shown, value);
			ck_assert_int_eq(again.origins[k].source, SETTINGS_FILE);
		}
}
END_TEST

START_TEST(nothing_changes_on_refusal) {
	static const char *const bad[] = {
		[SETTINGS_TRUST] = "never", [SETTINGS_IMAGE_POLICY] = " \t"
	};

	for (int k = 0; k < SETTINGS_KEY_COUNT; k++) {
		const struct settings none = { 0 };
		struct settings s = none;
		const char *why = "";

		ck_assert_int_eq(settings_set(&s, (enum settings_key)k, bad[k], &here,
					      &why),
				 -EINVAL);
		ck_assert_mem_eq(&s, &none, sizeof(s));
	}
}
END_TEST

START_TEST(origins_are_told) {
	static const struct settings_origin line = { .source = SETTINGS_COMMAND_LINE },
					    nobody = { .source = SETTINGS_DEFAULT };
	_cleanup_free_ char *a = settings_origin_text(&here),
			    *b = settings_origin_text(&line),
			    *c = settings_origin_text(&nobody);

	ck_assert_str_eq(a, "/etc/extmerge.conf:7");
	ck_assert_str_eq(b, "command line");
	ck_assert_str_eq(c, "default");
}
END_TEST

int main(void) {
	const TTest *const tests[] = { keys_have_names, values_go_round,
				       nothing_changes_on_refusal, origins_are_told,
				       NULL };

	return unit_main("settings", tests);
}
