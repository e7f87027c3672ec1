/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys: every one is found, read and shown (specs: config.10, config.11, config.13, config.14). */
#include "merge/settings.h"

#include "merge/strv.h"
#include "unit.h"

static const struct settings_origin here = { SETTINGS_FILE, "/etc/extmerge.conf", 7, 3 };

START_TEST(keys_have_names) {
	for (int k = 0; k < SETTINGS_KEY_COUNT; k++) {
		const char *name = settings_key_name((enum settings_key)k);

		ck_assert_int_eq(settings_key_from(name), k);
		ck_assert_ptr_nonnull(settings_key_allowed((enum settings_key)k));
	}
	ck_assert_int_eq(settings_key_from("trust"), -ENOENT);
	ck_assert_int_eq(settings_key_from(""), -ENOENT);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		ck_assert(
			strv_contains((char *const *)settings_sections, classes[c].name));
}
END_TEST

/* config.6 */
START_TEST(sections_have_a_rank) {
	static const struct {
		const char *heading, *name;
		unsigned rank;
		int class;
	} table[] = {
		{ "Extmerge", NULL, 1, -1 },
		{ "sysext", NULL, 2, CLASS_SYSEXT },
		{ "confext", NULL, 2, CLASS_CONFEXT },
		{ "Hierarchy /a/b", "/a/b", 3, -1 },
		{ "Extension b", "b", 3, -1 },
		{ "Extension", NULL, 0, -1 },
		{ "Hierarchy", NULL, 0, -1 },
		{ "extmerge", NULL, 0, -1 },
		{ "Hierarchy/a", NULL, 0, -1 },
		{ "", NULL, 0, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct settings_section s = { 0 };
		int r = settings_section_from(table[i].heading, &s);

		ck_assert_int_eq(r, table[i].rank ? 0 : -ENOENT);
		if (r < 0)
			continue;
		ck_assert_uint_eq(settings_section_rank(&s), table[i].rank);
		ck_assert_pstr_eq(s.name, table[i].name);
		ck_assert_ptr_eq(s.class,
				 table[i].class < 0 ? NULL : &classes[table[i].class]);
	}
}
END_TEST

/* Every key is somewhere, and is named there. */
START_TEST(keys_have_a_scope) {
	static const enum settings_scope scopes[] = { SETTINGS_OF_CLASS,
						      SETTINGS_OF_HIERARCHY,
						      SETTINGS_OF_EXTENSION };

	for (int k = 0; k < SETTINGS_KEY_COUNT; k++) {
		enum settings_key key = (enum settings_key)k;
		const char *name = settings_key_name(key);
		bool is_somewhere = false;

		for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
			const char *keys[SETTINGS_KEY_COUNT + 1];
			bool is_there = settings_key_is_of(key, scopes[i]);

			settings_keys_of(scopes[i], keys);
			ck_assert(strv_contains((char *const *)keys, name) == is_there);
			is_somewhere |= is_there;
		}
		ck_assert(is_somewhere);
	}
}
END_TEST

/* order.5, order.6: what is shown is what was said, with one blank between names. */
START_TEST(names_are_lists) {
	static const enum settings_key keys[] = { SETTINGS_ORDER, SETTINGS_BEFORE,
						  SETTINGS_AFTER };
	struct settings s = { 0 };
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *shown = NULL, *nothing = NULL;

		ck_assert_int_eq(settings_set(&s, keys[i], "b\t a+1~x", &here, &why), 0);
		shown = settings_value(&s, keys[i], NULL);
		ck_assert_str_eq(shown, "b a+1~x");
		ck_assert_int_eq(settings_set(&s, keys[i], " ", &here, &why), 0);
		nothing = settings_value(&s, keys[i], NULL);
		ck_assert_str_eq(nothing, "");
	}
	ck_assert_int_eq(settings_set(&s, SETTINGS_ORDER, "b * a", &here, &why), 0);
	ck_assert_uint_eq(strv_length(s.order), 3);
	settings_done(&s);
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
			settings_done(&again);
		}
}
END_TEST

START_TEST(nothing_changes_on_refusal) {
	static const char *const bad[] = {
		[SETTINGS_TRUST] = "never",
		[SETTINGS_IMAGE_POLICY] = " \t",
		[SETTINGS_CERTIFICATE_VALIDITY] = "yes",
		[SETTINGS_CLASS] = "Sysext",
		[SETTINGS_ORDER] = "a * b *",
		[SETTINGS_BEFORE] = "a b a",
		[SETTINGS_AFTER] = "*",
		[SETTINGS_HOOKS] = "maybe",
		[SETTINGS_MUTABLE] = "true",
		[SETTINGS_BASE] = "Top",
		[SETTINGS_EPHEMERAL_SIZE] = "0",
		[SETTINGS_BACKEND] = "overlayfs",
		[SETTINGS_NOEXEC] = "maybe",
		[SETTINGS_GRAFTS] = "-1",
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
					    kept = { .source = SETTINGS_KEPT },
					    nobody = { .source = SETTINGS_DEFAULT };
	_cleanup_free_ char *a = settings_origin_text(&here),
			    *b = settings_origin_text(&line),
			    *c = settings_origin_text(&nobody),
			    *d = settings_origin_text(&kept);

	ck_assert_str_eq(a, "/etc/extmerge.conf:7");
	ck_assert_str_eq(b, "command line");
	ck_assert_str_eq(c, "default");
	ck_assert_str_eq(d, "kept since it was merged");
}
END_TEST

int main(void) {
	const TTest *const tests[] = {
		keys_have_names,   sections_have_a_rank,
		keys_have_a_scope, names_are_lists,
		values_go_round,   nothing_changes_on_refusal,
		origins_are_told,  NULL,
	};

	return unit_main("settings", tests);
}
