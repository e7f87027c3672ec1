/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge inspect: one image or directory, wherever it is; works without privilege. */
#include <string.h>

#include "../file.h"
#include "../image.h"
#include "../json.h"
#include "../log.h"
#include "../route.h"
#include "../source.h"
#include "../text.h"
#include "verbs.h"

/* What of the release file people ask for. */
static const char *const keys[] = {
	"ID",		"VERSION_ID",	"SYSEXT_LEVEL",	 "CONFEXT_LEVEL",
	"ARCHITECTURE", "SYSEXT_SCOPE", "CONFEXT_SCOPE", "EXTENSION_RELOAD_MANAGER",
};

struct subject {
	struct extension *extension;
	struct source_layout layout;
	bool is_examined; /* its content was looked into and matched */
};

static void print_line(const char *label, const char *text) {
	_cleanup_free_ char *escaped = text ? text_escape(text) : NULL;

	if (escaped)
		printf("  %-10s %s\n", label, escaped);
}

static void print_parts(const struct source_layout *l) {
	for (size_t i = 0; i < l->n_parts; i++) {
		_cleanup_free_ char *text = NULL;
		char size[8];

		text_size(l->parts[i].size, size);
		text = text_format("%s, %s at byte %llu",
				   fstype_name(l->parts[i].format) ?: "?", size,
				   (unsigned long long)l->parts[i].offset);
		print_line(l->parts[i].is_usr ? "usr" : "root", text);
	}
	if (l->has_verity)
		print_line("verity", l->has_signature
					     ? "hash tree and signature; not in force yet"
					     : "hash tree; not in force yet");
}

static void print_release(const struct release *r) {
	for (size_t i = 0; r && i < ARRAY_SIZE(keys); i++) {
		const char *value = release_get(r, keys[i]);
		_cleanup_free_ char *text = value ? text_format("%s=%s", keys[i], value)
						  : NULL;

		print_line("release", text);
	}
}

static void print_text(const struct subject *s) {
	const struct extension *e = s->extension;
	_cleanup_free_ char *escaped = text_escape(e->path), *kind = NULL,
			    *verdict = NULL;
	char size[8];

	text_size(e->size, size);
	printf("%s\n", escaped ?: "");
	print_line("name", e->name.name);
	print_line("version", e->name.version);
	print_line("class", e->class->name);
	kind = text_format("%s%s%s%s", extension_kind_word(e->kind), e->size ? ", " : "",
			   e->size ? size : "",
			   s->layout.is_disk ? ", GPT disk image" : "");
	print_line("kind", kind);
	print_parts(&s->layout);
	print_release(e->release);
	verdict = text_format("%s: %s", verdict_word(e->verdict.code),
			      e->verdict.text ?: "");
	print_line("verdict", !extension_fits(e) ? verdict
			      : s->is_examined
				      ? "fits this host"
				      : "sound; its content is for root to examine");
	print_line("hint", verdict_hint(e->verdict.code));
}

static void print_json(const struct subject *s, enum options_json format) {
	const struct extension *e = s->extension;
	struct json_object *o = json_new("inspect"), *array, *release, *reason;

	json_add_text(o, "path", e->path);
	json_add_text(o, "name", e->name.name);
	json_add_text(o, "version", e->name.version);
	json_add_text(o, "class", e->class->name);
	json_add_text(o, "kind", extension_kind_word(e->kind));
	json_add_number(o, "size", (int64_t)e->size);
	json_add_bool(o, "gpt", s->layout.is_disk);
	json_add_bool(o, "verity", s->layout.has_verity);
	json_add_bool(o, "examined", s->is_examined);
	array = json_add_array(o, "parts");
	for (size_t i = 0; i < s->layout.n_parts; i++) {
		struct json_object *part = json_append_object(array);

		json_add_text(part, "designator",
			      s->layout.parts[i].is_usr ? "usr" : "root");
		json_add_text(part, "format", fstype_name(s->layout.parts[i].format));
		json_add_number(part, "offset", (int64_t)s->layout.parts[i].offset);
		json_add_number(part, "size", (int64_t)s->layout.parts[i].size);
	}
	release = json_add_object(o, "release");
	for (size_t i = 0; e->release && i < ARRAY_SIZE(keys); i++)
		if (release_get(e->release, keys[i]))
			json_add_text(release, keys[i], release_get(e->release, keys[i]));
	reason = json_add_object(o, "verdict");
	json_add_text(reason, "code", verdict_word(e->verdict.code));
	json_add_text(reason, "text", e->verdict.text);
	json_add_text(reason, "hint", verdict_hint(e->verdict.code));
	json_print(o, format);
}

/* Looks inside and matches, in the workshop, over a copy of no hierarchy but the host's own. */
static enum exit_code look_inside(struct route *r, struct subject *s) {
	bool is_directory = s->extension->kind == EXTENSION_DIRECTORY ||
			    s->extension->kind == EXTENSION_SUBVOLUME;
	enum exit_code code;

	if (!extension_fits(s->extension) || (!r->is_privileged && !is_directory))
		return EXIT_DONE;
	r->extensions.items = calloc(1, sizeof(struct extension *));
	if (!r->extensions.items)
		return EXIT_FAILED;
	r->extensions.items[r->extensions.n++] = s->extension;
	s->is_examined = true;
	code = route_examine(r);
	r->extensions.n = 0; /* it stays the subject's */
	return code;
}

static enum exit_code inspect(struct route *r, const struct options *o,
			      struct subject *s) {
	enum exit_code code = route_enter(r);
	const char *why = NULL;
	int e;

	if (code != EXIT_DONE)
		return code;
	/* Opened after entering: in another namespace its mounts could not be used. */
	e = image_open(o->operands[0], &classes[CLASS_SYSEXT], &s->extension);
	if (e == 0)
		e = host_read(r->base, &r->host, &why);
	if (e == 0 && extension_fits(s->extension) &&
	    (s->extension->kind == EXTENSION_RAW || s->extension->kind == EXTENSION_BLOCK))
		e = source_read_layout(s->extension, r->host.architecture,
				       r->host.secondary, &s->layout);
	if (e < 0) {
		log_error("Cannot inspect '%s': %s", o->operands[0], why ?: strerror(-e));
		return EXIT_FAILED;
	}
	return look_inside(r, s);
}

static enum exit_code run(const struct options *o) {
	struct subject s = { 0 };
	struct route r;
	enum exit_code code = route_open(&r, o);

	if (code == EXIT_DONE)
		code = inspect(&r, o, &s);
	if (code == EXIT_DONE && o->json != JSON_OFF)
		print_json(&s, o->json);
	else if (code == EXIT_DONE)
		print_text(&s);
	if (code == EXIT_DONE && !extension_fits(s.extension))
		code = EXIT_FAILED;
	extension_free(s.extension);
	route_done(&r);
	return code;
}

const struct verb verb_inspect = {
	.name = "inspect",
	.operands = "IMAGE",
	.help = "Show what an image or directory is, and whether it would fit",
	.min = 1,
	.max = 1,
	.run = run,
};
