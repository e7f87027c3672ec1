/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge refresh, of what services see. */
#pragma once

#include "../options.h"

/* Of the service, process or all services that the options name; each in a process of its own (specs: service.*). */
enum exit_code services_refresh(const struct options *o);
