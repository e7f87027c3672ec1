/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What has to run after a change, noted in /run before the change and until it has run: who is killed in between leaves
 * it to the next run (specs: hook.10). Where nothing can be written there, nothing is noted.
 */
#pragma once

#include "hookplan.h"

/*
 * The note's text, owned by the caller, 0 or -ENOMEM; and back: adds what it says to *c, whose `stop` is not noted. Lines
 * that say nothing, or names that nobody would be told, are passed over. Pure.
 */
int due_format(const struct hook_calls *c, char **ret);
int due_parse(const char *text, struct hook_calls *c);

/* Notes it for this process, in place of what it has noted before. */
void due_note(const struct hook_calls *c);

/* Adds what processes have noted that live no more: 1 if there is something, 0, or -ENOMEM. */
int due_find(struct hook_calls *c);

/* Takes the notes away that due_find() finds; and this process' own. */
void due_forget_found(void);
void due_forget(void);
