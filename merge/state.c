/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is merged now, and the lock. */
#include "state.h"

#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <time.h>

#include "file.h"
#include "handover.h"
#include "kernel.h"
#include "process.h"
#include "service.h"
#include "stack.h"
#include "text.h"

#define LOCK_NAME "extmerge.lock"
#define LOCK_POLL_MILLISECONDS 20
#define READ_TRIES 5

static bool is_peers(const struct mount_info *i) {
	return strcmp(i->fstype, "overlay") == 0 &&
	       (strcmp(i->source, "sysext") == 0 || strcmp(i->source, "confext") == 0);
}

/* The mount that `i` lies directly on, if it is at the same place. */
static bool find_under(const struct mounts *m, const struct mount_info *i,
		       struct mount_info *ret) {
	return mounts_find(m, i->parent, ret) && strcmp(ret->target, i->target) == 0;
}

/*
 * Looks down from the uppermost mount of the hierarchy. What has to go after a kill are those above the lowest one of
 * this service's, or of the host's: what lies below that came by propagation (service.8).
 */
static int judge(const struct mounts *m, const struct mount_info *top,
		 const char *service, struct state_hierarchy *h) {
	struct mount_info at = *top;
	bool more = true;
	unsigned n = 1, ours = 0;

	if (is_peers(top))
		h->kind = STATE_PEER;
	else if (stack_is_ours(top))
		h->kind = STATE_MERGED;
	for (; more; more = find_under(m, &at, &at), n++) {
		if (!stack_is_ours(&at) && ours > 0)
			break;
		ours += stack_is_ours(&at);
		h->peers += is_peers(&at);
		if (stack_is_ours(&at) &&
		    (ours == 1 || strcmp(service_of_source(at.source), service) == 0))
			h->stacked = ours;
		if (stack_is_ours(&at) || is_peers(&at))
			h->depth = n;
	}
	if (h->kind == STATE_PLAIN && h->stacked > 0)
		h->kind = STATE_COVERED;
	if (h->kind == STATE_COVERED || h->kind == STATE_PEER) {
		h->other = text_format("%s '%s'", top->fstype, top->source);
		return h->other ? 0 : -ENOMEM;
	}
	return 0;
}

/* trust.11: what such a layer holds cannot be read any more. */
static void note_dead_servers(struct record *r) {
	for (size_t i = 0; i < r->n_layers; i++)
		r->layers[i].is_dead = r->layers[i].server &&
				       !process_is_alive(r->layers[i].server);
}

/*
 * The record of a tree that is written is mounted in it, and outlives the tree's server. So does what the kernel keeps of
 * the tree: only what it never keeps says whether there is one.
 */
static bool has_dead_server(int tree, const struct record *r) {
	struct statfs fs;

	return r->server && fstatfs(tree, &fs) < 0 &&
	       (errno == ENOTCONN || errno == ECONNABORTED);
}

/*
 * A server that has ended has taken the record along: only what the mount table says is left (record.4). Without a
 * record it is still ours; what is in it cannot be said.
 */
static int make_up_record(struct state_hierarchy *h, const char *source) {
	h->record = record_new(h->class, h->name);
	if (!h->record)
		return -ENOMEM;
	h->record->generation = stack_source_generation(source);
	h->record->is_dead = h->is_dead;
	return 0;
}

static int read_hierarchy(int root, const struct mounts *m, const char *service,
			  struct state_hierarchy *h) {
	struct mount_info top;
	int id, r;

	h->fd = file_open_in(root, h->name, O_PATH | O_DIRECTORY);
	if (h->fd == -ENOENT)
		return 0;
	if (h->fd < 0)
		return h->fd;
	r = mount_is_root(h->fd);
	if (r <= 0)
		return r;
	id = mount_id(h->fd);
	if (id < 0)
		return id;
	if (!mounts_find(m, id, &top))
		return -ESTALE;
	r = judge(m, &top, service ?: "", h);
	if (r < 0 || h->kind != STATE_MERGED)
		return r;
	r = stack_read_record(h->fd, &h->record);
	if (r == 0) {
		note_dead_servers(h->record);
		h->is_dead = h->record->is_dead = has_dead_server(h->fd, h->record);
	}
	if (r == 0 || r == -ENOMEM || r == -EIO)
		return r;
	h->is_dead = r == -ENOTCONN || r == -ECONNABORTED;
	return make_up_record(h, top.source);
}

static void end_hierarchy(struct state_hierarchy *h) {
	close_fdp(&h->fd);
	free(h->other);
	free(h->own_name);
	record_free(h->record);
}

struct state_hierarchy *state_find(struct state *s, const char *name) {
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->hierarchies[i].name, name) == 0)
			return &s->hierarchies[i];
	return NULL;
}

/* One that is none of the class's own. */
static int append(struct state *s, const struct mounts *m, int root,
		  const struct class *class, const char *name) {
	struct state_hierarchy h = { .class = class,
				     .fd = -EBADF,
				     .own_name = strdup(name) };
	int r = h.own_name ? 0 : -ENOMEM;

	if (r == 0 && s->n == STATE_HIERARCHIES_MAX)
		r = -E2BIG;
	h.name = h.own_name;
	if (r == 0)
		r = read_hierarchy(root, m, s->service, &h);
	if (r < 0)
		end_hierarchy(&h);
	else
		s->hierarchies[s->n++] = h;
	return r;
}

/* "extmerge:sysext:nix:3": the class, and the name of the hierarchy if there may be one. */
static const struct class *parse_source(const char *source,
					char name[static HIERARCHY_NAME_MAX + 1]) {
	const char *at = source + strlen(META_SOURCE);
	char word[16];
	const char *why;
	size_t len = strcspn(at, ":");

	if (len >= sizeof(word) || at[len] != ':')
		return NULL;
	memcpy(word, at, len);
	word[len] = '\0';
	at += len + 1;
	len = strcspn(at, ":");
	if (len > HIERARCHY_NAME_MAX)
		return NULL;
	memcpy(name, at, len);
	name[len] = '\0';
	return hierarchy_name_check(name, &why) == 0 ? class_find(word) : NULL;
}

struct search {
	struct state *state;
	const struct mounts *table;
	int root;
};

/* hierarchy.5: what is merged is found without a configuration; the same name may be another root's. */
static int take_merged(const struct mount_info *i, void *data) {
	struct search *q = data;
	char name[HIERARCHY_NAME_MAX + 1];
	const struct class *class = stack_is_ours(i) ? parse_source(i->source, name)
						     : NULL;
	struct state_hierarchy *h;
	int r;

	if (!class || hierarchy_name_class(name) || state_find(q->state, name))
		return 0;
	r = append(q->state, q->table, q->root, class, name);
	if (r < 0)
		return r;
	h = &q->state->hierarchies[q->state->n - 1];
	h->is_left = true;
	if (h->stacked > 0)
		return 0;
	end_hierarchy(h);
	q->state->n--;
	return 0;
}

int state_add(struct state *s, const struct mounts *m, int root,
	      const struct class *class, const char *name) {
	struct state_hierarchy *h = state_find(s, name);

	if (!h)
		return append(s, m, root, class, name);
	if (h->class != class)
		return -EEXIST;
	h->is_left = false;
	return 0;
}

static int read_once(int root, const char *service, struct state *ret,
		     struct mounts **ret_table) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	struct state s = { .service = service };
	int r = mounts_read(&m);

	for (size_t c = 0; r == 0 && c < CLASS_COUNT; c++)
		for (const char *const *name = classes[c].hierarchies; r == 0 && *name;
		     name++) {
			struct state_hierarchy *h = &s.hierarchies[s.n++];

			*h = (struct state_hierarchy){ .class = &classes[c],
						       .name = *name };
			r = read_hierarchy(root, m, service, h);
		}
	if (r == 0)
		r = mounts_each(m, take_merged, &(struct search){ &s, m, root });
	if (r < 0) {
		state_done(&s);
		return r;
	}
	*ret = s;
	if (ret_table)
		*ret_table = TAKE_PTR(m);
	return 0;
}

/* ESTALE: a mount that is seen is not in the table, as it came after that was read, or was not read at all. */
int state_read(int root, const char *service, struct state *ret,
	       struct mounts **ret_table) {
	int r = -ESTALE;

	for (unsigned i = 0; r == -ESTALE && i < READ_TRIES; i++)
		r = read_once(root, service, ret, ret_table);
	return r;
}

void state_done(struct state *s) {
	for (size_t i = 0; i < s->n; i++)
		end_hierarchy(&s->hierarchies[i]);
	s->n = 0;
}

static int peel_one(int root, const char *name, unsigned n, int directory) {
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		_cleanup_close_ int fd = file_open_in(root, name, O_PATH | O_DIRECTORY);

		r = fd < 0 ? fd : mount_detach(fd, directory);
	}
	return r;
}

int state_peel_one(const struct state_hierarchy *h, int root, int directory) {
	return peel_one(root, h->name, h->depth, directory);
}

int state_peel(const struct state *s, int root, int directory) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++)
		r = state_peel_one(&s->hierarchies[i], root, directory);
	return r;
}

bool state_is_made(int fd) {
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 &&
	       (st.st_mode & (S_ISVTX | S_IWGRP | S_IWOTH)) == S_ISVTX;
}

/* mutable.13: a run that was killed may have left a tree that can be written read-only. */
static int start_writing(int root, const struct state_hierarchy *h) {
	_cleanup_close_ int fd = file_open_in(root, h->name, O_PATH | O_DIRECTORY);
	_cleanup_(record_freep) struct record *record = NULL;
	int r = fd < 0 ? fd : stack_read_record(fd, &record);

	if (r < 0 || !record->is_writable || mount_is_read_only(fd) != 1)
		return 0; /* no record: not one of these */
	r = handover_resume(fd);
	return r < 0 ? r : 1;
}

/* What is written is given time to end. */
static int peel_written(int root, const struct state_hierarchy *h, int directory) {
	const struct handover_place place = { root, directory };
	struct handover written = { h->name, .tree = h->fd };
	size_t busy;

	if (h->record && h->record->is_writable)
		(void)handover_stop(&place, &written, 1, 0, &busy);
	return peel_one(root, h->name, h->stacked - 1, directory);
}

static int heal_one(const struct state_hierarchy *h, int root, int directory) {
	int r = 0, started;

	/* Not if somebody put something into it: then it is the host's. */
	if (h->kind == STATE_PLAIN && state_is_made(h->fd))
		return unlinkat(root, h->name, AT_REMOVEDIR) == 0;
	if (h->kind != STATE_MERGED)
		return 0;
	if (h->stacked >= 2)
		r = peel_written(root, h, directory);
	started = r < 0 ? r : start_writing(root, h);
	return started < 0 ? started : h->stacked >= 2 || started > 0;
}

int state_heal(const struct state *s, int root, int directory) {
	int r = 0, healed = 0;

	for (size_t i = 0; r >= 0 && i < s->n; i++) {
		r = heal_one(&s->hierarchies[i], root, directory);
		healed += r > 0;
	}
	return r < 0 ? r : healed;
}

/* Whether /run is such that no run of ours can have its lock there; a passing fault is not (two would run). */
static bool is_no_place(int error) {
	return error == -ENOENT || error == -ENOTDIR || error == -EROFS ||
	       error == -ENOSPC || error == -EDQUOT;
}

static int open_lock(int root) {
	_cleanup_close_ int run = file_open_in(root, "run", O_PATH | O_DIRECTORY);
	int fd = run;

	if (run >= 0) {
		fd = openat(run, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0600);
		if (fd < 0)
			fd = -errno;
	}
	return is_no_place(fd) ? file_reopen(root, O_RDONLY | O_DIRECTORY) : fd;
}

int state_lock(int root, unsigned milliseconds) {
	const struct timespec poll = { .tv_nsec = LOCK_POLL_MILLISECONDS * 1000 * 1000 };
	_cleanup_close_ int fd = open_lock(root);

	if (fd < 0)
		return fd;
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0;) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= milliseconds)
			return -ETIMEDOUT;
		nanosleep(&poll, NULL);
		waited += LOCK_POLL_MILLISECONDS;
	}
	return TAKE_FD(fd);
}
