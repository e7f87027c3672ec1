/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in force for a run: the configuration, and the command line above it. */
#include "configure.h"

#include <string.h>
#include <time.h>

#include "log.h"
#include "text.h"

/* config.9 */
static void take_command_line(struct settings *s, enum settings_scope scope,
			      const struct options *o) {
	const struct settings_origin origin = { .source = SETTINGS_COMMAND_LINE };
	const char *why;

	/* A value has been tried when the options were parsed. */
	for (size_t k = 0; k < SETTINGS_KEY_COUNT; k++)
		if (o->given[k] && settings_key_is_of((enum settings_key)k, scope))
			(void)settings_set(s, (enum settings_key)k, o->given[k], &origin,
					   &why);
}

static void take_command_line_of(struct config_hierarchy *h, const struct options *o) {
	const struct settings_origin origin = { .source = SETTINGS_COMMAND_LINE };
	const char *why;

	take_command_line(&h->settings, SETTINGS_OF_HIERARCHY, o);
	for (size_t i = 0; i < o->n_given_of; i++) {
		const struct options_given *g = &o->given_of[i];

		if (strlen(h->name) == g->hierarchy_len &&
		    strncmp(h->name, g->hierarchy, g->hierarchy_len) == 0)
			(void)settings_set(&h->settings, g->key, g->text, &origin, &why);
	}
}

/* config.9: nothing is asked of a hierarchy that is not there. */
static enum exit_code check_given(struct route *r) {
	for (size_t i = 0; i < r->options->n_given_of; i++) {
		const struct options_given *g = &r->options->given_of[i];
		_cleanup_free_ char *name = strndup(g->hierarchy, g->hierarchy_len);

		if (!name)
			return route_fail(-ENOMEM, "read the command line");
		if (config_find_hierarchy(&r->config, name))
			continue;
		log_error("There is no hierarchy '/%s'", name);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* mutable.2: what was given on the command line when the tree was merged holds until something else is given. */
static void keep(struct settings *s, enum settings_key k, const char *text) {
	const struct settings_origin origin = { .source = SETTINGS_KEPT };
	const char *why;

	if (text && s->origins[k].source != SETTINGS_COMMAND_LINE)
		(void)settings_set(s, k, text, &origin, &why);
}

static void take_kept(struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;
		struct config_hierarchy *h =
			config_find_hierarchy(&r->config, r->state.hierarchies[i].name);

		if (!record || !h)
			continue;
		keep(&h->settings, SETTINGS_MUTABLE,
		     record->mutable_given ? record->mutable : NULL);
		keep(&h->settings, SETTINGS_BASE,
		     record->base_given ? record->base : NULL);
	}
}

/* switch.16: who could not even be told to take that back. */
static enum exit_code check_noexec(const struct route *r) {
	for (size_t i = 0; i < r->config.n_hierarchies; i++) {
		const struct config_hierarchy *h = &r->config.hierarchies[i];
		_cleanup_free_ char *origin = NULL;

		if (strcmp(h->name, "usr") != 0 || h->settings.noexec != NOEXEC_YES)
			continue;
		origin = settings_origin_text(&h->settings.origins[SETTINGS_NOEXEC]);
		log_error("%s: NoExec=yes would let nobody execute a program of /usr",
			  origin ?: "configuration");
		log_hint("say it of [confext], or of [Hierarchy /opt]");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static struct trust_demand make_demand(const struct settings *s) {
	return (struct trust_demand){
		.word = s->trust,
		.given = s->has_policy ? &s->policy : NULL,
		.dates = { s->enforces_validity, time(NULL) },
		.is_lasting = s->origins[SETTINGS_IMAGE_POLICY].source == SETTINGS_FILE,
	};
}

/* "After=docker, /etc/extmerge.conf:3". NULL where memory ran out. */
static char *describe(const struct settings *s, enum settings_key key, const char *name,
		      const char *of) {
	_cleanup_free_ char *origin = settings_origin_text(&s->origins[key]);

	if (!origin)
		return NULL;
	return text_format("%s=%s%s%s, %s", settings_key_name(key), name,
			   of ? " of " : "", of ?: "", origin);
}

/* order.6 */
static int take_rules(struct order *o, const struct config_extension *x) {
	const struct settings *s = &x->settings;
	int e = 0;

	for (char **name = s->before; e == 0 && name && *name; name++)
		e = order_add_rule(o, x->name, *name,
				   describe(s, SETTINGS_BEFORE, *name, x->name));
	for (char **name = s->after; e == 0 && name && *name; name++)
		e = order_add_rule(o, *name, x->name,
				   describe(s, SETTINGS_AFTER, *name, x->name));
	return e;
}

static int make_order(struct order *o, const struct config *c, const struct settings *s) {
	int e = 0;

	if (s->order)
		e = order_take_list(o, s->order, describe(s, SETTINGS_ORDER, "", NULL));
	for (size_t i = 0; e == 0 && i < c->n_extensions; i++)
		e = take_rules(o, &c->extensions[i]);
	return e;
}

/* order.7 */
static enum exit_code make_orders(struct route *r) {
	enum exit_code code = EXIT_DONE;

	for (size_t c = 0; c < CLASS_COUNT; c++) {
		_cleanup_free_ char *why = NULL;
		int e = make_order(&r->orders[c], &r->config, &r->config.of[c]);

		if (e == 0)
			e = order_check(&r->orders[c], &why);
		if (e < 0 && e != -ELOOP)
			return route_fail(e, "order the extensions");
		if (e == 0 || code != EXIT_DONE)
			continue;
		log_error("The order of extensions goes round in a circle: %s", why);
		log_hint("see Order=, Before= and After= in extmerge.conf(5)");
		code = EXIT_USAGE;
	}
	return code;
}

static enum exit_code complain(const struct config *c, int error) {
	for (char **sentence = c->errors; sentence && *sentence; sentence++)
		log_error("%s", *sentence);
	if (error == -EBADMSG || error == -EACCES)
		log_hint("nothing was changed; see extmerge.conf(5)");
	if (error == -EBADMSG)
		return EXIT_USAGE;
	return c->errors ? route_code(error)
			 : route_fail(error, "read the configuration");
}

/* service.3, command.1: what is written on the host has one writer, the host's own tree. */
static void forbid_writing(struct config *c) {
	for (size_t i = 0; i < c->n_hierarchies; i++)
		c->hierarchies[i].settings.mutable = MUTABLE_NO;
}

enum exit_code configure(struct route *r) {
	enum exit_code code;
	int e = config_read(r->base, &r->config);

	for (char **sentence = r->config.warnings; sentence && *sentence; sentence++)
		log_warning("%s", *sentence);
	if (e < 0)
		return complain(&r->config, e);
	for (size_t c = 0; c < CLASS_COUNT; c++) {
		take_command_line(&r->config.of[c], SETTINGS_OF_CLASS, r->options);
		r->trust.demands[c] = make_demand(&r->config.of[c]);
	}
	for (size_t i = 0; i < r->config.n_hierarchies; i++)
		take_command_line_of(&r->config.hierarchies[i], r->options);
	take_kept(r);
	if (r->options->service || r->options->with)
		forbid_writing(&r->config);
	code = check_given(r);
	if (code == EXIT_DONE)
		code = check_noexec(r);
	return code == EXIT_DONE ? make_orders(r) : code;
}
