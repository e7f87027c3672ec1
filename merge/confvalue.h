/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One assignment of a configuration file: whom its section speaks of, whether they have such a key, and where the
 * value goes. What is wrong becomes a sentence of the configuration's. Pure (specs: config.6 to config.8).
 */
#pragma once

#include "config.h"
#include "conftext.h"

/* All is borrowed; `path` has to stay as long as `config`. */
struct confvalue {
	struct config *config;
	const char *path;
	const struct conftext_entry *entry;
};

/* In which round of its file it counts, from 1 up to SETTINGS_RANKS; 0 for a section that is not known. */
unsigned confvalue_rank(const struct confvalue *v);

/* Whether there is such a key: 1 with *ret; 0 where there is none, after a warning or an error; or -ENOMEM. */
int confvalue_find_key(const struct confvalue *v, enum settings_key *ret);

/* Gives the key its value, or adds an error. 0 or -ENOMEM. */
int confvalue_set(const struct confvalue *v, enum settings_key key, const char *text);

/* Appends "PATH:LINE: SENTENCE", without a line for 0. Takes over the sentence; NULL is -ENOMEM. 0 or -ENOMEM. */
int confvalue_complain(char ***to, const char *path, unsigned line, char *sentence);
