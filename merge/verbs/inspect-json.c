/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge inspect: for programs (specs: json.inspect). */
#include "../../verity/hex.h"
#include "../json.h"
#include "inspecting.h"

#define NO_AUTO (UINT64_C(1) << 63) /* UAPI.2, partition attribute flags */
#define READ_ONLY (UINT64_C(1) << 60)
#define GROW_FILE_SYSTEM (UINT64_C(1) << 59)

static void add_parts(struct json_object *o, const struct source_layout *l) {
	struct json_object *array = json_add_array(o, "parts");

	for (size_t i = 0; i < l->n_parts; i++) {
		struct json_object *part = json_append_object(array);

		json_add_text(part, "designator", l->parts[i].is_usr ? "usr" : "root");
		json_add_text(part, "format", fstype_name(l->parts[i].format));
		json_add_number(part, "offset", (int64_t)l->parts[i].offset);
		json_add_number(part, "size", (int64_t)l->parts[i].size);
	}
}

static void add_guid(struct json_object *o, const char *key, const uint8_t *guid) {
	char text[37];

	gpt_format_guid(guid, text);
	json_add_text(o, key, text);
}

static void add_partition(struct json_object *array, const struct anatomy_partition *p) {
	struct json_object *o = json_append_object(array);
	const struct gpt_partition *entry = p->entry;

	json_add_number(o, "number", entry->index + 1);
	json_add_text(o, "designator", p->designator);
	json_add_text(o, "content", p->content);
	json_add_bool(o, "used", p->is_used);
	json_add_text(o, "architecture", p->architecture);
	json_add_number(o, "offset", (int64_t)p->offset);
	json_add_number(o, "size", (int64_t)p->size);
	json_add_text(o, "label", entry->label);
	add_guid(o, "uuid", entry->uuid);
	add_guid(o, "type", entry->type);
	json_add_bool(o, "read_only", entry->attributes & READ_ONLY);
	json_add_bool(o, "no_auto", entry->attributes & NO_AUTO);
	json_add_bool(o, "grow", entry->attributes & GROW_FILE_SYSTEM);
}

static void add_partitions(struct json_object *o, const struct anatomy *a) {
	struct json_object *array = json_add_array(o, "partitions");

	for (size_t i = 0; a->is_disk && i < a->n_partitions; i++)
		add_partition(array, &a->partitions[i]);
}

static void add_tree(struct json_object *o, const struct anatomy *a) {
	const struct superblock *sb = &a->superblock;
	struct json_object *tree;
	char salt[2 * SUPERBLOCK_SALT_MAX + 1];

	if (!a->has_tree || !sb->algorithm) {
		json_add_text(o, "hash_tree", NULL);
		return;
	}
	tree = json_add_object(o, "hash_tree");
	hex_encode(sb->salt, sb->salt_size, salt);
	json_add_text(tree, "algorithm", sb->algorithm);
	json_add_number(tree, "blocks", (int64_t)sb->data_blocks);
	json_add_number(tree, "block_size", sb->data_block_size);
	json_add_number(tree, "hash_block_size", sb->hash_block_size);
	json_add_text(tree, "salt", salt);
	add_guid(tree, "uuid", sb->uuid);
}

static void add_signature(struct json_object *o, const struct anatomy *a) {
	struct json_object *s = json_add_object(o, "signature");
	bool is_trusted = a->signature == ANATOMY_TRUSTED;

	json_add_text(s, "state", anatomy_signature_word(a->signature));
	json_add_text(s, "reason", a->signature_why);
	json_add_text(s, "signer", is_trusted ? a->signer.subject : NULL);
	json_add_text(s, "fingerprint",
		      is_trusted	   ? a->signer.fingerprint
		      : *a->claimed_signer ? a->claimed_signer
					   : NULL);
	json_add_time(s, "not_before", is_trusted ? a->signer.not_before : 0);
	json_add_time(s, "not_after", is_trusted ? a->signer.not_after : 0);
}

static void add_policy(struct json_object *o, const struct anatomy *a) {
	struct json_object *policy = json_add_object(o, "policy");

	json_add_text(policy, "text", a->policy);
	json_add_bool(policy, "allowed", a->policy && !a->policy_why);
	json_add_text(policy, "reason", a->policy_why);
}

static void add_verdict(struct json_object *o, const struct verdict *v) {
	struct json_object *verdict = json_add_object(o, "verdict");

	json_add_text(verdict, "code", verdict_word(v->code));
	json_add_text(verdict, "text", v->text);
	json_add_text(verdict, "hint", verdict_hint(v->code));
}

void inspecting_print_json(const struct subject *s, const struct options *options) {
	const struct extension *e = s->extension;
	const struct anatomy *a = &s->anatomy;
	struct json_object *o = json_new("inspect"), *release;

	json_add_text(o, "path", e->path);
	json_add_text(o, "name", e->name.name);
	json_add_text(o, "version", e->name.version);
	json_add_text(o, "class", e->class->name);
	json_add_text(o, "kind", extension_kind_word(e->kind));
	json_add_number(o, "size", (int64_t)e->size);
	json_add_bool(o, "gpt", a->is_disk);
	json_add_bool(o, "verity", a->has_tree);
	json_add_text(o, "trust", extension_trust_word(e));
	json_add_text(o, "note", e->note);
	json_add_bool(o, "examined", s->is_examined);
	add_parts(o, &s->layout);
	add_partitions(o, a);
	add_tree(o, a);
	json_add_text(o, "roothash", a->has_tree ? a->root_hash : NULL);
	add_signature(o, a);
	add_policy(o, a);
	json_add_text(o, "fault", a->fault);
	release = json_add_object(o, "release");
	for (size_t i = 0; e->release && inspecting_keys[i]; i++)
		if (release_get(e->release, inspecting_keys[i]))
			json_add_text(release, inspecting_keys[i],
				      release_get(e->release, inspecting_keys[i]));
	add_verdict(o, &e->verdict);
	json_print(o, options->json);
}
