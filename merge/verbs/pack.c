/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge pack: a directory becomes a signed disk image; works without privilege. */
#include <string.h>
#include <sys/stat.h>

#include "../architecture.h"
#include "../json.h"
#include "../log.h"
#include "../nesting.h"
#include "../text.h"
#include "packing.h"
#include "verbs.h"

static enum exit_code usage(const char *what, const char *hint) {
	log_error("%s", what);
	log_hint("%s", hint);
	return EXIT_USAGE;
}

static enum exit_code check_call(struct packing *p) {
	const struct options *o = p->options;

	p->source = o->operands[0];
	p->target = o->operands[1];
	p->request.format = mkfs_format_from(o->format ?: "erofs");
	if (p->request.format == FSTYPE_NONE)
		return usage("--format is erofs or squashfs", "Leave it out for erofs");
	if (!o->key != !o->certificate)
		return usage("A signature takes both --key and --cert",
			     "Without both, the image is protected by its hash tree alone");
	if (o->architecture && !architecture_is_known(o->architecture))
		return usage("--arch names no architecture",
			     "Use a word of UAPI.4, such as x86-64 or arm64");
	return EXIT_DONE;
}

/* Before the work begins; newfile_publish() asks again when it ends. */
static enum exit_code check_target(struct packing *p) {
	struct stat st;

	if (p->options->overwrite || lstat(p->target, &st) < 0)
		return EXIT_DONE;
	log_error("'%s' is there already", p->target);
	log_hint("--overwrite replaces it");
	return EXIT_FAILED;
}

static enum exit_code check_program(struct packing *p) {
	if (mkfs_is_there(p->request.format))
		return EXIT_DONE;
	log_error("There is no %s, which makes %s file systems",
		  mkfs_program(p->request.format), fstype_name(p->request.format));
	log_hint("It is in the package %s", mkfs_package(p->request.format));
	return EXIT_PRIVILEGE;
}

/* -ELOOP where the image would be inside of the directory. */
static int check_place(const struct packing *p) {
	enum nesting_relation relation = NESTING_APART;
	struct nesting n = { 0 };
	unsigned other;
	int r = nesting_add(&n, p->directory, 0, &relation, &other);

	if (r == 0)
		r = nesting_add(&n, p->image.directory, 1, &relation, &other);
	nesting_done(&n);
	if (r == 0 && (relation == NESTING_SAME || relation == NESTING_INSIDE))
		r = -ELOOP;
	return r;
}

static enum exit_code open_files(struct packing *p) {
	int r = newfile_open(p->target, &p->image);

	if (r == 0)
		r = newfile_open(p->target, &p->scratch);
	if (r == 0)
		r = check_place(p);
	if (r == -ELOOP)
		return packing_fail(p, r,
				    "the image would be inside of what it is made of");
	if (r < 0) {
		log_error("Cannot make '%s': %s", p->target, strerror(-r));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static enum exit_code make_image(struct packing *p) {
	_cleanup_free_ char *why = NULL;
	int r;

	p->request.directory = p->content.directory;
	p->request.class = p->content.extension->class;
	p->request.name = p->content.extension->name.full;
	p->request.keys = p->keys;
	p->request.scratch = p->scratch.fd;
	p->request.image = p->image.fd;
	r = pack(&p->request, &p->packed, &why);
	if (r < 0)
		return packing_fail(p, r, why);
	r = newfile_publish(&p->image, p->options->overwrite);
	if (r < 0) {
		log_error("Cannot make '%s': %s", p->target, strerror(-r));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static void print_text(const struct packing *p) {
	const struct proof *proof = &p->packed.proof;
	_cleanup_free_ char *path = text_escape(p->target);
	char size[8];

	text_size(p->packed.size, size);
	printf("%s  %s, %s, %s for %s\n", path ?: "", p->content.extension->class->name,
	       size, fstype_name(p->request.format), p->request.architecture);
	printf("  root hash    %s\n", proof->root_hash);
	if (p->keys) {
		printf("  signed by    \"%s\"\n", proof->signer.subject);
		printf("  certificate  sha256 %s\n", proof->signer.fingerprint);
	}
}

/* pack.14 */
static void warn_of_unsigned(void) {
	log_warning(
		"Nobody has signed it: whoever can replace it can replace its hashes too");
	log_hint("--key= and --cert= sign it");
}

static void add_partitions(struct json_object *o, const struct packed *packed) {
	static const char *const words[] = {
		[GPT_DATA] = "root", [GPT_VERITY] = "root-verity", [GPT_SIGNATURE] = "root-verity-sig"
	};
	struct json_object *array = json_add_array(o, "partitions");

	for (size_t i = 0; i < packed->n_partitions; i++) {
		struct json_object *part = json_append_object(array);
		char guid[37];

		json_add_text(part, "designator", words[i]);
		json_add_text(part, "label", packed->partitions[i].label);
		gpt_format_guid(packed->partitions[i].uuid, guid);
		json_add_text(part, "uuid", guid);
		json_add_number(part, "offset", (int64_t)packed->partitions[i].offset);
		json_add_number(part, "size", (int64_t)packed->partitions[i].size);
	}
}

static void print_json(const struct packing *p) {
	const struct extension *e = p->content.extension;
	const struct proof *proof = &p->packed.proof;
	struct json_object *o = json_new("pack");
	bool is_signed = p->keys != NULL;

	json_add_text(o, "path", p->target);
	json_add_text(o, "name", e->name.name);
	json_add_text(o, "version", e->name.version);
	json_add_text(o, "class", e->class->name);
	json_add_text(o, "architecture", p->request.architecture);
	json_add_text(o, "format", fstype_name(p->request.format));
	json_add_number(o, "size", (int64_t)p->packed.size);
	json_add_text(o, "level", is_signed ? "signed" : "verity");
	json_add_text(o, "roothash", proof->root_hash);
	json_add_text(o, "signer", is_signed ? proof->signer.subject : NULL);
	json_add_text(o, "fingerprint", is_signed ? proof->signer.fingerprint : NULL);
	json_add_time(o, "not_before", is_signed ? proof->signer.not_before : 0);
	json_add_time(o, "not_after", is_signed ? proof->signer.not_after : 0);
	add_partitions(o, &p->packed);
	json_print(o, p->options->json);
}

static enum exit_code work(struct packing *p, bool is_told) {
	static enum exit_code (*const steps[])(struct packing *) = {
		check_call,	   check_target, check_program, packing_examine,
		packing_read_keys, open_files,	 make_image,
	};
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < ARRAY_SIZE(steps); i++)
		code = steps[i](p);
	if (code == EXIT_DONE && is_told && p->options->json != JSON_OFF)
		print_json(p);
	else if (code == EXIT_DONE && is_told)
		print_text(p);
	if (code == EXIT_DONE && !p->keys)
		warn_of_unsigned();
	return code;
}

enum exit_code packing_run(const struct options *o, bool is_told) {
	struct packing p = { .options = o,
			     .directory = -EBADF,
			     .content = CONTENT_NONE,
			     .scratch = NEWFILE_NONE,
			     .image = NEWFILE_NONE };
	enum exit_code code = work(&p, is_told);

	newfile_done(&p.scratch);
	newfile_done(&p.image);
	keypair_free(p.keys);
	content_done(&p.content);
	close_fdp(&p.directory);
	return code;
}

static enum exit_code run(const struct options *o) {
	return packing_run(o, true);
}

const struct verb verb_pack = {
	.name = "pack",
	.operands = "DIRECTORY IMAGE",
	.help = "Make a disk image, signed if there is a key",
	.min = 2,
	.max = 2,
	.run = run,
};
