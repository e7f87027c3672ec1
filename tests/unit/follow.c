/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a serving thread follows, and when it stops. */

#include <check.h>
#include <string.h>

#include "fuse/follow.h"
#include "unit.h"

#define US UINT64_C(1000)

/* `n` requests of one thread, a short while after each other; the last step. */
static enum follow_step come(struct follow *f, uint32_t client, unsigned n) {
	enum follow_step step = FOLLOW_GO_ON;

	while (n-- > 0)
		step = follow_request(f, client, 20 * US);
	return step;
}

/* Until there is something to do. */
static unsigned until_look(struct follow *f, uint32_t client) {
	for (unsigned n = 1; n < 100000; n++)
		if (come(f, client, 1) == FOLLOW_LOOK)
			return n;
	return 0;
}

/* union.21 */
START_TEST(one_that_comes_again_and_again_is_followed) {
	struct follow f;
	unsigned first, second;

	follow_begin(&f);
	ck_assert_int_eq(f.cpu, FOLLOW_ANYWHERE);
	first = until_look(&f, 7);
	ck_assert_uint_ge(first, 10);
	ck_assert_uint_le(first, 40);
	ck_assert(follow_seen(&f, 3));
	ck_assert_int_eq(f.cpu, 3);
	ck_assert(!f.yields);
	second = until_look(&f, 7);
	ck_assert_uint_le(second, first);
	ck_assert(!follow_seen(&f, 3));
	ck_assert(!f.yields);
	ck_assert_uint_ge(until_look(&f, 7), 100);
}
END_TEST

/* Never the same twice. */
static void stray(struct follow *f, unsigned times) {
	while (times-- > 0) {
		until_look(f, 7);
		ck_assert(follow_seen(f, f->cpu == 1 ? 0 : 1));
	}
}

START_TEST(for_one_that_leaves_us_we_yield) {
	struct follow f;

	follow_begin(&f);
	stray(&f, 1);
	ck_assert(!f.yields);
	stray(&f, 1);
	ck_assert(f.yields);
	until_look(&f, 7);
	ck_assert(!follow_seen(&f, f.cpu));
	ck_assert(f.yields);
	ck_assert_int_eq(come(&f, 8, 1), FOLLOW_LEAVE);
	ck_assert(!f.yields);
	ck_assert_int_eq(f.cpu, FOLLOW_ANYWHERE);
}
END_TEST

START_TEST(two_at_a_time_are_not_followed) {
	struct follow f;

	follow_begin(&f);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(come(&f, 1 + i / 3 % 2, 1), FOLLOW_GO_ON);
}
END_TEST

static void ends_with(uint32_t client) {
	struct follow f;

	follow_begin(&f);
	until_look(&f, 7);
	follow_seen(&f, 1);
	ck_assert_int_eq(come(&f, client, 1), FOLLOW_LEAVE);
	ck_assert_int_eq(f.cpu, FOLLOW_ANYWHERE);
	ck_assert_int_eq(come(&f, 7, 10), FOLLOW_GO_ON);
}

START_TEST(it_ends_with_another) {
	ends_with(8);
	ends_with(FOLLOW_APART);
}
END_TEST

/* It is somewhere else, maybe; that it worked meanwhile is no reason not to yield. */
START_TEST(after_a_pause_we_look) {
	struct follow f;

	follow_begin(&f);
	ck_assert_int_eq(come(&f, 7, 3), FOLLOW_GO_ON);
	ck_assert_int_eq(follow_request(&f, 7, 5000 * US), FOLLOW_GO_ON);
	stray(&f, 1);
	ck_assert_int_eq(follow_request(&f, 7, 5000 * US), FOLLOW_LOOK);
	follow_seen(&f, f.cpu);
	stray(&f, 1);
	ck_assert(f.yields);
	ck_assert_int_eq(follow_request(&f, 7, 5000 * US), FOLLOW_DOUBT);
	follow_waited(&f, 300 * US);
	ck_assert(f.yields);
	ck_assert(!follow_seen(&f, f.cpu));
}
END_TEST

/* Who yields waits for all others. */
START_TEST(who_has_waited_for_a_cpu_does_not_yield) {
	struct follow f;

	follow_begin(&f);
	stray(&f, 2);
	ck_assert(f.yields);
	ck_assert_int_eq(follow_request(&f, 7, 5000 * US), FOLLOW_DOUBT);
	follow_waited(&f, 4000 * US);
	ck_assert(!f.yields);
	ck_assert_int_ne(f.cpu, FOLLOW_ANYWHERE);
	ck_assert(!follow_seen(&f, f.cpu));
	ck_assert_int_eq(follow_request(&f, 7, 5000 * US), FOLLOW_LOOK);
}
END_TEST

START_TEST(nobody_in_particular_does_not_matter) {
	struct follow f;

	follow_begin(&f);
	until_look(&f, 7);
	follow_seen(&f, 1);
	ck_assert_int_eq(come(&f, 0, 1000), FOLLOW_GO_ON);
	ck_assert_int_eq(come(&f, 7, 1), FOLLOW_GO_ON);
	ck_assert_int_eq(f.cpu, 1);
}
END_TEST

START_TEST(those_who_read_ahead_are_not_followed) {
	struct follow f;

	follow_begin(&f);
	ck_assert_int_eq(come(&f, FOLLOW_APART, 100000), FOLLOW_GO_ON);
}
END_TEST

/* Requests until we yield to one that strays. */
static uint64_t until_yielding(struct follow *f) {
	ck_assert(!f->yields);
	for (unsigned i = 0; i < 10000 && !f->yields; i++)
		stray(f, 1);
	ck_assert(f->yields);
	return f->run;
}

/* What does not last is tried ever more seldom, and what has lasted makes up for it. */
START_TEST(it_learns) {
	struct follow f;
	uint64_t before = 0, n;

	follow_begin(&f);
	for (unsigned i = 0; i < 5; i++) {
		n = until_yielding(&f);
		ck_assert_uint_ge(n, 2 * before);
		come(&f, 8, 1);
		come(&f, 7, 1);
		before = n;
	}
	until_yielding(&f);
	for (unsigned i = 0; i < 100; i++)
		if (come(&f, 7, 100) == FOLLOW_LOOK)
			follow_seen(&f, f.cpu);
	come(&f, 8, 1);
	come(&f, 7, 1);
	ck_assert_uint_le(until_yielding(&f), 60);
}
END_TEST

START_TEST(who_cannot_be_seen_is_left_alone) {
	struct follow f;

	follow_begin(&f);
	until_look(&f, 7);
	follow_lost(&f);
	ck_assert_uint_ge(until_look(&f, 7), 10000);
	follow_seen(&f, 1);
	follow_lost(&f);
	ck_assert_int_eq(f.cpu, FOLLOW_ANYWHERE);
	ck_assert_int_eq(come(&f, 8, 1), FOLLOW_GO_ON);
	ck_assert_uint_le(until_look(&f, 8), 60);
}
END_TEST

/* As proc(5) has it; a name may be anything. */
START_TEST(stat_says_the_cpu) {
#define MIDDLE                                                                      \
	" S 1 2 3 0 -1 4194560 12 0 0 0 0 1 0 0 20 0 1 0 500 8192 100 184467440 1 " \
	"1 0 0 0 0 0 0 0 0 0 0 17 "
	static const struct {
		const char *text;
		int cpu;
	} cases[] = {
		{ "42 (name)" MIDDLE "5 0 0 0 0 0\n", 5 },
		{ "42 (a) b) (c 7 8)" MIDDLE "63 0 0 0\n", 63 },
		{ "42 ()" MIDDLE "0\n", 0 },
		{ "42 (n)" MIDDLE "2147483000", 2147483000 },
		{ "42 (n)" MIDDLE "21474836480", -EINVAL },
		{ "42 (n)" MIDDLE "-1 0", -EINVAL },
		{ "42 (n)" MIDDLE "x 0", -EINVAL },
		{ "42 (n)" MIDDLE, -EINVAL },
		{ "42 (n) S 1 2 3\n", -EINVAL },
		{ "42", -EINVAL },
		{ ")", -EINVAL },
		{ "", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_int_eq(follow_read_cpu(cases[i].text, strlen(cases[i].text)),
				 cases[i].cpu);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { one_that_comes_again_and_again_is_followed,
				       for_one_that_leaves_us_we_yield,
				       two_at_a_time_are_not_followed,
				       it_ends_with_another,
				       after_a_pause_we_look,
				       who_has_waited_for_a_cpu_does_not_yield,
				       nobody_in_particular_does_not_matter,
				       those_who_read_ahead_are_not_followed,
				       it_learns,
				       who_cannot_be_seen_is_left_alone,
				       stat_says_the_cpu,
				       NULL };

	return unit_main("follow", tests);
}
