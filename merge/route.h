/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The route of DESIGN: discover -> examine -> match -> order -> plan -> apply -> record, as the steps that the
 * verbs are made of. A struct route is filled from left to right, never backwards.
 *
 * The functions below say themselves what went wrong (log.h), and return an exit code.
 */
#pragma once

#include <time.h>

#include "config.h"
#include "digest.h"
#include "discover.h"
#include "examine.h"
#include "hooks.h"
#include "host.h"
#include "options.h"
#include "plan.h"
#include "stack.h"
#include "state.h"
#include "upper.h"
#include "watch.h"
#include "workshop.h"

/* One hierarchy's mounts that have to be seen in the new tree as well. */
struct route_submounts {
	struct stack_submount *items;
	size_t n;
};

struct route {
	const struct options *options;

	/* route_open(): what is merged now */
	int root, directory; /* O_PATH, in the caller's namespace */
	int lock;
	int destination; /* a service's mount namespace that is switched in, or -EBADF */
	struct state state;
	struct mounts *table; /* from which the state was read */

	/* route_enter(), route_discover(): the host without our trees, and what there is to merge */
	bool is_privileged;
	bool adopts;	/* adopt.h: trees of systemd-sysext are replaced */
	bool is_on_top; /* route_open_on_top() */
	struct workshop workshop;
	int base; /* the root seen in the workshop, or as it is without privilege */
	struct host host;
	struct config config;
	struct trust trust;		  /* its demands are the configuration's */
	struct order orders[CLASS_COUNT]; /* so are they */
	struct guard guard;
	struct extensions extensions;
	struct discovery found; /* its list is the extensions */
	char **losers;		/* see there */
	char **absent;		/* names of the order that nobody has: sentences (strv) */
	char inputs[CLASS_COUNT][DIGEST_TEXT_MAX];
	bool is_settled[CLASS_COUNT]; /* inputs.h: nothing to do for the class */
	struct route_submounts submounts[STATE_HIERARCHIES_MAX];
	int memories[STATE_HIERARCHIES_MAX]; /* upper.h: of the merged trees, or -EBADF */
	struct upper uppers[STATE_HIERARCHIES_MAX];
	bool renews[STATE_HIERARCHIES_MAX]; /* written.5: asked for before route_discover() */
	struct written_left *
		keeps[STATE_HIERARCHIES_MAX]; /* what a new layer takes over, or NULL; borrowed */

	/* route_examine(), route_plan() */
	struct hierarchy
		hierarchies[STATE_HIERARCHIES_MAX]; /* parallel to state.hierarchies */
	size_t n_hierarchies;
	struct record *wanted[STATE_HIERARCHIES_MAX];
	struct plan plan;

	/* proxymount.h: what was taken off, and when */
	bool is_cleared[STATE_HIERARCHIES_MAX];
	struct timespec cleared[STATE_HIERARCHIES_MAX];
	pid_t keeper; /* who puts them back if this process is killed; 0 for nobody */
	int to_keeper;

	/* transition.h */
	struct watch *
		watch; /* of what the caller has begun, ended with the switch; borrowed, or NULL */
	struct stack stacks[STATE_HIERARCHIES_MAX];
	bool is_left[STATE_HIERARCHIES_MAX]; /* as in struct apply_step */
	int64_t gap; /* microseconds, the longest of all hierarchies */
	struct hooks hooks;
};

#define ROUTE_NONE                                                                   \
	{                                                                            \
		.root = -EBADF, .directory = -EBADF, .lock = -EBADF, .base = -EBADF, \
		.destination = -EBADF, .workshop = WORKSHOP_NONE                     \
	}

/* Opens the root and reads what is merged. */
enum exit_code route_open(struct route *r, const struct options *o);

/*
 * The same for what a service sees (specs: service.*): what is merged, and where it will be switched, is in that
 * namespace; what there is to merge is built on the host's own.
 */
enum exit_code route_open_service(struct route *r, const struct options *o,
				  int service_namespace);

/*
 * In the namespace of a service: what the host merges must neither arrive on the mounts that the hierarchies lie on nor
 * take our trees away with its own (service.8). Changes the working directory and sets it back.
 */
enum exit_code route_shield(struct route *r);

/*
 * After route_open(), in a mount namespace that the process has come to since: opens all again, in there. What is
 * merged counts as the host's own (specs: command.3); the new layers go on top of it.
 */
enum exit_code route_open_on_top(struct route *r);

/* Goes into the workshop, where nothing is merged; without privilege looks at the host as it is. */
enum exit_code route_enter(struct route *r);

/* Reads the configuration and the host, and discovers. */
enum exit_code route_discover(struct route *r);

/* Examines all, and computes the plan. */
enum exit_code route_examine(struct route *r);

/* Finds out, for who wants to read it in the plan, which back end would make each tree; needs privilege. */
enum exit_code route_tell_backends(struct route *r);

/* What verbs that change nothing begin with: all of the above but the lock. */
enum exit_code route_survey(struct route *r, const struct options *o);

/* What verbs that change something begin with: needs privilege, takes the lock, reads what is merged, and heals. */
enum exit_code route_open_locked(struct route *r, const struct options *o);

/* The plan of removing everything of the chosen classes. */
enum exit_code route_plan_removal(struct route *r);

/* Clones what is mounted below the hierarchy, as the table says. 0 or a negative errno. */
int route_take_submounts(const struct mounts *m, int hierarchy,
			 struct route_submounts *ret);
void route_submounts_done(struct route_submounts *s);

/* The exit code that an error of the system stands for; and the same with a message. */
enum exit_code route_code(int error);
enum exit_code route_fail(int error, const char *what);

/* How many extensions do not fit, other than by somebody's wish. */
size_t route_count_skipped(const struct route *r);

/* Whether there are extensions, and policy has refused them all (specs: cli.exit). */
bool route_is_all_refused(const struct route *r);

/* The generation that is merged now, 0 for none. */
uint64_t route_generation(const struct route *r);

/* Whether the class is asked for. */
static inline bool route_has_class(const struct route *r, const struct class *class) {
	return r->options->classes[class->id];
}

/* What holds for hierarchy `i`. */
const struct settings *route_settings(const struct route *r, size_t i);

/* What is asked to show hierarchy `i` (specs: switch.14). */
static inline enum backend route_backend(const struct route *r, size_t i) {
	return route_settings(r, i)->backend;
}

void route_done(struct route *r);
