/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that a record comes back as it was written, and that nothing else is taken for one. */
#include "merge/record.h"
#include "merge/strv.h"

#include "unit.h"

/* The address sanitizer ends the program where memory runs out, unless it is told not to. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
	return "allocator_may_return_null=1";
}

#define LAYERS 500
#define ODD "\n\t\"'\\ \x01\x7f\x1b[31m\xff\xc3 \xe2\x82\xac </script>"

static const struct class *const sysext = &classes[CLASS_SYSEXT];

static struct record *parse(const char *text) {
	struct record *r = NULL;
	int e = record_parse(text, strlen(text), &r);

	ck_assert_msg(e == 0, "%d: %s", e, text);
	return r;
}

static void check_same_layer(const struct record_layer *a, const struct record_layer *b) {
	ck_assert(record_is_same_layer(a, b));
	ck_assert_str_eq(a->name, b->name);
	ck_assert(unit_same(a->version, b->version));
	ck_assert(unit_same(a->path, b->path));
	ck_assert(unit_same(a->format, b->format));
	ck_assert(unit_same(a->fingerprint, b->fingerprint));
	ck_assert(unit_same(a->trust, b->trust));
	ck_assert(unit_same(a->note, b->note));
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_uint_eq(a->hides_host, b->hides_host);
	ck_assert_uint_eq(a->hides_others, b->hides_others);
	ck_assert(unit_same(a->hides, b->hides));
}

static void check_same(const struct record *a, const struct record *b) {
	ck_assert_ptr_eq(a->class, b->class);
	ck_assert_str_eq(a->hierarchy, b->hierarchy);
	ck_assert_uint_eq(a->generation, b->generation);
	ck_assert_int_eq(a->since, b->since);
	ck_assert(unit_same(a->with, b->with));
	ck_assert(unit_same(a->inputs, b->inputs));
	ck_assert(unit_same(a->backend, b->backend));
	ck_assert(unit_same(a->backend_why, b->backend_why));
	ck_assert(unit_same(a->server, b->server));
	ck_assert(unit_same(a->io, b->io));
	ck_assert(unit_same(a->layers_by, b->layers_by));
	ck_assert_int_eq(a->gap, b->gap);
	ck_assert_uint_eq(a->grafts_most, b->grafts_most);
	ck_assert_ptr_eq(!a->grafts ? NULL : a, !b->grafts ? NULL : a);
	ck_assert_uint_eq(strv_length(a->grafts_failed), strv_length(b->grafts_failed));
	for (size_t i = 0; a->grafts_failed && a->grafts_failed[i]; i++)
		ck_assert(unit_same(a->grafts_failed[i], b->grafts_failed[i]));
	for (size_t i = 0; a->grafts && (a->grafts[i] || b->grafts[i]); i++)
		ck_assert(unit_same(a->grafts[i], b->grafts[i]));
	ck_assert_int_eq(a->created, b->created);
	ck_assert_uint_eq(a->n_layers, b->n_layers);
	for (size_t i = 0; i < a->n_layers; i++)
		check_same_layer(&a->layers[i], &b->layers[i]);
	ck_assert_uint_eq(a->n_skipped, b->n_skipped);
	for (size_t i = 0; i < a->n_skipped; i++) {
		ck_assert_str_eq(a->skipped[i].name, b->skipped[i].name);
		ck_assert(unit_same(a->skipped[i].version, b->skipped[i].version));
		ck_assert(unit_same(a->skipped[i].path, b->skipped[i].path));
		ck_assert_int_eq(a->skipped[i].code, b->skipped[i].code);
		ck_assert(unit_same(a->skipped[i].text, b->skipped[i].text));
	}
}

static void check_round_trip(const struct record *r) {
	_cleanup_free_ char *text = NULL, *again = NULL;
	_cleanup_(record_freep) struct record *back = NULL;

	ck_assert_int_eq(record_print(r, &text), 0);
	back = parse(text);
	check_same(r, back);
	ck_assert(record_has_same_layers(r, back));
	ck_assert_int_eq(record_print(back, &again), 0);
	ck_assert_str_eq(text, again);
}

static void fill_layer(struct record_layer *l, const char *name) {
	*l = (struct record_layer){
		.name = strdup(name),
		.version = strdup("1.2"),
		.path = strdup("/etc/extensions/a_1.2.raw"),
		.format = strdup("erofs"),
		.fingerprint = strdup("image:1:2"),
		.trust = strdup("none"),
		.note = strdup("belongs to user 7"),
		.size = UINT64_C(5) << 40,
		.hides_host = UINT32_MAX,
		.hides_others = 11,
		.hides = strdup("docker (11)"),
	};
}

static struct record *make(void) {
	struct record *r = record_new(sysext, "usr");

	r->generation = 7;
	r->since = 1700000000;
	r->service = strdup("web");
	r->with = strdup("usr opt");
	r->kept = strdup("opt");
	r->mutable = strdup("yes");
	r->base = strdup("host");
	r->upper = strdup("var/lib/extensions.mutable/usr");
	r->upper_id = strdup("1:2");
	r->work = strdup("var/lib/extensions.mutable/.work");
	r->memory_id = strdup("3:4");
	r->inputs = strdup("0123");
	r->backend = strdup("fuse");
	r->backend_why = strdup("this kernel has no overlayfs");
	r->server = strdup("12 345");
	r->io = strdup("cached");
	r->layers_by = strdup("fd");
	r->gap = 1234567;
	r->grafts_most = 3;
	strv_append(&r->grafts, "share/doc");
	strv_append(&r->grafts_failed, "share/x: No space left on device");
	strv_append(&r->grafts, "lib/\xff\n\"");
	r->created = true;
	fill_layer(record_add_layer(r), "b");
	fill_layer(record_add_layer(r), "a");
	*record_add_skipped(r) = (struct record_skipped){
		.name = strdup("c"),
		.version = strdup("3"),
		.path = strdup("/run/extensions/c.raw"),
		.code = VERDICT_WRONG_ID,
		.text = strdup("ID=x, host debian"),
	};
	return r;
}

START_TEST(empty) {
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (const char *const *h = classes[c].hierarchies; *h; h++) {
			_cleanup_(record_freep) struct record *r = record_new(&classes[c],
									      *h);

			ck_assert_uint_eq(r->n_layers + r->n_skipped, 0);
			check_round_trip(r);
		}
	record_free(NULL);
}
END_TEST

START_TEST(full) {
	_cleanup_(record_freep) struct record *r = make();

	check_round_trip(r);
}
END_TEST

START_TEST(numbers_at_their_ends) {
	_cleanup_(record_freep) struct record *r = make();

	r->since = INT64_MAX;
	r->gap = INT64_MAX;
	r->layers[0].size = INT64_MAX;
	r->layers[0].hides_host = 0;
	check_round_trip(r);
	r->since = -1; /* a clock before 1970 */
	check_round_trip(r);
}
END_TEST

START_TEST(many_layers) {
	_cleanup_(record_freep) struct record *r = record_new(sysext, "opt");
	char name[16];

	for (unsigned i = 0; i < LAYERS; i++) {
		snprintf(name, sizeof(name), "layer-%u", i);
		fill_layer(record_add_layer(r), name);
	}
	check_round_trip(r);
	ck_assert_ptr_eq(record_find_layer(r, "layer-499"), &r->layers[499]);
	ck_assert_ptr_null(record_find_layer(r, "layer-500"));
}
END_TEST

/* Names are untrusted bytes; UTF-8 is not asked of the text. */
START_TEST(odd_characters) {
	_cleanup_(record_freep) struct record *r = make();

	free(r->layers[0].name);
	r->layers[0].name = strdup(ODD);
	free(r->layers[0].path);
	r->layers[0].path = strdup("/" ODD);
	free(r->layers[1].version);
	r->layers[1].version = strdup("");
	free(r->skipped[0].name);
	r->skipped[0].name = strdup(ODD);
	free(r->skipped[0].text);
	r->skipped[0].text = NULL;
	check_round_trip(r);
	ck_assert_ptr_eq(record_find_layer(r, ODD), &r->layers[0]);
}
END_TEST

START_TEST(every_verdict) {
	_cleanup_(record_freep) struct record *r = record_new(sysext, "usr");

	for (int code = 0; code < VERDICT_COUNT; code++)
		*record_add_skipped(r) = (struct record_skipped){ .name = strdup("a"),
								  .code = code };
	check_round_trip(r);
}
END_TEST

#define HEAD \
	"{\"schema\":\"extmerge.record/1\",\"class\":\"sysext\",\"hierarchy\":\"usr\""
#define LAYER(member) HEAD ",\"layers\":[{\"name\":\"a\"," member "}]}"
#define SKIPPED(member) HEAD ",\"skipped\":[{\"name\":\"a\"," member "}]}"

START_TEST(newer_text_is_read) {
	static const char text[] = HEAD
		",\"future\":{\"a\":[1,{\"b\":null}]},\"layers\":[{"
		"\"name\":\"a\",\"size\":3,\"new\":[[1]]}],\"skipped\":"
		"[{\"name\":\"b\",\"code\":\"not-yet-known\"}]} \n";
	_cleanup_(record_freep) struct record *r = parse(text);

	ck_assert_str_eq(r->hierarchy, "usr");
	ck_assert_uint_eq(r->n_layers, 1);
	ck_assert_uint_eq(r->layers[0].size, 3);
	ck_assert_ptr_null(r->layers[0].version);
	ck_assert_uint_eq(r->n_skipped, 1);
	ck_assert_int_eq(r->skipped[0].code, VERDICT_UNSUPPORTED);
}
END_TEST

/* Of the same key twice, the last one counts, and the first one is not lost. */
START_TEST(key_twice) {
	_cleanup_(record_freep) struct record *r =
		parse(HEAD ",\"with\":\"a\",\"with\":\"b\"}");

	ck_assert_str_eq(r->with, "b");
}
END_TEST

static const char *const refused[] = {
	"",
	" ",
	"x",
	"null",
	"true",
	"7",
	"\"extmerge.record/1\"",
	"[]",
	"{}",
	"[" HEAD "}]",
	/* Not only a record. */
	HEAD "}x",
	HEAD "}{}",
	HEAD "}" HEAD "}",
	HEAD ",}",
	HEAD "} // why",
	/* Of somebody else, or of a later schema. */
	"{\"class\":\"sysext\",\"hierarchy\":\"usr\"}",
	"{\"schema\":\"extmerge.record/2\",\"class\":\"sysext\",\"hierarchy\":\"usr\"}",
	"{\"schema\":\"extmerge.status/1\",\"class\":\"sysext\",\"hierarchy\":\"usr\"}",
	"{\"schema\":1,\"class\":\"sysext\",\"hierarchy\":\"usr\"}",
	"{\"schema\":null,\"class\":\"sysext\",\"hierarchy\":\"usr\"}",
	"{\"schema\":[\"extmerge.record/1\"],\"class\":\"sysext\",\"hierarchy\":\"usr\"}",
	/* Class and hierarchy, which becomes a path. */
	"{\"schema\":\"extmerge.record/1\",\"hierarchy\":\"usr\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"portable\",\"hierarchy\":\"usr\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":7,\"hierarchy\":\"usr\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"sysext\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"sysext\",\"hierarchy\":\"\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"sysext\",\"hierarchy\":\"etc\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"sysext\",\"hierarchy\":\"../usr\"}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"sysext\",\"hierarchy\":null}",
	"{\"schema\":\"extmerge.record/1\",\"class\":\"confext\",\"hierarchy\":\"usr\"}",
	/* Members of another type. */
	HEAD ",\"generation\":\"7\"}",
	HEAD ",\"generation\":1.5}",
	HEAD ",\"grafts\":\"share\"}",
	HEAD ",\"grafts\":[\"share\",1]}",
	HEAD ",\"grafts\":[null]}",
	HEAD ",\"grafts\":[\"a\\u0000b\"]}",
	HEAD ",\"since\":null}",
	HEAD ",\"with\":[\"usr\"]}",
	HEAD ",\"inputs\":0}",
	HEAD ",\"backend\":{}}",
	HEAD ",\"layers_by\":false}",
	HEAD ",\"gap\":true}",
	HEAD ",\"created\":1}",
	HEAD ",\"created\":\"true\"}",
	HEAD ",\"layers\":{}}",
	HEAD ",\"layers\":\"a\"}",
	HEAD ",\"skipped\":7}",
	/* Layers and what was skipped. */
	HEAD ",\"layers\":[7]}",
	HEAD ",\"layers\":[null]}",
	HEAD ",\"layers\":[{}]}",
	HEAD ",\"layers\":[{\"name\":\"a\"},{\"version\":\"1\"}]}",
	HEAD ",\"layers\":[{\"name\":7}]}",
	HEAD ",\"layers\":[{\"name\":\"a\\u0000b\"}]}",
	LAYER("\"version\":1"),
	LAYER("\"size\":\"1M\""),
	LAYER("\"hides_host\":-1"),
	LAYER("\"hides_host\":4294967296"),
	LAYER("\"hides_host\":18446744073709551615"),
	LAYER("\"hides_others\":99999999999999999999999"),
	LAYER("\"hides_others\":[1]"),
	LAYER("\"note\":{}"),
	HEAD ",\"skipped\":[[]]}",
	HEAD ",\"skipped\":[{}]}",
	SKIPPED("\"code\":7"),
	SKIPPED("\"text\":false"),
};

START_TEST(refusal) {
	struct record *r = (struct record *)-1;

	ck_assert_int_eq(record_parse(refused[_i], strlen(refused[_i]), &r), -EBADMSG);
	ck_assert_ptr_eq(r, (struct record *)-1);
}
END_TEST

/* The length is what counts: a part of a record is none, and no byte behind it is read. */
START_TEST(truncation_is_refused) {
	_cleanup_(record_freep) struct record *whole = make();
	_cleanup_free_ char *text = NULL;
	size_t len;

	ck_assert_int_eq(record_print(whole, &text), 0);
	len = strlen(text);
	for (size_t n = 0; n < len; n++) {
		_cleanup_free_ char *part = malloc(n);
		struct record *r;

		memcpy(part, text, n);
		if (record_parse(part, n, &r) != -EBADMSG)
			ck_abort_msg("%zu of %zu bytes", n, len);
	}
}
END_TEST

/* A record needs no NUL behind it, and a NUL ends no record. */
START_TEST(length_and_nul) {
	static const char with_nul[] = HEAD "}\0{}";
	size_t len = strlen(with_nul);
	_cleanup_free_ char *exact = malloc(len);
	_cleanup_(record_freep) struct record *r = NULL, *other = NULL;

	memcpy(exact, with_nul, len);
	ck_assert_int_eq(record_parse(exact, len, &r), 0);
	ck_assert_int_eq(record_parse(with_nul, sizeof(with_nul) - 1, &other), -EBADMSG);
}
END_TEST

START_TEST(depth_bomb_is_refused) {
	static const char *const openers[] = { "[", "{\"a\":", "{\"layers\":[" };

	for (size_t i = 0; i < ARRAY_SIZE(openers); i++) {
		const size_t n = 200000, unit = strlen(openers[i]),
			     head = strlen(HEAD ",\"a\":");
		_cleanup_free_ char *bomb = malloc(head + n * unit);
		struct record *r;

		memcpy(bomb, HEAD ",\"a\":", head);
		for (size_t j = 0; j < n; j++)
			memcpy(bomb + head + j * unit, openers[i], unit);
		ck_assert_int_eq(record_parse(bomb + head, n * unit, &r), -EBADMSG);
		ck_assert_int_eq(record_parse(bomb, head + n * unit, &r), -EBADMSG);
	}
}
END_TEST

START_TEST(add_without_memory) {
	struct record r = { .n_layers = SIZE_MAX / 2, .n_skipped = SIZE_MAX / 2 };

	ck_assert_ptr_null(record_add_layer(&r));
	ck_assert_ptr_null(record_add_skipped(&r));
	ck_assert_uint_eq(r.n_layers, SIZE_MAX / 2);
	ck_assert_uint_eq(r.n_skipped, SIZE_MAX / 2);
}
END_TEST

START_TEST(too_long_is_refused) {
	struct record *r;

	ck_assert_int_eq(record_parse(HEAD "}", (size_t)INT32_MAX + 1, &r), -EBADMSG);
}
END_TEST

static const struct {
	const char *what;
	size_t offset;
	bool counts;
} texts[] = {
	{ "name", offsetof(struct record_layer, name), true },
	{ "version", offsetof(struct record_layer, version), true },
	{ "path", offsetof(struct record_layer, path), true },
	{ "fingerprint", offsetof(struct record_layer, fingerprint), true },
	{ "format", offsetof(struct record_layer, format), false },
	{ "note", offsetof(struct record_layer, note), false },
	{ "hides", offsetof(struct record_layer, hides), false },
};

/* Another text, and none, is another layer; what follows from the content does not count. */
START_TEST(same_layers) {
	static const char *const others[] = { "other", "", NULL };
	_cleanup_(record_freep) struct record *a = make(), *b = make();
	char **member = (char **)((char *)&b->layers[1] + texts[_i].offset);

	ck_assert(record_has_same_layers(a, b));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		free(*member);
		*member = others[i] ? strdup(others[i]) : NULL;
		ck_assert_msg(record_has_same_layers(a, b) != texts[_i].counts, "%s",
			      texts[_i].what);
		ck_assert(record_has_same_layers(b, a) != texts[_i].counts);
	}
	/* None is the same as none, but not as an empty one. */
	member = (char **)((char *)&a->layers[1] + texts[_i].offset);
	free(*member);
	*member = NULL;
	ck_assert(record_has_same_layers(a, b));
	*member = strdup("");
	ck_assert(record_has_same_layers(a, b) != texts[_i].counts);
}
END_TEST

START_TEST(same_layers_by_number_and_order) {
	_cleanup_(record_freep) struct record *a = make(), *b = make();
	struct record_layer swap = b->layers[0];

	b->layers[0] = b->layers[1];
	b->layers[1] = swap;
	ck_assert(!record_has_same_layers(a, b));
	b->layers[1] = b->layers[0];
	b->layers[0] = swap;
	ck_assert(record_has_same_layers(a, b));
	fill_layer(record_add_layer(b), "c");
	ck_assert(!record_has_same_layers(a, b));
	ck_assert(!record_has_same_layers(b, a));
	fill_layer(record_add_layer(a), "c");
	ck_assert(record_has_same_layers(a, b));
	/* All that is not a layer. */
	b->generation++;
	b->since++;
	b->skipped[0].code = VERDICT_CORRUPT;
	ck_assert(record_has_same_layers(a, b));
}
END_TEST

int main(void) {
	Suite *s = suite_create("record");
	TCase *t = tcase_create("record");

	tcase_add_test(t, empty);
	tcase_add_test(t, full);
	tcase_add_test(t, numbers_at_their_ends);
	tcase_add_test(t, many_layers);
	tcase_add_test(t, odd_characters);
	tcase_add_test(t, every_verdict);
	tcase_add_test(t, newer_text_is_read);
	tcase_add_test(t, key_twice);
	tcase_add_loop_test(t, refusal, 0, ARRAY_SIZE(refused));
	tcase_add_test(t, truncation_is_refused);
	tcase_add_test(t, length_and_nul);
	tcase_add_test(t, depth_bomb_is_refused);
	tcase_add_test(t, add_without_memory);
	tcase_add_test(t, too_long_is_refused);
	tcase_add_loop_test(t, same_layers, 0, ARRAY_SIZE(texts));
	tcase_add_test(t, same_layers_by_number_and_order);
	suite_add_tcase(s, t);
	return unit_run(s);
}
