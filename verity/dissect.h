/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an image consists of: its data, its hash trees, the root hash that all its sources agree on, and
 * signatures. No byte of a file system is looked at, and nothing that is found is believed yet.
 */
#pragma once

#include "fault.h"
#include "gpt.h"
#include "policy.h"
#include "sidecar.h"

/* An image and how to read it. All borrowed. */
struct dissect_image {
	int fd;
	uint64_t size;
	int directory;	  /* where its sidecars lie, or negative: it can have none */
	const char *name; /* of its file in that directory */
	const struct policy *policy; /* what it ignores is not there; NULL: all may be used */
	const char *native, *secondary; /* architectures, as for gpt_choose() */
	int (*compare)(const char *a, const char *b); /* of partition labels */
};

/* A root or usr file system, and what protects it. */
struct dissect_part {
	enum gpt_designator designator; /* a bare file system is root */
	uint64_t offset, size;		/* bytes within the image */
	uint64_t attributes;		/* of the partition, 0 for a bare file system */
	bool has_tree;
	int tree_fd; /* borrowed: the image's, or the dissection's */
	uint64_t tree_offset, tree_size;
	uint8_t root[SIDECAR_HASH_MAX]; /* with a tree there is a root hash */
	size_t root_size;
	bool has_signature;
	uint8_t *signature; /* DER, not looked into; NULL where it could not even be read */
	size_t signature_size;
	const char *signature_about; /* which it is, for struct fault */
	const char *signature_why;   /* why it could not be read, or NULL */
};

struct dissection {
	bool is_disk; /* it has a partition table */
	struct dissect_part parts[GPT_DESIGNATOR_COUNT];
	size_t n_parts;	  /* at least 1 */
	uint32_t present; /* 1 << enum policy_designator: what there is, parts and others */
	int tree;	  /* the hash tree beside it, or -EBADF */
	const char *note; /* static: what a person should know, or NULL */
};

#define DISSECTION_NONE \
	{ .tree = -EBADF }

/*
 * Takes the image apart (specs: dissect.*, sidecar.*). Sidecars are opened once and stay open. 0 with *ret,
 * to be ended by dissection_done(); -EBADMSG and *ret_fault; or an error of reading, of memory or of fds.
 */
int dissect(const struct dissect_image *image, struct dissection *ret,
	    struct fault *ret_fault);
void dissection_done(struct dissection *d);

/* The policy's names for the partitions that belong to a designator. */
enum policy_designator dissect_policy_designator(enum gpt_designator d,
						 enum gpt_role role);

/* The policy's name for the partition, or POLICY_DESIGNATOR_COUNT for those that it has none for. */
enum policy_designator dissect_designator_of(const struct gpt_partition *p);

/*
 * The table's part of it: the partitions that are used, without sidecars and root hashes. *ret_chosen are
 * the partitions that were chosen, borrowed from *ret_table, which the caller ends by gpt_done().
 */
int dissect_table(const struct dissect_image *image, struct gpt *ret_table,
		  struct gpt_choice *ret_choice, uint32_t *ret_present,
		  struct fault *ret_fault);
