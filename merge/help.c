/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge --help, from the tables of verbs and options. No line is wider than 80 columns. */
#include "help.h"

#include <ctype.h>
#include <string.h>

#include "option.h"
#include "text.h"

#define OPTION_WIDTH 26

static void print_verbs(const struct verb *const *verbs) {
	puts("\nVerbs:");
	for (; *verbs; verbs++) {
		const char *operands = (*verbs)->operands ?: "";

		printf("  %s %-*s  %s\n", (*verbs)->name,
		       21 - (int)strlen((*verbs)->name), operands, (*verbs)->help);
	}
}

/* "pack, commit: " */
static void print_whose(const char *verbs) {
	for (; *verbs; verbs++)
		if (*verbs == ' ')
			fputs(", ", stdout);
		else
			putchar(*verbs);
	fputs(": ", stdout);
}

/* Long ones have a line of their own. Whose it is needs no saying behind that verb. */
static void print_option(const struct option_row *o, const struct verb *one) {
	_cleanup_free_ char *spelled = option_spell(o);
	const bool has_letter = o->code < 256;
	const char *text = spelled ?: o->name;

	printf("  %c%c %-*s", has_letter ? '-' : ' ', has_letter ? o->code : ' ',
	       OPTION_WIDTH, text);
	if (strlen(text) > OPTION_WIDTH)
		printf("\n%*s", OPTION_WIDTH + 5, "");
	putchar(' ');
	if (o->is_strict && !one)
		print_whose(o->verbs);
	putchar(o->is_strict && !one ? o->help[0] : toupper((unsigned char)o->help[0]));
	puts(o->help + 1);
}

static void print_options(const struct verb *one) {
	puts("\nOptions:");
	for (size_t i = 0; i < option_rows_n; i++)
		if (!one || !option_rows[i].verbs ||
		    text_has_word(option_rows[i].verbs, one->name))
			print_option(&option_rows[i], one);
}

static void print_one(const struct verb *one) {
	const bool is_command = strcmp(one->name, "run") == 0;

	printf("extmerge [OPTION...] %s%s%s%s\n\n%s.\n", one->name,
	       is_command ? " [--]" : "", one->operands ? " " : "", one->operands ?: "",
	       one->help);
	print_options(one);
	puts("\nextmerge --help shows all verbs, extmerge(8) says more.");
}

void help_print(const struct verb *const *verbs, const struct verb *one) {
	if (one) {
		print_one(one);
		return;
	}
	puts("extmerge [OPTION...] [VERB] [OPERAND...]\n\n"
	     "Merges system extensions into /usr and /opt and configuration extensions into\n"
	     "/etc, without a moment in which their files are missing.");
	print_verbs(verbs);
	print_options(NULL);
	puts("\nExit status: 0 done or nothing to do; 1 failed, what was merged before is in\n"
	     "place; 2 wrong call or configuration; 3 something was skipped, with --strict;\n"
	     "4 refused by policy; 5 privilege or kernel ability missing; 6 another run holds\n"
	     "the lock, or a file is kept open for writing; 10 plan: changes are pending.\n\n"
	     "extmerge VERB --help shows the options of a verb, extmerge(8) says more.");
}
