/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The route: the steps that the verbs are made of. */
#include "route-parts.h"

#include <string.h>

#include "configure.h"
#include "hierarchies.h"
#include "inputs.h"
#include "log.h"
#include "proxymount.h"
#include "strv.h"
#include "uppers.h"

enum exit_code route_code(int error) {
	switch (error) {
	case -EPERM:
	case -EACCES:
	case -ENOSYS:
	case -ENODEV:
		return EXIT_PRIVILEGE;
	case -ETIMEDOUT:
		return EXIT_LOCKED;
	default:
		return EXIT_FAILED;
	}
}

enum exit_code route_fail(int error, const char *what) {
	log_error("Cannot %s: %s", what, strerror(-error));
	return route_code(error);
}

static bool is_merged(const struct route *r, const struct class *class) {
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.hierarchies[i].class == class &&
		    r->state.hierarchies[i].record)
			return true;
	return false;
}

/*
 * Where something is merged, its inputs may turn out to be the same; where nothing is, they are digested
 * when the trees have been walked anyway. After a first look they stay: what is found out later
 * follows from them.
 */
static int discover_class(struct route *r, const struct class *class) {
	int e;

	e = discover(r->base, class, &r->host, &r->found);
	return e < 0 || r->losers || !is_merged(r, class) ? e : inputs_digest(r, class);
}

/*
 * order.9, once both classes are known: a rule may be for both, and its name in one. What names are misspelt is as true
 * after a second look.
 */
static int note_absent(struct route *r) {
	_cleanup_strv_ char **names = NULL;
	int e = 0;

	if (r->absent || !r->options->classes[CLASS_SYSEXT] ||
	    !r->options->classes[CLASS_CONFEXT])
		return 0;
	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		e = order_find_absent(&r->orders[c], &r->extensions, &names, &r->absent);
	return e;
}

int route_find_all(struct route *r) {
	int e = 0;

	r->found.list = &r->extensions;
	r->found.losers = r->losers;
	r->found.orders = r->orders;
	r->found.hierarchies = r->config.names;
	r->found.service = r->options->service;
	for (size_t c = 0; e == 0 && c < CLASS_COUNT; c++)
		if (r->options->classes[c])
			e = discover_class(r, &classes[c]);
	return e < 0 ? e : note_absent(r);
}

enum exit_code route_discover(struct route *r) {
	const char *why = NULL;
	enum exit_code code = configure(r);
	int e;

	if (code != EXIT_DONE)
		return code;
	e = host_read(r->base, &r->host, &why);
	if (e < 0) {
		log_error("Cannot tell what this host is: %s (%s)", why ?: "os-release",
			  strerror(-e));
		log_hint("there must be an /etc/os-release or /usr/lib/os-release below '%s'",
			 r->options->root);
		return EXIT_FAILED;
	}
	code = hierarchies_add(r);
	if (code == EXIT_DONE)
		code = uppers_find(r);
	if (code != EXIT_DONE)
		return code;
	e = route_find_all(r);
	if (e < 0)
		return route_fail(e, "discover the extensions");
	for (char **problem = r->found.problems; problem && *problem; problem++)
		log_warning("%s", *problem);
	return EXIT_DONE;
}

enum exit_code route_survey(struct route *r, const struct options *o) {
	enum exit_code code = route_open(r, o);

	if (code == EXIT_DONE)
		code = route_enter(r);
	if (code == EXIT_DONE)
		code = route_discover(r);
	return code == EXIT_DONE ? route_examine(r) : code;
}

size_t route_count_skipped(const struct route *r) {
	size_t n = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct verdict *v = &r->extensions.items[i]->verdict;

		n += v->code != VERDICT_FITS && !verdict_is_quiet(v->code);
	}
	return n;
}

bool route_is_all_refused(const struct route *r) {
	size_t refused = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct verdict *v = &r->extensions.items[i]->verdict;

		if (!verdict_is_quiet(v->code) && !verdict_is_refusal(v->code))
			return false;
		refused += verdict_is_refusal(v->code);
	}
	return refused > 0;
}

uint64_t route_generation(const struct route *r) {
	uint64_t generation = 0;

	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;

		if (record && record->generation > generation)
			generation = record->generation;
	}
	return generation;
}

const struct settings *route_settings(const struct route *r, size_t i) {
	static const struct settings none = { 0 };

	for (size_t n = 0; n < r->config.n_hierarchies; n++)
		if (strcmp(r->config.hierarchies[n].name, r->state.hierarchies[i].name) ==
		    0)
			return &r->config.hierarchies[n].settings;
	return &none;
}

void route_close_hierarchies(struct route *r) {
	for (size_t i = 0; i < r->n_hierarchies; i++)
		hierarchy_done(&r->hierarchies[i]);
	r->n_hierarchies = 0;
}

void route_done(struct route *r) {
	proxymount_restore(r);
	workshop_done(&r->workshop);
	for (size_t i = 0; i < STATE_HIERARCHIES_MAX; i++) {
		route_submounts_done(&r->submounts[i]);
		record_free(r->wanted[i]);
	}
	route_close_hierarchies(r);
	uppers_done(r);
	plan_done(&r->plan);
	hooks_done(&r->hooks);
	extensions_done(&r->extensions);
	discovery_done(&r->found);
	strv_free(r->losers);
	strv_free(r->absent);
	host_done(&r->host);
	trust_done(&r->trust);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		order_done(&r->orders[c]);
	config_done(&r->config);
	guard_done(&r->guard);
	state_done(&r->state);
	mounts_free(r->table);
	close_fdp(&r->base);
	close_fdp(&r->destination);
	close_fdp(&r->lock);
	close_fdp(&r->directory);
	close_fdp(&r->root);
}
