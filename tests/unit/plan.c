/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves the difference between what is merged and what should be. */
#include "merge/plan.h"

#include "merge/text.h"
#include "unit.h"

#define HIERARCHIES 3

static const struct {
	enum class_id class;
	const char *name;
} hierarchies[HIERARCHIES] = {
	{ CLASS_CONFEXT, "etc" },
	{ CLASS_SYSEXT, "usr" },
	{ CLASS_SYSEXT, "opt" },
};

/*
 * Tables are short this way: layers, top first, as "name=content" words; "-" is no record. The
 * content stands as version, path or fingerprint: "v1", "p1", "f1" change one of them each. "@fuse" is the back end, "@dead" a tree
 * without a server, and "a!" a layer without one.
 */
static struct record *make(size_t h, const char *layers) {
	_cleanup_free_ char *text = strdup(layers);
	char *rest = text, *word;
	struct record *r;

	if (strcmp(layers, "-") == 0)
		return NULL;
	r = record_new(&classes[hierarchies[h].class], hierarchies[h].name);
	while ((word = strsep(&rest, " ")) && *word) {
		struct record_layer *l;
		const char *name = strsep(&word, "="), *content = word ?: "";

		if (strcmp(name, "@dead") == 0) {
			r->is_dead = true;
			continue;
		}
		if (*name == '@') {
			r->backend = strdup(name + 1);
			continue;
		}
		l = record_add_layer(r);
		*l = (struct record_layer){
			.name = strndup(name, strcspn(name, "!")),
			.is_dead = strchr(name, '!') != NULL,
			.version = strdup(*content == 'v' ? content : "v0"),
			.path = strdup(*content == 'p' ? content : "p0"),
			.fingerprint = strdup(*content == 'f' ? content : "f0"),
		};
	}
	return r;
}

static const struct {
	const char *old[HIERARCHIES], *wanted[HIERARCHIES]; /* etc, usr, opt */
	const char *actions;
	const char *changes; /* class's initial, sign and name of each, in order */
} cases[] = {
	/* Nothing, and nothing to do. */
	{ { "-", "-", "-" }, { "-", "-", "-" }, "nothing nothing nothing", "" },
	{ { "-", "a b", "-" }, { "-", "a b", "-" }, "nothing keep nothing", "s=a s=b" },
	{ { "c", "a", "a" }, { "c", "a", "a" }, "keep keep keep", "c=c s=a" },
	{ { "", "-", "-" }, { "", "-", "-" }, "keep nothing nothing", "" },
	/* Whole hierarchies come and go. */
	{ { "-", "-", "-" }, { "-", "a b", "-" }, "nothing merge nothing", "s+a s+b" },
	{ { "-", "a b", "-" }, { "-", "-", "-" }, "nothing unmerge nothing", "s-a s-b" },
	{ { "c", "a", "-" }, { "-", "-", "b" }, "unmerge unmerge merge", "c-c s+b s-a" },
	/* One layer is added, changed in each of three ways, removed. */
	{ { "-", "a", "-" }, { "-", "b a", "-" }, "nothing replace nothing", "s+b s=a" },
	{ { "-", "a", "-" }, { "-", "a=v1", "-" }, "nothing replace nothing", "s~a" },
	{ { "-", "a", "-" }, { "-", "a=p1", "-" }, "nothing replace nothing", "s~a" },
	{ { "-", "a", "-" }, { "-", "a=f1", "-" }, "nothing replace nothing", "s~a" },
	{ { "-", "b a", "-" }, { "-", "a", "-" }, "nothing replace nothing", "s=a s-b" },
	{ { "-", "d c b a", "-" },
	  { "-", "e d=v1 b a", "-" },
	  "nothing replace nothing",
	  "s+e s~d s=b s=a s-c" },
	/* Only the order: of the one class, whatever the other does. */
	{ { "-", "a b", "-" }, { "-", "b a", "-" }, "nothing replace nothing", "s^b s^a" },
	{ { "c", "a b", "-" }, { "c", "b a", "-" }, "keep replace nothing", "c=c s^b s^a" },
	{ { "c d", "a", "-" }, { "d c", "a", "a" }, "replace keep merge", "c^d c^c s=a" },
	{ { "-", "a b", "-" },
	  { "c", "b a", "-" },
	  "merge replace nothing",
	  "c+c s^b s^a" },
	{ { "-", "a b", "-" },
	  { "-", "b a=f1", "-" },
	  "nothing replace nothing",
	  "s=b s~a" },
	/* Another back end: the same layers, in another tree. Where it is not known, it does not count (switch.14). */
	{ { "-", "@fuse a b", "-" },
	  { "-", "@overlay a b", "-" },
	  "nothing replace nothing",
	  "s=a s=b" },
	{ { "@overlay c", "@overlay a", "-" },
	  { "c", "@fuse a", "-" },
	  "keep replace nothing",
	  "c=c s=a" },
	{ { "-", "a", "-" }, { "-", "@fuse a", "-" }, "nothing keep nothing", "s=a" },
	{ { "-", "@fuse a b", "-" },
	  { "-", "@overlay b a", "-" },
	  "nothing replace nothing",
	  "s^b s^a" },
	/* In two hierarchies, yet one extension. */
	{ { "-", "-", "-" }, { "-", "a b", "a" }, "nothing merge merge", "s+a s+b" },
	{ { "-", "a", "a" }, { "-", "a=v1", "a=v1" }, "nothing replace replace", "s~a" },
	{ { "-", "a", "a" }, { "-", "-", "-" }, "nothing unmerge unmerge", "s-a" },
	{ { "-", "a", "b" }, { "-", "a", "c" }, "nothing keep replace", "s=a s+c s-b" },
	/* A hierarchy was lost (somebody unmounted it): the same layers, and work to do. */
	{ { "-", "a", "-" }, { "-", "a", "a" }, "nothing keep merge", "s=a" },
	{ { "-", "-", "a" }, { "-", "a", "a" }, "nothing merge keep", "s=a" },
	{ { "-", "a", "a" }, { "-", "a", "-" }, "nothing keep unmerge", "s=a" },
	/* A server has died (switch.15): the layers are known where the record lies beside it, or it served an image only. */
	{ { "-", "@dead", "-" },
	  { "-", "a b", "-" },
	  "nothing replace nothing",
	  "s*a s*b" },
	{ { "-", "@dead", "a" }, { "-", "a b", "a" }, "nothing replace keep", "s*a s*b" },
	{ { "-", "@dead", "a" }, { "-", "b", "a" }, "nothing replace keep", "s*b s=a" },
	{ { "-", "@dead", "a" },
	  { "-", "a=v1", "a=v1" },
	  "nothing replace replace",
	  "s~a" },
	{ { "c", "@dead", "-" },
	  { "c d", "-", "-" },
	  "replace unmerge nothing",
	  "c=c c+d" },
	{ { "-", "@dead a", "-" },
	  { "-", "a b", "-" },
	  "nothing replace nothing",
	  "s=a s+b" },
	{ { "-", "a! b", "-" }, { "-", "a b", "-" }, "nothing replace nothing", "s*a s=b" },
	{ { "-", "a! b", "-" },
	  { "-", "a=f1 b", "-" },
	  "nothing replace nothing",
	  "s~a s=b" },
	{ { "-", "a! b", "-" }, { "-", "b", "-" }, "nothing replace nothing", "s=b s-a" },
	/* One name in both classes is two extensions; each class's removals stand with it. */
	{ { "a", "a", "-" }, { "a=v1", "a", "-" }, "replace keep nothing", "c~a s=a" },
	{ { "a b", "x y", "-" },
	  { "a", "x", "-" },
	  "replace replace nothing",
	  "c=a c-b s=x s-y" },
};

static void check_steps(const struct plan *p, const struct record *const *old,
			const struct record *const *wanted, const char *expected) {
	char said[128] = "";
	bool work = false;

	ck_assert_uint_eq(p->n_steps, HIERARCHIES);
	for (size_t h = 0; h < HIERARCHIES; h++) {
		const struct plan_step *s = &p->steps[h];

		ck_assert_ptr_eq(s->old, old[h]);
		ck_assert_ptr_eq(s->wanted, wanted[h]);
		ck_assert(unit_same(s->hierarchy,
				    old[h] || wanted[h] ? hierarchies[h].name : NULL));
		strcat(strcat(said, h ? " " : ""), plan_action_word(s->action));
		work |= s->action != PLAN_NOTHING && s->action != PLAN_KEEP;
	}
	ck_assert_str_eq(said, expected);
	ck_assert_int_eq(plan_has_work(p), work);
}

/* Which server it was is said of what is made anew, and of nothing else. */
static void check_death(const struct plan *p) {
	for (size_t h = 0; h < HIERARCHIES; h++) {
		const struct plan_step *s = &p->steps[h];
		const char *expected = NULL;

		for (size_t i = 0; s->old && i < s->old->n_layers; i++)
			if (s->old->layers[i].is_dead)
				expected = "the server of an image had died";
		if (s->old && s->old->is_dead)
			expected = "its server had died";
		if (s->action != PLAN_REPLACE)
			expected = NULL;
		else if (!expected && record_has_same_layers(s->old, s->wanted))
			expected = "another back end shall show it";
		ck_assert(unit_same(plan_reason(s), expected));
	}
}

static void check_changes(const struct plan *p, const char *expected) {
	char said[256] = "";
	size_t counted = 0;

	for (size_t i = 0; i < p->n_changes; i++) {
		const struct plan_change *c = &p->changes[i];
		size_t len = strlen(said);

		snprintf(said + len, sizeof(said) - len, "%s%c%s%s", i ? " " : "",
			 c->class->name[0], plan_change_sign(c->kind),
			 (c->wanted ?: c->old)->name);
		ck_assert_int_eq(c->kind == PLAN_ADDED, !c->old && c->kind != PLAN_MENDED);
		ck_assert_int_eq(c->kind == PLAN_REMOVED, !c->wanted);
	}
	ck_assert_str_eq(said, expected);
	for (int kind = PLAN_ADDED; kind <= PLAN_SAME; kind++)
		counted += plan_count(p, kind);
	ck_assert_uint_eq(counted, p->n_changes);
}

START_TEST(difference) {
	struct record *old[HIERARCHIES], *wanted[HIERARCHIES];
	const struct record *const *const const_old = (const struct record *const *)old;
	const struct record *const *const const_wanted =
		(const struct record *const *)wanted;
	struct plan p;

	for (size_t h = 0; h < HIERARCHIES; h++) {
		old[h] = make(h, cases[_i].old[h]);
		wanted[h] = make(h, cases[_i].wanted[h]);
	}
	ck_assert_int_eq(plan_compute(const_old, const_wanted, HIERARCHIES, &p), 0);
	check_steps(&p, const_old, const_wanted, cases[_i].actions);
	check_death(&p);
	check_changes(&p, cases[_i].changes);
	plan_done(&p);
	ck_assert_uint_eq(p.n_steps + p.n_changes, 0);
	plan_done(&p);
	for (size_t h = 0; h < HIERARCHIES; h++) {
		record_free(old[h]);
		record_free(wanted[h]);
	}
}
END_TEST

/* Why a tree of the same layers is made anew: what is told is the most visible. */
START_TEST(reasons) {
	static const struct {
		const char *field, *reason;
	} forms[] = {
		{ "", NULL },
		{ "writable", "it shall be written" },
		{ "readable", "it shall not be written any more" },
		{ "writable backend", "it shall be written" },
		{ "backend grafts", "another back end shall show it" },
		{ "grafts noexec", "it shall have other grafts" },
		{ "noexec", "nothing in it shall be executed" },
		{ "exec", "what is in it may be executed now" },
		{ "given", "what the command line says of it is kept with it" },
		{ "given upper", "it shall have another form" },
		{ "upper", "it shall have another form" },
		{ "layer writable backend", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_(record_freep) struct record *old = make(1, "@fuse a");
		_cleanup_(record_freep) struct record *wanted = make(1, "@fuse a");
		struct plan_step s = { "usr", PLAN_REPLACE, old, wanted };
		const char *f = forms[i].field;

		old->server = strdup("1 2");
		wanted->is_writable = text_has_word(f, "writable");
		old->is_writable = text_has_word(f, "readable");
		wanted->is_noexec = text_has_word(f, "noexec");
		old->is_noexec = text_has_word(f, "exec");
		wanted->grafts_most = text_has_word(f, "grafts");
		wanted->mutable_given = text_has_word(f, "given");
		if (text_has_word(f, "upper"))
			wanted->upper = strdup("/u");
		if (text_has_word(f, "backend"))
			strcpy(wanted->backend, "ovl");
		if (text_has_word(f, "layer"))
			wanted->layers[0].version[0] = 'w';
		ck_assert_msg(unit_same(plan_reason(&s), forms[i].reason), "%s: %s", f,
			      plan_reason(&s));
		s.action = PLAN_KEEP;
		ck_assert_ptr_null(plan_reason(&s));
	}
}
END_TEST

START_TEST(no_hierarchy) {
	struct plan p;

	ck_assert_int_eq(plan_compute(NULL, NULL, 0, &p), 0);
	ck_assert(!plan_has_work(&p));
	ck_assert_uint_eq(p.n_changes, 0);
	plan_done(&p);
}
END_TEST

/* What is printed: the sign is never the only mark, and each says something else. */
START_TEST(words) {
	for (int a = PLAN_ADDED; a <= PLAN_SAME; a++)
		for (int b = PLAN_ADDED; b < a; b++) {
			ck_assert_str_ne(plan_change_word(a), plan_change_word(b));
			ck_assert_str_ne(plan_change_sign(a), plan_change_sign(b));
		}
	ck_assert_str_eq(plan_change_word(PLAN_ADDED), "add");
	ck_assert_str_eq(plan_change_word(PLAN_SAME), "keep");
}
END_TEST

int main(void) {
	Suite *s = suite_create("plan");
	TCase *t = tcase_create("plan");

	tcase_add_loop_test(t, difference, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, reasons);
	tcase_add_test(t, no_hierarchy);
	tcase_add_test(t, words);
	suite_add_tcase(s, t);
	return unit_run(s);
}
