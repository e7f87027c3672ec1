/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of a writable union share. All of it is used with the lock held. */
#pragma once

#include <pthread.h>

#include "fdcache.h"
#include "nodes.h"
#include "overlay.h"
#include "upper.h"

#define OVERLAY_PATH_MAX 4096 /* PATH_MAX */

struct overlay {
	pthread_mutex_t lock;
	pthread_cond_t copied; /* a node is no longer busy */
	struct union_tree *layers;
	struct upper upper;
	struct nodes nodes;
	struct fdcache fds; /* of directories in the upper directory, by node */
	struct dirindex_builder builder;
	unsigned n_fds, fds_max; /* of nodes; the others need some, too */
	uint64_t own[2];	 /* numbers of the upper and the work directory */
	void (*changed)(uint64_t node, bool listing, void *data);
	void *data; /* of changed */
	char path[OVERLAY_PATH_MAX];
};

pthread_mutex_t *overlay_lock(struct overlay *o);
void overlay_unlock(pthread_mutex_t **lock);
#define LOCKED(o)             \
	pthread_mutex_t *held \
		__attribute__((cleanup(overlay_unlock), unused)) = overlay_lock(o)

/* 0, -ESTALE for a node that is none, -ENOTDIR. */
int overlay_node(struct overlay *o, uint64_t id, struct node **ret);
int overlay_directory(struct overlay *o, uint64_t id, struct node **ret);

/* The node of an entry, which need not be in use already: overlay_tidy() it. As overlay_lookup(). */
int overlay_find(struct overlay *o, struct node *directory, const char *name,
		 struct node **ret, struct stat *ret_stat);

/* Enters what has been made as a new node. 0 or a negative errno. `name` may be NULL. */
int overlay_enter(struct overlay *o, struct node *directory, const char *name,
		  const struct stat *st, struct node **ret);

/* Frees the node if nothing needs it, and then its parents likewise. */
void overlay_tidy(struct overlay *o, struct node *node);

/* Lets go of what a node holds, but for its memory. `overlay` is a struct overlay. */
void overlay_leave(struct node *node, void *overlay);

/*
 * Gives the node an fd, or takes it away. 0 or, where callers hold too many files open, -ENFILE: then it was closed
 * (specs: overlay.14).
 */
int overlay_give_fd(struct overlay *o, struct node *node, int fd, bool writable);
void overlay_take_fd(struct overlay *o, struct node *node);

/* -ENFILE where overlay_give_fd() would not take another one, or 0. */
int overlay_has_room(const struct overlay *o);

/* Tells the kernel, see overlay_watch(). */
void overlay_tell(struct overlay *o, const struct node *node, bool listing);

/* What is to be done when an entry is gone, of which the attributes were `st`. */
void overlay_lose(struct overlay *o, struct node_name *name, const struct stat *st);

/*
 * Where an upper node is: an fd of its directory, borrowed until the next call, and its name; or, of what has no
 * name, its own fd and "". Otherwise a negative errno: -ESTALE also where something else has its name now.
 */
int overlay_reach(struct overlay *o, struct node *node, const char **ret_name);

/*
 * The same to change its attributes: of a file or directory an fd that is open, and "". Where that was opened for it, it is
 * in *ret_own as well, and the caller's.
 */
int overlay_hold(struct overlay *o, struct node *node, const char **ret_name,
		 int *ret_own);

/* Whether what was opened by the name of an upper node is that: 0, -ESTALE, or a negative errno. */
int overlay_check_fd(const struct node *node, int fd);

/* An O_PATH fd of an upper directory, borrowed until the next call, or a negative errno. */
int overlay_directory_fd(struct overlay *o, struct node *node);

/* The attributes, as they are shown. overlay_adjust() makes such of those of the upper directory. */
int overlay_stat_node(struct overlay *o, struct node *node, struct stat *ret);
void overlay_adjust(const struct node *node, struct stat *st);

/* 1 if the layers below have an entry of that name, 0 if not, or a negative errno. */
int overlay_has_below(struct overlay *o, const struct node *directory, const char *name);

/* 1 if the upper directory of `directory`, whose fd is given, has a whiteout there, 0 if not, or a negative errno. */
int overlay_has_whiteout(const struct overlay *o, int fd, const char *name);

/*
 * Puts the node, and all directories above it, into the upper directory, if they are not there: with `data` or empty.
 * While data are copied others may have the lock: the node must be one that the kernel knows.
 */
int overlay_copy_up(struct overlay *o, struct node *node, bool data);

/* 0 if the directory is empty, -ENOTEMPTY, or a negative errno. */
int overlay_check_empty(struct overlay *o, struct node *directory);

/* An fd of an upper regular file, opened anew by its name. Never a metacopy (specs: overlay.5). */
int overlay_open_upper(struct overlay *o, struct node *node, int flags);

/* Does as if the caller did it, but for what they may do: owners of new files, umask. Both never fail. */
void overlay_become(const struct overlay_caller *by);
void overlay_return(void);
