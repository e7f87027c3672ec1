/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that a library is loaded when it is called, and that one that is missing does nothing but say so. */
#include "merge/library.h"

#include <math.h>
#include <pthread.h>

#include "unit.h"

static struct library maths = { .name = "libm.so.6" };
static struct library missing = { .name = "libextmerge-test-missing.so.0" };

static double (*find_ceil(void))(double) {
	return &LIBRARY_CALL(maths, ceil);
}

START_TEST(is_loaded_when_called) {
	ck_assert_ptr_null(maths.handle);
	ck_assert(find_ceil()(2.5) == 3.0);
	ck_assert_ptr_nonnull(maths.handle);
	ck_assert(find_ceil()(1.5) == 2.0);
	ck_assert(library_load(&maths));
}
END_TEST

static void *call(void *data) {
	return find_ceil()(2.5) == 3.0 ? data : NULL;
}

START_TEST(by_several_threads) {
	pthread_t threads[8];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, call, threads), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result;

		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		ck_assert_ptr_eq(result, threads);
	}
}
END_TEST

/* What is said on stderr while the functions are called, which is left to the caller. */
static void listen(char said[static 512], struct library *l) {
	_cleanup_close_ int kept = dup(STDERR_FILENO);
	_cleanup_fclose_ FILE *file = tmpfile();
	void *known = NULL;

	ck_assert_ptr_nonnull(file);
	dup2(fileno(file), STDERR_FILENO);
	for (unsigned i = 0; i < 2; i++) {
		int (*f)(int) = (int (*)(int))library_find(l, "extmerge_test", &known);

		ck_assert_int_eq(f(7), 0);
	}
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	said[pread(fileno(file), said, 511, 0)] = '\0';
}

START_TEST(is_missing) {
	char said[512];

	listen(said, &missing);
	ck_assert_ptr_nonnull(strstr(said, "libextmerge-test-missing.so.0"));
	ck_assert_ptr_null(strchr(strchr(said, '\n') + 1, '\n')); /* once */
	ck_assert(!library_load(&missing));
	ck_assert(missing.is_missing);
}
END_TEST

START_TEST(function_is_missing) {
	char said[512];

	listen(said, &maths);
	ck_assert_ptr_nonnull(strstr(said, "libm.so.6 has no extmerge_test()"));
	ck_assert(!maths.is_missing);
}
END_TEST

int main(void) {
	return unit_main("library", (const TTest *const[]){
					    is_loaded_when_called,
					    by_several_threads,
					    is_missing,
					    function_is_missing,
					    NULL,
				    });
}
