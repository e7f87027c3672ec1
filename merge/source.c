/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an extension becomes a tree fd. */
#include "source.h"

#include <fcntl.h>
#include <string.h>

#include "image.h"
#include "volume.h"

/* --- protection --- */

/* trust.9: where the policy does not mind, but never in silence. */
static int do_without(struct extension *e, const char *why) {
	extension_trust_done(&e->trust);
	e->trust.protection = EXTENSION_UNPROTECTED;
	return extension_add_note(e, "its hash tree is not in force: %s", why);
}

static int cannot_guard(struct extension *e, int error, const char *why) {
	switch (error) {
	case -EBADMSG:
		return verdict_set(&e->verdict, VERDICT_CORRUPT, "%s",
				   why ?: "its hash tree is refused");
	case -ENOKEY:
		return verdict_set(
			&e->verdict, VERDICT_UNKNOWN_SIGNER,
			"the kernel takes only what is signed by a key of its own: %s",
			why ?: strerror(-error));
	case -EKEYREJECTED:
	case -EKEYREVOKED:
	case -EKEYEXPIRED:
		return verdict_set(&e->verdict, VERDICT_BAD_SIGNATURE,
				   "the kernel refuses its signature: %s",
				   why ?: strerror(-error));
	default:
		return assess_read_error(e, error);
	}
}

/* Not a negative errno: who has signed it is unknown to the kernel as well. */
#define UNKNOWN_TO_KERNEL 1

/* Puts the part's hash tree in force; *v becomes the data that is checked from now on. Or UNKNOWN_TO_KERNEL. */
static int guard_part(struct extension *e, const struct verity_part *p,
		      const struct source_options *o, struct volume *v) {
	_cleanup_free_ char *why = NULL;
	struct guarded g;
	int r = guard_attach(o->guard, &p->target, e->name.full, o->workshop, &g, &why);

	if (p->is_for_kernel && r == 0 && !g.is_kernel_checked) {
		close(g.fd);
		free(g.server);
		return UNKNOWN_TO_KERNEL;
	}
	if (p->is_for_kernel && r == -ENOKEY)
		return UNKNOWN_TO_KERNEL;
	if (r == -ENODEV && p->may_be_bare)
		return do_without(e, why);
	if (r == -ENODEV)
		return verdict_set(
			&e->verdict, VERDICT_NO_VERITY_BACKEND,
			"the policy asks for protection, and nothing here can put it in force: %s",
			why);
	if (r < 0)
		return cannot_guard(e, r, why);
	*v = (struct volume){ .fd = g.fd,
			      .size = g.size,
			      .is_device = g.is_device,
			      .is_file = !g.is_device,
			      .is_served = !g.is_device };
	e->trust.is_kernel_checked = g.is_kernel_checked &&
				     (e->access == EXTENSION_ACCESS_NONE ||
				      e->trust.is_kernel_checked);
	if (o->guard->on_corruption != CRYPTSETUP_EIO)
		e->trust.on_corruption = guard_corruption_text(o->guard->on_corruption);
	e->access = g.is_device ? EXTENSION_ACCESS_DM_VERITY
				: EXTENSION_ACCESS_VERIFIED_FILE;
	free(e->trust.server);
	e->trust.server = g.server;
	return 0;
}

static int check_format(struct extension *e, const struct policy *policy,
			const struct verity_part *p, enum fstype format) {
	struct fault fault;
	int r = verity_check_format(policy, p, fstype_name(format), &fault);

	return r < 0 ? assess_fault(e, &fault) : 0;
}

static int attach_volume(struct extension *e, const struct assessment *a,
			 const struct verity_part *p, const struct source_options *o,
			 struct volume *v) {
	int r = volume_probe(e, v);

	if (r == 0 && extension_fits(e))
		r = check_format(e, &a->policy, p, v->format);
	if (r == 0 && extension_fits(e))
		r = volume_mount(e, v, o->workshop,
				 p->designator == GPT_USR ? &e->usr_tree : &e->root_tree);
	return r;
}

static int attach_part(struct extension *e, const struct assessment *a,
		       const struct verity_part *p, const struct source_options *o) {
	struct volume v = {
		.fd = e->fd,
		.offset = p->offset,
		.size = p->size,
		.is_device = e->kind == EXTENSION_BLOCK && p->size == e->size,
		.is_file = e->kind == EXTENSION_RAW,
	};
	int r = p->protection == POLICY_UNPROTECTED ? 0 : guard_part(e, p, o, &v);

	if (r == 0 && extension_fits(e))
		r = attach_volume(e, a, p, o, &v);
	if (v.fd != e->fd)
		close_fdp(&v.fd); /* what was mounted of it keeps it */
	return r;
}

static int attach_directory(struct extension *e, const struct source_options *o) {
	int r = assess_directory(e, &o->assess);

	if (r < 0 || !extension_fits(e))
		return r;
	e->access = EXTENSION_ACCESS_DIRECTORY;
	e->root_tree = fcntl(e->fd, F_DUPFD_CLOEXEC, 3);
	return e->root_tree < 0 ? -errno : 0;
}

static bool asks_kernel(void *options) {
	const struct source_options *o = options;

	return guard_asks_kernel(o->guard, o->workshop);
}

static int attach_image(struct extension *e, struct source_options *o) {
	_cleanup_(assessment_done) struct assessment a = ASSESSMENT_NONE;
	int r = assess_image(e, &o->assess, &a);

	if (r == 0 && !o->workshop)
		r = verdict_set(
			&e->verdict, VERDICT_NO_PRIVILEGE,
			"an image can only be looked into by who may mount, with CAP_SYS_ADMIN");
	for (size_t i = 0; r == 0 && extension_fits(e) && i < a.parts.n; i++)
		r = attach_part(e, &a, &a.parts.items[i], o);
	return r;
}

/* trust.14: where the kernel knows the signer no more than we do, it is judged as if nobody had asked. */
static int attach_signed(struct extension *e, const struct source_options *o) {
	struct source_options asking = *o, alone = *o;
	int r;

	asking.assess.asks_kernel = o->workshop ? asks_kernel : NULL;
	asking.assess.userdata = &alone;
	r = attach_image(e, &asking);
	if (r != UNKNOWN_TO_KERNEL)
		return r;
	extension_trust_done(&e->trust);
	e->access = EXTENSION_ACCESS_NONE;
	close_fdp(&e->root_tree);
	close_fdp(&e->usr_tree);
	e->root_tree = e->usr_tree = -EBADF;
	return attach_image(e, &alone);
}

int source_attach(struct extension *e, const struct source_options *o) {
	return e->kind == EXTENSION_DIRECTORY || e->kind == EXTENSION_SUBVOLUME
		       ? attach_directory(e, o)
		       : attach_signed(e, o);
}

/* --- for people --- */

static int take_part(struct extension *e, const struct dissect_part *p,
		     struct source_part *to) {
	struct volume v = { .fd = e->fd, .offset = p->offset, .size = p->size };
	int r = volume_probe(e, &v);

	*to = (struct source_part){
		.format = v.format,
		.offset = p->offset,
		.size = p->size,
		.is_usr = p->designator == GPT_USR,
	};
	return r;
}

int source_read_layout(struct extension *e, const char *native, const char *secondary,
		       struct source_layout *ret) {
	bool is_file = e->kind == EXTENSION_RAW;
	_cleanup_close_ int directory = is_file ? image_open_directory(e, AT_FDCWD)
						: -EBADF;
	const struct dissect_image image = image_describe(e, directory, native, secondary);
	_cleanup_(dissection_done) struct dissection d = DISSECTION_NONE;
	struct source_layout l = { .n_parts = 0 };
	struct fault fault;
	int r = is_file && directory < 0 ? directory : dissect(&image, &d, &fault);

	if (r < 0)
		return r == -EBADMSG ? assess_fault(e, &fault) : assess_read_error(e, r);
	l.is_disk = d.is_disk;
	for (size_t i = 0; r == 0 && extension_fits(e) && i < d.n_parts; i++)
		r = take_part(e, &d.parts[i], &l.parts[l.n_parts++]);
	*ret = l;
	return r;
}
