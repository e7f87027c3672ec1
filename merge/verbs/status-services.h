/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of extmerge status concerns services (specs: service.9). */
#pragma once

#include "../json.h"

/* A table of services, hierarchies and layers on stdout; nothing where there are none, or they cannot be seen. */
void status_print_services(const struct options *o);

/* The same as the array "services". */
void status_add_services(struct json_object *o, const struct options *options);
