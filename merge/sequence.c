/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An order of names that keeps to rules: Kahn's topological sort, by preference. */
#include "sequence.h"

#include <string.h>

#define NONE SIZE_MAX

/* From a node to one that lies above it. */
struct edge {
	size_t to, rule, next; /* the next one from the same node, or NONE */
};

struct named {
	const char *name;
	size_t node;
};

/* The nodes are the items, and behind them the names of the rules that no item has. */
struct graph {
	struct named *index; /* of all nodes, sorted by name */
	size_t n_items, n_nodes;
	struct edge *edges;
	size_t n_edges;
	size_t *first;	/* edge from each node, or NONE */
	size_t *waits;	/* how many edges into it are not released */
	size_t *causes; /* the rule that released it, or SEQUENCE_NO_RULE */
	size_t *free;	/* nodes without an item that wait for nothing, a stack */
	size_t n_free;
	size_t lowest; /* no item below it is ready */
};

static void graph_done(struct graph *g) {
	free(g->index);
	free(g->edges);
	free(g->first);
	free(g->waits);
	free(g->causes);
	free(g->free);
}

static int compare_names(const void *a, const void *b) {
	const struct named *left = a, *right = b;
	int r = strcmp(left->name, right->name);

	return r ? r : (left->node > right->node) - (left->node < right->node);
}

/* The place of the name's first node in the index, or of the next name. */
static size_t find(const struct graph *g, const char *name) {
	size_t low = 0, high = g->n_nodes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(g->index[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct graph *g, size_t place, const char *name) {
	return place < g->n_nodes && strcmp(g->index[place].name, name) == 0;
}

/* Appends the names of the rules that the index lacks, each once. */
static void add_absent(struct graph *g, struct named *behind,
		       const struct sequence_rule *rules, size_t n_rules) {
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < n_rules; i++) {
		const char *const ends[] = { rules[i].below, rules[i].above };

		for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
			if (!is_at(g, find(g, ends[k]), ends[k]))
				behind[n++] = (struct named){ .name = ends[k] };
	}
	if (n > 0)
		qsort(behind, n, sizeof(*behind), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && strcmp(behind[i].name, behind[kept - 1].name) == 0)
			continue;
		behind[kept] = (struct named){ behind[i].name, g->n_items + kept };
		kept++;
	}
	g->n_nodes += kept;
}

static int make_index(struct graph *g, const char *const *names, size_t n,
		      const struct sequence_rule *rules, size_t n_rules) {
	g->index = calloc(n + 2 * n_rules + 1, sizeof(*g->index));
	if (!g->index)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		g->index[i] = (struct named){ .name = names[i], .node = i };
	qsort(g->index, n, sizeof(*g->index), compare_names);
	g->n_items = g->n_nodes = n;
	add_absent(g, g->index + n, rules, n_rules);
	qsort(g->index, g->n_nodes, sizeof(*g->index), compare_names);
	return 0;
}

static int add_edge(struct graph *g, size_t from, size_t to, size_t rule) {
	if ((g->n_edges & (g->n_edges - 1)) == 0) { /* it is full */
		size_t room = g->n_edges ? 2 * g->n_edges : 1;
		struct edge *grown = reallocarray(g->edges, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		g->edges = grown;
	}
	g->edges[g->n_edges] = (struct edge){ to, rule, g->first[from] };
	g->first[from] = g->n_edges++;
	g->waits[to]++;
	return 0;
}

static int add_edges(struct graph *g, const struct sequence_rule *rule, size_t number) {
	size_t belows = find(g, rule->below), aboves = find(g, rule->above);
	int r = 0;

	for (size_t b = belows; is_at(g, b, rule->below); b++)
		for (size_t a = aboves; r == 0 && is_at(g, a, rule->above); a++)
			r = add_edge(g, g->index[b].node, g->index[a].node, number);
	return r;
}

static int graph_make(struct graph *g, const char *const *names, size_t n,
		      const struct sequence_rule *rules, size_t n_rules) {
	int r = make_index(g, names, n, rules, n_rules);

	if (r < 0)
		return r;
	g->first = calloc(g->n_nodes + 1, sizeof(*g->first));
	g->waits = calloc(g->n_nodes + 1, sizeof(*g->waits));
	g->causes = calloc(g->n_nodes + 1, sizeof(*g->causes));
	g->free = calloc(g->n_nodes + 1, sizeof(*g->free));
	if (!g->first || !g->waits || !g->causes || !g->free)
		return -ENOMEM;
	for (size_t i = 0; i < g->n_nodes; i++) {
		g->first[i] = NONE;
		g->causes[i] = SEQUENCE_NO_RULE;
	}
	for (size_t i = 0; r == 0 && i < n_rules; i++)
		r = add_edges(g, &rules[i], i);
	for (size_t i = g->n_items; i < g->n_nodes; i++)
		if (g->waits[i] == 0)
			g->free[g->n_free++] = i;
	return r;
}

/* What waited for the node only is ready now. Which of several rules was the last depends on no order of theirs. */
static void release(struct graph *g, size_t node) {
	for (size_t e = g->first[node]; e != NONE; e = g->edges[e].next) {
		size_t to = g->edges[e].to;

		if (--g->waits[to] > 0)
			continue;
		g->causes[to] = g->edges[e].rule;
		if (to >= g->n_items)
			g->free[g->n_free++] = to;
		else if (to < g->lowest)
			g->lowest = to;
	}
}

/* The preferred one of the items that are ready, or NONE; it is not ready any more. */
static size_t take_item(struct graph *g) {
	while (g->n_free > 0)
		release(g, g->free[--g->n_free]);
	while (g->lowest < g->n_items && g->waits[g->lowest] != 0)
		g->lowest++;
	if (g->lowest == g->n_items)
		return NONE;
	g->waits[g->lowest] = NONE; /* taken */
	return g->lowest;
}

int sequence_sort(const char *const *names, size_t n, const struct sequence_rule *rules,
		  size_t n_rules, size_t *ret_order, size_t *ret_rules) {
	_cleanup_(graph_done) struct graph g = { 0 };
	int r = graph_make(&g, names, n, rules, n_rules);
	size_t highest = 0, place = 0, item;

	if (r < 0)
		return r;
	for (; (item = take_item(&g)) != NONE; place++) {
		ret_order[place] = item;
		ret_rules[item] = item < highest ? g.causes[item] : SEQUENCE_NO_RULE;
		if (item > highest)
			highest = item;
		release(&g, item);
	}
	return place < n ? -ELOOP : 0;
}

/* The rule that keeps the node waiting, from a node that waits as well, whose number is *ret_from; or NONE. */
static size_t find_blocker(const struct graph *g, size_t node, size_t *ret_from) {
	for (size_t from = 0; from < g->n_nodes; from++)
		for (size_t e = g->first[from]; g->waits[from] > 0 && e != NONE;
		     e = g->edges[e].next)
			if (g->edges[e].to == node) {
				*ret_from = from;
				return g->edges[e].rule;
			}
	return NONE;
}

/* Whoever still waits does so for one that still waits: going down, one is met again, and from there on it is a cycle. */
int sequence_find_cycle(const struct sequence_rule *rules, size_t n_rules, size_t *ret,
			size_t *ret_n) {
	_cleanup_(graph_done) struct graph g = { 0 };
	int r = graph_make(&g, NULL, 0, rules, n_rules);
	size_t node = 0, n = 0, *seen;

	if (r < 0)
		return r;
	(void)take_item(&g); /* there is none: all that waits for nothing is released */
	while (node < g.n_nodes && g.waits[node] == 0)
		node++;
	*ret_n = 0;
	if (node == g.n_nodes)
		return 0;
	seen = g.causes; /* free for the place on the way at which a node was met, from 1 */
	memset(seen, 0, g.n_nodes * sizeof(*seen));
	while (!seen[node]) {
		seen[node] = n + 1;
		ret[n++] = find_blocker(&g, node, &node);
	}
	*ret_n = n - (seen[node] - 1);
	memmove(ret, ret + seen[node] - 1, *ret_n * sizeof(*ret));
	return 0;
}
