/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line is parsed by the table of option.c. */
#include "commandline.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "boot.h"
#include "log.h"
#include "option.h"
#include "service.h"
#include "strv.h"
#include "text.h"

#define LETTERS \
	":hqvw:" /* of one letter; a colon in front tells a lack of an argument from the rest */

enum exit_code commandline_refuse(const char *what, const char *given,
				  const char *const *words) {
	const char *nearest = words ? text_nearest(given, words) : NULL;

	log_error("%s '%s'", what, given);
	if (nearest)
		log_hint("did you mean '%s'?", nearest);
	else
		log_hint("extmerge --help shows what there is");
	return EXIT_USAGE;
}

static int parse_json(const char *text, enum options_json *ret) {
	static const char *const words[] = {
		[JSON_OFF] = "off", [JSON_SHORT] = "short", [JSON_PRETTY] = "pretty"
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text ?: "pretty", words[i]) == 0) {
			*ret = (enum options_json)i;
			return 0;
		}
	return -EINVAL;
}

static int parse_class(const char *text, struct options *o) {
	const struct class *class = class_find(text);

	if (!class)
		return -EINVAL;
	memset(o->classes, 0, sizeof(o->classes));
	o->classes[class->id] = true;
	return 0;
}

static int parse_seconds(const char *text, unsigned *ret) {
	char *end;
	unsigned long seconds;

	errno = 0;
	seconds = strtoul(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end || seconds > 86400)
		return -EINVAL;
	*ret = (unsigned)seconds * 1000;
	return 0;
}

static int parse_writers(const char *text, bool *ret_cuts_off) {
	*ret_cuts_off = strcmp(text, "cut-off") == 0;
	return *ret_cuts_off || strcmp(text, "wait") == 0 ? 0 : -EINVAL;
}

static int parse_pid(const char *text, pid_t *ret) {
	char *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end || pid < 1 || pid > INT_MAX)
		return -EINVAL;
	*ret = (pid_t)pid;
	return 0;
}

static int parse_force(const char *name, struct options *o) {
	if (!name)
		o->force_all = true;
	return name ? strv_append(&o->force, name) : 0;
}

static int parse_setting(enum settings_key key, const char *text, struct options *o,
			 const char **ret_why) {
	const struct settings_origin origin = { .source = SETTINGS_COMMAND_LINE };
	struct settings tried = { 0 };
	int r = settings_set(&tried, key, text, &origin, ret_why);

	if (r == 0)
		o->given[key] = text;
	settings_done(&tried);
	return r;
}

/* "/etc:yes" speaks of one hierarchy, "yes" of all. */
static int parse_given(enum settings_key key, const char *text, struct options *o,
		       const char **ret_why) {
	const struct settings_origin origin = { .source = SETTINGS_COMMAND_LINE };
	const char *colon = *text == '/' ? strchr(text, ':') : NULL;
	struct settings tried = { 0 };

	if (*text != '/')
		return parse_setting(key, text, o, ret_why);
	if (!colon || o->n_given_of == OPTIONS_GIVEN_MAX ||
	    settings_set(&tried, key, colon + 1, &origin, ret_why) < 0)
		return -EINVAL;
	o->given_of[o->n_given_of++] = (struct options_given){
		.key = key,
		.hierarchy = text + 1,
		.hierarchy_len = (size_t)(colon - text - 1),
		.text = colon + 1,
	};
	return 0;
}

/* 0, or a negative errno where the argument is none of the allowed ones. */
static int parse_option(int code, const char *argument, struct options *o,
			const char **ret_why) {
	switch (code) {
	case OPTION_CLASS:
		return parse_class(argument, o);
	case OPTION_ROOT:
		o->root = argument;
		return 0;
	case OPTION_JSON:
		return parse_json(argument, &o->json);
	case OPTION_STRICT:
		o->strict = true;
		return 0;
	case OPTION_FORCE:
		return parse_force(argument, o);
	case OPTION_TRUST:
		return parse_setting(SETTINGS_TRUST, argument, o, ret_why);
	case OPTION_IMAGE_POLICY:
		return parse_setting(SETTINGS_IMAGE_POLICY, argument, o, ret_why);
	case OPTION_CERTIFICATE_VALIDITY:
		return parse_setting(SETTINGS_CERTIFICATE_VALIDITY, argument, o, ret_why);
	case OPTION_BACKEND:
		return parse_setting(SETTINGS_BACKEND, argument, o, ret_why);
	case OPTION_GRAFTS:
		return parse_setting(SETTINGS_GRAFTS, argument, o, ret_why);
	case OPTION_VERITY:
		return guard_choice_from(argument, &o->verity);
	case OPTION_ON_CORRUPTION:
		return guard_corruption_from(argument, &o->on_corruption);
	case OPTION_MUTABLE:
		return parse_given(SETTINGS_MUTABLE, argument, o, ret_why);
	case OPTION_BASE:
		return parse_given(SETTINGS_BASE, argument, o, ret_why);
	case OPTION_LOCK_WAIT:
		return parse_seconds(argument, &o->lock_wait);
	case OPTION_WAIT:
		return parse_seconds(argument, &o->writers_wait);
	case OPTION_WRITERS:
		return parse_writers(argument, &o->cuts_writers_off);
	case OPTION_FORMAT:
		o->format = argument;
		return 0;
	case OPTION_KEY:
		o->key = argument;
		return 0;
	case OPTION_CERT:
		o->certificate = argument;
		return 0;
	case OPTION_ARCH:
		o->architecture = argument;
		return 0;
	case OPTION_REPRODUCIBLE:
		o->reproducible = true;
		return 0;
	case OPTION_OVERWRITE:
		o->overwrite = true;
		return 0;
	case OPTION_NO_HOOKS:
		return parse_setting(SETTINGS_HOOKS, "no", o, ret_why);
	case OPTION_BOOT:
		return boot_stage_from(argument, &o->boot);
	case OPTION_NO_LEGEND:
		o->legend = false;
		return 0;
	case OPTION_SERVICE:
		o->service = argument;
		return service_name_is_valid(argument) ? 0 : -EINVAL;
	case OPTION_PID:
		return parse_pid(argument, &o->pid);
	case OPTION_ALL_SERVICES:
		o->all_services = true;
		return 0;
	case OPTION_INIT:
		return init_from(argument, &o->init);
	case 'w':
		return strv_append(&o->with, argument);
	case 'q':
		log_set_level(LOG_QUIET);
		return 0;
	case 'v':
		o->verbose = true;
		log_set_level(LOG_VERBOSE);
		return 0;
	}
	return 0;
}

/* "--strct", as it was typed, without an argument. */
static enum exit_code refuse_unknown(char **argv) {
	const bool is_letter = optopt > 0;
	const char *words[65] = { NULL }, *nearest;
	_cleanup_free_ char *name = is_letter ? text_format("-%c", optopt)
					      : strdup(argv[optind - 1]);

	for (size_t i = 0; i < option_rows_n; i++)
		words[i] = option_rows[i].name;
	if (!name)
		return EXIT_FAILED;
	name[strcspn(name, "=")] = '\0';
	nearest = is_letter ? NULL : text_nearest(name + strspn(name, "-"), words);
	log_error("Unknown option '%s'", name);
	if (nearest)
		log_hint("did you mean '--%s'?", nearest);
	else
		log_hint("extmerge --help shows what there is");
	return EXIT_USAGE;
}

/* getopt has just refused an option. What it knows is in optopt: it has an argument too few, or one too many. */
static enum exit_code refuse_option(int code, char **argv) {
	const struct option_row *row = optopt > 0 ? option_find(optopt) : NULL;
	_cleanup_free_ char *spelled = row ? option_spell(row) : NULL;

	if (!row)
		return refuse_unknown(argv);
	if (code == ':') {
		log_error("'--%s' lacks its argument", row->name);
		log_hint("%s", spelled ?: "");
	} else {
		log_error("'--%s' takes no argument", row->name);
	}
	return EXIT_USAGE;
}

/* The word that was meant, as far as there are words. */
static void hint_word(const struct option_row *row, const char *argument) {
	_cleanup_free_ char *copy = row->argument ? strdup(row->argument) : NULL;
	const char *colon = *argument == '/' ? strchr(argument, ':') : NULL;
	const char *words[16] = { NULL }, *nearest;
	size_t n = 0;

	if (!copy || !strchr(copy, '|'))
		return;
	for (char *rest = copy; rest && n < ARRAY_SIZE(words) - 1;)
		words[n++] = strsep(&rest, "|");
	nearest = text_nearest(colon ? colon + 1 : argument, words);
	if (nearest)
		log_hint("did you mean '%s'?", nearest);
}

static enum exit_code refuse_argument(int code, const char *argument, const char *why) {
	const struct option_row *row = option_find(code);
	_cleanup_free_ char *what = row ? option_explain(row) : NULL;

	if (!what)
		return EXIT_FAILED;
	log_error("%s, not '%s'%s%s", what, argument, why ? ": " : "", why ?: "");
	hint_word(row, argument);
	return EXIT_USAGE;
}

enum exit_code commandline_check(const struct commandline *c, const char *verb) {
	for (size_t i = 0; i < option_rows_n; i++) {
		const struct option_row *row = &option_rows[i];

		if (!(c->given >> i & 1) || !row->is_strict ||
		    text_has_word(row->verbs, verb))
			continue;
		log_error("'%s' takes no option --%s", verb, row->name);
		log_hint("extmerge %s --help shows those that it takes", verb);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

enum exit_code commandline_parse(int argc, char **argv, struct options *o,
				 struct commandline *ret) {
	struct option options[65] = { { 0 } };
	int code;

	for (size_t i = 0; i < option_rows_n; i++)
		options[i] = (struct option){ option_rows[i].name,
					      option_rows[i].has_argument, NULL,
					      option_rows[i].code };
	opterr = 0;
	for (;;) {
		const char *why = NULL;

		code = getopt_long(argc, argv, LETTERS, options, NULL);
		if (code < 0)
			return EXIT_DONE;
		if (code == '?' || code == ':')
			return refuse_option(code, argv);
		if (code == OPTION_VERSION || code == 'h')
			ret->wish = code == 'h' ? COMMANDLINE_HELP : COMMANDLINE_VERSION;
		ret->given |= UINT64_C(1) << (option_find(code) - option_rows);
		if (parse_option(code, optarg, o, &why) < 0)
			return refuse_argument(code, optarg ?: "", why);
	}
}
