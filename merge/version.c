/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of version strings: the loop of UAPI.10, one function per component. */
#include "version.h"

#include <string.h>

#include "base.h"

#define VERSION_LENGTH_MAX 255
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static int compare_sizes(size_t a, size_t b) {
	return (a > b) - (a < b);
}

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

/* UAPI.10 step 1: what is no component and no mark only separates. */
static const char *skip_separators(const char *s) {
	while (*s && !strchr(DIGITS LETTERS "~-^.", *s))
		s++;
	return s;
}

/* The side that starts with `mark` is the older one; where both do, both step over it. */
static int compare_mark(const char **a, const char **b, char mark) {
	bool in_a = **a == mark, in_b = **b == mark;

	if (in_a != in_b)
		return in_a ? -1 : 1;
	*a += in_a;
	*b += in_b;
	return 0;
}

/*
 * Numbers of any length. UAPI.10 counts a missing number as 0, but then "-a" = "-0a" <
 * "-_1" < "-a", which is no order: a missing number is older than any, as in systemd
 * (specs: order.1).
 */
static int compare_numbers(const char **a, const char **b) {
	size_t len_a = strspn(*a, DIGITS), len_b = strspn(*b, DIGITS), zeros_a, zeros_b;
	int r;

	if (len_a == 0 || len_b == 0)
		return len_a == 0 ? -1 : 1;

	zeros_a = strspn(*a, "0");
	zeros_b = strspn(*b, "0");
	r = compare_sizes(len_a - zeros_a, len_b - zeros_b);
	if (r == 0)
		r = strncmp(*a + zeros_a, *b + zeros_b, len_a - zeros_a);
	*a += len_a;
	*b += len_b;
	return r;
}

/* Words by ASCII, so capitals are older; of two that start alike the shorter one is. */
static int compare_words(const char **a, const char **b) {
	size_t len_a = strspn(*a, LETTERS), len_b = strspn(*b, LETTERS);
	int r;

	r = strncmp(*a, *b, len_a < len_b ? len_a : len_b);
	if (r == 0)
		r = compare_sizes(len_a, len_b);
	*a += len_a;
	*b += len_b;
	return r;
}

int version_compare(const char *a, const char *b) {
	int r;

	a = a ?: "";
	b = b ?: "";
	for (;;) {
		a = skip_separators(a);
		b = skip_separators(b);

		/* '~' stands before the end of the string, the other marks behind it. */
		r = compare_mark(&a, &b, '~');
		if (r != 0)
			return r;
		if (!*a || !*b)
			return (*a != '\0') - (*b != '\0');

		for (const char *mark = "-^."; *mark && r == 0; mark++)
			r = compare_mark(&a, &b, *mark);
		if (r == 0 && (is_digit(*a) || is_digit(*b)))
			r = compare_numbers(&a, &b);
		else if (r == 0)
			r = compare_words(&a, &b);
		if (r != 0)
			return r;
	}
}

int version_compare_total(const char *a, const char *b) {
	int r = version_compare(a, b);

	return r != 0 ? r : strcmp(a ?: "", b ?: "");
}

bool version_is_valid(const char *version) {
	size_t len = strlen(version);

	return len >= 1 && len <= VERSION_LENGTH_MAX &&
	       strspn(version, DIGITS LETTERS ".~^_+-") == len;
}
