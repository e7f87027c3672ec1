/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of options: for parsing, --help and completion. */
#include "option.h"

#include <getopt.h>
#include <string.h>

#include "text.h"

#define CHANGES "merge refresh adopt unmerge discard commit"
#define MAKES "plan merge refresh adopt discard commit"
#define REPORTS "status diff inspect verify pack config unmerge "
#define JUDGES "list plan merge refresh adopt discard commit why run"

const struct option_row option_rows[] = {
	{ .name = "class",
	  .argument = "sysext|confext",
	  .has_argument = required_argument,
	  .code = OPTION_CLASS,
	  .help = "Only this class; without it both" },
	{ .name = "root",
	  .argument = "PATH",
	  .has_argument = required_argument,
	  .code = OPTION_ROOT,
	  .help = "The host's root is PATH" },
	{ .name = "json",
	  .argument = "pretty|short|off",
	  .has_argument = optional_argument,
	  .code = OPTION_JSON,
	  .verbs = REPORTS "list plan merge refresh adopt discard commit why",
	  .help = "Print JSON on stdout" },
	{ .name = "strict",
	  .has_argument = no_argument,
	  .code = OPTION_STRICT,
	  .verbs = "list plan merge refresh adopt discard commit",
	  .help = "All or nothing: if one does not fit, no change" },
	{ .name = "force",
	  .argument = "NAME",
	  .has_argument = optional_argument,
	  .code = OPTION_FORCE,
	  .verbs = JUDGES,
	  .help = "Merge it (all) even if it is for another host" },
	{ .name = "trust",
	  .argument = "auto|signed|verity|any",
	  .has_argument = required_argument,
	  .code = OPTION_TRUST,
	  .verbs = JUDGES " inspect config",
	  .help = "What is asked of every extension" },
	{ .name = "image-policy",
	  .argument = "TEXT",
	  .has_argument = required_argument,
	  .code = OPTION_IMAGE_POLICY,
	  .verbs = JUDGES " inspect config",
	  .takes = "takes PARTITION=FLAG+FLAG:...",
	  .help = "The image policy, in place of the default" },
	{ .name = "certificate-validity",
	  .argument = "ignore|enforce",
	  .has_argument = required_argument,
	  .code = OPTION_CERTIFICATE_VALIDITY,
	  .verbs = JUDGES " inspect verify config",
	  .help = "Whether the dates of signers' certificates count" },
	{ .name = "backend",
	  .argument = "auto|overlay|fuse",
	  .has_argument = required_argument,
	  .code = OPTION_BACKEND,
	  .verbs = MAKES " config",
	  .help = "What shows all layers as one tree" },
	{ .name = "grafts",
	  .argument = "N",
	  .has_argument = required_argument,
	  .code = OPTION_GRAFTS,
	  .verbs = MAKES " config",
	  .takes = "is a number from 0 to 16",
	  .help = "FUSE: mount up to N directories directly (0)" },
	{ .name = "verity",
	  .argument = "auto|dm|fuse",
	  .has_argument = required_argument,
	  .code = OPTION_VERITY,
	  .verbs = JUDGES,
	  .help = "What keeps hash trees in force" },
	{ .name = "on-corruption",
	  .argument = "error|restart|panic",
	  .has_argument = required_argument,
	  .code = OPTION_ON_CORRUPTION,
	  .verbs = JUDGES,
	  .help = "What a wrong block does to reader or machine" },
	{ .name = "mutable",
	  .argument = "no|auto|yes|import|ephemeral|ephemeral-import",
	  .has_argument = required_argument,
	  .code = OPTION_MUTABLE,
	  .verbs = MAKES " why config",
	  .help = "What may be written; also /etc:yes" },
	{ .name = "base",
	  .argument = "bottom|top",
	  .has_argument = required_argument,
	  .code = OPTION_BASE,
	  .verbs = MAKES " why config",
	  .help = "Where the host's own files lie; also /etc:top" },
	{ .name = "lock-wait",
	  .argument = "SECONDS",
	  .has_argument = required_argument,
	  .code = OPTION_LOCK_WAIT,
	  .verbs = CHANGES,
	  .takes = "takes seconds, up to a day",
	  .help = "How long to wait for another run (30)" },
	{ .name = "wait",
	  .argument = "SECONDS",
	  .has_argument = required_argument,
	  .code = OPTION_WAIT,
	  .verbs = "merge refresh discard commit",
	  .takes = "takes seconds, up to a day",
	  .help = "How long to wait for files that are written (5)" },
	{ .name = "writers",
	  .argument = "wait|cut-off",
	  .has_argument = required_argument,
	  .code = OPTION_WRITERS,
	  .verbs = "merge refresh discard",
	  .help = "Then give up, or go on" },
	{ .name = "format",
	  .argument = "erofs|squashfs",
	  .has_argument = required_argument,
	  .code = OPTION_FORMAT,
	  .verbs = "pack commit",
	  .is_strict = true,
	  .help = "the file system (erofs)" },
	{ .name = "key",
	  .argument = "FILE",
	  .has_argument = required_argument,
	  .code = OPTION_KEY,
	  .verbs = "pack commit",
	  .is_strict = true,
	  .help = "the private key that signs, PEM" },
	{ .name = "cert",
	  .argument = "FILE",
	  .has_argument = required_argument,
	  .code = OPTION_CERT,
	  .verbs = "pack commit",
	  .is_strict = true,
	  .help = "its certificate, PEM" },
	{ .name = "arch",
	  .argument = "ARCHITECTURE",
	  .has_argument = required_argument,
	  .code = OPTION_ARCH,
	  .verbs = "pack",
	  .is_strict = true,
	  .help = "whose partition types (this machine's)" },
	{ .name = "reproducible",
	  .has_argument = no_argument,
	  .code = OPTION_REPRODUCIBLE,
	  .verbs = "pack",
	  .is_strict = true,
	  .help = "give all files one time and one owner" },
	{ .name = "overwrite",
	  .has_argument = no_argument,
	  .code = OPTION_OVERWRITE,
	  .verbs = "pack",
	  .is_strict = true,
	  .help = "replace the image if it is there" },
	{ .name = "with",
	  .argument = "IMAGE",
	  .has_argument = required_argument,
	  .code = 'w',
	  .verbs = "run",
	  .is_strict = true,
	  .help = "this image or directory; may be repeated" },
	{ .name = "no-hooks",
	  .has_argument = no_argument,
	  .code = OPTION_NO_HOOKS,
	  .verbs = CHANGES,
	  .help = "Tell nobody of the change: run no program" },
	{ .name = "boot",
	  .argument = "early|late",
	  .has_argument = required_argument,
	  .code = OPTION_BOOT,
	  .verbs = "merge refresh unmerge",
	  .help = "Obey the kernel's command line, wait for nobody" },
	{ .name = "service",
	  .argument = "NAME",
	  .has_argument = required_argument,
	  .code = OPTION_SERVICE,
	  .verbs = "run refresh list",
	  .is_strict = true,
	  .takes = "takes a name of letters, digits and :_.@-",
	  .help = "with its extensions" },
	{ .name = "pid",
	  .argument = "PID",
	  .has_argument = required_argument,
	  .code = OPTION_PID,
	  .verbs = "refresh",
	  .is_strict = true,
	  .takes = "takes the number of a process",
	  .help = "of the service of this process" },
	{ .name = "all-services",
	  .has_argument = no_argument,
	  .code = OPTION_ALL_SERVICES,
	  .verbs = "refresh",
	  .is_strict = true,
	  .help = "of all services" },
	{ .name = "init",
	  .argument = "systemd|openrc|runit|s6",
	  .has_argument = required_argument,
	  .code = OPTION_INIT,
	  .verbs = "service-drop-in",
	  .is_strict = true,
	  .help = "for which init (systemd)" },
	{ .name = "no-legend",
	  .has_argument = no_argument,
	  .code = OPTION_NO_LEGEND,
	  .help = "No headings and closing lines" },
	{ .name = "no-pager",
	  .has_argument = no_argument,
	  .code = OPTION_NO_PAGER,
	  .help = "Accepted for scripts; no pager is ever started" },
	{ .name = "quiet",
	  .has_argument = no_argument,
	  .code = 'q',
	  .help = "Only errors" },
	{ .name = "verbose",
	  .has_argument = no_argument,
	  .code = 'v',
	  .help = "Also how it was done" },
	{ .name = "help",
	  .has_argument = no_argument,
	  .code = 'h',
	  .help = "Show this, or behind a verb what is for that" },
	{ .name = "version",
	  .has_argument = no_argument,
	  .code = OPTION_VERSION,
	  .help = "Show the version" },
};
const size_t option_rows_n = ARRAY_SIZE(option_rows);
_Static_assert(ARRAY_SIZE(option_rows) <= 64, "one bit for each");

char *option_spell(const struct option_row *o) {
	const bool is_optional = o->has_argument == optional_argument;

	return text_format("--%s%s%s%s%s", o->name, is_optional ? "[" : "",
			   o->argument ? "=" : "", o->argument ?: "",
			   is_optional ? "]" : "");
}

/* "auto|overlay|fuse" as "auto, overlay or fuse". */
static char *list_words(const char *words) {
	const char *last = strrchr(words, '|');
	_cleanup_free_ char *before = strndup(words, (size_t)(last - words));
	char *list = strdup("");

	for (char *rest = before, *word; list && (word = strsep(&rest, "|"));) {
		char *longer = text_format("%s%s%s", list, *list ? ", " : "", word);

		free(list);
		list = longer;
	}
	if (list) {
		char *longer = text_format("%s or %s", list, last + 1);

		free(list);
		list = longer;
	}
	return list;
}

char *option_explain(const struct option_row *o) {
	const bool has_words = o->argument && strchr(o->argument, '|');
	_cleanup_free_ char *words = has_words ? list_words(o->argument) : NULL;
	const bool is_of_hierarchy = o->code == OPTION_MUTABLE || o->code == OPTION_BASE;

	if (o->takes)
		return text_format("--%s %s", o->name, o->takes);
	return text_format("--%s is %s%s", o->name, words ?: o->argument ?: "not known",
			   is_of_hierarchy ? ", perhaps with /HIERARCHY: in front" : "");
}

const struct option_row *option_find(int code) {
	for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
		if (option_rows[i].code == code)
			return &option_rows[i];
	return NULL;
}
