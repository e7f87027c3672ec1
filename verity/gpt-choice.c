/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of an extension's partitions: the best of each kind, then whether they fit together. */

#include <string.h>

#include "gpt.h"

#define NO_AUTO (UINT64_C(1) << 63) /* UAPI.2, partition attribute flags */
#define HOST_ARCHITECTURES 2	    /* native, then secondary */

/* The best partition of each kind: indices into gpt.partitions, or -1. */
struct survey {
	int best[HOST_ARCHITECTURES][GPT_DESIGNATOR_COUNT][GPT_ROLE_COUNT];
	int generic;
	size_t n_generic;
	bool foreign; /* a root or usr partition of another architecture is there */
};

static int refuse(const char **ret_why, int error, const char *why) {
	*ret_why = why;
	return error;
}

/* dissect.9 */
bool gpt_is_candidate(const struct gpt_partition *p) {
	return !(p->attributes & NO_AUTO) && strncmp(p->label, "PRT#", 4) != 0 &&
	       strncmp(p->label, "PND#", 4) != 0 && strcmp(p->label, "_empty") != 0;
}

/* -1 where the architecture is not one of the host's. */
static int host_rank(const char *architecture,
		     const char *const host[static HOST_ARCHITECTURES]) {
	for (int i = 0; i < HOST_ARCHITECTURES; i++)
		if (host[i] && strcmp(host[i], architecture) == 0)
			return i;
	return -1;
}

/* dissect.11; the table is walked by rising index, so a tie leaves the slot as it is. */
static void keep_best(const struct gpt *g, int i,
		      int (*compare)(const char *, const char *), int *slot) {
	if (*slot < 0 || compare(g->partitions[i].label, g->partitions[*slot].label) > 0)
		*slot = i;
}

static void survey_add(struct survey *s, const struct gpt *g, int i,
		       const char *const host[static HOST_ARCHITECTURES],
		       int (*compare)(const char *, const char *)) {
	const char *architecture;
	enum gpt_designator d;
	enum gpt_role role;
	int rank;

	if (!gpt_is_candidate(&g->partitions[i]) ||
	    !gpt_type_lookup(g->partitions[i].type, &d, &role, &architecture))
		return;
	if (!architecture) {
		s->generic = i;
		s->n_generic++;
		return;
	}
	rank = host_rank(architecture, host);
	if (rank < 0)
		s->foreign = true;
	else
		keep_best(g, i, compare, &s->best[rank][d][role]);
}

static bool is_empty(const int roles[static GPT_ROLE_COUNT]) {
	return roles[GPT_DATA] < 0 && roles[GPT_VERITY] < 0 && roles[GPT_SIGNATURE] < 0;
}

/* dissect.10: a native partition of any role rules out the secondary architecture. */
static int rank_of(const struct survey *s, enum gpt_designator d) {
	for (int rank = 0; rank < HOST_ARCHITECTURES; rank++)
		if (!is_empty(s->best[rank][d]))
			return rank;
	return -1;
}

/* dissect.12 */
static int check_roles(const int roles[static GPT_ROLE_COUNT], const char **ret_why) {
	if (roles[GPT_SIGNATURE] >= 0 && roles[GPT_VERITY] < 0)
		return refuse(ret_why, -EBADMSG,
			      "a signature without its verity partition");
	if (roles[GPT_VERITY] >= 0 && roles[GPT_DATA] < 0)
		return refuse(ret_why, -EBADMSG, "verity without its data partition");
	return 0;
}

/* dissect.14 */
static int choose_generic(const struct survey *s, struct gpt_choice *c,
			  const char **ret_why) {
	if (s->foreign)
		return refuse(ret_why, -ENOEXEC, "only partitions of other architectures");
	if (s->n_generic == 0)
		return refuse(ret_why, -ENOENT, "no root, usr or generic partition");
	if (s->n_generic > 1)
		return refuse(ret_why, -ENOTUNIQ, "more than one generic partition");
	c->partition[GPT_ROOT][GPT_DATA] = s->generic;
	return 0;
}

/* dissect.13 */
static int check_together(const int rank[static GPT_DESIGNATOR_COUNT],
			  const struct gpt_choice *c, const char **ret_why) {
	if (rank[GPT_ROOT] < 0 || rank[GPT_USR] < 0)
		return 0;
	if (rank[GPT_ROOT] != rank[GPT_USR])
		return refuse(ret_why, -ENOTUNIQ,
			      "root and usr of different architectures");
	if (c->partition[GPT_ROOT][GPT_VERITY] >= 0)
		return refuse(ret_why, -ENOTUNIQ, "verity on root beside usr");
	return 0;
}

static int choose_native(const struct survey *s,
			 const int rank[static GPT_DESIGNATOR_COUNT],
			 struct gpt_choice *c, const char **ret_why) {
	for (int d = 0; d < GPT_DESIGNATOR_COUNT; d++) {
		int r;

		if (rank[d] < 0)
			continue;
		memcpy(c->partition[d], s->best[rank[d]][d], sizeof(c->partition[d]));
		r = check_roles(c->partition[d], ret_why);
		if (r < 0)
			return r;
	}
	return check_together(rank, c, ret_why);
}

int gpt_choose(const struct gpt *g, const char *native, const char *secondary,
	       int (*compare)(const char *a, const char *b), struct gpt_choice *ret,
	       const char **ret_why) {
	const char *const host[HOST_ARCHITECTURES] = { native, secondary };
	int rank[GPT_DESIGNATOR_COUNT], best, r;
	struct gpt_choice c = {};
	struct survey s = {};

	memset(s.best, -1, sizeof(s.best));
	memset(c.partition, -1, sizeof(c.partition));
	for (size_t i = 0; i < g->n_partitions; i++)
		survey_add(&s, g, (int)i, host, compare);
	rank[GPT_ROOT] = rank_of(&s, GPT_ROOT);
	rank[GPT_USR] = rank_of(&s, GPT_USR);
	best = rank[GPT_USR] >= 0 ? rank[GPT_USR] : rank[GPT_ROOT];
	r = best < 0 ? choose_generic(&s, &c, ret_why)
		     : choose_native(&s, rank, &c, ret_why);
	if (r < 0)
		return r;
	c.architecture = best < 0 ? NULL : host[best];
	*ret = c;
	return 0;
}
