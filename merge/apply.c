/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch. */
#include <string.h>

#include "apply-parts.h"
#include "file.h"
#include "handover.h"
#include "kernel.h"
#include "mount.h"
#include "renewal.h"
#include "state.h"
#include "text.h"
#include "witness.h"

static int64_t microseconds_since(const struct timespec *start) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000 +
	       (now.tv_nsec - start->tv_nsec) / 1000;
}

/* Attaches the detached `tree` on top of whatever is at the hierarchy. */
static int put_on_top(const struct apply_place *p, const char *name, int tree) {
	_cleanup_close_ int target = file_open_in(p->root, name, O_PATH | O_DIRECTORY);

	if (target < 0)
		return target;
	if (move_mount(tree, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/*
 * Kernels before 6.5, and layouts in which the kernel cannot mount beneath: the old tree is taken off and
 * the new one put on, back to back. `backup` takes its place if that fails.
 */
static int exchange(const struct apply_place *p, const char *name, int tree, int old,
		    int backup, int64_t *gap) {
	struct timespec start;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &start);
	r = mount_detach(old, p->directory);
	if (r < 0)
		return r;
	r = put_on_top(p, name, tree);
	if (r < 0 && put_on_top(p, name, tree) == 0)
		r = 0;
	if (r < 0)
		put_on_top(p, name, backup);
	*gap = microseconds_since(&start);
	return r;
}

/*
 * switch.2: the new tree goes beneath the old one, where it is complete and unseen; then the old one goes
 * away. Between the two calls the old tree is seen, after them the new one: never neither.
 */
static int replace(const struct apply_place *p, const char *name, int tree, int old,
		   int backup, int64_t *gap) {
	if (move_mount(tree, "", old, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
			       MOVE_MOUNT_BENEATH) < 0) {
		if (errno != EINVAL)
			return -errno;
		return exchange(p, name, tree, old, backup, gap);
	}
	return mount_detach(old, p->directory);
}

/*
 * mutable.11: the old tree is not written any more. Nothing may be looked up in it before, as it
 * would remember what the old one then changes. And what would be written to an old layer beside the new tree's own one would
 * be lost if the run died: the next one takes the old tree off (written.6).
 */
static int replace_written(const struct apply_place *p, struct apply_step *s) {
	int top = s->still >= 0 ? s->still : s->old;
	int r = apply_mount_beneath(s->tree, top);

	if (r == -EINVAL)
		return exchange(p, s->name, s->tree, top, s->backup, &s->gap);
	if (r == 0)
		r = mount_detach(top, p->directory);
	s->is_left = r < 0;
	return r;
}

/*
 * Mounts that somebody made on the merged tree go back to the host's own directory, where it has the place. No link leads
 * them elsewhere: below may lie a directory that is not root's.
 */
static void carry_back(const struct apply_place *p, const struct apply_step *s) {
	_cleanup_close_ int hierarchy = s->n_carried ? file_open_in(p->root, s->name,
								    O_PATH | O_DIRECTORY)
						     : -EBADF;

	for (size_t i = 0; i < s->n_carried; i++) {
		_cleanup_close_ int target = file_open_below(hierarchy,
							     s->carried[i].path, O_PATH);

		if (target >= 0)
			(void)move_mount(s->carried[i].fd, "", target, "",
					 MOVE_MOUNT_F_EMPTY_PATH |
						 MOVE_MOUNT_T_EMPTY_PATH);
	}
}

/* And what carry_back() put there is in the old tree again. */
static void take_carried(const struct apply_place *p, const struct apply_step *s) {
	for (size_t i = 0; i < s->n_carried; i++)
		(void)mount_detach(s->carried[i].fd, p->directory);
}

static int merge(const struct apply_place *p, struct apply_step *s) {
	int r;

	if (s->create && mkdirat(p->root, s->name, STATE_MADE_MODE) < 0 && errno != EEXIST)
		return -errno;
	r = put_on_top(p, s->name, s->tree);
	if (r < 0 && s->create)
		unlinkat(p->root, s->name, AT_REMOVEDIR);
	return r;
}

static int unmerge(const struct apply_place *p, struct apply_step *s) {
	int r = s->is_written ? handover_end(s->old, &s->holder) : 0;

	s->is_stopped = s->is_written && r == 0;
	/* Who does not end in time has a file open, which stays what it is. */
	s->is_busy = r == -EBUSY;
	r = mount_detach(s->old, p->directory);
	if (r < 0)
		return r;
	carry_back(p, s);
	if (s->remove) /* not if somebody put something into it: then it is the host's */
		unlinkat(p->root, s->name, AT_REMOVEDIR);
	return 0;
}

static int switch_one(const struct apply_place *p, struct apply_step *s) {
	if (s->action == PLAN_MERGE)
		return merge(p, s);
	if (s->action == PLAN_REPLACE && s->is_written)
		return replace_written(p, s);
	if (s->action == PLAN_REPLACE)
		return replace(p, s->name, s->tree, s->old, s->backup, &s->gap);
	return unmerge(p, s);
}

static int switch_back(const struct apply_place *p, struct apply_step *s) {
	int64_t gap;
	int r;

	switch (s->action) {
	case PLAN_MERGE:
		r = mount_detach(s->tree, p->directory);
		if (r == 0 && s->create)
			unlinkat(p->root, s->name, AT_REMOVEDIR);
		return r;
	case PLAN_REPLACE:
		r = replace(p, s->name, s->backup, s->tree, s->backup, &gap);
		if (r == 0 && s->is_stopped && handover_resume(s->backup) < 0)
			r = handover_resume(s->backup);
		return r;
	case PLAN_UNMERGE:
		take_carried(p, s);
		if (s->remove)
			mkdirat(p->root, s->name, STATE_MADE_MODE);
		return put_on_top(p, s->name, s->backup);
	case PLAN_NOTHING:
	case PLAN_KEEP:
		return 0;
	}
	return 0;
}

/* switch.5: success means visible. Is the mount on top, as this process sees it, the one that was built? */
static int check(const struct apply_place *p, const struct apply_step *s, char **ret_why) {
	_cleanup_close_ int fd = file_open_in(p->root, s->name, O_PATH | O_DIRECTORY);
	int wanted = mount_id(s->tree), seen = fd < 0 ? fd : mount_id(fd);

	if (wanted < 0 || seen < 0)
		return wanted < 0 ? wanted : seen;
	if (wanted == seen)
		return witness_check(fd, s->h, ret_why);
	*ret_why = text_format("the new tree is not what is seen at /%s", s->name);
	return -EXDEV;
}

/* mutable.11: only now, as the old trees could not be shown again after this. In all namespaces that see the tree. */
static int start_writing(struct apply_step *steps, size_t n, char **ret_why) {
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		for (unsigned tries = 0;
		     steps[i].is_done && steps[i].is_writable && tries < 2; tries++) {
			r = mount_set_all_read_only(steps[i].tree, false);
			if (r == 0)
				break;
		}
		if (r == 0 && steps[i].stopped.tv_sec != 0)
			steps[i].pause = microseconds_since(&steps[i].stopped);
		if (r == 0)
			continue;
		*ret_why = text_format("the new /%s cannot be made writable: %s",
				       steps[i].name, strerror(-r));
		return r;
	}
	return 0;
}

static int exchange_back(const struct apply_step *steps, size_t n) {
	int r = 0;

	for (size_t i = n; r == 0 && i > 0; i--)
		if (steps[i - 1].is_done && steps[i - 1].renewed)
			r = renewal_exchange(steps[i - 1].renewed);
	return r;
}

/* written.5: the new layers get their names when the new trees are seen, and before anybody can write to them. */
static int exchange_uppers(const struct apply_step *steps, size_t n, char **ret_why) {
	for (size_t i = 0; i < n; i++) {
		int r = steps[i].is_done && steps[i].renewed
				? renewal_exchange(steps[i].renewed)
				: 0;

		if (r == 0)
			continue;
		*ret_why =
			text_format("the new upper layer of /%s cannot take its place: %s",
				    steps[i].name, strerror(-r));
		(void)exchange_back(steps, i);
		return r;
	}
	return 0;
}

static void go_back(const struct apply_place *p, struct apply_step *steps, size_t n,
		    char **ret_why) {
	for (size_t i = n; i > 0; i--) {
		struct apply_step *s = &steps[i - 1];
		int r;

		if (!s->is_done)
			apply_resume(s);
		if (!s->is_done)
			continue;
		r = switch_back(p, s);
		if (r == 0)
			continue;
		s->is_left = true;
		if (s->is_writable)
			(void)mount_set_all_read_only(s->tree, false);
		free(*ret_why);
		*ret_why = text_format(
			"/%s could not be put back (%s): it shows the new tree", s->name,
			strerror(-r));
	}
}

static int switch_all(const struct apply_place *p, struct apply_step *steps, size_t n,
		      char **ret_why) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (steps[i].action == PLAN_NOTHING || steps[i].action == PLAN_KEEP)
			continue;
		r = switch_one(p, &steps[i]);
		steps[i].is_done = r == 0;
		if (r == 0 && steps[i].action != PLAN_UNMERGE)
			r = check(p, &steps[i], ret_why);
	}
	if (r == 0)
		r = exchange_uppers(steps, n, ret_why);
	if (r < 0)
		return r;
	r = start_writing(steps, n, ret_why);
	if (r < 0)
		(void)exchange_back(steps, n);
	return r;
}

/* Before the old trees are stopped: the clones can be written. */
static int make_backups(struct apply_step *steps, size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct apply_step *s = &steps[i];

		if (s->action != PLAN_REPLACE && s->action != PLAN_UNMERGE)
			continue;
		s->backup = mount_clone(s->old);
		if (s->backup < 0)
			return s->backup;
	}
	return 0;
}

int apply(int root, int directory, const struct apply_patience *patience,
	  struct apply_step *steps, size_t n, char **ret_why) {
	const struct apply_place p = { root, directory };
	struct handover_pace pace;
	int r;

	for (size_t i = 0; i < n; i++)
		steps[i].backup = steps[i].still = -EBADF;
	r = make_backups(steps, n);
	handover_hurry(&pace);
	if (r == 0)
		r = apply_stop(&p, patience, steps, n, ret_why);
	if (r == 0) {
		r = switch_all(&p, steps, n, ret_why);
		if (r < 0)
			go_back(&p, steps, n, ret_why);
	}
	handover_relax(&pace);
	for (size_t i = 0; i < n; i++) {
		close_fdp(&steps[i].backup);
		close_fdp(&steps[i].still);
	}
	return r;
}
