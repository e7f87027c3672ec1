/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection's root has one entry; all else is the union's. */

#include <check.h>
#include <string.h>
#include <sys/stat.h>

#include "fuse/outer.h"
#include "unit.h"

/* A request as the kernel sends it. */
struct asked {
	struct fuse_in_header header;
	char body[64];
};

static struct asked ask(uint32_t opcode, uint64_t node, const void *body, size_t n) {
	struct asked a = { .header = { .opcode = opcode, .nodeid = node, .unique = 77 } };

	memcpy(a.body, body, n);
	a.header.len = (uint32_t)(sizeof(a.header) + n);
	return a;
}

static enum outer_step take(struct asked *a, struct outer_answer *ret) {
	return outer_take((char *)a, a->header.len, ret);
}

/* union.23 */
START_TEST(the_one_entry_is_found) {
	struct asked a = ask(FUSE_LOOKUP, FUSE_ROOT_ID, OUTER_NAME, sizeof(OUTER_NAME));
	struct outer_answer got;

	ck_assert_int_eq(take(&a, &got), OUTER_ANSWER);
	ck_assert_int_eq(got.header.error, 0);
	ck_assert_uint_eq(got.header.unique, 77);
	ck_assert_uint_eq(got.header.len, sizeof(got.header) + sizeof(got.body.entry));
	ck_assert_uint_eq(got.body.entry.nodeid, OUTER_NODE);
	ck_assert_uint_eq(got.body.entry.attr.mode, S_IFDIR);
	ck_assert_uint_eq(got.body.entry.attr_valid, 0);
	ck_assert_uint_gt(got.body.entry.entry_valid, 0);
}
END_TEST

START_TEST(others_are_not_and_nothing_can_be_done) {
	static const struct {
		uint32_t opcode;
		const char *body;
		int error;
	} cases[] = {
		{ FUSE_LOOKUP, "tre", ENOENT },	 { FUSE_LOOKUP, "trees", ENOENT },
		{ FUSE_LOOKUP, "", ENOENT },	 { FUSE_GETXATTR, "", ENODATA },
		{ FUSE_OPENDIR, "", EACCES },	 { FUSE_READDIR, "", EACCES },
		{ FUSE_MKDIR, "", EACCES },	 { FUSE_STATFS, "", EACCES },
		{ FUSE_RENAME, "abcd", EACCES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct asked a = ask(cases[i].opcode, FUSE_ROOT_ID, cases[i].body,
				     strlen(cases[i].body) + 1);
		struct outer_answer got;

		ck_assert_int_eq(take(&a, &got), OUTER_ANSWER);
		ck_assert_int_eq(got.header.error, -cases[i].error);
		ck_assert_uint_eq(got.header.len, sizeof(got.header));
	}
}
END_TEST

START_TEST(it_is_a_directory_that_everybody_may_enter) {
	struct asked a = ask(FUSE_GETATTR, FUSE_ROOT_ID, "", 0);
	struct outer_answer got;

	ck_assert_int_eq(take(&a, &got), OUTER_ANSWER);
	ck_assert_int_eq(got.header.error, 0);
	ck_assert_uint_eq(got.header.len, sizeof(got.header) + sizeof(got.body.attr));
	ck_assert_uint_eq(got.body.attr.attr.mode, S_IFDIR | 0555);
}
END_TEST

START_TEST(numbers_become_those_of_the_union) {
	const uint64_t to[] = { OUTER_NODE, 5, FUSE_ROOT_ID };
	struct outer_answer got;
	struct asked a;
	uint64_t second;

	a = ask(FUSE_LOOKUP, OUTER_NODE, "tree", 5);
	ck_assert_int_eq(take(&a, &got), OUTER_GO_ON);
	ck_assert_uint_eq(a.header.nodeid, FUSE_ROOT_ID);
	ck_assert_str_eq(a.body, "tree");
	a = ask(FUSE_LOOKUP, 5, "tree", 5);
	ck_assert_int_eq(take(&a, &got), OUTER_GO_ON);
	ck_assert_uint_eq(a.header.nodeid, 5);
	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		a = ask(i % 2 == 0 ? FUSE_RENAME : FUSE_RENAME2, 5, &to[i], sizeof(to[i]));
		ck_assert_int_eq(take(&a, &got), OUTER_GO_ON);
		memcpy(&second, a.body, sizeof(second));
		ck_assert_uint_eq(second, to[ARRAY_SIZE(to) - 1 - i]);
	}
	ck_assert_uint_eq(outer_number(FUSE_ROOT_ID), OUTER_NODE);
	ck_assert_uint_eq(outer_number(OUTER_NODE), FUSE_ROOT_ID);
	ck_assert_uint_eq(outer_number(5), 5);
}
END_TEST

START_TEST(neither_root_is_forgotten) {
	const uint64_t nodes[] = { FUSE_ROOT_ID, OUTER_NODE };
	struct outer_answer got;
	struct asked a;

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		a = ask(FUSE_FORGET, nodes[i], "", 0);
		ck_assert_int_eq(take(&a, &got), OUTER_DONE);
	}
	a = ask(FUSE_FORGET, 5, "", 0);
	ck_assert_int_eq(take(&a, &got), OUTER_GO_ON);
}
END_TEST

START_TEST(what_has_no_node_is_left_alone) {
	static const uint32_t opcodes[] = { FUSE_BATCH_FORGET, FUSE_INTERRUPT };

	for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
		struct asked a = ask(opcodes[i], FUSE_ROOT_ID, "", 0);
		struct outer_answer got;

		ck_assert_int_eq(take(&a, &got), OUTER_GO_ON);
	}
}
END_TEST

START_TEST(what_is_too_short_is_left_alone) {
	struct outer_answer got;
	struct asked a = ask(FUSE_RENAME, OUTER_NODE, "abcdefg", 7);

	ck_assert_int_eq(take(&a, &got), OUTER_GO_ON);
	ck_assert_int_eq(memcmp(a.body, "abcdefg", 7), 0);
	for (size_t n = 0; n < sizeof(a.header); n++) {
		a = ask(FUSE_LOOKUP, FUSE_ROOT_ID, "", 0);
		ck_assert_int_eq(outer_take((char *)&a, n, &got), OUTER_GO_ON);
		ck_assert_uint_eq(a.header.nodeid, FUSE_ROOT_ID);
	}
}
END_TEST

int main(void) {
	const TTest *const tests[] = { the_one_entry_is_found,
				       others_are_not_and_nothing_can_be_done,
				       it_is_a_directory_that_everybody_may_enter,
				       numbers_become_those_of_the_union,
				       neither_root_is_forgotten,
				       what_has_no_node_is_left_alone,
				       what_is_too_short_is_left_alone,
				       NULL };

	return unit_main("outer", tests);
}
