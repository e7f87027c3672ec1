/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the layers. */
#include "order.h"

#include <string.h>

#include "strv.h"
#include "text.h"
#include "version.h"

/* order.1, order.2: the name that decides is the image's, as UAPI.4 says, not the class. */
int order_compare(const struct extension *a, const struct extension *b) {
	const char *left = a->name.full ?: "", *right = b->name.full ?: "";
	int r = (int)a->class->id - (int)b->class->id;

	if (r == 0)
		r = version_compare_total(left, right);
	if (r == 0)
		r = strcmp(a->path, b->path);
	return r;
}

static int compare_items(const void *a, const void *b) {
	return order_compare(*(struct extension *const *)a, *(struct extension *const *)b);
}

int order_add_rule(struct order *o, const char *below, const char *above, char *origin) {
	struct sequence_rule *grown;

	if (!origin || strv_append(&o->origins, origin) < 0) {
		free(origin);
		return -ENOMEM;
	}
	free(origin);
	grown = reallocarray(o->rules, o->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	o->rules = grown;
	grown[o->n++] = (struct sequence_rule){ below, above };
	return 0;
}

/* order.5: each name is a rule with the next one; where the others stand is no rule, but a preference. */
int order_take_list(struct order *o, char *const *names, char *origin) {
	const char *last = NULL;
	int r = 0;

	o->list = names;
	o->list_origin = origin;
	if (!origin)
		return -ENOMEM;
	for (; r == 0 && names && *names; names++) {
		if (strcmp(*names, ORDER_OTHERS) == 0)
			continue;
		if (last)
			r = order_add_rule(o, last, *names, strdup(origin));
		last = *names;
	}
	return r;
}

int order_check(const struct order *o, char **ret_why) {
	_cleanup_free_ size_t *cycle = calloc(o->n + 1, sizeof(*cycle));
	_cleanup_free_ char *why = NULL;
	size_t n = 0;
	int r = cycle ? sequence_find_cycle(o->rules, o->n, cycle, &n) : -ENOMEM;

	if (r < 0 || n == 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct sequence_rule *rule = &o->rules[cycle[i]];
		char *longer = text_format("%s%s%s above %s (%s)", why ?: "",
					   why ? ", " : "", rule->above, rule->below,
					   o->origins[cycle[i]]);

		if (!longer)
			return -ENOMEM;
		free(why);
		why = longer;
	}
	*ret_why = TAKE_PTR(why);
	return -ELOOP;
}

static bool is_there(const struct extensions *list, const char *name) {
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i]->name.name ?: "", name) == 0)
			return true;
	return false;
}

/* *ret is the name of an extension that may be meant, or NULL; it lies in the list. */
static int find_meant(const struct extensions *list, const char *name, const char **ret) {
	_cleanup_free_ const char **names = calloc(list->n + 1, sizeof(*names));
	size_t n = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->name.name)
			names[n++] = list->items[i]->name.name;
	*ret = text_nearest(name, names);
	return 0;
}

static int note_absent(const char *name, const char *origin,
		       const struct extensions *list, char ***names, char ***notes) {
	_cleanup_free_ char *note = NULL;
	const char *meant;
	int r;

	if (strcmp(name, ORDER_OTHERS) == 0 || is_there(list, name) ||
	    strv_contains(*names, name))
		return 0;
	r = find_meant(list, name, &meant);
	if (r < 0)
		return r;
	note = text_format("the order speaks of %s, which is not there (%s)%s%s%s", name,
			   origin, meant ? "; did you mean '" : "", meant ?: "",
			   meant ? "'?" : "");
	if (!note)
		return -ENOMEM;
	r = strv_append(names, name);
	return r < 0 ? r : strv_append(notes, note);
}

int order_find_absent(const struct order *o, const struct extensions *list, char ***names,
		      char ***notes) {
	int r = 0;

	for (char *const *name = o->list; r == 0 && name && *name; name++)
		r = note_absent(*name, o->list_origin, list, names, notes);
	for (size_t i = 0; r == 0 && i < o->n; i++) {
		r = note_absent(o->rules[i].below, o->origins[i], list, names, notes);
		if (r == 0)
			r = note_absent(o->rules[i].above, o->origins[i], list, names,
					notes);
	}
	return r;
}

void order_done(struct order *o) {
	free(o->list_origin);
	free(o->rules);
	strv_free(o->origins);
	*o = (struct order){ 0 };
}

/* An extension where the list has it: what is not named is where "*" is, or below all. */
struct preferred {
	struct extension *extension;
	size_t place, version; /* in the list; by version */
	bool is_listed;
};

static int compare_preferred(const void *a, const void *b) {
	const struct preferred *left = a, *right = b;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return left->version < right->version ? -1 : 1;
}

static void prefer(const struct order *o, struct preferred *p) {
	for (size_t i = 0; o->list && o->list[i]; i++) {
		bool is_it = strcmp(o->list[i], p->extension->name.name ?: "") == 0;

		if (is_it || strcmp(o->list[i], ORDER_OTHERS) == 0)
			p->place = i + 1;
		p->is_listed |= is_it;
		if (is_it)
			break;
	}
}

/* order.8 */
static int note_origin(const struct order *o, const struct preferred *p, size_t rule) {
	const char *origin = rule != SEQUENCE_NO_RULE ? o->origins[rule]
			     : p->is_listed	      ? o->list_origin
						      : NULL;

	free(p->extension->placed_by);
	p->extension->placed_by = origin ? strdup(origin) : NULL;
	return origin && !p->extension->placed_by ? -ENOMEM : 0;
}

/* `items` are those of one class, sorted by version. */
static int arrange(struct extension **items, size_t n, const struct order *o) {
	_cleanup_free_ struct preferred *preferred = calloc(n, sizeof(*preferred));
	_cleanup_free_ const char **names = calloc(n, sizeof(*names));
	_cleanup_free_ size_t *order = calloc(n, sizeof(*order));
	_cleanup_free_ size_t *rules = calloc(n, sizeof(*rules));
	int r;

	if (!preferred || !names || !order || !rules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		preferred[i] = (struct preferred){ .extension = items[i], .version = i };
		prefer(o, &preferred[i]);
	}
	qsort(preferred, n, sizeof(*preferred), compare_preferred);
	for (size_t i = 0; i < n; i++)
		names[i] = preferred[i].extension->name.name ?: "";
	r = sequence_sort(names, n, o->rules, o->n, order, rules);
	for (size_t i = 0; r == 0 && i < n; i++) {
		items[i] = preferred[order[i]].extension;
		r = note_origin(o, &preferred[order[i]], rules[order[i]]);
	}
	return r;
}

int order_sort(struct extensions *list, const struct order *orders) {
	size_t n = 0;
	int r = 0;

	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), compare_items);
	for (size_t i = 0; orders && r == 0 && i < list->n; i += n) {
		const struct order *o = &orders[list->items[i]->class->id];

		n = 1;
		while (i + n < list->n &&
		       list->items[i + n]->class == list->items[i]->class)
			n++;
		if (o->list || o->n > 0)
			r = arrange(&list->items[i], n, o);
	}
	return r;
}
