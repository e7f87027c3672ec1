/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a directory to a disk image. */
#include "pack.h"

#include <string.h>
#include <sys/stat.h>

#include "../verity/format.h"
#include "../verity/gpt-write.h"
#include "../verity/hasher.h"
#include "../verity/hex.h"
#include "../verity/sigpart.h"
#include "file.h"
#include "text.h"
#include "version.h"

#define READ_ONLY (UINT64_C(1) << 60) /* UAPI.2, partition attribute flags */
#define COPY_SIZE ((size_t)1024 * 1024)

/* An image that grows, from the file system to the table. */
struct work {
	const struct pack_request *request;
	struct packed *out;
	struct gpt table; /* its partitions are those of `out` */
	uint8_t salt[FORMAT_SALT_SIZE], root[32];
	char **why;
};

static int refuse(struct work *w, int error, const char *why) {
	*w->why = why ? strdup(why) : NULL;
	return error;
}

static struct gpt_partition *partition(struct work *w, enum gpt_role role) {
	return &w->out->partitions[role];
}

/* With its end, so that "a", "bc" differs from "ab", "c". */
static int add_text(struct hasher *h, const char *text) {
	return hasher_add(h, text, strlen(text) + 1);
}

/* pack.10: a digest of what the words and the bytes before them say; the same input gives the same output. */
static int derive(const char *purpose, const struct pack_request *p, const char *hash,
		  uint8_t ret[static 32]) {
	const char *const texts[] = { "extmerge.pack/1", purpose,	  p->class->name,
				      p->name,		 p->architecture, hash ?: "" };
	_cleanup_(hasher_freep) struct hasher *h = NULL;
	int r = hasher_new("sha256", NULL, 0, &h);

	if (r == 0)
		r = hasher_begin(h);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = add_text(h, texts[i]);
	return r < 0 ? r : hasher_end(h, ret);
}

static int derive_uuid(const char *purpose, const struct pack_request *p,
		       const char *hash, uint8_t ret[static 16]) {
	uint8_t digest[32];
	int r = derive(purpose, p, hash, digest);

	if (r < 0)
		return r;
	memcpy(ret, digest, 16);
	ret[6] = (ret[6] & 0x0f) |
		 0x80; /* RFC 9562: version 8, made by rules of one's own */
	ret[8] = (ret[8] & 0x3f) | 0x80;
	return 0;
}

/* The size of a file, filled up with zeros to whole blocks. */
static int pad(int fd, uint64_t *ret_size) {
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_size = ((uint64_t)st.st_size + FORMAT_BLOCK - 1) / FORMAT_BLOCK *
		    FORMAT_BLOCK;
	return ftruncate(fd, (off_t)*ret_size) < 0 ? -errno : 0;
}

static int make_file_system(struct work *w) {
	const struct pack_request *p = w->request;
	struct mkfs_request m = {
		.directory = p->directory,
		.file = p->scratch,
		.time = p->time,
		.fix_times = p->fix_times,
		.all_root = p->all_root,
	};
	_cleanup_free_ char *said = NULL;
	uint8_t uuid[16];
	char text[37];
	int r = derive_uuid("file system", p, NULL, uuid);

	if (r < 0)
		return r;
	gpt_format_guid(uuid, text);
	m.uuid = text;
	r = mkfs_run(p->format, &m, &said);
	if (r == -EIO)
		*w->why = text_format("%s failed: %s", mkfs_program(p->format),
				      said ?: "it did not say why");
	return r < 0 ? r : pad(p->scratch, &partition(w, GPT_DATA)->size);
}

static int write_all(int fd, const void *bytes, size_t len, uint64_t offset) {
	const uint8_t *p = bytes;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			offset += (uint64_t)n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Copies the file system into the image, and makes the salt of its bytes (pack.10). */
static int copy_data(struct work *w) {
	const struct gpt_partition *data = partition(w, GPT_DATA);
	_cleanup_free_ uint8_t *buffer = malloc(COPY_SIZE);
	_cleanup_(hasher_freep) struct hasher *h = NULL;
	int r = buffer ? hasher_new("sha256", NULL, 0, &h) : -ENOMEM;
	char text[32 * 2 + 1];
	uint8_t hash[32];
	ssize_t n;

	if (r == 0)
		r = hasher_begin(h);
	for (uint64_t at = 0; r == 0 && at < data->size; at += (uint64_t)n) {
		n = file_read_at(w->request->scratch, buffer, COPY_SIZE, at);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		r = hasher_add(h, buffer, (size_t)n);
		if (r == 0)
			r = write_all(w->request->image, buffer, (size_t)n,
				      data->offset + at);
	}
	if (r == 0)
		r = hasher_end(h, hash);
	if (r < 0)
		return r;
	hex_encode(hash, sizeof(hash), text);
	return derive("salt", w->request, text, w->salt);
}

/* pack.8: what is known before the content; places and UUIDs follow. */
static int describe_partitions(struct work *w) {
	static const char *const suffixes[] = {
		[GPT_DATA] = "", [GPT_VERITY] = "-verity", [GPT_SIGNATURE] = "-verity-sig"
	};
	const char *architecture = w->request->architecture;

	for (size_t i = 0; i < w->out->n_partitions; i++) {
		struct gpt_partition *p = &w->out->partitions[i];

		if (!gpt_type_of(architecture, GPT_ROOT, (enum gpt_role)i, p->type))
			return refuse(w, -EOPNOTSUPP,
				      "there are no partition types of that architecture");
		p->attributes = READ_ONLY;
		snprintf(p->label, sizeof(p->label), "root-%s%s", architecture,
			 suffixes[i]);
	}
	return 0;
}

static int make_tree(struct work *w) {
	const struct gpt_partition *data = partition(w, GPT_DATA);
	struct format_request f = {
		.data_fd = w->request->scratch,
		.data_size = data->size,
		.hash_fd = w->request->image,
		.hash_offset = partition(w, GPT_VERITY)->offset,
	};
	const char *why = NULL;
	int r = derive_uuid("hash tree", w->request, NULL, f.uuid);

	memcpy(f.salt, w->salt, sizeof(f.salt));
	if (r == 0)
		r = format_tree(&f, w->root, &why);
	return r < 0 ? refuse(w, r, why) : 0;
}

/* UAPI.2: the UUIDs of data and hash tree are the halves of the root hash. */
static int name_partitions(struct work *w) {
	char hash[65];
	int r;

	hex_encode(w->root, sizeof(w->root), hash);
	memcpy(partition(w, GPT_DATA)->uuid, w->root, 16);
	memcpy(partition(w, GPT_VERITY)->uuid, w->root + 16, 16);
	r = derive_uuid("signature", w->request, hash, partition(w, GPT_SIGNATURE)->uuid);
	return r < 0 ? r : derive_uuid("disk", w->request, hash, w->table.disk);
}

static int sign(struct work *w) {
	const struct keypair *keys = w->request->keys;
	const struct gpt_partition *to = partition(w, GPT_SIGNATURE);
	_cleanup_free_ uint8_t *der = NULL, *text = NULL;
	size_t der_size, size;
	char hash[65];
	int r;

	if (!keys)
		return 0;
	hex_encode(w->root, sizeof(w->root), hash);
	r = keypair_sign(keys, hash, &der, &der_size);
	if (r == 0)
		r = sigpart_format(hash, keypair_certificate(keys)->signer.fingerprint,
				   der, der_size, &text, &size);
	if (r == 0 && size != to->size)
		r = -EFBIG;
	if (r < 0)
		return refuse(w, r, "the root hash cannot be signed");
	return write_all(w->request->image, text, size, to->offset);
}

static int write_tables(struct work *w) {
	_cleanup_free_ uint8_t *head = malloc(GPT_WRITE_HEAD),
			       *tail = malloc(GPT_WRITE_TAIL);
	int r;

	if (!head || !tail)
		return -ENOMEM;
	gpt_write(&w->table, w->out->size, head, tail);
	r = write_all(w->request->image, head, GPT_WRITE_HEAD, 0);
	return r < 0 ? r
		     : write_all(w->request->image, tail, GPT_WRITE_TAIL,
				 w->out->size - GPT_WRITE_TAIL);
}

/* pack.14: who made it must see it as those will who read it. */
static int prove(struct work *w) {
	const struct keypair *keys = w->request->keys;
	struct cert *signers[] = { (struct cert *)(keys ? keypair_certificate(keys)
							: NULL) };
	const struct certs trusted = { .items = signers, .n = keys ? 1 : 0 };
	const struct dissect_image image = {
		.fd = w->request->image,
		.size = w->out->size,
		.directory = -EBADF,
		.native = w->request->architecture,
		.compare = version_compare,
	};
	const struct proof_options options = { .trusted = &trusted };
	_cleanup_free_ char *said = NULL;
	struct fault fault;
	int r = proof_check(&image, &options, &w->out->proof, &fault);

	if (r == 0 && w->out->proof.level == (keys ? PROOF_SIGNED : PROOF_VERITY))
		return 0;
	said = r == -EBADMSG ? fault_text(&fault) : NULL;
	*w->why = text_format("the finished image is not right: %s",
			      said
				      ?: r < 0 ? strerror(-r)
					       : "it is not protected");
	return r < 0 ? r : -EBADMSG;
}

static int lay_out(struct work *w) {
	partition(w, GPT_VERITY)->size = format_size(partition(w, GPT_DATA)->size);
	if (w->request->keys)
		partition(w, GPT_SIGNATURE)->size = SIGPART_GRAIN;
	w->out->size = gpt_arrange(&w->table);
	return ftruncate(w->request->image, (off_t)w->out->size) < 0 ? -errno : 0;
}

int pack(const struct pack_request *p, struct packed *ret, char **ret_why) {
	static int (*const steps[])(struct work *) = {
		describe_partitions,
		make_file_system,
		lay_out,
		copy_data,
		make_tree,
		name_partitions,
		sign,
		write_tables,
		prove,
	};
	struct packed out = { .n_partitions = p->keys ? 3 : 2 };
	struct work w = { .request = p, .out = &out, .why = ret_why };
	int r = 0;

	*ret_why = NULL;
	w.table.partitions = out.partitions;
	w.table.n_partitions = out.n_partitions;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](&w);
	if (r == 0)
		*ret = out;
	return r;
}
