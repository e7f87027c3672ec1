/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in force for a run: the configuration, and the command line above it (specs: config.*). */
#pragma once

#include "route.h"

/*
 * Reads the configuration of the host's own tree into r->config, puts what the command line says above it, and makes
 * the demands of r->trust from that. Says what is wrong with it: EXIT_USAGE, and nothing may be done by it.
 */
enum exit_code configure(struct route *r);
