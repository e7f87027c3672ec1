/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is merged now, as the kernel's mount table and the merged trees themselves say it; and the lock. */
#pragma once

#include "hierarchyname.h"
#include "mount.h"
#include "record.h"

enum state_kind {
	STATE_PLAIN,   /* the host's own directory, or none */
	STATE_MERGED,  /* our tree is on top */
	STATE_COVERED, /* somebody mounted something on top of our tree */
	STATE_PEER,    /* merged by systemd-sysext or systemd-confext */
};

struct state_hierarchy {
	const struct class *class;
	const char *name; /* "usr" */
	char *own_name;	  /* the same, of what is no class's; or NULL */
	bool is_left;	  /* it is merged, and nobody has asked for it */
	enum state_kind kind;
	int fd; /* O_PATH: what is visible there, or -EBADF where there is nothing */
	unsigned stacked; /* how many of our trees lie on each other; more than 1 after a kill (service.8) */
	unsigned depth; /* how many mounts have to go until none of ours or a peer's is left */
	unsigned peers; /* how many trees of systemd-sysext lie there */
	bool is_dead; /* our tree's server has ended: what was in it cannot be read any more */
	char *other;	       /* the foreign mount: "tmpfs 'x'" */
	struct record *record; /* NULL unless merged; empty where it cannot be read */
};

/* Every hierarchy of every class, in the order of `classes`; then others that are merged, and those of state_add(). */
#define STATE_HIERARCHIES_MAX HIERARCHIES_MAX
struct state {
	const char *service; /* in whose namespace, or NULL: the host's; borrowed */
	struct state_hierarchy hierarchies[STATE_HIERARCHIES_MAX];
	size_t n;
};

/*
 * Looks at the hierarchies below `root` in the namespace of this process, which is that of `service`, or the host's if
 * it is NULL. *ret_table, which may be NULL, is the mount table that was read for it; the caller owns it. 0 or a
 * negative errno.
 */
int state_read(int root, const char *service, struct state *ret,
	       struct mounts **ret_table);
void state_done(struct state *s);

/* The hierarchy of that name, or NULL. */
struct state_hierarchy *state_find(struct state *s, const char *name);

/*
 * Adds a hierarchy that is asked for, if it is not there yet, as it was when the table of the same namespace as
 * `root` was read. 0; -EEXIST where another class is merged there; -ESTALE where it was mounted since; -E2BIG
 * where there are too many; or another negative errno.
 */
int state_add(struct state *s, const struct mounts *m, int root,
	      const struct class *class, const char *name);

/*
 * Takes all our trees off the hierarchies below `root`, whose state `s` is, and those of systemd-sysext and
 * systemd-confext, with what covers them: for the workshop's copy of the mount table, where the host's own
 * directories are seen then.
 */
int state_peel(const struct state *s, int root, int directory);
int state_peel_one(const struct state_hierarchy *h, int root, int directory);

/*
 * The mode of a hierarchy's directory that we make where the host has none: on a directory that only root may
 * write, the sticky bit means nothing else. So it is known without a record that it is ours to
 * remove. While it is merged nobody sees it.
 */
#define STATE_MADE_MODE 01755
bool state_is_made(int fd);

/*
 * Ends what a killed run began (specs: switch.6): where our trees lie on each other, all but the lowest,
 * which is the newest and complete, are detached; a directory that we made and that is not merged
 * is removed. `s` is the state before. The number of hierarchies healed, or an errno.
 */
int state_heal(const struct state *s, int root, int directory);

/*
 * Takes the lock of the root: run/extmerge.lock, or the root directory itself where /run is missing, full
 * or read-only. Waits up to `milliseconds`: -ETIMEDOUT. Returns the fd that holds it.
 */
int state_lock(int root, unsigned milliseconds);
