/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies beside an image to protect it, and the one root hash that all its sources agree on. Pure. */
#pragma once

#include "../merge/base.h"
#include "gpt.h"

#define SIDECAR_HASH_MIN 16
#define SIDECAR_HASH_MAX 64

enum sidecar_kind {
	SIDECAR_ROOT_HASH,
	SIDECAR_ROOT_SIGNATURE,
	SIDECAR_USR_HASH,
	SIDECAR_USR_SIGNATURE,
	SIDECAR_TREE, /* the hash tree of a bare file system */
	SIDECAR_KIND_COUNT,
};

/*
 * The name of the sidecar of the image file `image`: that name with ".raw" replaced. The caller owns
 * *ret. -EINVAL where the name does not end in ".raw" or is nothing else; -ENOMEM (specs: sidecar.1).
 */
int sidecar_name(const char *image, enum sidecar_kind kind, char **ret);

/* The kind whose suffix this is, as ".roothash", or -ENOENT. All sort behind ".raw". */
int sidecar_kind_from(const char *suffix);

/* What a person calls it: "the .roothash file beside it". Static. */
const char *sidecar_title(enum sidecar_kind kind);

/* The extended attribute of the image that says the root hash, as text: "user.verity.roothash" or "...usrhash". */
const char *sidecar_attribute(enum gpt_designator d);

/*
 * Reads a root hash from a sidecar or an attribute: hex digits, and a line feed at the end or none.
 * 0 with the bytes and their number; -EBADMSG and *ret_why, a static sentence (specs: sidecar.2).
 */
int sidecar_parse_hash(const char *text, size_t len, uint8_t ret[static SIDECAR_HASH_MAX],
		       size_t *ret_size, const char **ret_why);

/* Who says what the root hash is. */
enum sidecar_origin {
	SIDECAR_FROM_UUIDS, /* of the data and the verity partition: 32 bytes together */
	SIDECAR_FROM_FILE,
	SIDECAR_FROM_ATTRIBUTE,
	SIDECAR_FROM_SIGNATURE, /* the signature partition's text */
};

struct sidecar_claim {
	enum sidecar_origin origin;
	enum gpt_designator designator; /* whose root hash it is */
	uint8_t hash[SIDECAR_HASH_MAX];
	size_t size; /* bytes */
};

/* The claim of two partitions' UUIDs (in the order in which a GUID is printed). */
struct sidecar_claim sidecar_claim_of_uuids(enum gpt_designator d,
					    const uint8_t data[static 16],
					    const uint8_t verity[static 16]);

/*
 * The one root hash of the `n` claims. 0, and *ret is the claim of the weightiest origin (the last of the
 * enum); -ENODATA where there is none; -EBADMSG and *ret_why, a static sentence, where two of them
 * disagree (specs: sidecar.4 to sidecar.7). Whether it is signed by anybody is another question.
 */
int sidecar_combine(const struct sidecar_claim *claims, size_t n,
		    struct sidecar_claim *ret, const char **ret_why);
