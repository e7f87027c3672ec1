/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves what counts as written in a merged tree, over whose files, and what of it an extension can carry (specs: written.1 to written.3, written.9). */
#include "merge/written.h"

#include "plant.h"
#include "unit.h"

/*
 * What is written; two extensions and the host's own; what is told, in the words "+ added, ~ changed, - removed", the path, in what it
 * differs, "<" whose lies below, and "*" for what hides all below.
 */
static const struct {
	const char *upper, *high, *low, *host, *expected;
	enum base_place place;
} cases[] = {
	{ "", "f=x", "", "", "", BASE_BOTTOM },
	{ "f=x", "", "", "", "+f", BASE_BOTTOM },
	{ "d/ d/f=x d/l>f", "", "", "", "+d +d/f +d/l", BASE_BOTTOM },
	/* Copied up, and as it is below: no change. */
	{ "d/ d/f=x d/l>t", "d/ d/f=x", "", "d/ d/l>t", "", BASE_BOTTOM },
	{ "f=new", "f=old", "", "", "~f(content)<high", BASE_BOTTOM },
	{ "f=new", "", "f=longer", "", "~f(content)<low", BASE_BOTTOM },
	{ "f=new", "", "", "f=old", "~f(content)<host", BASE_BOTTOM },
	{ "f=x f@600", "f=x", "", "", "~f(mode)<high", BASE_BOTTOM },
	{ "f=y f@600", "f=x", "", "", "~f(content,mode)<high", BASE_BOTTOM },
	{ "d/ d@700", "d/", "", "", "~d(mode)<high", BASE_BOTTOM },
	{ "l>new", "l>old", "", "", "~l(content)<high", BASE_BOTTOM },
	{ "l>old", "l>older", "", "", "~l(content)<high", BASE_BOTTOM },
	{ "f/", "f=x", "", "", "~f(type)<high", BASE_BOTTOM },
	{ "f>x", "", "f>x", "f=x", "", BASE_BOTTOM },
	/* The uppermost layer that has it is what it is compared with. */
	{ "f=1", "f=1", "f=2", "f=3", "", BASE_BOTTOM },
	{ "f=2", "f=1", "f=2", "f=3", "~f(content)<high", BASE_BOTTOM },
	{ "f=3", "f=1", "f=2", "f=3", "~f(content)<high", BASE_BOTTOM },
	{ "f=3", "f=1", "f=2", "f=3", "", BASE_TOP },
	{ "f=1", "f=1", "", "f=3", "~f(content)<host", BASE_TOP },
	{ "f=1", "f=1", "", "", "", BASE_TOP },
	/* What is no directory in a layer hides what those below have in one. */
	{ "d/ d/f=x", "d=x", "d/ d/f=x", "", "~d(type)<high +d/f", BASE_BOTTOM },
	{ "d/ d/f=x", "d>e", "d/ d/f=x", "", "~d(type)<high +d/f", BASE_BOTTOM },
	/* Removed; what nobody has any more cannot be. */
	{ "f!", "f=x", "", "", "-f<high", BASE_BOTTOM },
	{ "f!", "", "", "f=x", "-f<host", BASE_BOTTOM },
	{ "d!", "d/ d/f=x", "", "", "-d<high", BASE_BOTTOM },
	{ "f!", "", "", "", "", BASE_BOTTOM },
	/* A directory that was removed and made again. */
	{ "d/ d* d/new=x d/same=x", "d/ d/gone=x d/same=x", "d/ d/gone=y d/deep/", "",
	  "~d()*<high -d/deep<low -d/gone<high +d/new", BASE_BOTTOM },
	{ "d/ d*", "", "", "", "+d", BASE_BOTTOM },
	/* Overlayfs has another value for directories with whiteouts of another kind: it hides nothing. */
	{ "d/ d*x d/new=x", "d/ d/there=x", "", "", "+d/new", BASE_BOTTOM },
};

static struct extension *names[2];

static int tell(const struct written_change *c, void *data) {
	static const char signs[] = {
		[WRITTEN_ADDED] = '+', [WRITTEN_CHANGED] = '~', [WRITTEN_REMOVED] = '-'
	};
	char *said = data;
	const char *between = "";

	strcat(strcat(said, *said ? " " : ""), (char[]){ signs[c->kind], '\0' });
	strcat(said, c->path);
	if (c->kind == WRITTEN_CHANGED) {
		strcat(said, "(");
		for (unsigned bit = 0; bit < WRITTEN_WHATS; bit++)
			if (c->what & 1U << bit) {
				strcat(strcat(said, between),
				       written_what_word(1U << bit));
				between = ",";
			}
		strcat(said, c->is_opaque ? ")*" : ")");
	}
	ck_assert_int_eq(c->kind == WRITTEN_ADDED, !c->below);
	if (c->below)
		strcat(strcat(said, "<"), c->own ? c->own->name.name : "host");
	return 0;
}

static void fill(struct hierarchy *h, struct layer layers[static 2], int host,
		 enum base_place place) {
	static const char *const called[] = { "low", "high" };

	for (size_t i = 0; i < 2; i++) {
		names[i] = extension_new(&classes[CLASS_SYSEXT]);
		names[i]->name.name = strdup(called[i]);
		layers[i] = (struct layer){ .extension = names[i],
					    .fd = plant_open(called[i]) };
	}
	*h = (struct hierarchy){ .class = &classes[CLASS_SYSEXT],
				 .name = "usr",
				 .base = host,
				 .layers = layers,
				 .n_layers = 2,
				 .place = place };
}

/* Also those of a case that has failed. */
static void clean(void) {
	for (const char *const *d =
		     (const char *const[]){ "low", "high", "host", "upper", NULL };
	     *d; d++) {
		_cleanup_free_ char *path = text_format("%s/%s", scratch_path, *d);

		nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
}

START_TEST(changes_are_told) {
	_cleanup_close_ int upper = -EBADF, host = -EBADF;
	char said[512] = "";
	struct layer layers[2];
	struct hierarchy h;
	bool can;

	clean();
	can = plant("low", cases[_i].low) && plant("high", cases[_i].high) &&
	      plant("host", cases[_i].host) && plant("upper", cases[_i].upper);

	if (can) { /* otherwise it takes root */
		upper = plant_open("upper");
		host = plant_open("host");
		fill(&h, layers, host, cases[_i].place);
		ck_assert_int_eq(written_walk(&h, upper, tell, said), 0);
		ck_assert_str_eq(said, cases[_i].expected);
		for (size_t i = 0; i < 2; i++) {
			close(layers[i].fd);
			extension_free(names[i]);
		}
	}
}
END_TEST

/* written.9: what stays behind, and why. */
START_TEST(refusals) {
	static const struct stat file = { .st_mode = S_IFREG },
				 directory = { .st_mode = S_IFDIR },
				 fifo = { .st_mode = S_IFIFO },
				 link = { .st_mode = S_IFLNK };
	struct extension *own = extension_new(&classes[CLASS_SYSEXT]);
	const struct {
		struct written_change c;
		const char *name, *why; /* the beginning of it; NULL: it can be carried */
		enum base_place place;
	} table[] = {
		{ { WRITTEN_ADDED, .path = "f", .st = file }, "usr", NULL, BASE_BOTTOM },
		{ { WRITTEN_ADDED, .path = "f", .st = link }, "usr", NULL, BASE_BOTTOM },
		{ { WRITTEN_ADDED, .path = "f", .st = directory },
		  "usr",
		  NULL,
		  BASE_BOTTOM },
		{ { WRITTEN_ADDED, .path = "f", .st = fifo },
		  "usr",
		  "it is neither",
		  BASE_BOTTOM },
		{ { WRITTEN_REMOVED, .path = "f", .st = file },
		  "usr",
		  "it is removed",
		  BASE_BOTTOM },
		{ { WRITTEN_CHANGED, .path = "f", .st = directory, .below = &directory,
		    .is_opaque = true },
		  "usr",
		  "it hides",
		  BASE_BOTTOM },
		{ { WRITTEN_CHANGED, .path = "f", .st = file, .below = &file,
		    .what = WRITTEN_CONTENT },
		  "usr",
		  NULL,
		  BASE_BOTTOM },
		{ { WRITTEN_CHANGED, .path = "f", .st = file, .below = &link,
		    .what = WRITTEN_TYPE },
		  "usr",
		  NULL,
		  BASE_BOTTOM },
		{ { WRITTEN_CHANGED, .path = "f", .st = directory, .below = &file,
		    .what = WRITTEN_TYPE },
		  "usr",
		  "a layer cannot exchange",
		  BASE_BOTTOM },
		{ { WRITTEN_CHANGED, .path = "f", .st = file, .below = &directory,
		    .what = WRITTEN_TYPE },
		  "usr",
		  "a layer cannot exchange",
		  BASE_BOTTOM },
		{ { WRITTEN_CHANGED, .path = "f", .st = file, .below = &file,
		    .what = WRITTEN_MODE, .is_imported = true },
		  "usr",
		  "what is imported",
		  BASE_BOTTOM },
		/* With Base=top an extension hides nothing of the host's. */
		{ { WRITTEN_CHANGED, .path = "f", .st = file, .below = &file,
		    .what = WRITTEN_MODE },
		  "usr",
		  "the host's own",
		  BASE_TOP },
		{ { WRITTEN_CHANGED, .path = "f", .st = file, .below = &file,
		    .what = WRITTEN_MODE, .own = own },
		  "usr",
		  NULL,
		  BASE_TOP },
		{ { WRITTEN_ADDED, .path = "f", .st = file }, "usr", NULL, BASE_TOP },
		/* layer.5 */
		{ { WRITTEN_ADDED, .path = "lib/os-release", .st = file },
		  "usr",
		  "no extension may",
		  BASE_BOTTOM },
		{ { WRITTEN_ADDED, .path = "os-release", .st = file },
		  "etc",
		  "no extension may",
		  BASE_BOTTOM },
		{ { WRITTEN_ADDED, .path = "os-release", .st = file },
		  "usr",
		  NULL,
		  BASE_BOTTOM },
		{ { WRITTEN_ADDED, .path = "lib/os-release", .st = file },
		  "opt",
		  NULL,
		  BASE_BOTTOM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct hierarchy h = { .name = table[i].name,
					     .base = scratch_fd,
					     .place = table[i].place };
		const char *why = written_refuse(&table[i].c, &h);

		ck_assert_msg(table[i].why ? why && strncmp(why, table[i].why,
							    strlen(table[i].why)) == 0
					   : !why,
			      "%zu: %s", i, why ?: "it can be carried");
	}
	extension_free(own);
}
END_TEST

START_TEST(words) {
	ck_assert_str_eq(written_kind_word(WRITTEN_REMOVED), "removed");
	ck_assert_str_eq(written_type_word(S_IFDIR | 0755), "directory");
	ck_assert_str_eq(written_type_word(S_IFCHR), "device");
	for (unsigned bit = 0; bit < WRITTEN_WHATS; bit++)
		ck_assert_ptr_nonnull(written_what_word(1U << bit));
	ck_assert_ptr_null(written_what_word(1U << WRITTEN_WHATS));
	ck_assert(written_is_mark("trusted.overlay.opaque"));
	ck_assert(written_is_mark("user.overlay.origin"));
	ck_assert(!written_is_mark("user.overlays"));
	ck_assert(!written_is_mark("security.capability"));
}
END_TEST

START_TEST(what_is_left_is_owned) {
	struct written_left l = { 0 };
	char path[] = "a/b";

	ck_assert_int_eq(written_leave(&l, path, "why", false), 0);
	ck_assert_int_eq(written_leave(&l, "c", "because", true), 0);
	path[0] = 'x';
	ck_assert_uint_eq(l.n, 2);
	ck_assert_str_eq(l.items[0].path, "a/b");
	ck_assert(!l.items[0].is_whole && l.items[1].is_whole);
	written_left_done(&l);
	ck_assert_uint_eq(l.n, 0);
	written_left_done(&l);
}
END_TEST

int main(void) {
	Suite *s = suite_create("written");
	TCase *t = tcase_create("written");

	tcase_add_unchecked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, changes_are_told, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, refusals);
	tcase_add_test(t, words);
	tcase_add_test(t, what_is_left_is_owned);
	suite_add_tcase(s, t);
	return unit_run(s);
}
