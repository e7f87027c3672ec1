/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arguments of extmerge-fuse image: each option once, all but --more, in any order, then the name. */
#include "request.h"

#include <string.h>

#include "../merge/strv.h"
#include "../merge/text.h"
#include "../verity/hex.h"

#define MORE "--more"

static int append(char ***v, char *text) {
	int r = text ? strv_append(v, text) : -ENOMEM;

	free(text);
	return r;
}

int request_format(const struct request *q, char ***v) {
	const struct verity_target *t = &q->target;
	char root[2 * SUPERBLOCK_DIGEST_MAX + 1];
	int r;

	hex_encode(t->root, t->root_size, root);
	r = append(v, text_format("--root=%s", root));
	if (r == 0)
		r = append(v, text_format("--data=%llu:%llu",
					  (unsigned long long)t->data_offset,
					  (unsigned long long)t->data_size));
	if (r == 0)
		r = append(v, text_format("--hash=%llu:%llu",
					  (unsigned long long)t->hash_offset,
					  (unsigned long long)t->hash_size));
	if (r == 0)
		r = append(v, text_format("--cache=%zu", q->cache_bytes));
	if (r == 0)
		r = append(v, text_format("--threads=%u", q->threads));
	if (r == 0 && q->takes_more)
		r = strv_append(v, MORE);
	if (r == 0)
		r = strv_append(v, "--");
	return r < 0 ? r : strv_append(v, q->name);
}

bool request_number(const char **text, char end, uint64_t *ret) {
	const char *p = *text;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (p == *text || *p != end)
		return false;
	*text = end ? p + 1 : p;
	*ret = n;
	return true;
}

/* OFFSET:SIZE; the end of the range is a file offset too. */
static bool read_range(const char *text, uint64_t *ret_offset, uint64_t *ret_size) {
	return request_number(&text, ':', ret_offset) &&
	       request_number(&text, '\0', ret_size) &&
	       *ret_size <= INT64_MAX - *ret_offset;
}

static bool take_root(struct request *q, const char *text) {
	size_t digits = strlen(text);

	q->target.root_size = digits / 2;
	return digits > 0 && digits <= 2 * SUPERBLOCK_DIGEST_MAX &&
	       hex_decode(text, digits, true, q->target.root) == 0;
}

static bool take_data(struct request *q, const char *text) {
	return read_range(text, &q->target.data_offset, &q->target.data_size);
}

static bool take_hash(struct request *q, const char *text) {
	return read_range(text, &q->target.hash_offset, &q->target.hash_size);
}

static bool take_cache(struct request *q, const char *text) {
	uint64_t n;

	if (!request_number(&text, '\0', &n) || n > REQUEST_CACHE_MAX)
		return false;
	q->cache_bytes = (size_t)n;
	return true;
}

static bool take_threads(struct request *q, const char *text) {
	uint64_t n;

	if (!request_number(&text, '\0', &n) || n < 1 || n > REQUEST_THREADS_MAX)
		return false;
	q->threads = (unsigned)n;
	return true;
}

static const struct {
	const char *option;
	bool (*take)(struct request *q, const char *text);
} options[] = {
	{ "--root=", take_root },	{ "--data=", take_data },
	{ "--hash=", take_hash },	{ "--cache=", take_cache },
	{ "--threads=", take_threads },
};

static int refuse(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EINVAL;
}

static int take_more(struct request *q, const char **ret_why) {
	if (q->takes_more)
		return refuse(ret_why, "an option is there twice");
	q->takes_more = true;
	return 0;
}

/* `given` has a bit for each option with a value that was there. */
static int take(struct request *q, const char *argument, unsigned *given,
		const char **ret_why) {
	if (strcmp(argument, MORE) == 0)
		return take_more(q, ret_why);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		size_t len = strlen(options[i].option);

		if (strncmp(argument, options[i].option, len) != 0)
			continue;
		if (*given & 1U << i)
			return refuse(ret_why, "an option is there twice");
		*given |= 1U << i;
		if (!options[i].take(q, argument + len))
			return refuse(ret_why, "the value of an option is wrong");
		return 0;
	}
	return refuse(ret_why, "there is an unknown option");
}

int request_parse(int argc, char *const *argv, struct request *ret, const char **ret_why) {
	struct request q = { .target = { .data_fd = REQUEST_FD_DATA,
					 .hash_fd = REQUEST_FD_HASH } };
	unsigned given = 0;
	int i, r = 0;

	for (i = 0; r == 0 && i < argc && strcmp(argv[i], "--") != 0; i++)
		r = take(&q, argv[i], &given, ret_why);
	if (r < 0)
		return r;
	if (given != (1U << ARRAY_SIZE(options)) - 1)
		return refuse(ret_why, "an option is missing");
	if (argc - i != 2)
		return refuse(ret_why, "there must be '--' and one name");
	q.name = argv[i + 1];
	*ret = q;
	return 0;
}
