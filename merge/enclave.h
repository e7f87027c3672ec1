/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mount namespace for one command and its children: what is merged there, nobody else sees (specs: command.*). */
#pragma once

#include "base.h"

/*
 * Moves this process, which must have one thread, into a mount namespace of its own from which nothing
 * propagates; into it goes what is mounted on the host from now on, if `is_fed`. Without the privilege for that, a user namespace comes first, in which user and group are
 * what they were, and which has no others. A negative errno; -EPERM, -EACCES, -ENOSPC and -EUSERS say that this
 * host does not let ordinary users do it.
 */
int enclave_enter(bool is_fed);
