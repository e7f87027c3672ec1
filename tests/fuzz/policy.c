/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any text: a policy that is printed and parsed again means the same; skipping never allows more. */

#include <assert.h>
#include <string.h>

#include "verity/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_format(const struct policy *p) {
	_cleanup_free_ char *text = policy_format(p), *again = NULL;
	struct policy q;
	const char *why;

	assert(text);
	assert(policy_parse(text, strlen(text), &q, &why) == 0);
	assert(policy_equal(p, &q));
	again = policy_format(&q);
	assert(again && strcmp(text, again) == 0);
}

static void check_decisions(const struct policy *p) {
	static const uint32_t protections[] = { POLICY_UNPROTECTED, POLICY_VERITY,
						POLICY_SIGNED };
	struct policy narrow = *p;

	policy_limit(&narrow, POLICY_SIGNED);
	for (int i = 0; i < POLICY_DESIGNATOR_COUNT; i++) {
		const enum policy_designator d = (enum policy_designator)i;

		for (size_t k = 0; k < ARRAY_SIZE(protections); k++) {
			const struct policy_partition found = {
				.is_present = true, .protection = protections[k]
			};
			uint32_t usable = 0, less = 0;
			const char *why;
			int r = policy_check(p, d, &found, &usable, &why);
			int s = policy_check(&narrow, d, &found, &less, &why);

			assert(r == 0 || r == -ERFKILL);
			assert((usable & ~policy_get(p, d)) == 0);
			if (d > POLICY_USR)
				continue;
			assert(less == 0 || protections[k] == POLICY_SIGNED);
			assert(s == 0 ? (less & ~usable) == 0 : true);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	const char *why = NULL;
	struct policy p;
	int r;

	r = policy_parse((const char *)data, len, &p, &why);
	assert((r < 0) == (why != NULL));
	if (r < 0)
		return 0;
	check_decisions(&p);
	check_format(&p);
	return 0;
}
