/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hierarchies of a run. */
#include "hierarchies.h"

#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "log.h"

/* The directories that hierarchies must lie apart from, each with its name. */
struct neighbours {
	struct nesting nesting;
	const char *names[64];
	unsigned n;
};

static void neighbours_done(struct neighbours *b) {
	nesting_done(&b->nesting);
}

/* Adds a directory of the host, if it is there, and says how it lies to one before. 0 or a negative errno. */
static int add_neighbour(struct neighbours *b, int root, const char *name,
			 enum nesting_relation *ret, const char **ret_other) {
	_cleanup_close_ int fd = file_open_in(root, name, O_PATH | O_DIRECTORY);
	unsigned other = 0;
	int r;

	*ret = NESTING_APART;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (b->n == ARRAY_SIZE(b->names))
		return -E2BIG;
	b->names[b->n] = name;
	r = nesting_add(&b->nesting, fd, b->n++, ret, &other);
	*ret_other = b->names[other];
	return r;
}

/* What is there by name, whether one leads to the other or not. */
static int add_known(struct neighbours *b, int root) {
	enum nesting_relation relation;
	const char *name, *other;
	int r = 0;

	for (size_t i = 0; r == 0 && (name = hierarchy_name_forbidden(i)); i++)
		r = add_neighbour(b, root, name, &relation, &other);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (const char *const *h = classes[c].hierarchies; r == 0 && *h; h++)
			r = add_neighbour(b, root, *h, &relation, &other);
	return r;
}

/* hierarchy.2: also what a symlink leads to has to be apart. */
static enum exit_code check_place(struct route *r, struct neighbours *b,
				  const struct config_hierarchy *h) {
	static const char *const words[] = {
		[NESTING_SAME] = "to", [NESTING_INSIDE] = "into", [NESTING_AROUND] = "to what is around"
	};
	enum nesting_relation relation;
	const char *other;
	int e = add_neighbour(b, r->base, h->name, &relation, &other);

	if (e < 0) {
		log_error("Cannot look where /%s leads: %s", h->name, strerror(-e));
		return route_code(e);
	}
	if (relation == NESTING_APART)
		return EXIT_DONE;
	log_error("%s:%u: /%s cannot be a hierarchy: it leads %s /%s", h->path, h->line,
		  h->name, words[relation], other);
	return EXIT_USAGE;
}

/* In the workshop: what is mounted there is taken, and what systemd-sysext has merged there is taken off. */
static int take_mounts(struct route *r, size_t i) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	const struct state_hierarchy *h = &r->state.hierarchies[i];
	_cleanup_close_ int fd = file_open_in(r->base, h->name, O_PATH | O_DIRECTORY);
	int e;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	e = mounts_read(&m);
	if (e == 0)
		e = route_take_submounts(m, fd, &r->submounts[i]);
	return e < 0 ? e : state_peel_one(h, r->base, r->base);
}

static enum exit_code add(struct route *r, const struct config_hierarchy *h) {
	size_t before = r->state.n;
	int e = state_add(&r->state, r->table, r->root, h->class, h->name);

	if (e == -EEXIST) {
		log_error("Cannot merge %ss into /%s: it is merged with extensions of "
			  "another class",
			  h->class->name, h->name);
		log_hint("extmerge unmerge, then extmerge refresh");
		return EXIT_FAILED;
	}
	if (e == 0 && r->state.n > before && r->is_privileged)
		e = take_mounts(r, before);
	if (e == 0)
		return EXIT_DONE;
	log_error("Cannot look at /%s: %s", h->name, strerror(-e));
	return route_code(e);
}

enum exit_code hierarchies_add(struct route *r) {
	_cleanup_(neighbours_done) struct neighbours b = { .n = 0 };
	enum exit_code code = EXIT_DONE;
	bool has_known = false;

	for (size_t i = 0; code == EXIT_DONE && i < r->config.n_hierarchies; i++) {
		const struct config_hierarchy *h = &r->config.hierarchies[i];
		int e = 0;

		if (!h->is_ours || !h->class)
			continue;
		if (!has_known)
			e = add_known(&b, r->base);
		has_known = true;
		if (e < 0)
			return route_fail(e, "look at the host's directories");
		code = check_place(r, &b, h);
		if (code == EXIT_DONE)
			code = add(r, h);
	}
	return code;
}
