/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of what should be merged: from the examined layers to the words that describe them. */
#pragma once

#include "route.h"

/* Makes the record of hierarchy `i`, which has layers. 0 or -ENOMEM; the caller owns *ret. */
int draft_record(const struct route *r, size_t i, struct record **ret);

/* Notes which directory is written to or imported, if it is there. 0 or a negative errno. */
int draft_note_upper(const struct route *r, size_t i, struct record *record);
