/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that there are: what they are called, take, and are for. */
#pragma once

#include "base.h"

/* Those of one letter have that letter. */
enum option_code {
	OPTION_CLASS = 256,
	OPTION_ROOT,
	OPTION_JSON,
	OPTION_STRICT,
	OPTION_FORCE,
	OPTION_TRUST,
	OPTION_IMAGE_POLICY,
	OPTION_CERTIFICATE_VALIDITY,
	OPTION_BACKEND,
	OPTION_GRAFTS,
	OPTION_VERITY,
	OPTION_ON_CORRUPTION,
	OPTION_NO_HOOKS,
	OPTION_BOOT,
	OPTION_MUTABLE,
	OPTION_BASE,
	OPTION_SERVICE,
	OPTION_PID,
	OPTION_ALL_SERVICES,
	OPTION_INIT,
	OPTION_NO_PAGER,
	OPTION_NO_LEGEND,
	OPTION_LOCK_WAIT,
	OPTION_WAIT,
	OPTION_WRITERS,
	OPTION_FORMAT,
	OPTION_KEY,
	OPTION_CERT,
	OPTION_ARCH,
	OPTION_REPRODUCIBLE,
	OPTION_OVERWRITE,
	OPTION_VERSION,
};

/* One option. Texts are static. */
struct option_row {
	const char *name;
	const char *argument; /* "FILE", or the words that it takes: "overlay|fuse"; NULL where it takes none */
	const char *help;
	int has_argument; /* as in getopt_long() */
	int code;
	const char *verbs; /* it means something to these verbs only, with blanks between them; NULL: to all */
	bool is_strict; /* to other verbs it must not be given */
	const char *takes; /* the sentence for a wrong argument, where `argument` has no words: "takes seconds" */
};

extern const struct option_row option_rows[];
extern const size_t option_rows_n; /* at most 64 */

/* "--json[=pretty|short|off]"; NULL where memory ran out. */
char *option_spell(const struct option_row *o);

/* Why "--backend is auto, overlay or fuse"; NULL where memory ran out. */
char *option_explain(const struct option_row *o);

/* The row of a code. NULL where there is none. */
const struct option_row *option_find(int code);
