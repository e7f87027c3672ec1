/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One tree taken off, or put on, by fusermount3; what is below; and back. */
#include "proxymount-parts.h"

#include <fcntl.h>
#include <string.h>

#include "../fuse/attach-union.h"
#include "../fuse/fusermount.h"
#include "file.h"
#include "kernel.h"
#include "log.h"
#include "process.h"
#include "stack.h"
#include "text.h"
#include "underneath.h"

/* --- what is missing --- */

enum exit_code proxymount_lack(const char *program, const char *why) {
	const char *obstacle = program ? fusermount_obstacle(program) : NULL;

	if (!program) {
		log_error(
			"Cannot mount: this process lacks CAP_SYS_ADMIN, and there is no fusermount3, which mounts for others");
		log_hint(
			"fusermount3 comes with the package fuse3; a container gets CAP_SYS_ADMIN by --cap-add=SYS_ADMIN");
		return EXIT_PRIVILEGE;
	}
	log_error(
		"Cannot mount: this process lacks CAP_SYS_ADMIN, and fusermount3 says: %s",
		why && *why ? why : "nothing");
	if (obstacle)
		log_hint("%s; a container gets it by --cap-add=SYS_ADMIN --device=/dev/fuse",
			 obstacle);
	return EXIT_PRIVILEGE;
}

enum exit_code proxymount_find_helper(const struct route *r, const char **ret) {
	if (strcmp(r->options->root, "/") == 0) {
		log_error("Cannot mount: this process lacks CAP_SYS_ADMIN");
		log_hint(
			"fusermount3 is below /usr itself, so it is used for another root only (--root=)");
		return EXIT_PRIVILEGE;
	}
	*ret = fusermount_find();
	return *ret ? EXIT_DONE : proxymount_lack(NULL, NULL);
}

/* --- off and on --- */

enum exit_code proxymount_take_off(struct route *r, size_t i, const char *program) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	char why[FUSERMOUNT_WHY_MAX] = "";
	int e = proxymount_keep(r, i);

	if (e == 0)
		e = fusermount_unmount(program, h->fd, why);
	if (e < 0) {
		log_error("Cannot take the merged /%s off: %s", h->name,
			  *why ? why : strerror(-e));
		return route_code(e);
	}
	r->is_cleared[i] = true;
	clock_gettime(CLOCK_MONOTONIC, &r->cleared[i]);
	return EXIT_DONE;
}

int proxymount_mount_layers(const struct route *r, size_t i, const char *program,
			    const int *layers, unsigned n, const char *source,
			    uint64_t attributes, pid_t *ret_server,
			    char why[static ATTACH_WHY_MAX]) {
	const char *name = r->state.hierarchies[i].name;
	_cleanup_close_ int target = file_open_in(r->root, name, O_PATH | O_DIRECTORY);
	_cleanup_close_ int connection = -EBADF, mounted = -EBADF;
	char ignored[FUSERMOUNT_WHY_MAX];
	struct attach_union_options o = { .name = source,
					  .source = source,
					  .space = WHITEOUT_USER,
					  .connection = &connection,
					  .ret_server = ret_server };
	int e;

	if (target < 0)
		return target;
	connection = fusermount_mount(program, target,
				      &(struct fusermount_options){ source, attributes },
				      why);
	if (connection < 0)
		return connection;
	e = attach_union(layers, n, &o, why);
	if (e == 0)
		return 0;
	mounted = file_open_in(r->root, name, O_PATH | O_DIRECTORY);
	if (mounted >= 0)
		(void)fusermount_unmount(program, mounted, ignored);
	return e;
}

bool proxymount_is_covered(const struct route *r, size_t i) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];

	return !r->is_privileged && h->kind == STATE_MERGED && !r->is_cleared[i] &&
	       route_has_class(r, h->class);
}

int proxymount_open_base(const struct route *r, size_t i, int *ret) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	int fd;

	if (!proxymount_is_covered(r, i))
		return 0;
	if (h->record && h->record->created) {
		*ret = -EBADF; /* the directory was made for the tree */
		return 1;
	}
	fd = h->record && h->record->server
		     ? underneath_open(r->table, h->fd, h->record->server)
		     : -ENOENT;
	if (fd >= 0)
		*ret = fd;
	return fd >= 0 ? 1 : fd;
}

static bool can_look_below(const struct route *r, size_t i) {
	_cleanup_close_ int base = -EBADF;

	return proxymount_open_base(r, i, &base) == 1;
}

void proxymount_tell_unseen(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++)
		if (proxymount_is_covered(r, i) && !can_look_below(r, i))
			log_notice(
				"/%s  is merged, and this process cannot look below: all of it counts as the host's own",
				r->state.hierarchies[i].name);
}

static bool has_to_go(const struct route *r, size_t i, bool dead_only) {
	const struct state_hierarchy *h = &r->state.hierarchies[i];

	return proxymount_is_covered(r, i) &&
	       (dead_only ? h->is_dead
			  : !r->is_settled[h->class->id] && !can_look_below(r, i));
}

static enum exit_code clear(struct route *r, bool dead_only) {
	const char *program = NULL;
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < r->state.n; i++) {
		if (!has_to_go(r, i, dead_only))
			continue;
		if (!program)
			code = proxymount_find_helper(r, &program);
		if (code == EXIT_DONE)
			code = proxymount_take_off(r, i, program);
	}
	return code;
}

enum exit_code proxymount_clear_dead(struct route *r) {
	return clear(r, true);
}

enum exit_code proxymount_clear(struct route *r) {
	return clear(r, false);
}

/* The old tree is still there, held by its fd, and becomes the only layer of one that is mounted. */
void proxymount_put_back(struct route *r) {
	const char *program = NULL;
	char why[ATTACH_WHY_MAX] = "";

	for (size_t i = 0; i < r->state.n; i++) {
		const struct state_hierarchy *h = &r->state.hierarchies[i];
		_cleanup_free_ char *source = r->is_cleared[i] && h->record
						      ? stack_source(h->record)
						      : NULL;
		int e = -ENOMEM;

		if (!r->is_cleared[i] || h->is_dead)
			continue;
		program = fusermount_find();
		if (h->record && h->record->created)
			(void)mkdirat(r->root, h->name, STATE_MADE_MODE);
		if (source && program)
			e = proxymount_mount_layers(r, i, program, &h->fd, 1, source,
						    MOUNT_ATTR_RDONLY, NULL, why);
		if (e < 0)
			log_error("Cannot show the merged /%s again: %s", h->name,
				  *why ? why : strerror(-e));
		else
			log_notice("/%s  shows what it did before", h->name);
		r->is_cleared[i] = false;
		proxymount_kept(r, i);
	}
}

void proxymount_restore(struct route *r) {
	proxymount_put_back(r);
	proxymount_end_keeper(r);
}
