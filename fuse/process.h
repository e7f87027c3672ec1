/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every server process does before it is at work. */
#pragma once

#include "confine.h"

/* vfile.10: tells who waits at `fd` an errno and a sentence. Returns the exit status. */
int process_fail(int fd, int error, const char *what, const char *why);

/* vfile.12: a connection ends with its last user and not by a signal. */
void process_ignore_signals(void);

/*
 * vfile.11 to vfile.13, vfile.18: control group, memory, mounts, all capabilities but those of the bits `keep`. 0, or a negative errno and in
 * *ret_what what was tried.
 */
int process_confine(uint64_t keep, const char **ret_what);

/* vfile.14, vfile.10: the filter for the work, then the one byte. 0 or a negative errno. */
int process_ready(enum confine_work work);
