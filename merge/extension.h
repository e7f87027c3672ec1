/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One extension on its way along the route: filled from left to right, never backwards. */
#pragma once

#include "census.h"
#include "class.h"
#include "digest.h"
#include "fstype.h"
#include "hierarchyname.h"
#include "name.h"
#include "release.h"
#include "verdict.h"

enum extension_kind {
	EXTENSION_DIRECTORY,
	EXTENSION_SUBVOLUME, /* a directory that is the root of a btrfs subvolume */
	EXTENSION_RAW,	     /* an image file */
	EXTENSION_BLOCK,     /* an image on a block device */
	EXTENSION_OTHER,     /* a socket, FIFO, ...: has a verdict */
};

/* How the extension's tree was had (DESIGN, source). */
enum extension_access {
	EXTENSION_ACCESS_NONE,
	EXTENSION_ACCESS_DIRECTORY,
	EXTENSION_ACCESS_FILE, /* file system straight from the image file */
	EXTENSION_ACCESS_LOOP,
	EXTENSION_ACCESS_DEVICE, /* the block device itself */
	EXTENSION_ACCESS_DM_VERITY,
	EXTENSION_ACCESS_DRIVER, /* a FUSE driver reads it in user space */
	EXTENSION_ACCESS_VERIFIED_FILE, /* straight from it, by a loop device or a FUSE driver on it */
};

/* What holds for every block of it, for as long as it is merged; the weakest of its parts counts. */
enum extension_protection {
	EXTENSION_UNJUDGED, /* not known yet, or refused */
	EXTENSION_UNPROTECTED,
	EXTENSION_VERITY, /* it is the one under a root hash */
	EXTENSION_SIGNED, /* which somebody has signed whom the host trusts */
};

/* All text is owned, and NULL where there is none. */
struct extension_trust {
	enum extension_protection protection;
	char *root_hash;		   /* of EXTENSION_VERITY and EXTENSION_SIGNED */
	char *signer, *signer_fingerprint; /* of EXTENSION_SIGNED: name and certificate */
	char *server;			   /* of a verified file: who serves it */
	bool is_kernel_checked; /* the kernel has verified the signature; alone, without a signer */
	const char *on_corruption; /* static: "restart" or "panic", or NULL */
};

struct extension {
	/* discover */
	const struct class *class;
	const char *const *hierarchies; /* where its layers go; borrowed, ending with NULL */
	struct name name;
	enum extension_kind kind;
	char *path;	 /* where it was found, below the root: "/etc/extensions/a.raw" */
	bool is_operand; /* a person named it, and the path is as that person has it */
	int fd; /* O_PATH for directories, O_RDONLY for images; -EBADF where refused */
	uint64_t size;		 /* bytes of the image, 0 for directories */
	enum verdict_code found; /* what discovery alone has said */
	char *sidecars; /* what lies beside an image, as far as its names and times tell, or NULL */
	char *fingerprint; /* equal text: equal content; NULL until it is known */
	bool has_rival;	   /* another version beside it could take its place */
	struct census *census[HIERARCHIES_MAX]; /* of a directory, by `hierarchies`; or NULL */
	bool is_known; /* its layers were judged before, and are merged now */
	char *note;    /* a warning that is no verdict, or NULL */

	/* examine */
	enum fstype format;
	enum extension_access access;
	struct extension_trust trust;
	int root_tree; /* O_PATH: the extension's root, or -EBADF */
	int usr_tree; /* O_PATH: its /usr where that is a partition of its own, or -EBADF */
	struct release *release;
	struct digest *digest; /* of a directory's layers while they are walked, or NULL */

	/* match */
	struct verdict verdict;
	struct verdict forced; /* what --force overrode */

	/* order */
	char *placed_by; /* what lets it lie elsewhere than its version says: "Order=, FILE:LINE"; or NULL */
};

/* A growing array. Sorted by order.h once the names are known. */
struct extensions {
	struct extension **items;
	size_t n;
};

/* "directory", "raw", ... */
const char *extension_kind_word(enum extension_kind k);

/* What a person calls its format: "directory", "erofs", "squashfs", or "-". */
const char *extension_format_word(const struct extension *e);

/* "signed", "verity" or "unprotected"; NULL where it is not judged. */
const char *extension_trust_word(const struct extension *e);

/* What keeps its protection in force: "dm-verity", "verified-file", or NULL. */
const char *extension_guard_word(const struct extension *e);

/* Forgets what was found out about its protection. */
void extension_trust_done(struct extension_trust *t);

/* Adds a sentence to its note. 0 or -ENOMEM. */
int extension_add_note(struct extension *e, const char *format, ...) _printf_(2, 3);

/* An empty extension of the class, for the class's hierarchies; NULL where memory ran out. */
struct extension *extension_new(const struct class *class);
void extension_free(struct extension *e);
DEFINE_CLEANUP(struct extension, extension_free)

/* Takes over `e`, also on failure. 0 or -ENOMEM. */
int extensions_add(struct extensions *list, struct extension *e);
void extensions_done(struct extensions *list);

/* The i-th of the sorted list as it is shown (order.8): by class, in each class the uppermost layer first. */
struct extension *extensions_shown(const struct extensions *list, size_t i);

/* Whether a person means this one: by its name, or by its full name with the version. */
bool extension_is_called(const struct extension *e, const char *name);

static inline bool extension_fits(const struct extension *e) {
	return e->verdict.code == VERDICT_FITS;
}
