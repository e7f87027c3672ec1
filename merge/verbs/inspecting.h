/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of extmerge inspect share: what it has found. */
#pragma once

#include "../anatomy.h"
#include "../route.h"
#include "../source.h"

struct subject {
	struct extension *extension;
	struct source_layout layout;
	struct anatomy anatomy; /* of an image; empty for a directory */
	bool is_examined;	/* its content was looked into and matched */
};

/* What of the release file people ask for; ends with NULL. */
extern const char *const inspecting_keys[];

void inspecting_print_text(const struct subject *s, const struct options *o);
void inspecting_print_json(const struct subject *s, const struct options *o);
