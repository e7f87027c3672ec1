/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of proxymount.h have of each other. Numbers are those of r->state.hierarchies. */
#pragma once

#include "../fuse/attach.h"
#include "proxymount.h"

/* What it takes, before anything is changed: *ret is fusermount3. Says what is missing. */
enum exit_code proxymount_find_helper(const struct route *r, const char **ret);

/* Says what is missing, with the words of fusermount3, which may be NULL. EXIT_PRIVILEGE. */
enum exit_code proxymount_lack(const char *program, const char *why);

/* Whether the merged tree is all that is seen of the hierarchy. */
bool proxymount_is_covered(const struct route *r, size_t i);

/* Takes the merged tree off, and notes when. Says what goes wrong. */
enum exit_code proxymount_take_off(struct route *r, size_t i, const char *program);

/*
 * From now until proxymount_kept() the hierarchy may be without a tree: if this process ends in between, another one, which
 * is started for the first of them, shows the old tree again. 0 or a negative errno. The other one ends with
 * proxymount_end_keeper().
 */
int proxymount_keep(struct route *r, size_t i);
void proxymount_kept(const struct route *r, size_t i);
void proxymount_end_keeper(struct route *r);

/* What proxymount_restore() does, but for the keeper. */
void proxymount_put_back(struct route *r);

/*
 * Mounts a union of the layers, top first, on the hierarchy. 0, with the server in *ret_server, which may be NULL; or a
 * negative errno, with nothing mounted, and a line for people in `why`, if there is one.
 */
int proxymount_mount_layers(const struct route *r, size_t i, const char *program,
			    const int *layers, unsigned n, const char *source,
			    uint64_t attributes, pid_t *ret_server,
			    char why[static ATTACH_WHY_MAX]);
