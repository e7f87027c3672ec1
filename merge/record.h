/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is merged into one hierarchy: by whom, when, which layers, and what was left out. The record is
 * kept in the merged mount itself (state.h), so the two cannot disagree. Pure.
 */
#pragma once

#include "extension.h"

/* One extension's share, top first in the record. All text is owned and may be NULL, but for the name. */
struct record_layer {
	char *name, *version, *path, *format;
	char *fingerprint;
	char *trust; /* "unprotected", "verity" or "signed": what is in force */
	char *root_hash, *signer, *signer_fingerprint; /* as in struct extension_trust */
	bool is_kernel_checked;			       /* as in struct extension_trust */
	char *guard; /* what checks its blocks: "dm-verity", "verified-file", or NULL */
	char *on_corruption; /* as in struct extension_trust */
	char *server;	     /* of a verified file, see process.h */
	bool is_dead;	     /* the server is not there any more; not in the text form */
	char *placed_by;     /* as in struct extension */
	char *note;
	char *triggers; /* what of it somebody was told about, as words (trigger.h) */
	char *restart, *reload; /* as the release file lists them (hook.6) */
	uint64_t size;
	uint32_t hidden_by_host;	   /* files of it that are not seen */
	uint32_t hides_host, hides_others; /* files of the host and of extensions below */
	char *hides; /* "docker (11)": names and counts of those extensions */
};

struct record_skipped {
	char *name, *version, *path;
	enum verdict_code code;
	char *text;
};

/* layers_by of a tree that fusermount3 has mounted (switch.18). */
#define RECORD_BY_HELPER "fusermount3"

struct record {
	const struct class *class;
	char *hierarchy; /* "usr" */
	char *service; /* whose namespace it is in, or NULL for the host's (service.h) */
	uint64_t generation;
	int64_t since; /* seconds since the epoch */
	char *with; /* "usr opt": the hierarchies of the class that were merged together */
	char *kept; /* those of them that the run which made this had no reason to switch */
	char *inputs;  /* digest of all that the result depended on (specs: record.2) */
	char *backend; /* "overlay" or "fuse"; NULL where that is not known yet */
	char *backend_why; /* why overlayfs cannot be had, where nobody has asked for FUSE */
	char *server; /* who serves the tree, by process_describe(); NULL: the kernel */
	char *io; /* "passthrough" or "cached": how it gives out data (union.17); NULL: there is none */
	bool is_dead;	      /* the server has ended; not in the text form */
	char *layers_by;      /* the rung of stack.h that built it */
	uint32_t grafts_most; /* how many grafts were asked for */
	char **grafts; /* those that there are, as paths below the hierarchy (strv; switch.17) */
	char **grafts_failed; /* those that there are not, and why: sentences (strv) */
	int64_t pause; /* microseconds without a tree that could be written, 0 for none */
	int64_t gap;   /* microseconds without the tree at the last switch, 0 for none */
	/* What was asked for (mutable.1, mutable.20): words, and whether it was on the command line. */
	char *mutable, *base;
	bool mutable_given, base_given;
	/* Of what is written: path below the root, device and inode of the layer; of its work directory; NULL: none. */
	char *upper, *upper_id, *work;
	char *memory_id; /* device and inode of the layer in memory, or NULL */
	bool is_writable, is_imported; /* what was written is imported */
	bool is_noexec;		       /* switch.16 */
	bool created; /* the mount point did not exist and is removed by unmerge */
	struct record_layer *layers;
	size_t n_layers;
	struct record_skipped *skipped; /* of the whole class */
	size_t n_skipped;
};

struct record *record_new(const struct class *class, const char *hierarchy);
void record_free(struct record *r);
DEFINE_CLEANUP(struct record, record_free)

/* Adds a zeroed entry at the end. NULL where memory ran out. */
struct record_layer *record_add_layer(struct record *r);
struct record_skipped *record_add_skipped(struct record *r);

/*
 * Whether the two are one extension with the same content under the same protection: name, version, path,
 * fingerprint, trust, root hash, signer, guard and what a wrong block does; and whether it is alive.
 */
bool record_is_same_layer(const struct record_layer *a, const struct record_layer *b);

/* Whether the layers are the same, in the same order, with the same content. */
bool record_has_same_layers(const struct record *a, const struct record *b);

/*
 * Whether the trees are made alike but for their layers: what may be written, where to, and where the host's own files
 * lie.
 */
bool record_has_same_form(const struct record *a, const struct record *b);

const struct record_layer *record_find_layer(const struct record *r, const char *name);

/* The record as one JSON text, owned by the caller (schema extmerge.record/1). 0 or -ENOMEM. */
int record_print(const struct record *r, char **ret);

/*
 * The reverse; 0, -ENOMEM, or -EBADMSG where the text is no record of ours: no JSON or more than one value,
 * another schema, a hierarchy that the class does not have, a member of another type or out of its
 * range, an extension without a name. Unknown keys are ignored, an unknown verdict is "unsupported".
 */
int record_parse(const char *text, size_t len, struct record **ret);
