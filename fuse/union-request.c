/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arguments of extmerge-fuse union: --layers=N --xattrs=trusted|user --threads=N --io=WORD --upper=no|yes --root=own|inner -- NAME, in this order. */
#include "union-request.h"

#include <string.h>

#include "../merge/strv.h"
#include "../merge/text.h"
#include "layers.h"

#define IO "--io="

static const char *const spaces[] = {
	[WHITEOUT_TRUSTED] = "--xattrs=trusted", [WHITEOUT_USER] = "--xattrs=user"
};

/* Of what is so or not. */
static const char *const uppers[] = { "--upper=no", "--upper=yes" };
static const char *const roots[] = { "--root=own", "--root=inner" };

static int append_number(char ***v, const char *option, unsigned n) {
	_cleanup_free_ char *text = text_format("%s%u", option, n);

	return text ? strv_append(v, text) : -ENOMEM;
}

static int append_io(char ***v, enum union_io io) {
	_cleanup_free_ char *text = text_format(IO "%s", union_io_name(io));

	return text ? strv_append(v, text) : -ENOMEM;
}

int union_request_format(const struct union_request *q, char ***v) {
	int r = append_number(v, "--layers=", q->n_layers);

	if (r == 0)
		r = strv_append(v, spaces[q->space]);
	if (r == 0)
		r = append_number(v, "--threads=", q->threads);
	if (r == 0)
		r = append_io(v, q->io);
	if (r == 0)
		r = strv_append(v, uppers[q->writes]);
	if (r == 0)
		r = strv_append(v, roots[q->enclosed]);
	if (r == 0)
		r = strv_append(v, "--");
	return r < 0 ? r : strv_append(v, q->name);
}

static bool take_number(const char *argument, const char *option, uint64_t max,
			unsigned *ret) {
	size_t length = strlen(option);
	uint64_t n;

	if (strncmp(argument, option, length) != 0)
		return false;
	argument += length;
	if (!request_number(&argument, '\0', &n) || n < 1 || n > max)
		return false;
	*ret = (unsigned)n;
	return true;
}

static bool take_space(const char *argument, enum whiteout_space *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (strcmp(argument, spaces[i]) == 0) {
			*ret = (enum whiteout_space)i;
			return true;
		}
	return false;
}

static bool take_io(const char *argument, enum union_io *ret) {
	size_t length = strlen(IO);

	if (strncmp(argument, IO, length) != 0)
		return false;
	argument += length;
	return union_io_parse(argument, strlen(argument), ret) == 0;
}

static bool take_answer(const char *argument, const char *const words[static 2],
			bool *ret) {
	*ret = strcmp(argument, words[true]) == 0;
	return *ret || strcmp(argument, words[false]) == 0;
}

int union_request_parse(int argc, char *const *argv, struct union_request *ret,
			const char **ret_why) {
	struct union_request q;

	*ret_why =
		"there must be '--layers=', '--xattrs=', '--threads=', '--io=', '--upper=', '--root=', '--' and a name";
	if (argc != 8 || !take_number(argv[0], "--layers=", LAYERS_MAX, &q.n_layers) ||
	    !take_space(argv[1], &q.space) ||
	    !take_number(argv[2], "--threads=", REQUEST_THREADS_MAX, &q.threads) ||
	    !take_io(argv[3], &q.io) || !take_answer(argv[4], uppers, &q.writes) ||
	    !take_answer(argv[5], roots, &q.enclosed) || strcmp(argv[6], "--") != 0)
		return -EINVAL;
	q.name = argv[7];
	*ret = q;
	return 0;
}
