/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of sidecars, texts of root hashes, and the agreement of all who name one. */
#include "sidecar.h"

#include <string.h>

#include "hex.h"

#define SUFFIX ".raw"
#define UUID_SIZE 16

static const struct {
	const char *suffix, *title;
} kinds[] = {
	[SIDECAR_ROOT_HASH] = { ".roothash", "the .roothash file beside it" },
	[SIDECAR_ROOT_SIGNATURE] = { ".roothash.p7s", "the .roothash.p7s file beside it" },
	[SIDECAR_USR_HASH] = { ".usrhash", "the .usrhash file beside it" },
	[SIDECAR_USR_SIGNATURE] = { ".usrhash.p7s", "the .usrhash.p7s file beside it" },
	[SIDECAR_TREE] = { ".verity", "the .verity file beside it" },
};

static const char *const attributes[] = {
	[GPT_ROOT] = "user.verity.roothash",
	[GPT_USR] = "user.verity.usrhash",
};

static int refuse(const char **ret_why, const char *why) {
	*ret_why = why;
	return -EBADMSG;
}

int sidecar_name(const char *image, enum sidecar_kind kind, char **ret) {
	size_t len = strlen(image), suffix = strlen(SUFFIX);
	char *name;

	if (len <= suffix || strcmp(image + len - suffix, SUFFIX) != 0)
		return -EINVAL;
	if (asprintf(&name, "%.*s%s", (int)(len - suffix), image, kinds[kind].suffix) < 0)
		return -ENOMEM;
	*ret = name;
	return 0;
}

int sidecar_kind_from(const char *suffix) {
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].suffix, suffix) == 0)
			return (int)i;
	return -ENOENT;
}

const char *sidecar_title(enum sidecar_kind kind) {
	return kinds[kind].title;
}

const char *sidecar_attribute(enum gpt_designator d) {
	return attributes[d];
}

int sidecar_parse_hash(const char *text, size_t len, uint8_t ret[static SIDECAR_HASH_MAX],
		       size_t *ret_size, const char **ret_why) {
	uint8_t hash[SIDECAR_HASH_MAX];

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len < 2 * SIDECAR_HASH_MIN || len > 2 * SIDECAR_HASH_MAX)
		return refuse(ret_why, "a root hash has 16 to 64 bytes");
	if (hex_decode(text, len, false, hash) < 0)
		return refuse(ret_why, "a root hash is written in hexadecimal digits");
	memcpy(ret, hash, len / 2);
	*ret_size = len / 2;
	return 0;
}

struct sidecar_claim sidecar_claim_of_uuids(enum gpt_designator d,
					    const uint8_t data[static 16],
					    const uint8_t verity[static 16]) {
	struct sidecar_claim c = {
		.origin = SIDECAR_FROM_UUIDS,
		.designator = d,
		.size = 2 * UUID_SIZE,
	};

	memcpy(c.hash, data, UUID_SIZE);
	memcpy(c.hash + UUID_SIZE, verity, UUID_SIZE);
	return c;
}

static const struct sidecar_claim *find_weightiest(const struct sidecar_claim *claims,
						   size_t n) {
	const struct sidecar_claim *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (!best || claims[i].origin > best->origin)
			best = &claims[i];
	return best;
}

/* sidecar.6: the UUIDs are the first and the last 16 bytes of the root hash, however long that is. */
static bool fits_uuids(const struct sidecar_claim *c, const struct sidecar_claim *uuids) {
	return c->size >= UUID_SIZE && memcmp(c->hash, uuids->hash, UUID_SIZE) == 0 &&
	       memcmp(c->hash + c->size - UUID_SIZE, uuids->hash + UUID_SIZE,
		      UUID_SIZE) == 0;
}

static int compare(const struct sidecar_claim *best, const struct sidecar_claim *other,
		   const char **ret_why) {
	if (other->designator != best->designator)
		return refuse(ret_why, "one root hash is for root, another for usr");
	if (other->origin == SIDECAR_FROM_UUIDS) {
		/* sidecar.7 */
		if (best->origin == SIDECAR_FROM_SIGNATURE || fits_uuids(best, other))
			return 0;
		return refuse(ret_why,
			      "the partitions' UUIDs are not those of the root hash");
	}
	if (other->size != best->size || memcmp(other->hash, best->hash, best->size) != 0)
		return refuse(ret_why, "two sources name different root hashes");
	return 0;
}

int sidecar_combine(const struct sidecar_claim *claims, size_t n,
		    struct sidecar_claim *ret, const char **ret_why) {
	const struct sidecar_claim *best = find_weightiest(claims, n);

	if (!best)
		return -ENODATA;
	for (size_t i = 0; i < n; i++) {
		int r = compare(best, &claims[i], ret_why);

		if (r < 0)
			return r;
	}
	*ret = *best;
	return 0;
}
