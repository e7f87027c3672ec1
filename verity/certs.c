/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates that the host trusts. */
#include "certs.h"

#include <fcntl.h>
#include <string.h>

#include "../merge/cascade.h"
#include "../merge/file.h"
#include "../merge/strv.h"
#include "../merge/text.h"

#define SUFFIX ".crt"

/* certs.1: best first. */
static const char *const directories[] = {
	"etc/verity.d",	    "run/verity.d", "usr/local/lib/verity.d",
	"usr/lib/verity.d", NULL,
};

struct reader {
	struct certs found;
	char ***problems;
};

static void reader_done(struct reader *r) {
	certs_done(&r->found);
}

/* certs.5: "Cannot trust '/etc/verity.d/a.crt': it is larger than 64 KiB". */
static int add_problem(struct reader *r, const char *path, const char *why) {
	_cleanup_free_ char *text = text_format("Cannot trust '%s': %s", path, why);

	return text ? strv_append(r->problems, text) : -ENOMEM;
}

/* What is there and cannot be used was meant to be trusted. */
static int refuse(struct reader *r, const char *path, const char *why) {
	r->found.is_wanted = true;
	return add_problem(r, path, why);
}

static int refuse_error(struct reader *r, const char *path, int error) {
	_cleanup_free_ char *why = NULL;

	if (file_is_shortage(error) || error == -EIO)
		return error;
	why = text_format("it cannot be read: %s", strerror(-error));
	return why ? refuse(r, path, why) : -ENOMEM;
}

static int keep(struct reader *r, const char *path, struct cert *c) {
	struct certs *found = &r->found;
	struct cert **grown = reallocarray(found->items, found->n + 1,
					   sizeof(struct cert *));

	if (!grown) {
		cert_free(c);
		return -ENOMEM;
	}
	found->items = grown;
	found->items[found->n++] = c;
	found->is_wanted = true;
	return c->weakness ? add_problem(r, path, c->weakness) : 0;
}

static int read_certificate(struct reader *r, const struct cascade_file *f) {
	_cleanup_close_ int fd = file_reopen(f->fd, O_RDONLY);
	_cleanup_free_ char *text = NULL;
	const char *why = NULL;
	struct cert *c = NULL;
	size_t len = 0;
	int e = fd < 0 ? fd : file_read(fd, CERT_SIZE_MAX, &text, &len);

	if (e == -EFBIG)
		return refuse(r, f->path, "it is larger than 64 KiB");
	if (e < 0)
		return refuse_error(r, f->path, e);
	e = cert_parse(text, len, &c, &why);
	if (e == -EBADMSG)
		return refuse(r, f->path, why);
	return e < 0 ? e : keep(r, f->path, c);
}

/* certs.2 to certs.4 */
static int read_entry(struct reader *r, const struct cascade_file *f) {
	if (f->is_mask)
		return 0;
	if (f->why)
		return refuse(r, f->path, f->why);
	if (r->found.n == CERTS_MAX)
		return refuse(r, f->path, "it is one of more than 256");
	return read_certificate(r, f);
}

static int digest_entry(const struct cascade_file *f, struct digest *d) {
	const struct stat *st = &f->st;
	_cleanup_free_ char *text =
		text_format("%d %llx:%llx %llu %o %u %lld.%09ld %lld.%09ld", f->is_mask,
			    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
			    (unsigned long long)st->st_size, (unsigned)st->st_mode,
			    (unsigned)st->st_uid, (long long)st->st_mtim.tv_sec,
			    st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
			    st->st_ctim.tv_nsec);

	digest_add_text(d, f->path);
	digest_add_text(d, f->why);
	digest_add_text(d, text);
	return text ? 0 : -ENOMEM;
}

int certs_digest(int root, struct digest *d) {
	_cleanup_(cascade_done) struct cascade files = { 0 };
	int r = cascade_list(root, directories, SUFFIX, &files);

	for (size_t i = 0; r == 0 && i < files.n; i++)
		r = digest_entry(&files.items[i], d);
	return r;
}

int certs_read(int root, struct certs *ret, char ***problems) {
	_cleanup_(reader_done) struct reader reader = { .problems = problems };
	_cleanup_(cascade_done) struct cascade files = { 0 };
	int r = cascade_list(root, directories, SUFFIX, &files);

	for (size_t i = 0; r == 0 && i < files.n; i++)
		r = read_entry(&reader, &files.items[i]);
	if (r < 0)
		return r;
	*ret = reader.found;
	reader.found = (struct certs){ 0 };
	return 0;
}

void certs_done(struct certs *c) {
	for (size_t i = 0; i < c->n; i++)
		cert_free(c->items[i]);
	free(c->items);
	*c = (struct certs){ 0 };
}
