/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was put is got until something newer needs its place. */

#include <check.h>
#include <pthread.h>
#include <string.h>

#include "unit.h"
#include "verity/blockcache.h"

#define SIZE 64

static void put(struct blockcache *c, uint64_t number, char mark) {
	char block[SIZE];

	memset(block, mark, SIZE);
	blockcache_put(c, number, block);
}

/* What is there for that number: its mark, or '-'. */
static char get(struct blockcache *c, uint64_t number) {
	char block[SIZE] = "-";

	if (!blockcache_get(c, number, block))
		return '-';
	for (size_t i = 1; i < SIZE; i++)
		ck_assert_int_eq(block[i], block[0]);
	return block[0];
}

/* Even no memory at all is room for four. */
START_TEST(oldest_gives_way) {
	_cleanup_(blockcache_freep) struct blockcache *c = NULL;

	ck_assert_int_eq(blockcache_new(SIZE, 0, &c), 0);
	ck_assert_int_eq(get(c, 0), '-');
	for (uint64_t i = 0; i < 4; i++)
		put(c, i, (char)('a' + i));
	ck_assert_int_eq(get(c, 0), 'a');
	put(c, 1, 'B');
	put(c, 4, 'e');
	ck_assert_int_eq(get(c, 2), '-');
	put(c, 5, 'f');
	ck_assert_int_eq(get(c, 3), '-');
	ck_assert_int_eq(get(c, 0), 'a');
	ck_assert_int_eq(get(c, 1), 'B');
	ck_assert_int_eq(get(c, 4), 'e');
	ck_assert_int_eq(get(c, 5), 'f');
}
END_TEST

START_TEST(room_is_used) {
	_cleanup_(blockcache_freep) struct blockcache *c = NULL;

	ck_assert_int_eq(blockcache_new(SIZE, 100 * SIZE, &c), 0);
	for (uint64_t i = 0; i < 100; i++)
		put(c, 1000 + i, (char)i);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_int_eq(get(c, 1000 + i), (char)i);
	ck_assert_int_eq(get(c, 999), '-');
	blockcache_free(NULL);
}
END_TEST

/* Check's own assertions write to a pipe each, which is no load for a lock: the faults are counted. */
static void *hammer(void *cache) {
	uintptr_t faults = 0;

	for (unsigned i = 0; i < 20000; i++) {
		char block[SIZE];
		unsigned number = i % 31;

		memset(block, (int)(i % 37 + 1), SIZE);
		blockcache_put(cache, i % 37, block);
		if (!blockcache_get(cache, number, block))
			continue;
		for (size_t k = 0; k < SIZE; k++)
			faults += block[k] != (char)(number + 1);
	}
	return (void *)faults;
}

START_TEST(threads_see_whole_blocks) {
	_cleanup_(blockcache_freep) struct blockcache *c = NULL;
	pthread_t threads[4];

	ck_assert_int_eq(blockcache_new(SIZE, 16 * SIZE, &c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *faults;

		ck_assert_int_eq(pthread_join(threads[i], &faults), 0);
		ck_assert_ptr_null(faults);
	}
}
END_TEST

int main(void) {
	const TTest *const tests[] = { oldest_gives_way, room_is_used,
				       threads_see_whole_blocks, NULL };

	return unit_main("blockcache", tests);
}
