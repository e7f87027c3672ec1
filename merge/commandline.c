/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of the command line: one table for parsing and for --help. */
#include "commandline.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "boot.h"
#include "log.h"
#include "service.h"
#include "strv.h"
#include "text.h"

#define LETTERS "hqvw:" /* options of one letter */

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
	OPTION_FORMAT,
	OPTION_KEY,
	OPTION_CERT,
	OPTION_ARCH,
	OPTION_REPRODUCIBLE,
	OPTION_OVERWRITE,
	OPTION_VERSION,
};

/* The one table of options: parsing and --help. */
static const struct option_row {
	const char *name, *argument, *help;
	int has_argument, code;
} option_rows[] = {
	{ "class", "sysext|confext", "Only this class; without it both",
	  required_argument, OPTION_CLASS },
	{ "root", "PATH", "The host's root is PATH", required_argument, OPTION_ROOT },
	{ "json", "pretty|short|off", "Print JSON on stdout", optional_argument,
	  OPTION_JSON },
	{ "strict", NULL, "All or nothing: change nothing if any extension does not fit",
	  no_argument, OPTION_STRICT },
	{ "force", "NAME",
	  "Merge it (without NAME: all) even if it does not match this host",
	  optional_argument, OPTION_FORCE },
	{ "trust", "auto|signed|verity|any", "What is asked of every extension",
	  required_argument, OPTION_TRUST },
	{ "image-policy", "TEXT", "The image policy, in place of the class's default",
	  required_argument, OPTION_IMAGE_POLICY },
	{ "certificate-validity", "ignore|enforce",
	  "Whether the dates of signers' certificates count", required_argument,
	  OPTION_CERTIFICATE_VALIDITY },
	{ "backend", "auto|overlay|fuse", "What shows all layers as one tree",
	  required_argument, OPTION_BACKEND },
	{ "grafts", "N", "What FUSE shows: mount up to N directories of single layers (0)",
	  required_argument, OPTION_GRAFTS },
	{ "verity", "auto|dm|fuse", "What keeps hash trees in force", required_argument,
	  OPTION_VERITY },
	{ "on-corruption", "error|restart|panic",
	  "What a wrong block does to reader or machine", required_argument,
	  OPTION_ON_CORRUPTION },
	{ "mutable", "no|auto|yes|import|ephemeral|ephemeral-import",
	  "What may be written (/etc:yes)", required_argument, OPTION_MUTABLE },
	{ "base", "bottom|top", "Where the host's own files lie, also /etc:top",
	  required_argument, OPTION_BASE },
	{ "lock-wait", "SECONDS", "How long to wait for another run (30)",
	  required_argument, OPTION_LOCK_WAIT },
	{ "format", "erofs|squashfs", "pack, commit: the file system (erofs)",
	  required_argument, OPTION_FORMAT },
	{ "key", "FILE", "pack, commit: the private key that signs, PEM",
	  required_argument, OPTION_KEY },
	{ "cert", "FILE", "pack, commit: its certificate, PEM", required_argument,
	  OPTION_CERT },
	{ "arch", "ARCHITECTURE", "pack: whose partition types (this machine's)",
	  required_argument, OPTION_ARCH },
	{ "reproducible", NULL, "pack: give all files one time and one owner",
	  no_argument, OPTION_REPRODUCIBLE },
	{ "overwrite", NULL, "pack: replace the image if it is there", no_argument,
	  OPTION_OVERWRITE },
	{ "with", "IMAGE", "run: merge this image or directory; may be given again",
	  required_argument, 'w' },
	{ "no-hooks", NULL, "Tell nobody of the change: run no program afterwards",
	  no_argument, OPTION_NO_HOOKS },
	{ "boot", "early|late", "At boot: obey the kernel's command line, wait for nobody",
	  required_argument, OPTION_BOOT },
	{ "service", "NAME", "run, refresh: with the extensions of this service",
	  required_argument, OPTION_SERVICE },
	{ "pid", "PID", "refresh: of the service that this process is of",
	  required_argument, OPTION_PID },
	{ "all-services", NULL, "refresh: of all services that have extensions",
	  no_argument, OPTION_ALL_SERVICES },
	{ "init", "systemd|openrc|runit|s6",
	  "service-drop-in: who starts the service (systemd)", required_argument,
	  OPTION_INIT },
	{ "no-legend", NULL, "No headings and closing lines", no_argument,
	  OPTION_NO_LEGEND },
	{ "no-pager", NULL, "Accepted for scripts; no pager is ever started", no_argument,
	  OPTION_NO_PAGER },
	{ "quiet", NULL, "Only errors", no_argument, 'q' },
	{ "verbose", NULL, "Also how it was done", no_argument, 'v' },
	{ "help", NULL, "Show this", no_argument, 'h' },
	{ "version", NULL, "Show the version", no_argument, OPTION_VERSION },
};

void commandline_print_options(void) {
	puts("\nOptions:");
	for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
		const struct option_row *o = &option_rows[i];
		char spelled[80];

		snprintf(spelled, sizeof(spelled), "--%s%s%s%s%s", o->name,
			 o->has_argument == optional_argument ? "[" : "",
			 o->argument ? "=" : "", o->argument ?: "",
			 o->has_argument == optional_argument ? "]" : "");
		printf("  %c%c %-25s %s\n", o->code < 256 ? '-' : ' ',
		       o->code < 256 ? o->code : ' ', spelled, o->help);
	}
}

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

static int parse_setting(enum settings_key key, const char *text, struct options *o) {
	const struct settings_origin origin = { .source = SETTINGS_COMMAND_LINE };
	struct settings tried = { 0 };
	const char *why = NULL;
	int r = settings_set(&tried, key, text, &origin, &why);

	if (r == 0)
		o->given[key] = text;
	else if (why)
		log_error("Cannot use the image policy: %s", why);
	settings_done(&tried);
	return r;
}

/* "/etc:yes" speaks of one hierarchy, "yes" of all. */
static int parse_given(enum settings_key key, const char *text, struct options *o) {
	const struct settings_origin origin = { .source = SETTINGS_COMMAND_LINE };
	const char *colon = *text == '/' ? strchr(text, ':') : NULL, *why;
	struct settings tried = { 0 };

	if (*text != '/')
		return parse_setting(key, text, o);
	if (!colon || o->n_given_of == OPTIONS_GIVEN_MAX ||
	    settings_set(&tried, key, colon + 1, &origin, &why) < 0)
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
static int parse_option(int code, const char *argument, struct options *o) {
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
		return parse_setting(SETTINGS_TRUST, argument, o);
	case OPTION_IMAGE_POLICY:
		return parse_setting(SETTINGS_IMAGE_POLICY, argument, o);
	case OPTION_CERTIFICATE_VALIDITY:
		return parse_setting(SETTINGS_CERTIFICATE_VALIDITY, argument, o);
	case OPTION_BACKEND:
		return parse_setting(SETTINGS_BACKEND, argument, o);
	case OPTION_GRAFTS:
		return parse_setting(SETTINGS_GRAFTS, argument, o);
	case OPTION_VERITY:
		return guard_choice_from(argument, &o->verity);
	case OPTION_ON_CORRUPTION:
		return guard_corruption_from(argument, &o->on_corruption);
	case OPTION_MUTABLE:
		return parse_given(SETTINGS_MUTABLE, argument, o);
	case OPTION_BASE:
		return parse_given(SETTINGS_BASE, argument, o);
	case OPTION_LOCK_WAIT:
		return parse_seconds(argument, &o->lock_wait);
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
		return parse_setting(SETTINGS_HOOKS, "no", o);
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

/* getopt has just refused an option: a letter that is none of ours is in optopt, a word is behind it. */
static enum exit_code refuse_option(char **argv) {
	const bool is_letter = optopt > 0 && optopt < 256 && !strchr(LETTERS, optopt);
	const char *words[ARRAY_SIZE(option_rows) + 1] = { NULL };
	_cleanup_free_ char *name = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(option_rows); i++)
		words[i] = option_rows[i].name;
	name = is_letter ? text_format("%c", optopt)
			 : strdup(argv[optind - 1] + strspn(argv[optind - 1], "-"));
	if (!name)
		return EXIT_FAILED;
	name[strcspn(name, "=")] = '\0';
	return commandline_refuse("Unknown option, or one that lacks its argument:", name,
				  words);
}

static enum exit_code refuse_argument(int code, const char *argument) {
	switch (code) {
	case OPTION_CLASS:
		return commandline_refuse("There is no class", argument, NULL);
	case OPTION_JSON:
		return commandline_refuse("--json is pretty, short or off, not", argument,
					  NULL);
	case OPTION_TRUST:
		return commandline_refuse("--trust is auto, signed, verity or any, not",
					  argument, NULL);
	case OPTION_CERTIFICATE_VALIDITY:
		return commandline_refuse(
			"--certificate-validity is ignore or enforce, not", argument,
			NULL);
	case OPTION_BACKEND:
		return commandline_refuse("--backend is auto, overlay or fuse, not",
					  argument, NULL);
	case OPTION_GRAFTS:
		return commandline_refuse("--grafts is a number from 0 to 16, not",
					  argument, NULL);
	case OPTION_VERITY:
		return commandline_refuse("--verity is auto, dm or fuse, not", argument,
					  NULL);
	case OPTION_ON_CORRUPTION:
		return commandline_refuse("--on-corruption is error, restart or panic, not",
					  argument, NULL);
	case OPTION_MUTABLE:
		return commandline_refuse(
			"--mutable is no, auto, yes, import, ephemeral or "
			"ephemeral-import, perhaps with /HIERARCHY: in front, not",
			argument, NULL);
	case OPTION_BASE:
		return commandline_refuse(
			"--base is bottom or top, perhaps with /HIERARCHY: in front, not",
			argument, NULL);
	case OPTION_SERVICE:
		return commandline_refuse(
			"A service's name has letters, digits and :_.@- only, not",
			argument, NULL);
	case OPTION_PID:
		return commandline_refuse("--pid takes the number of a process, not",
					  argument, NULL);
	case OPTION_IMAGE_POLICY:
		return commandline_refuse("--image-policy is PARTITION=FLAG+FLAG:..., not",
					  argument, NULL);
	case OPTION_INIT:
		return commandline_refuse("--init is systemd, openrc, runit or s6, not",
					  argument, NULL);
	case OPTION_BOOT:
		return commandline_refuse("--boot is early or late, not", argument, NULL);
	default:
		return commandline_refuse("--lock-wait takes seconds, not", argument,
					  NULL);
	}
}

enum exit_code commandline_parse(int argc, char **argv, struct options *o,
				 enum commandline_wish *ret_wish) {
	struct option options[ARRAY_SIZE(option_rows) + 1] = { { 0 } };
	int code, index;

	for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
		options[i] = (struct option){ option_rows[i].name,
					      option_rows[i].has_argument, NULL,
					      option_rows[i].code };
	opterr = 0;
	for (;;) {
		code = getopt_long(argc, argv, LETTERS, options, &index);
		if (code < 0)
			return EXIT_DONE;
		if (code == '?')
			return refuse_option(argv);
		if (code == 'h' || code == OPTION_VERSION) {
			*ret_wish = code == 'h' ? COMMANDLINE_HELP : COMMANDLINE_VERSION;
			return EXIT_DONE;
		}
		if (parse_option(code, optarg, o) < 0)
			return refuse_argument(code, optarg ?: "");
	}
}
