/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash trees put in force: by device-mapper, or by a verified file where there is none (specs: trust.8). */
#pragma once

#include "../verity/cryptsetup.h"
#include "../verity/target.h"
#include "workshop.h"

enum guard_choice { GUARD_AUTO, GUARD_DM, GUARD_FUSE };

/* The word of the command line, or -EINVAL; and back. */
int guard_choice_from(const char *text, enum guard_choice *ret);
const char *guard_choice_text(enum guard_choice c);

/* The word of --on-corruption=, or -EINVAL; and back. */
int guard_corruption_from(const char *text, enum cryptsetup_corruption *ret);
const char *guard_corruption_text(enum cryptsetup_corruption c);

/* One run's: what cannot be used is not tried again. Begins as zero, with `choice` and `on_corruption`. */
struct guard {
	enum guard_choice choice;
	enum cryptsetup_corruption on_corruption; /* other than EIO: by device-mapper only */
	bool has_probed;
	int no_dm, no_file; /* why not: a negative errno, or 0 */
	char *why_no_dm, *why_no_file;
	struct attach_server
		*server; /* of all verified files of this run; NULL before the first */
};

/* Whether there is device-mapper here, of a kernel that verifies signatures, and may be used. Loads its modules. */
bool guard_asks_kernel(struct guard *g, const struct workshop *w);

/* Data of which each block is checked when it is read. */
struct guarded {
	int fd; /* a block device or a file, that begins with the data */
	bool is_device;
	uint64_t size;		/* bytes */
	char *server;		/* who serves the file, by process_describe(); owned */
	bool is_kernel_checked; /* the kernel has verified the signature */
};

/*
 * Puts `t` in force; `name` is the image's, for logs. 0 with *ret, whose fd and text the caller owns. Otherwise
 * *ret_why, which the caller owns, may have a sentence:
 *   -ENODEV        neither can be used here, or not the one that was chosen
 *   -EBADMSG       the hash tree is refused
 *   -ENOKEY, -EKEYREJECTED, -EKEYREVOKED, -EKEYEXPIRED   the kernel verifies signatures itself, and refuses it
 *   others         memory, fds, reading
 */
int guard_attach(struct guard *g, const struct verity_target *t, const char *name,
		 const struct workshop *w, struct guarded *ret, char **ret_why);

void guard_done(struct guard *g);
