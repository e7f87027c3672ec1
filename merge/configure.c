/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in force for a run: the configuration, and the command line above it. */
#include "configure.h"

#include <time.h>

#include "log.h"

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

static struct trust_demand make_demand(const struct settings *s) {
	return (struct trust_demand){
		.word = s->trust,
		.given = s->has_policy ? &s->policy : NULL,
		.dates = { s->enforces_validity, time(NULL) },
		.is_lasting = s->origins[SETTINGS_IMAGE_POLICY].source == SETTINGS_FILE,
	};
}

static enum exit_code complain(const struct config *c, int error) {
	for (char **sentence = c->errors; sentence && *sentence; sentence++)
		log_error("%s", *sentence);
	if (error == -EBADMSG || error == -EACCES)
		log_hint("%s",
			 "extmerge config shows what is in force; see extmerge.conf(5)");
	if (error == -EBADMSG)
		return EXIT_USAGE;
	return c->errors ? route_code(error)
			 : route_fail(error, "read the configuration");
}

enum exit_code configure(struct route *r) {
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
		take_command_line(&r->config.hierarchies[i].settings,
				  SETTINGS_OF_HIERARCHY, r->options);
	return EXIT_DONE;
}
