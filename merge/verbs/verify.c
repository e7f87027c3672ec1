/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge verify: signature, signer and every block of images, in userspace; works without privilege. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "../../verity/proof.h"
#include "../architecture.h"
#include "../assess.h"
#include "../image.h"
#include "../json.h"
#include "../log.h"
#include "../progress.h"
#include "../route.h"
#include "../strv.h"
#include "../text.h"
#include "verbs.h"

/* How images are checked. */
struct check {
	const char *native, *secondary;
	const struct certs *trusted;
	struct signature_rules dates;
};

/* One image and what came of it. */
struct trial {
	struct extension *extension;
	struct proof proof;
	int error; /* of proof_check(), or -EINVAL for what is no image at all */
	struct fault fault;
	char *why; /* a sentence about the error, or NULL */
	struct progress progress;
};

static const char *level_word(enum proof_level level) {
	static const char *const words[] = {
		[PROOF_NONE] = "none", [PROOF_VERITY] = "verity", [PROOF_SIGNED] = "signed"
	};

	return words[level];
}

/* proof.6 */
static enum exit_code judge(const struct trial *t) {
	switch (t->error) {
	case 0:
		return t->proof.level == PROOF_SIGNED ? EXIT_DONE : EXIT_REFUSED;
	case -EBADMSG:
		return t->fault.code == FAULT_UNKNOWN_SIGNER ||
				       t->fault.code == FAULT_UNSUPPORTED_SIGNATURE ||
				       t->fault.code == FAULT_VALIDITY
			       ? EXIT_REFUSED
			       : EXIT_FAILED;
	default:
		return EXIT_FAILED;
	}
}

static const char *explain(const struct trial *t) {
	if (t->error < 0)
		return t->why ?: strerror(-t->error);
	if (t->proof.level == PROOF_SIGNED)
		return NULL;
	if (t->proof.level == PROOF_VERITY)
		return "every block is right, but nobody has signed the root hash";
	return t->extension->kind == EXTENSION_DIRECTORY
		       ? "a directory has nothing that could be verified: extmerge pack makes an image of it"
		       : "it carries nothing that could be verified";
}

/* proof.9: the words of verdicts, so that a script needs to know only these. */
static const char *code_of(const struct trial *t) {
	enum verdict_code code = t->extension->verdict.code;

	if (code == VERDICT_FITS && t->error < 0)
		code = VERDICT_UNREADABLE;
	else if (code == VERDICT_FITS && t->proof.level == PROOF_VERITY)
		code = VERDICT_UNSIGNED;
	else if (code == VERDICT_FITS && t->proof.level == PROOF_NONE)
		code = VERDICT_UNPROTECTED;
	return code == VERDICT_FITS ? NULL : verdict_word(code);
}

/* proof.8: dates are for people, unless they are asked for. */
static void print_signer(const struct signer *s) {
	char since[16], until[16];
	time_t now = time(NULL);

	text_date(s->not_before, since);
	text_date(s->not_after, until);
	printf("  certificate  sha256 %s\n", s->fingerprint);
	printf("  valid        %s to %s%s\n", since, until,
	       now > s->not_after    ? ", so it has expired"
	       : now < s->not_before ? ", so it is not valid yet"
				     : "");
}

static void print_text(const struct trial *t) {
	const struct proof *p = &t->proof;
	_cleanup_free_ char *path = text_escape(t->extension->path);
	const enum verdict_code code = t->extension->verdict.code;
	const char *hint = verdict_hint(code);
	char size[8];

	if (judge(t) != EXIT_DONE) {
		log_error("%s: %s", t->extension->path, explain(t));
		/* That of other refusals is what else a merge could be asked for. */
		if (hint && (judge(t) == EXIT_FAILED || code == VERDICT_UNKNOWN_SIGNER))
			log_hint("%s", hint);
		return;
	}
	text_size(p->blocks * p->block_size, size);
	printf("%s  signed by \"%s\"\n", path ?: "", p->signer.subject);
	print_signer(&p->signer);
	printf("  root hash    %s\n", p->root_hash);
	printf("  content      %s, %llu block%s, each of them right\n", size,
	       (unsigned long long)p->blocks, text_plural(p->blocks));
}

static void add_json(struct json_object *array, const struct trial *t) {
	struct json_object *o = json_append_object(array);
	const struct proof *p = &t->proof;

	json_add_text(o, "path", t->extension->path);
	json_add_text(o, "name", t->extension->name.name);
	json_add_text(o, "version", t->extension->name.version);
	json_add_text(o, "class", t->extension->class->name);
	json_add_number(o, "size", (int64_t)t->extension->size);
	json_add_bool(o, "ok", judge(t) == EXIT_DONE);
	json_add_text(o, "level", level_word(p->level));
	json_add_text(o, "roothash", *p->root_hash ? p->root_hash : NULL);
	json_add_text(o, "signer", p->level == PROOF_SIGNED ? p->signer.subject : NULL);
	json_add_text(o, "fingerprint",
		      p->level == PROOF_SIGNED ? p->signer.fingerprint : NULL);
	json_add_time(o, "not_before",
		      p->level == PROOF_SIGNED ? p->signer.not_before : 0);
	json_add_time(o, "not_after", p->level == PROOF_SIGNED ? p->signer.not_after : 0);
	json_add_number(o, "blocks", (int64_t)p->blocks);
	json_add_number(o, "block_size", (int64_t)p->block_size);
	json_add_text(o, "code", code_of(t));
	json_add_text(o, "reason", explain(t));
}

/* Never ends the work; of the image's bytes only those of data blocks are counted. */
static int show_progress(void *userdata, uint64_t done, uint64_t total) {
	struct trial *t = userdata;

	progress_show(&t->progress, (uint64_t)((double)t->extension->size * done / total),
		      t->extension->size);
	return 0;
}

static int check(struct trial *t, const struct check *c) {
	const struct extension *e = t->extension;
	_cleanup_close_ int directory = image_open_directory(e, AT_FDCWD);
	const struct dissect_image image = image_describe(e, directory, c->native,
							  c->secondary);
	const struct proof_options options = {
		.trusted = c->trusted,
		.dates = &c->dates,
		.sweep = { .progress = show_progress, .userdata = t },
	};
	int r;

	if (directory < 0)
		return directory;
	progress_begin(&t->progress, image_file_name(e));
	r = proof_check(&image, &options, &t->proof, &t->fault);
	progress_end(&t->progress);
	return r;
}

/* With the place, where one block is wrong: that tells a bad disk from a bad copy. */
static char *say_where(const struct trial *t) {
	_cleanup_free_ char *text = fault_text(&t->fault);

	if (!text || !t->proof.has_wrong_block)
		return TAKE_PTR(text);
	return text_format("%s (at byte %llu)", text,
			   (unsigned long long)t->proof.wrong_byte);
}

static void try_image(const char *path, const struct check *c, struct trial *t) {
	t->error = image_open(path, &classes[CLASS_SYSEXT], &t->extension);
	if (t->error < 0)
		return;
	if (!extension_fits(t->extension)) {
		t->error = -EINVAL;
		t->why = strdup(t->extension->verdict.text);
		return;
	}
	if (t->extension->kind == EXTENSION_RAW || t->extension->kind == EXTENSION_BLOCK)
		t->error = check(t, c);
	if (t->error == -EBADMSG) {
		t->why = say_where(t);
		(void)assess_fault(t->extension, &t->fault);
	}
}

/* The worst counts: damaged before unsigned before signed. */
static enum exit_code worse(enum exit_code a, enum exit_code b) {
	return a == EXIT_FAILED || b == EXIT_FAILED ? EXIT_FAILED
	       : a != EXIT_DONE			    ? a
						    : b;
}

static enum exit_code verify_one(const char *path, const struct check *c,
				 struct json_object *array) {
	struct trial t = { .extension = NULL };
	enum exit_code code = EXIT_FAILED;

	try_image(path, c, &t);
	if (!t.extension) {
		log_error("Cannot open '%s': %s", path, strerror(-t.error));
		return code;
	}
	code = judge(&t);
	if (array)
		add_json(array, &t);
	else
		print_text(&t);
	extension_free(t.extension);
	free(t.why);
	return code;
}

static enum exit_code verify_all(const struct options *o, const struct check *c) {
	struct json_object *object = o->json != JSON_OFF ? json_new("verify") : NULL;
	struct json_object *array = object ? json_add_array(object, "images") : NULL;
	enum exit_code code = EXIT_DONE;

	for (char *const *path = o->operands; *path; path++)
		code = worse(code, verify_one(*path, c, array));
	if (object)
		json_print(object, o->json);
	return code;
}

/* An extension must have no say in who is trusted; only root can look below what is merged. */
static void warn_of_merged(const struct route *r) {
	for (size_t i = 0; !r->is_privileged && i < r->state.n; i++)
		if (r->state.hierarchies[i].kind != STATE_PLAIN)
			log_warning(
				"/%s is merged: certificates in it may be an extension's. "
				"As root, the host's own are read",
				r->state.hierarchies[i].name);
}

/* proof.8: by the command line only, as what is checked here is often meant for other hosts. */
static struct signature_rules read_dates(const struct options *o) {
	struct signature_rules dates = { .now = time(NULL) };
	const char *word = o->given[SETTINGS_CERTIFICATE_VALIDITY];

	if (word) /* it has been tried when the options were parsed */
		(void)trust_validity_from(word, &dates.enforce_validity);
	return dates;
}

static enum exit_code verify(const struct route *r) {
	_cleanup_strv_ char **problems = NULL;
	struct certs certs = { .n = 0 };
	struct check c = { .trusted = &certs, .dates = read_dates(r->options) };
	enum exit_code code;
	struct utsname name;
	int e = uname(&name) < 0 ? -errno : certs_read(r->base, &certs, &problems);

	if (e < 0)
		return route_fail(e, "read the trusted certificates");
	warn_of_merged(r);
	for (char **problem = problems; problem && *problem; problem++)
		log_warning("%s", *problem);
	c.native = architecture_from_machine(name.machine) ?: "";
	c.secondary = architecture_secondary(c.native);
	code = verify_all(r->options, &c);
	certs_done(&certs);
	return code;
}

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_open(&r, o);

	if (code == EXIT_DONE)
		code = route_enter(&r);
	if (code == EXIT_DONE)
		code = verify(&r);
	route_done(&r);
	return code;
}

const struct verb verb_verify = {
	.name = "verify",
	.operands = "IMAGE...",
	.help = "Check signature, signer and every block of images",
	.min = 1,
	.max = INT_MAX,
	.run = run,
};
