/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image consists of: partitions, sidecars, and the agreement of all who name its root hash. */
#include "dissect.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "../merge/file.h"
#include "pkcs7.h"
#include "sigpart.h"

#define HEAD (3 * 4096) /* of an image: as much as gpt_is_present() looks at */
#define HASH_TEXT_MAX (2 * SIDECAR_HASH_MAX + 1) /* digits and a line feed */
#define CLAIMS_MAX 7 /* UUIDs, signature; for root and usr each a file and an attribute */

/* An image while it is taken apart. */
struct work {
	const struct dissect_image *image;
	struct dissection d;
	struct sidecar_claim claims[CLAIMS_MAX];
	size_t n_claims;
	struct fault *fault;
};

/* How the sidecars of a designator are called. */
static const struct {
	enum sidecar_kind hash, signature;
} kinds[] = {
	[GPT_ROOT] = { SIDECAR_ROOT_HASH, SIDECAR_ROOT_SIGNATURE },
	[GPT_USR] = { SIDECAR_USR_HASH, SIDECAR_USR_SIGNATURE },
};

static int refuse(struct work *w, enum fault_code code, const char *about,
		  const char *why) {
	return fault_set(w->fault, code, about, why);
}

/* --- sidecars --- */

/* sidecar.9: who can write it, and that it is no link and no device, which opening would touch. */
static const char *check_file(const struct stat *st) {
	if (S_ISLNK(st->st_mode))
		return "it is a link";
	if (!S_ISREG(st->st_mode))
		return "it is no regular file";
	if (st->st_mode & S_IWOTH)
		return "it can be written by everybody";
	return NULL;
}

/* 0 with an fd of the sidecar, or with -EBADF where there is none. */
static int open_sidecar(struct work *w, enum sidecar_kind kind, int *ret) {
	const struct dissect_image *image = w->image;
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int path = -EBADF;
	const char *why;
	struct stat st;
	int r;

	*ret = -EBADF;
	if (image->directory < 0 || !image->name)
		return 0;
	r = sidecar_name(image->name, kind, &name);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	path = openat(image->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (path < 0) /* too long for the suffix: then there is none by that name */
		return errno == ENOENT || errno == ENAMETOOLONG ? 0 : -errno;
	if (fstat(path, &st) < 0)
		return -errno;
	why = check_file(&st);
	if (why)
		return refuse(w, FAULT_UNSAFE, sidecar_title(kind), why);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		w->d.note = "a file beside it does not belong to root";
	r = file_reopen(path, O_RDONLY);
	*ret = r;
	return r < 0 ? r : 0;
}

/* The bytes of a small sidecar; NULL where there is none. */
static int read_sidecar(struct work *w, enum sidecar_kind kind, size_t max, char **ret,
			size_t *ret_len) {
	_cleanup_close_ int fd = -EBADF;
	int r = open_sidecar(w, kind, &fd);

	if (r < 0 || fd < 0)
		return r;
	r = file_read(fd, max, ret, ret_len);
	return r == -EFBIG
		       ? refuse(w, FAULT_CORRUPT, sidecar_title(kind), "it is too long")
		       : r;
}

/* --- root hashes --- */

static int add_claim(struct work *w, enum sidecar_origin origin, enum gpt_designator d,
		     const char *text, size_t len, const char *about) {
	struct sidecar_claim *c = &w->claims[w->n_claims];
	const char *why = NULL;
	int r;

	*c = (struct sidecar_claim){ .origin = origin, .designator = d };
	r = sidecar_parse_hash(text, len, c->hash, &c->size, &why);
	if (r < 0)
		return refuse(w, FAULT_CORRUPT, about, why);
	w->n_claims++;
	return 0;
}

static int add_file_claim(struct work *w, enum gpt_designator d) {
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = read_sidecar(w, kinds[d].hash, HASH_TEXT_MAX, &text, &len);

	if (r < 0 || !text)
		return r;
	return add_claim(w, SIDECAR_FROM_FILE, d, text, len, sidecar_title(kinds[d].hash));
}

static int add_attribute_claim(struct work *w, enum gpt_designator d) {
	const char *name = sidecar_attribute(d);
	char text[HASH_TEXT_MAX];
	ssize_t n;

	if (!w->image->name)
		return 0;
	n = fgetxattr(w->image->fd, name, text, sizeof(text));
	if (n < 0 && errno == ERANGE)
		return refuse(w, FAULT_CORRUPT, name, "it is too long");
	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
	return add_claim(w, SIDECAR_FROM_ATTRIBUTE, d, text, (size_t)n, name);
}

/* --- signatures --- */

static int take_signature(struct work *w, struct dissect_part *p, uint8_t **bytes,
			  size_t len, const char *about) {
	if (p->has_signature)
		return refuse(w, FAULT_AMBIGUOUS, NULL,
			      "it has a signature within and another one beside it");
	p->has_signature = true;
	p->signature = TAKE_PTR(*bytes);
	p->signature_size = len;
	p->signature_about = about;
	return 0;
}

/* What is wrong is kept, as the policy may not mind. */
static int take_no_signature(struct dissect_part *p, const char *about, const char *why) {
	p->has_signature = true;
	p->signature_about = about;
	p->signature_why = why;
	return 0;
}

/* The JSON text of the partition. */
static int read_signature_partition(struct work *w, struct dissect_part *p,
				    const struct gpt_partition *from) {
	static const char about[] = "its signature partition";
	_cleanup_free_ uint8_t *bytes = NULL;
	_cleanup_(sigpart_done) struct sigpart s = { .hash_size = 0 };
	const char *why = NULL;
	ssize_t n;
	int r;

	if (from->size > SIGPART_READ_MAX)
		return take_no_signature(p, about, "it is larger than 1 MiB");
	bytes = malloc(from->size);
	if (!bytes)
		return -ENOMEM;
	n = file_read_at(w->image->fd, bytes, from->size, from->offset);
	if (n < 0 || (uint64_t)n < from->size)
		return n < 0 ? (int)n : -EIO;
	r = sigpart_parse(bytes, from->size, &s, &why);
	if (r == -EBADMSG)
		return take_no_signature(p, about, why);
	if (r < 0)
		return r;
	w->claims[w->n_claims] = (struct sidecar_claim){ .origin = SIDECAR_FROM_SIGNATURE,
							 .designator = p->designator,
							 .size = s.hash_size };
	memcpy(w->claims[w->n_claims++].hash, s.hash, s.hash_size);
	return take_signature(w, p, &s.signature, s.signature_size, about);
}

static int read_signature_file(struct work *w, enum gpt_designator d,
			       struct dissect_part *p) {
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t len = 0;
	int r = read_sidecar(w, kinds[d].signature, PKCS7_SIZE_MAX, &text, &len);

	if (r < 0 || !text)
		return r;
	if (!p)
		return refuse(w, FAULT_CORRUPT, sidecar_title(kinds[d].signature),
			      "there is no hash tree that it could be for");
	bytes = (uint8_t *)TAKE_PTR(text);
	w->d.present |= 1U << dissect_policy_designator(d, GPT_SIGNATURE);
	return take_signature(w, p, &bytes, len, sidecar_title(kinds[d].signature));
}

/* --- parts --- */

/* Whether the policy looks at what the image has of this kind; a refusal where it forbids it. */
static enum policy_use use_of(const struct work *w, enum gpt_designator d,
			      enum gpt_role role) {
	return w->image->policy
		       ? policy_use(w->image->policy, dissect_policy_designator(d, role))
		       : POLICY_USE_YES;
}

/* The part of that designator, if it has a hash tree. */
static struct dissect_part *find_protected(struct work *w, enum gpt_designator d) {
	for (size_t i = 0; i < w->d.n_parts; i++)
		if (w->d.parts[i].designator == d && w->d.parts[i].has_tree)
			return &w->d.parts[i];
	return NULL;
}

/* What lies beside the image about root, or about usr (sidecar.3). */
static int take_sidecars(struct work *w, enum gpt_designator d) {
	struct dissect_part *p = find_protected(w, d);
	size_t before = w->n_claims;
	int r = 0;

	if (use_of(w, d, GPT_VERITY) != POLICY_USE_YES)
		return 0;
	r = add_file_claim(w, d);
	if (r == 0)
		r = add_attribute_claim(w, d);
	if (r == 0 && w->n_claims > before && !p)
		return refuse(w, FAULT_CORRUPT, NULL,
			      d == GPT_ROOT
				      ? "a root hash is named, but there is no hash tree"
				      : "a usr hash is named, but there is no hash tree");
	if (r == 0 && use_of(w, d, GPT_SIGNATURE) == POLICY_USE_YES)
		r = read_signature_file(w, d, p);
	return r;
}

static int take_tree_file(struct work *w) {
	struct dissect_part *p = &w->d.parts[0];
	enum policy_use use = use_of(w, GPT_ROOT, GPT_VERITY);
	struct stat st;
	int r;

	if (use == POLICY_USE_NO)
		return 0;
	r = open_sidecar(w, SIDECAR_TREE, &w->d.tree);
	if (r < 0 || w->d.tree < 0)
		return r;
	if (w->d.is_disk)
		return refuse(w, FAULT_CORRUPT, sidecar_title(SIDECAR_TREE),
			      "a disk image has its hash trees within");
	if (use == POLICY_USE_DENIED)
		return refuse(w, FAULT_POLICY, sidecar_title(SIDECAR_TREE),
			      "the policy allows no hash tree");
	if (fstat(w->d.tree, &st) < 0)
		return -errno;
	w->d.present |= 1U << POLICY_ROOT_VERITY;
	p->has_tree = true;
	p->tree_fd = w->d.tree;
	p->tree_size = (uint64_t)st.st_size;
	return 0;
}

static int take_partition(struct work *w, const struct gpt *g, const int *chosen,
			  enum gpt_designator d) {
	struct dissect_part *p = &w->d.parts[w->d.n_parts];
	const struct gpt_partition *data, *tree;

	if (chosen[GPT_DATA] < 0)
		return 0;
	data = &g->partitions[chosen[GPT_DATA]];
	*p = (struct dissect_part){ .designator = d,
				    .offset = data->offset,
				    .size = data->size,
				    .attributes = data->attributes,
				    .tree_fd = -EBADF };
	w->d.n_parts++;
	if (chosen[GPT_VERITY] < 0)
		return 0;
	tree = &g->partitions[chosen[GPT_VERITY]];
	p->has_tree = true;
	p->tree_fd = w->image->fd;
	p->tree_offset = tree->offset;
	p->tree_size = tree->size;
	w->claims[w->n_claims++] = sidecar_claim_of_uuids(d, data->uuid, tree->uuid);
	if (chosen[GPT_SIGNATURE] < 0)
		return 0;
	return read_signature_partition(w, p, &g->partitions[chosen[GPT_SIGNATURE]]);
}

static int take_disk(struct work *w) {
	struct gpt_choice choice;
	struct gpt g = { 0 };
	int r = dissect_table(w->image, &g, &choice, &w->d.present, w->fault);

	for (int d = 0; r == 0 && d < GPT_DESIGNATOR_COUNT; d++)
		r = take_partition(w, &g, choice.partition[d], d);
	if (r == 0 && !choice.architecture)
		w->d.present |= 1U << POLICY_ROOT; /* a generic partition */
	gpt_done(&g);
	return r;
}

static int take_parts(struct work *w) {
	char head[HEAD];
	ssize_t n = file_read_at(w->image->fd, head, sizeof(head), 0);

	if (n < 0)
		return (int)n;
	w->d.is_disk = gpt_is_present(head, (size_t)n);
	if (w->d.is_disk)
		return take_disk(w);
	w->d.parts[w->d.n_parts++] = (struct dissect_part){ .designator = GPT_ROOT,
							    .size = w->image->size,
							    .tree_fd = -EBADF };
	w->d.present |= 1U << POLICY_ROOT;
	return 0;
}

/* sidecar.5: at most one part has a hash tree (dissect.13), so there is one root hash for all claims. */
static int agree(struct work *w) {
	struct sidecar_claim root;
	const char *why = NULL;
	int r = sidecar_combine(w->claims, w->n_claims, &root, &why);

	if (r == -EBADMSG)
		return refuse(w, FAULT_ROOT_HASH, NULL, why);
	for (size_t i = 0; i < w->d.n_parts; i++) {
		struct dissect_part *p = &w->d.parts[i];

		if (!p->has_tree)
			continue;
		if (r < 0)
			return refuse(
				w, FAULT_CORRUPT, NULL,
				"it has a hash tree, but nothing names its root hash");
		memcpy(p->root, root.hash, root.size);
		p->root_size = root.size;
	}
	return 0;
}

int dissect(const struct dissect_image *image, struct dissection *ret,
	    struct fault *ret_fault) {
	struct work w = { .image = image, .d = DISSECTION_NONE, .fault = ret_fault };
	int r = take_parts(&w);

	if (r == 0)
		r = take_tree_file(&w);
	for (int d = 0; r == 0 && d < GPT_DESIGNATOR_COUNT; d++)
		r = take_sidecars(&w, d);
	if (r == 0)
		r = agree(&w);
	if (r < 0) {
		dissection_done(&w.d);
		return r;
	}
	*ret = w.d;
	return 0;
}

void dissection_done(struct dissection *d) {
	for (size_t i = 0; i < d->n_parts; i++)
		free(d->parts[i].signature);
	close_fdp(&d->tree);
	*d = (struct dissection)DISSECTION_NONE;
}
