/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a tree that is written stops being written, so that another one with the same upper layer can take its place: two
 * must never be written at once (specs: mutable.11).
 */
#pragma once

#include "base.h"

/*
 * Stops whoever writes by the mount whose root `fd` is: from then on they get EROFS. It waits for those that are just
 * writing, which nobody notices, as long as no file is kept open for writing: 50 ms, and then, while /proc shows none, 5 s.
 * -EBUSY where that was not enough; *ret_holder is then one who keeps one, "nginx (123)", owned, or NULL.
 */
int handover_stop(int fd, char **ret_holder);

/*
 * The same for all mounts of that file system, in all namespaces, also for what is not mounted any more. It waits for
 * 200 ms; -EBUSY means that files are still open for writing, through which nothing is lost (mutable.12).
 */
int handover_stop_all(int fd);

/*
 * Who cannot write waits for us, and we would wait for our turn: between the two calls this process comes before all that
 * have no such priority. Where that is not allowed, nothing changes.
 */
struct handover_pace {
	int policy;
	bool is_changed;
};
void handover_hurry(struct handover_pace *ret);
void handover_relax(const struct handover_pace *p);
