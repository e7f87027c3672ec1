/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch: the old trees stop being written. */
#include <linux/magic.h>
#include <sys/vfs.h>

#include "apply-parts.h"
#include "handover.h"
#include "holders.h"
#include "kernel.h"
#include "mount.h"
#include "state.h"
#include "text.h"

#define STEPS_MAX STATE_HIERARCHIES_MAX

/* Those that are to be stopped: parallel. */
struct stops {
	struct handover trees[STEPS_MAX];
	struct apply_step *steps[STEPS_MAX];
	size_t n;
};

int apply_mount_beneath(int tree, int top) {
	return move_mount(tree, "", top, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
				  MOVE_MOUNT_BENEATH) < 0
		       ? -errno
		       : 0;
}

/*
 * mutable.17: files of the old tree are kept open for writing, so it cannot be made read-only. A second mount of it can, and
 * takes its place: nobody comes to the first one any more by its path. Old working directories lead there all the same.
 */
static int cut_off(const struct apply_place *p, struct apply_step *s) {
	_cleanup_close_ int still = mount_clone(s->old);
	int r = still < 0 ? still : mount_set_read_only(still, true);

	if (r == 0)
		r = apply_mount_beneath(still, s->old);
	clock_gettime(CLOCK_MONOTONIC, &s->stopped);
	if (r == 0)
		r = mount_detach(s->old, p->directory);
	if (r < 0)
		return r;
	s->still = TAKE_FD(still);
	s->is_stopped = s->is_busy = true;
	return 0;
}

/* Whose server is asked once and believed for good: what others change in the upper layer, it does not see. */
static bool is_fuse(int tree) {
	struct statfs fs;

	return fstatfs(tree, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

static void collect(struct apply_step *steps, size_t n, struct stops *ret) {
	ret->n = 0;
	for (size_t i = 0; i < n && ret->n < STEPS_MAX; i++) {
		if (steps[i].action != PLAN_REPLACE || !steps[i].is_written ||
		    steps[i].is_stopped)
			continue;
		ret->steps[ret->n] = &steps[i];
		ret->trees[ret->n++] = (struct handover){ steps[i].name,
							  .tree = steps[i].old };
	}
}

/* Who it is, if he is seen. */
static char *complain(const struct apply_step *s, unsigned wait) {
	if (s->holder)
		return text_format("/%s is being written: open for writing by %s",
				   s->name, s->holder);
	return text_format("/%s is being written, for %u ms or more, by nobody who is seen",
			   s->name, wait);
}

int apply_stop(const struct apply_place *p, const struct apply_patience *patience,
	       struct apply_step *steps, size_t n, char **ret_why) {
	const struct handover_place place = { p->root, p->directory };
	unsigned wait = patience->wait;
	struct stops stops;
	size_t busy = 0;
	int r;

	do {
		collect(steps, n, &stops);
		r = handover_stop(&place, stops.trees, stops.n, wait, &busy);
		if (r != -ETIMEDOUT)
			break;
		free(stops.steps[busy]->holder);
		(void)holders_count(stops.trees[busy].tree, &stops.steps[busy]->holder);
		if (!patience->is_exhausted || is_fuse(stops.steps[busy]->tree)) {
			*ret_why = complain(stops.steps[busy], wait);
			break;
		}
		r = cut_off(p, stops.steps[busy]);
		wait = 0;
	} while (r == 0);
	for (size_t i = 0; r == 0 && i < stops.n; i++) {
		stops.steps[i]->is_stopped = true;
		stops.steps[i]->stopped = stops.trees[i].stopped;
	}
	for (size_t i = 0; r < 0 && i < n; i++)
		apply_resume(&steps[i]);
	return r;
}

void apply_resume(const struct apply_step *s) {
	if (s->is_stopped && handover_resume(s->still >= 0 ? s->still : s->old) < 0)
		(void)handover_resume(s->still >= 0 ? s->still : s->old);
}
