/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk image proves of itself, in userspace. */
#include "proof.h"

#include <string.h>

#include "../merge/file.h"
#include "hex.h"
#include "sidecar.h"
#include "signature.h"
#include "sigpart.h"

#define CACHE_BYTES ((size_t)16 * 1024 * 1024) /* of checked hash blocks */
#define CLAIMS_MAX 2

/* The parts of one image, borrowed from its table. */
struct parts {
	int fd;
	const struct gpt_partition *data, *tree,
		*signature; /* the last two may be NULL */
	enum gpt_designator designator;
};

static int read_all(int fd, void *buffer, size_t len, uint64_t offset) {
	ssize_t n = file_read_at(fd, buffer, len, offset);

	return n < 0 ? (int)n : (size_t)n < len ? -EIO : 0;
}

static int read_area(void *userdata, enum hashtree_area area, uint64_t offset, void *ret,
		     size_t len) {
	const struct parts *p = userdata;
	const struct gpt_partition *from = area == HASHTREE_DATA ? p->data : p->tree;

	if (offset > from->size || len > from->size - offset)
		return -EIO;
	return read_all(p->fd, ret, len, from->offset + offset);
}

static const struct gpt_partition *partition(const struct gpt *g,
					     const struct gpt_choice *c,
					     enum gpt_designator d, enum gpt_role role) {
	int index = c->partition[d][role];

	return index < 0 ? NULL : &g->partitions[index];
}

/* UAPI.2: one of root and usr is protected; the other, if there is one, could say anything (proof.2). */
static int choose_parts(const struct gpt *g, const struct gpt_choice *c, struct parts *p,
			const char **ret_why) {
	size_t n_data = 0;

	for (int d = 0; d < GPT_DESIGNATOR_COUNT; d++) {
		const struct gpt_partition *data = partition(g, c, d, GPT_DATA);

		n_data += data != NULL;
		if (!data || (p->data && p->tree))
			continue;
		p->designator = d;
		p->data = data;
		p->tree = partition(g, c, d, GPT_VERITY);
		p->signature = partition(g, c, d, GPT_SIGNATURE);
	}
	if (n_data > 1 && p->tree) {
		*ret_why =
			"it has a root and a usr partition, and only one of them is protected";
		return -EBADMSG;
	}
	return 0;
}

static int read_signature(const struct parts *p, struct sigpart *ret,
			  const char **ret_why) {
	_cleanup_free_ uint8_t *bytes = NULL;
	int r;

	if (p->signature->size > SIGPART_READ_MAX) {
		*ret_why = "its signature partition is larger than 1 MiB";
		return -EBADMSG;
	}
	bytes = malloc(p->signature->size);
	if (!bytes)
		return -ENOMEM;
	r = read_all(p->fd, bytes, p->signature->size, p->signature->offset);
	return r < 0 ? r : sigpart_parse(bytes, p->signature->size, ret, ret_why);
}

/* proof.3: all that names a root hash must name the same. */
static int agree_on_hash(const struct parts *p, const struct sigpart *s,
			 struct sidecar_claim *ret, const char **ret_why) {
	struct sidecar_claim claims[CLAIMS_MAX];
	size_t n = 0;

	claims[n++] = sidecar_claim_of_uuids(p->designator, p->data->uuid, p->tree->uuid);
	if (s) {
		claims[n] = (struct sidecar_claim){ .origin = SIDECAR_FROM_SIGNATURE,
						    .designator = p->designator,
						    .size = s->hash_size };
		memcpy(claims[n++].hash, s->hash, s->hash_size);
	}
	return sidecar_combine(claims, n, ret, ret_why);
}

static int check_blocks(struct parts *p, const struct sidecar_claim *root,
			const struct hashtree_sweep *sweep, struct proof *proof,
			const char **ret_why) {
	const struct hashtree_source source = { read_area, p };
	_cleanup_(hashtree_freep) struct hashtree *tree = NULL;
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct hashtree_fault fault;
	struct superblock sb;
	int r = read_area(p, HASHTREE_HASH, 0, bytes, sizeof(bytes));

	if (r == 0)
		r = superblock_parse(bytes, p->data->size, p->tree->size, &sb, ret_why);
	if (r == 0)
		r = hashtree_new(&sb, root->hash, root->size, &source, CACHE_BYTES, &tree,
				 ret_why);
	if (r < 0)
		return r;
	proof->blocks = sb.data_blocks;
	proof->block_size = sb.data_block_size;
	r = hashtree_verify_all(tree, sweep, &fault);
	if (r == -EBADMSG)
		*ret_why =
			fault.area == HASHTREE_DATA
				? "a block of data is not the one that its hash tree names"
				: "a block of its hash tree is damaged, or the tree is of another image";
	return r;
}

/* The signature comes first: a tree is not worth reading for a root hash that nobody trusted has signed. */
static int check_parts(struct parts *p, const struct proof_options *o,
		       struct proof *proof, const char **ret_why) {
	_cleanup_(sigpart_done) struct sigpart s = { .hash_size = 0 };
	struct sidecar_claim root;
	int r = 0;

	if (p->signature)
		r = read_signature(p, &s, ret_why);
	if (r == 0)
		r = agree_on_hash(p, p->signature ? &s : NULL, &root, ret_why);
	if (r < 0)
		return r;
	hex_encode(root.hash, root.size, proof->root_hash);
	if (p->signature)
		r = signature_verify(o->trusted, NULL, proof->root_hash, s.signature,
				     s.signature_size, &proof->signer, ret_why);
	if (r == 0)
		r = check_blocks(p, &root, &o->sweep, proof, ret_why);
	if (r == 0)
		proof->level = p->signature ? PROOF_SIGNED : PROOF_VERITY;
	return r;
}

int proof_check(int fd, uint64_t size, const struct proof_options *o, struct proof *ret,
		const char **ret_why) {
	_cleanup_free_ char *head = malloc(GPT_HEAD);
	struct parts p = { .fd = fd };
	struct gpt_choice choice;
	struct gpt g = { 0 };
	ssize_t n;
	int r;

	*ret = (struct proof){ .level = PROOF_NONE };
	*ret_why = NULL;
	if (!head)
		return -ENOMEM;
	n = file_read_at(fd, head, size < GPT_HEAD ? size : GPT_HEAD, 0);
	if (n < 0)
		return (int)n;
	if (!gpt_is_present(head, (size_t)n))
		return 0;
	r = gpt_parse(head, (size_t)n, size, &g, ret_why);
	if (r == 0)
		r = gpt_choose(&g, o->native, o->secondary, o->compare, &choice, ret_why);
	if (r == 0)
		r = choose_parts(&g, &choice, &p, ret_why);
	if (r == 0 && p.tree)
		r = check_parts(&p, o, ret, ret_why);
	gpt_done(&g);
	return r;
}
