/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with an image or with its protection. */
#include "fault.h"

#include "../merge/text.h"

int fault_set(struct fault *f, enum fault_code code, const char *about, const char *why) {
	*f = (struct fault){ code, about, why };
	return -EBADMSG;
}

char *fault_text(const struct fault *f) {
	return text_format("%s%s%s", f->about ?: "", f->about ? ": " : "", f->why);
}
