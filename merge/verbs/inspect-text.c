/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge inspect: for people. */
#include <string.h>
#include <time.h>

#include "../table.h"
#include "../text.h"
#include "inspecting.h"

/* UAPI.2, partition attribute flags */
static const struct {
	uint64_t bit;
	const char *word;
} flags[] = {
	{ UINT64_C(1) << 63, "no-auto" },
	{ UINT64_C(1) << 60, "read-only" },
	{ UINT64_C(1) << 59, "grow" },
};

enum {
	COLUMN_NUMBER,
	COLUMN_PARTITION,
	COLUMN_CONTENT,
	COLUMN_SIZE,
	COLUMN_ARCHITECTURE,
	COLUMN_FLAGS,
	COLUMN_LABEL,
	COLUMN_UUID
};

static const struct table_column columns[] = {
	{ "NR", TABLE_RIGHT },	 { "PARTITION", 0 }, { "CONTENT", 0 },
	{ "SIZE", TABLE_RIGHT }, { "FOR", 0 },	     { "FLAGS", 0 },
	{ "LABEL", 0 },		 { "UUID", 0 },	     { NULL, 0 },
};

const char *const inspecting_keys[] = {
	"ID",		"VERSION_ID",	"SYSEXT_LEVEL",	 "CONFEXT_LEVEL",
	"ARCHITECTURE", "SYSEXT_SCOPE", "CONFEXT_SCOPE", "EXTENSION_RELOAD_MANAGER",
	NULL,
};

/* Takes over the text, and says nothing where there is none. */
static void print_owned(const char *label, char *text) {
	_cleanup_free_ char *owned = text, *escaped = text ? text_escape(text) : NULL;

	if (escaped)
		printf("  %-11s  %s\n", label, escaped);
}

static void print_line(const char *label, const char *text) {
	print_owned(label, text ? strdup(text) : NULL);
}

static void print_release(const struct release *r) {
	for (size_t i = 0; r && inspecting_keys[i]; i++) {
		const char *value = release_get(r, inspecting_keys[i]);

		if (value)
			print_owned("release",
				    text_format("%s=%s", inspecting_keys[i], value));
	}
}

static void print_tree(const struct anatomy *a) {
	const struct superblock *sb = &a->superblock;

	if (!a->has_tree)
		return;
	if (sb->algorithm)
		print_owned("hash tree",
			    text_format("%s, %llu block%s of %u bytes, %zu byte%s of salt",
					sb->algorithm, (unsigned long long)sb->data_blocks,
					text_plural(sb->data_blocks), sb->data_block_size,
					sb->salt_size, text_plural(sb->salt_size)));
	else
		print_line("hash tree", "is malformed");
	print_line("root hash", a->root_hash);
}

static void print_dates(const struct signer *s) {
	char since[16], until[16];
	time_t now = time(NULL);

	text_date(s->not_before, since);
	text_date(s->not_after, until);
	print_owned("valid", text_format("%s to %s%s", since, until,
					 now > s->not_after    ? ", so it has expired"
					 : now < s->not_before ? ", so it is not valid yet"
							       : ""));
}

static void print_signature(const struct anatomy *a) {
	switch (a->signature) {
	case ANATOMY_UNSIGNED:
		if (a->has_tree)
			print_line("signature", "none");
		return;
	case ANATOMY_TRUSTED:
		print_owned("signature", text_format("by \"%s\", who is trusted here",
						     a->signer.subject));
		print_owned("certificate",
			    text_format("sha256 %s", a->signer.fingerprint));
		print_dates(&a->signer);
		return;
	case ANATOMY_UNKNOWN:
	case ANATOMY_BAD:
		print_owned("signature",
			    text_format("does not count: %s", a->signature_why));
		if (*a->claimed_signer)
			print_owned("certificate",
				    text_format("sha256 %s, as it says itself",
						a->claimed_signer));
	}
}

static void print_anatomy(const struct anatomy *a) {
	print_tree(a);
	print_signature(a);
	if (a->policy)
		print_owned("policy",
			    text_format("%s %s%s", a->policy,
					a->policy_why ? "refuses it: " : "allows it",
					a->policy_why ?: ""));
	print_line("fault", a->fault);
}

static void set_flags(struct table_line *line, uint64_t attributes) {
	char text[32] = "";

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (attributes & flags[i].bit) {
			strcat(text, *text ? "," : "");
			strcat(text, flags[i].word);
		}
	table_set(line, COLUMN_FLAGS, text);
}

static void add_partition(struct table *t, const struct anatomy_partition *p) {
	struct table_line *line = table_add(t, NULL);
	char number[16], guid[37];

	snprintf(number, sizeof(number), "%u", p->entry->index + 1);
	table_set(line, COLUMN_NUMBER, number);
	table_set(line, COLUMN_PARTITION, p->designator ?: "unknown");
	table_set(line, COLUMN_CONTENT, p->is_used ? p->content ?: "unknown" : "not used");
	table_set_size(line, COLUMN_SIZE, p->size);
	table_set(line, COLUMN_ARCHITECTURE, p->architecture);
	set_flags(line, p->entry->attributes);
	table_set(line, COLUMN_LABEL, p->entry->label);
	gpt_format_guid(p->entry->uuid, guid);
	table_set(line, COLUMN_UUID, guid);
}

static void print_table(const struct anatomy *a, const struct options *o) {
	struct table *t;

	if (!a->is_disk || a->n_partitions == 0)
		return;
	puts("");
	t = table_new(o, columns);
	for (size_t i = 0; i < a->n_partitions; i++)
		add_partition(t, &a->partitions[i]);
	table_print(t);
}

static void print_kind(const struct subject *s) {
	const struct extension *e = s->extension;
	const struct anatomy *a = &s->anatomy;
	const char *content = a->n_partitions > 0 ? a->partitions[0].content : NULL;
	char size[8];

	text_size(e->size, size);
	print_owned("kind", text_format("%s%s%s%s%s", extension_kind_word(e->kind),
					e->size ? ", " : "", e->size ? size : "",
					a->is_disk ? ", GPT disk image"
					: content  ? ", "
						   : "",
					!a->is_disk && content ? content : ""));
}

void inspecting_print_text(const struct subject *s, const struct options *o) {
	const struct extension *e = s->extension;
	_cleanup_free_ char *escaped = text_escape(e->path);

	printf("%s\n", escaped ?: "");
	print_line("name", e->name.name);
	print_line("version", e->name.version);
	print_line("class", e->class->name);
	print_kind(s);
	print_line("trust", extension_trust_word(e));
	print_line("note", e->note);
	print_release(e->release);
	print_anatomy(&s->anatomy);
	if (extension_fits(e))
		print_line("verdict",
			   s->is_examined ? "fits this host"
					  : "sound; its content is for root to examine");
	else
		print_owned("verdict", text_format("%s: %s", verdict_word(e->verdict.code),
						   e->verdict.text ?: ""));
	print_owned("hint", verdict_advice(e->verdict.code, e->name.name ?: ""));
	print_table(&s->anatomy, o);
}
