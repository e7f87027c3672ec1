/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be told of an image without mounting it. */
#include "anatomy.h"

#include <fcntl.h>
#include <string.h>

#include "../verity/hex.h"
#include "../verity/sigpart.h"
#include "../verity/verity.h"
#include "file.h"
#include "image.h"
#include "version.h"

#define READ_ONLY (UINT64_C(1) << 60) /* UAPI.2, partition attribute flags */
#define GROW_FILE_SYSTEM (UINT64_C(1) << 59)

const char *anatomy_signature_word(enum anatomy_signature s) {
	static const char *const words[] = { [ANATOMY_UNSIGNED] = "none",
					     [ANATOMY_TRUSTED] = "trusted",
					     [ANATOMY_UNKNOWN] = "unknown",
					     [ANATOMY_BAD] = "bad" };

	return words[s];
}

/* The name of the file system, or NULL: what it is not, is said when it is used. */
static int probe(int fd, uint64_t offset, uint64_t size, const char **ret) {
	_cleanup_free_ char *head = malloc(FSTYPE_HEAD);
	enum fstype type = FSTYPE_NONE;
	const char *why;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	n = file_read_at(fd, head, size < FSTYPE_HEAD ? size : FSTYPE_HEAD, offset);
	r = n < 0 ? (int)n : fstype_probe(head, (size_t)n, size, &type, &why);
	*ret = r == 0 ? fstype_name(type) : NULL;
	return r == -ENOMEM ? r : 0;
}

static int describe(int fd, struct anatomy_partition *p) {
	enum policy_designator name;
	enum gpt_designator d;
	enum gpt_role role;

	p->offset = p->entry->offset;
	p->size = p->entry->size;
	name = dissect_designator_of(p->entry);
	p->designator = name < POLICY_DESIGNATOR_COUNT ? policy_designator_name(name)
						       : NULL;
	if (!gpt_type_lookup(p->entry->type, &d, &role, &p->architecture))
		return 0;
	if (role != GPT_DATA)
		p->content = role == GPT_VERITY ? "hash tree" : "signature";
	return role == GPT_DATA ? probe(fd, p->offset, p->size, &p->content) : 0;
}

static int read_table(const struct extension *e, struct anatomy *a) {
	_cleanup_free_ char *head = malloc(GPT_HEAD);
	const char *why;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	n = file_read_at(e->fd, head, e->size < GPT_HEAD ? e->size : GPT_HEAD, 0);
	if (n < 0)
		return (int)n;
	a->is_disk = gpt_is_present(head, (size_t)n);
	r = a->is_disk ? gpt_parse(head, (size_t)n, e->size, &a->table, &why) : 0;
	return r == -EBADMSG ? 0 : r; /* the dissection says why */
}

/* inspect.1 */
static void mark_used(const struct host *h, struct anatomy *a) {
	struct gpt_choice c;
	const char *why;

	if (gpt_choose(&a->table, h->architecture, h->secondary, version_compare, &c,
		       &why) < 0)
		return;
	for (size_t i = 0; i < GPT_DESIGNATOR_COUNT * GPT_ROLE_COUNT; i++) {
		int n = c.partition[i / GPT_ROLE_COUNT][i % GPT_ROLE_COUNT];

		if (n >= 0)
			a->partitions[n].is_used = true;
	}
}

static int describe_all(const struct extension *e, const struct host *h,
			struct anatomy *a) {
	int r = 0;

	a->n_partitions = a->is_disk ? a->table.n_partitions : 1;
	a->partitions = calloc(a->n_partitions + 1, sizeof(*a->partitions));
	if (!a->partitions)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < a->table.n_partitions; i++) {
		a->partitions[i].entry = &a->table.partitions[i];
		r = describe(e->fd, &a->partitions[i]);
	}
	if (r < 0 || a->is_disk) {
		mark_used(h, a);
		return r;
	}
	a->partitions[0].designator = "root";
	a->partitions[0].size = e->size;
	a->partitions[0].is_used = true;
	return probe(e->fd, 0, e->size, &a->partitions[0].content);
}

static int read_superblock(const struct dissect_part *p, struct superblock *ret) {
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct superblock sb;
	const char *why;
	ssize_t n = file_read_at(p->tree_fd, bytes, sizeof(bytes), p->tree_offset);

	if (n < 0)
		return (int)n;
	if (n == sizeof(bytes) &&
	    superblock_parse(bytes, p->size, p->tree_size, &sb, &why) == 0)
		*ret = sb;
	return 0;
}

/* inspect.4 */
static int judge_signature(const struct dissect_part *p, const struct certs *trusted,
			   struct anatomy *a) {
	struct fault fault = { .code = FAULT_NONE };
	int r;

	if (!p->has_signature)
		return 0;
	r = verity_check_signature(p, trusted, NULL, &a->signer, &fault);
	if (r < 0 && r != -EBADMSG)
		return r;
	a->signature = r == 0				    ? ANATOMY_TRUSTED
		       : fault.code == FAULT_UNKNOWN_SIGNER ? ANATOMY_UNKNOWN
							    : ANATOMY_BAD;
	a->signature_why = r == 0 ? NULL : fault.why;
	return 0;
}

/* Only a hint where to look for the certificate: anybody can have written it. */
static int read_claim(const struct extension *e, const struct anatomy_partition *p,
		      char ret[static CERT_FINGERPRINT_MAX]) {
	_cleanup_(sigpart_done) struct sigpart s = { .hash_size = 0 };
	_cleanup_free_ uint8_t *bytes = NULL;
	const char *why;
	ssize_t n;
	int r;

	if (p->size > SIGPART_READ_MAX)
		return 0;
	bytes = malloc(p->size);
	n = bytes ? file_read_at(e->fd, bytes, p->size, p->offset) : -ENOMEM;
	r = n < 0 ? (int)n : sigpart_parse(bytes, (size_t)n, &s, &why);
	if (r == 0 && s.has_fingerprint)
		hex_encode(s.fingerprint, sizeof(s.fingerprint), ret);
	return r == -ENOMEM ? r : 0;
}

static int read_claims(const struct extension *e, struct anatomy *a) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_partitions; i++) {
		const struct anatomy_partition *p = &a->partitions[i];

		if (p->is_used && p->content && strcmp(p->content, "signature") == 0)
			r = read_claim(e, p, a->claimed_signer);
	}
	return r;
}

static int take_part(const struct dissect_part *p, const struct certs *trusted,
		     struct anatomy *a) {
	int r;

	if (!p->has_tree)
		return 0;
	a->has_tree = true;
	hex_encode(p->root, p->root_size, a->root_hash);
	r = read_superblock(p, &a->superblock);
	return r < 0 ? r : judge_signature(p, trusted, a);
}

/* --- what the policy says --- */

static uint32_t protection_of(const struct anatomy *a, const struct dissect_part *p) {
	if (!p || !p->has_tree)
		return POLICY_UNPROTECTED;
	return a->signature == ANATOMY_TRUSTED ? POLICY_SIGNED : POLICY_VERITY;
}

static const struct dissect_part *find_part(const struct dissection *d,
					    enum policy_designator name) {
	for (size_t i = 0; i < d->n_parts; i++)
		if (dissect_policy_designator(d->parts[i].designator, GPT_DATA) == name)
			return &d->parts[i];
	return NULL;
}

static const char *content_of(const struct anatomy *a, uint64_t offset) {
	for (size_t i = 0; i < a->n_partitions; i++)
		if (a->partitions[i].offset == offset)
			return a->partitions[i].content;
	return NULL;
}

/* inspect.5 */
static int ask_policy(const struct policy *policy, const struct dissection *d,
		      struct anatomy *a) {
	int r = 0;

	a->policy = policy_format(policy);
	if (!a->policy)
		return -ENOMEM;
	for (enum policy_designator i = 0; r == 0 && i < POLICY_DESIGNATOR_COUNT; i++) {
		const struct dissect_part *p = find_part(d, i);
		const struct policy_partition found = {
			.is_present = d->present & 1U << i,
			.protection = protection_of(a, p),
			.is_read_only = p && p->attributes & READ_ONLY,
			.is_growfs = p && p->attributes & GROW_FILE_SYSTEM,
			.fstype = p ? content_of(a, p->offset) : NULL,
		};
		uint32_t usable;

		r = policy_check(policy, i, &found, &usable, &a->policy_why);
	}
	return r == -ERFKILL ? 0 : r;
}

static int take_apart(const struct extension *e, const struct host *h,
		      const struct policy *policy, const struct certs *trusted,
		      struct anatomy *a) {
	_cleanup_(dissection_done) struct dissection d = DISSECTION_NONE;
	_cleanup_close_ int directory = image_open_directory(e, AT_FDCWD);
	const struct dissect_image image = image_describe(e, directory, h->architecture,
							  h->secondary);
	struct fault fault;
	int r = directory < 0 ? directory : dissect(&image, &d, &fault);

	if (r == -EBADMSG) {
		a->fault = fault_text(&fault);
		return a->fault ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < d.n_parts; i++)
		r = take_part(&d.parts[i], trusted, a);
	return r < 0 ? r : ask_policy(policy, &d, a);
}

int anatomy_read(const struct extension *e, const struct host *h,
		 const struct policy *policy, const struct certs *trusted,
		 struct anatomy *ret) {
	_cleanup_(anatomy_done) struct anatomy a = { 0 };
	int r = read_table(e, &a);

	if (r == 0)
		r = describe_all(e, h, &a);
	if (r == 0)
		r = read_claims(e, &a);
	if (r == 0)
		r = take_apart(e, h, policy, trusted, &a);
	if (r < 0)
		return r;
	*ret = a;
	a = (struct anatomy){ 0 };
	return 0;
}

void anatomy_done(struct anatomy *a) {
	gpt_done(&a->table);
	free(a->partitions);
	free(a->fault);
	free(a->policy);
	*a = (struct anatomy){ 0 };
}
