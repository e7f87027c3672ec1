/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the index of names: found, replaced, taken back exactly, grown, and judged. */
#include "merge/overlap.h"

#include "unit.h"

#define MANY 150000u

static struct overlap *index_of_names;

static void setup(void) {
	ck_assert_int_eq(overlap_new(&index_of_names), 0);
}

static void teardown(void) {
	overlap_free(index_of_names);
}

static uint32_t put(uint32_t parent, const char *name, enum overlap_type type,
		    unsigned layer) {
	int64_t node = overlap_put(index_of_names, parent, name, type, layer);

	if (node < 0) /* an assertion that holds costs more than what it asserts */
		ck_abort_msg("'%s' is %lld", name, (long long)node);
	return (uint32_t)node;
}

static void check(uint32_t parent, const char *name, enum overlap_type type,
		  unsigned layer) {
	struct overlap_node n = { 0 };
	int64_t node = overlap_find(index_of_names, parent, name, &n);

	if (node < 0 || n.type != type || n.layer != layer)
		ck_abort_msg("'%s' is %lld: type %d, layer %u", name, (long long)node,
			     n.type, n.layer);
}

static void check_absent(uint32_t parent, const char *name) {
	struct overlap_node n = { .type = OVERLAP_OTHER, .layer = 77 };

	ck_assert_int_eq(overlap_find(index_of_names, parent, name, &n), -ENOENT);
	ck_assert_int_eq(n.type, OVERLAP_OTHER);
	ck_assert_uint_eq(n.layer, 77);
}

START_TEST(find_and_replace) {
	uint32_t lib, bin;

	check_absent(OVERLAP_ROOT, "");
	check_absent(OVERLAP_ROOT, "lib");
	lib = put(OVERLAP_ROOT, "lib", OVERLAP_DIRECTORY, 1);
	bin = put(OVERLAP_ROOT, "bin", OVERLAP_DIRECTORY, 1);
	ck_assert_uint_ne(lib, OVERLAP_ROOT);
	ck_assert_uint_ne(lib, bin);
	put(lib, "a", OVERLAP_OTHER, 1);
	put(bin, "a", OVERLAP_SYMLINK, 2);
	check(lib, "a", OVERLAP_OTHER, 1);
	check(bin, "a", OVERLAP_SYMLINK, 2);
	check_absent(OVERLAP_ROOT, "a");
	check_absent(lib, "b");
	check_absent(lib, "");
	check_absent(lib, "aa");

	/* The same number, so what is in a directory stays in it. */
	ck_assert_uint_eq(put(OVERLAP_ROOT, "lib", OVERLAP_DIRECTORY, 500), lib);
	check(OVERLAP_ROOT, "lib", OVERLAP_DIRECTORY, 500);
	check(lib, "a", OVERLAP_OTHER, 1);
	put(lib, "a", OVERLAP_SYMLINK, 500);
	check(lib, "a", OVERLAP_SYMLINK, 500);
}
END_TEST

START_TEST(names_are_bytes) {
	static const char *const names[] = { "a\nb", "\xff", "\\", " ", "A", "a" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(OVERLAP_ROOT, names[i], OVERLAP_OTHER, (unsigned)i);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		check(OVERLAP_ROOT, names[i], OVERLAP_OTHER, (unsigned)i);
}
END_TEST

START_TEST(revert_restores) {
	uint32_t lib = put(OVERLAP_ROOT, "lib", OVERLAP_DIRECTORY, 1), fresh;

	put(lib, "kept", OVERLAP_OTHER, 1);
	put(lib, "replaced", OVERLAP_OTHER, 1);
	overlap_commit(index_of_names);

	put(OVERLAP_ROOT, "lib", OVERLAP_DIRECTORY, 2);
	put(lib, "replaced", OVERLAP_SYMLINK, 2);
	put(lib, "replaced", OVERLAP_OTHER, 3); /* twice: back to the first */
	put(lib, "new", OVERLAP_OTHER, 2);
	put(lib, "new", OVERLAP_SYMLINK, 3);
	fresh = put(OVERLAP_ROOT, "fresh", OVERLAP_DIRECTORY, 2);
	put(fresh, "inside", OVERLAP_OTHER, 2);
	overlap_revert(index_of_names);

	check(OVERLAP_ROOT, "lib", OVERLAP_DIRECTORY, 1);
	check(lib, "kept", OVERLAP_OTHER, 1);
	check(lib, "replaced", OVERLAP_OTHER, 1);
	check_absent(lib, "new");
	check_absent(OVERLAP_ROOT, "fresh");
	check_absent(fresh, "inside");

	/* Nothing is left to take back, and what was absent can come again, without the rest. */
	overlap_revert(index_of_names);
	check(lib, "kept", OVERLAP_OTHER, 1);
	ck_assert_uint_eq(put(OVERLAP_ROOT, "fresh", OVERLAP_DIRECTORY, 4), fresh);
	check(OVERLAP_ROOT, "fresh", OVERLAP_DIRECTORY, 4);
	check_absent(fresh, "inside");
	overlap_commit(index_of_names);
	overlap_revert(index_of_names);
	check(OVERLAP_ROOT, "fresh", OVERLAP_DIRECTORY, 4);
}
END_TEST

/* Tables and arrays grow several times, also in the middle of what is taken back. */
START_TEST(grows) {
	uint32_t *parents = calloc(MANY, sizeof(*parents));
	uint32_t parent = OVERLAP_ROOT;
	char name[32];

	for (unsigned layer = 1; layer <= 2; layer++) {
		for (unsigned i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "name-%u", i / layer);
			if (layer == 1)
				parents[i] = parent;
			put(parents[i], name, i % 100 ? OVERLAP_OTHER : OVERLAP_DIRECTORY,
			    layer);
			if (layer == 1 && i % 1000 == 0)
				parent = put(parent, "directory", OVERLAP_DIRECTORY, 1);
		}
		if (layer == 1)
			overlap_commit(index_of_names);
		else
			overlap_revert(index_of_names);
	}
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "name-%u", i);
		check(parents[i], name, i % 100 ? OVERLAP_OTHER : OVERLAP_DIRECTORY, 1);
		if (i % 1000 == 1)
			check_absent(parents[i], "name-x");
	}
	free(parents);
}
END_TEST

/* The root counts. What is there can be replaced also when nothing can be added. */
START_TEST(limit) {
	char name[16];

	for (unsigned i = 1; i < OVERLAP_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "%x", i);
		put(OVERLAP_ROOT, name, OVERLAP_OTHER, 1);
		if (i % 65536 == 0)
			overlap_commit(index_of_names);
	}
	ck_assert_int_eq(overlap_put(index_of_names, OVERLAP_ROOT, "more", OVERLAP_OTHER,
				     1),
			 -EOVERFLOW);
	check_absent(OVERLAP_ROOT, "more");
	put(OVERLAP_ROOT, name, OVERLAP_SYMLINK, 2);
	check(OVERLAP_ROOT, name, OVERLAP_SYMLINK, 2);
}
END_TEST

START_TEST(judge) {
	/* Columns: absent, directory, symlink, other below. */
	static const enum overlap_effect effects[4][4] = {
		[OVERLAP_ABSENT] = { OVERLAP_ADDS, OVERLAP_ADDS, OVERLAP_ADDS,
				     OVERLAP_ADDS },
		[OVERLAP_DIRECTORY] = { OVERLAP_ADDS, OVERLAP_ADDS, OVERLAP_CONFLICTS,
					OVERLAP_CONFLICTS },
		[OVERLAP_SYMLINK] = { OVERLAP_ADDS, OVERLAP_CONFLICTS, OVERLAP_HIDES,
				      OVERLAP_HIDES },
		[OVERLAP_OTHER] = { OVERLAP_ADDS, OVERLAP_CONFLICTS, OVERLAP_HIDES,
				    OVERLAP_HIDES },
	};

	for (int above = 0; above < 4; above++)
		for (int below = 0; below < 4; below++)
			ck_assert_msg(overlap_judge(above, below) == effects[above][below],
				      "%d over %d", above, below);
}
END_TEST

START_TEST(free_nothing) {
	overlap_free(NULL);
}
END_TEST

int main(void) {
	Suite *s = suite_create("overlap");
	TCase *t = tcase_create("overlap");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, find_and_replace);
	tcase_add_test(t, names_are_bytes);
	tcase_add_test(t, revert_restores);
	tcase_add_test(t, grows);
	tcase_add_test(t, limit);
	tcase_add_test(t, judge);
	tcase_add_test(t, free_nothing);
	suite_add_tcase(s, t);
	return unit_run(s);
}
