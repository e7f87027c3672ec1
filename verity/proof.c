/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image proves of itself, in userspace. */
#include "proof.h"

#include "areas.h"
#include "hex.h"
#include "verity.h"

#define CACHE_BYTES ((size_t)16 * 1024 * 1024) /* of checked hash blocks */

/* proof.2: one of root and usr is protected; the other, if there is one, could say anything. */
static int find_part(const struct dissection *d, const struct dissect_part **ret,
		     struct fault *ret_fault) {
	for (size_t i = 0; i < d->n_parts; i++)
		if (d->parts[i].has_tree)
			*ret = &d->parts[i];
	if (*ret && d->n_parts > 1)
		return fault_set(
			ret_fault, FAULT_CORRUPT, NULL,
			"it has a root and a usr partition, and only one of them is protected");
	return 0;
}

static int check_blocks(struct areas *a, const struct hashtree_sweep *sweep,
			struct proof *proof, struct fault *ret_fault) {
	_cleanup_(hashtree_freep) struct hashtree *tree = NULL;
	struct hashtree_fault where;
	int r = areas_open(a, CACHE_BYTES, &tree, ret_fault);

	if (r < 0)
		return r;
	proof->blocks = hashtree_superblock(tree)->data_blocks;
	proof->block_size = hashtree_superblock(tree)->data_block_size;
	r = hashtree_verify_all(tree, sweep, &where);
	if (r != -EBADMSG)
		return r;
	proof->has_wrong_block = true;
	proof->wrong_byte = where.offset + (where.area == HASHTREE_DATA
						    ? a->part->offset
						    : a->part->tree_offset);
	return fault_set(
		ret_fault, FAULT_CORRUPT, NULL,
		where.area == HASHTREE_DATA
			? "a block of data is not the one that its hash tree names"
			: "a block of its hash tree is damaged, or the tree is of another image");
}

/* The signature comes first: a tree is not worth reading for a root hash that nobody trusted has signed. */
static int check_part(struct areas *a, const struct proof_options *o, struct proof *proof,
		      struct fault *ret_fault) {
	int r;

	hex_encode(a->part->root, a->part->root_size, proof->root_hash);
	/* proof.4 */
	r = a->part->has_signature ? verity_check_signature(a->part, o->trusted, o->dates,
							    &proof->signer, ret_fault)
				   : 0;
	if (r == 0)
		r = check_blocks(a, &o->sweep, proof, ret_fault);
	if (r == 0)
		proof->level = a->part->has_signature ? PROOF_SIGNED : PROOF_VERITY;
	return r;
}

int proof_check(const struct dissect_image *image, const struct proof_options *o,
		struct proof *ret, struct fault *ret_fault) {
	struct areas a = { .fd = image->fd, .part = NULL };
	_cleanup_(dissection_done) struct dissection d = DISSECTION_NONE;
	int r;

	*ret = (struct proof){ .level = PROOF_NONE };
	r = dissect(image, &d, ret_fault);
	if (r == 0)
		r = find_part(&d, &a.part, ret_fault);
	if (r == 0 && a.part)
		r = check_part(&a, o, ret, ret_fault);
	return r;
}
