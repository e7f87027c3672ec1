/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vectors of config.tsv, and files that cannot be used (specs: config.*). */
#include "merge/config.h"

#include <sys/sysmacros.h>

#include "merge/cascade.h"
#include "merge/conftext.h"
#include "merge/strv.h"
#include "scratch.h"
#include "unit.h"

/* The case that is being read. */
static char *title;
static bool is_read;
static struct config read_now;
static size_t n_errors, n_warnings;

static void make_parents(const char *path) {
	_cleanup_free_ char *copy = strdup(path);

	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (faccessat(scratch_fd, copy, F_OK, 0) < 0)
			scratch_mkdir(copy);
		*slash = '/';
	}
}

static void write_file(const char *path, const char *text) {
	make_parents(path);
	scratch_write(path, text);
}

static void read_case(const struct unit_row *row) {
	int r;

	if (is_read || !title)
		return;
	r = config_read(scratch_fd, &read_now);
	unit_assert_row(row, r == (read_now.errors ? -EBADMSG : 0), "%s: %d", title, r);
	is_read = true;
}

static const char *sentence_at(char **said, size_t n) {
	return n < strv_length(said) ? said[n] : "(nothing)";
}

static void end_case(const struct unit_row *row) {
	if (!title)
		return;
	read_case(row);
	unit_assert_row(row, strv_length(read_now.errors) == n_errors,
			"%s: another error: %s", title,
			sentence_at(read_now.errors, n_errors));
	unit_assert_row(row, strv_length(read_now.warnings) == n_warnings,
			"%s: another warning: %s", title,
			sentence_at(read_now.warnings, n_warnings));
	config_done(&read_now);
	free(title);
	title = NULL;
	scratch_teardown();
}

static void begin_case(const struct unit_row *row) {
	end_case(row);
	scratch_setup();
	title = strdup(row->cells[1]);
	is_read = false;
	n_errors = n_warnings = 0;
}

static const struct settings *find_extension(const char *name) {
	for (size_t i = 0; i < read_now.n_extensions; i++)
		if (strcmp(read_now.extensions[i].name, name) == 0)
			return &read_now.extensions[i].settings;
	ck_abort_msg("%s: there is no %s", title, name);
}

/* "sysext Trust", "/usr Class" or "@docker After", its value and its origin. */
static void check_value(const struct unit_row *row) {
	_cleanup_free_ char *value = NULL, *origin = NULL;
	char *key = row->cells[1], *name = strsep(&key, " ");
	const struct config_hierarchy *h = config_find_hierarchy(&read_now, name + 1);
	const struct class *class = h ? h->class : class_find(name);
	const struct settings *s = h	   ? &h->settings
				   : class ? &read_now.of[class->id]
					   : find_extension(name + 1);
	enum settings_key k = (enum settings_key)settings_key_from(key);

	unit_assert_row(row, !read_now.errors, "%s: %s", title,
			sentence_at(read_now.errors, 0));
	value = settings_value(s, k, class);
	origin = settings_origin_text(&s->origins[k]);
	unit_assert_row(row, strcmp(value, row->cells[2]) == 0, "%s: %s", title, value);
	unit_assert_row(row, strcmp(origin, row->cells[3]) == 0, "%s: %s", title, origin);
}

static void check_sentence(const struct unit_row *row, char **said, size_t *n) {
	const char *sentence = sentence_at(said, *n);

	unit_assert_row(row, strcmp(sentence, row->cells[1]) == 0, "%s: %s", title,
			sentence);
	(*n)++;
}

static void check_mask(const struct unit_row *row) {
	bool is_mask = false;

	for (size_t i = 0; i < read_now.n_files; i++)
		is_mask |= strcmp(read_now.files[i].path, row->cells[1]) == 0 &&
			   read_now.files[i].is_mask;
	unit_assert_row(row, is_mask, "%s: it is no mask", title);
}

static void take_row(const struct unit_row *row) {
	const char *kind = row->cells[0];

	if (strcmp(kind, "case") == 0) {
		begin_case(row);
	} else if (strcmp(kind, "file") == 0) {
		write_file(row->cells[1], row->cells[2]);
	} else if (strcmp(kind, "link") == 0) {
		make_parents(row->cells[1]);
		scratch_link(row->cells[2], row->cells[1]);
	} else {
		read_case(row);
		if (strcmp(kind, "is") == 0)
			check_value(row);
		else if (strcmp(kind, "mask") == 0)
			check_mask(row);
		else if (strcmp(kind, "error") == 0)
			check_sentence(row, read_now.errors, &n_errors);
		else if (strcmp(kind, "warning") == 0)
			check_sentence(row, read_now.warnings, &n_warnings);
		else
			ck_abort_msg("%s:%u: what is '%s'?", row->file, row->line, kind);
	}
}

START_TEST(vectors_hold) {
	const struct unit_row end = { .file = "config.tsv" };

	unit_each_row("config.tsv", 4, take_row);
	end_case(&end);
}
END_TEST

/* Nothing but these errors, or nothing at all. */
static void check_errors(int expected, const char *const *errors) {
	_cleanup_(config_done) struct config c;
	size_t n = 0;

	ck_assert_int_eq(config_read(scratch_fd, &c), expected);
	for (; errors && errors[n]; n++)
		ck_assert_pstr_eq(n < strv_length(c.errors) ? c.errors[n] : NULL,
				  errors[n]);
	ck_assert_uint_eq(strv_length(c.errors), n);
}

#define check_error(error) check_errors(-EBADMSG, (const char *const[]){ error, NULL })

/* config.4 */
START_TEST(everybody_may_write) {
	write_file("etc/extmerge.conf", "[Extmerge]\nTrust=any\n");
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/extmerge.conf", 0646, 0), 0);
	check_error("/etc/extmerge.conf: it can be written by everybody");
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/extmerge.conf", 0664, 0), 0);
	check_errors(0, NULL);
	ck_assert_int_eq(fchmodat(scratch_fd, "etc", 0777, 0), 0);
	check_error("/etc: it can be written by everybody");
	/* a mask has to be root's, too */
	ck_assert_int_eq(fchmodat(scratch_fd, "etc", 0755, 0), 0);
	scratch_write("etc/extmerge.conf", "");
	check_errors(0, NULL);
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/extmerge.conf", 0666, 0), 0);
	check_error("/etc/extmerge.conf: it can be written by everybody");
}
END_TEST

START_TEST(everybody_may_write_drop_ins) {
	write_file("run/extmerge.conf.d/10.conf", "[Extmerge]\nTrust=any\n");
	ck_assert_int_eq(fchmodat(scratch_fd, "run/extmerge.conf.d", 0777, 0), 0);
	check_error("/run/extmerge.conf.d: it can be written by everybody");
}
END_TEST

START_TEST(owner_is_root) {
	write_file("etc/extmerge.conf", "[Extmerge]\nTrust=any\n");
	write_file("etc/extmerge.conf.d/10.conf", "[Extmerge]\nTrust=any\n");
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(fchownat(scratch_fd, "etc/extmerge.conf", SCRATCH_NOBODY, 0, 0),
			 0);
	ck_assert_int_eq(fchownat(scratch_fd, "etc/extmerge.conf.d", SCRATCH_NOBODY, 0, 0),
			 0);
	check_errors(-EBADMSG,
		     (const char *const[]){
			     "/etc/extmerge.conf: it does not belong to root",
			     "/etc/extmerge.conf.d: it does not belong to root", NULL });
	scratch_become_nobody();
	check_errors(0, NULL); /* who runs the program may have files of his own */
	scratch_become_root();
}
END_TEST

START_TEST(regular_files_only) {
	scratch_mkdir("etc");
	scratch_mkdir("etc/extmerge.conf");
	check_error("/etc/extmerge.conf: it is no regular file");
	ck_assert_int_eq(unlinkat(scratch_fd, "etc/extmerge.conf", AT_REMOVEDIR), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd, "etc/extmerge.conf", 0644), 0);
	check_error("/etc/extmerge.conf: it is no regular file");
	ck_assert_int_eq(unlinkat(scratch_fd, "etc/extmerge.conf", 0), 0);
	scratch_link("extmerge.conf", "etc/extmerge.conf");
	check_error("/etc/extmerge.conf: it cannot be read: "
		    "Too many levels of symbolic links");
	ck_assert_int_eq(unlinkat(scratch_fd, "etc/extmerge.conf", 0), 0);
	scratch_write("etc/extmerge.conf.d", "[Extmerge]\nTrust=any\n");
	check_error("/etc/extmerge.conf.d: it cannot be read: Not a directory");
}
END_TEST

START_TEST(size_has_a_limit) {
	static char text[CONFTEXT_SIZE_MAX + 2];

	for (size_t i = 0; i <= CONFTEXT_SIZE_MAX; i++)
		text[i] = i % 100 ? '#' : '\n';
	text[CONFTEXT_SIZE_MAX] = '\0';
	write_file("etc/extmerge.conf", text);
	check_errors(0, NULL);
	text[CONFTEXT_SIZE_MAX] = '#';
	scratch_write("etc/extmerge.conf", text);
	check_error("/etc/extmerge.conf: it is larger than 64 KiB");
}
END_TEST

START_TEST(entries_have_a_limit) {
	char path[64];

	make_parents("run/extmerge.conf.d/");
	for (int i = 0; i <= CASCADE_ENTRIES_MAX; i++) {
		sprintf(path, "run/extmerge.conf.d/%04d.conf", i);
		scratch_write(path, "");
	}
	check_error("/run/extmerge.conf.d: it cannot be read: Argument list too long");
}
END_TEST

/* config.7: what root could read may ask for protection. */
START_TEST(privilege_is_missing) {
	const char *const said[] = {
		"/etc/extmerge.conf: it cannot be read: Permission denied", NULL
	};

	write_file("etc/extmerge.conf", "[Extmerge]\nTrust=signed\n");
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/extmerge.conf", 0, 0), 0);
	scratch_become_nobody();
	check_errors(-EACCES, said);
	scratch_become_root();
}
END_TEST

/* No fd is left: the run must stop, and not go on without what it could not read. */
START_TEST(shortage_is_an_error) {
	struct config c;
	int fds[1024], n = 0, r;

	write_file("etc/extmerge.conf", "[Extmerge]\nTrust=signed\n");
	write_file("etc/extmerge.conf.d/10.conf", "[Extmerge]\nTrust=signed\n");
	check_errors(0, NULL); /* the library is loaded by now */
	for (int spare = 0; spare < 12; spare++) {
		while (n < 1024 && (fds[n] = dup(scratch_fd)) >= 0)
			n++;
		for (int i = 0; i < spare && n > 0; i++)
			close(fds[--n]);
		r = config_read(scratch_fd, &c);
		if (r == 0)
			break;
		config_done(&c);
		ck_assert_int_eq(r, -EMFILE);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(c.of[CLASS_SYSEXT].trust, TRUST_SIGNED);
	config_done(&c);
}
END_TEST

/* A variable that would make the library join keys of one name changes nothing. */
START_TEST(environment_has_no_say) {
	const char *const joined[] = {
		"/etc/extmerge.conf:3: the key is in this section already", NULL
	};

	setenv("ECONF_JOIN_SAME_ENTRIES", "1", 1);
	write_file("etc/extmerge.conf", "[Extmerge]\nTrust=signed\nTrust=\n");
	check_errors(-EBADMSG, joined);
	scratch_write("etc/extmerge.conf",
		      "[Extmerge]\nTrust=signed\n[sysext]\nTrust=any\n");
	check_errors(0, NULL);
}
END_TEST

int main(void) {
	const TTest *const tests[] = {
		everybody_may_write,	everybody_may_write_drop_ins,
		owner_is_root,		regular_files_only,
		size_has_a_limit,	entries_have_a_limit,
		privilege_is_missing,	shortage_is_an_error,
		environment_has_no_say,
	};
	Suite *s = suite_create("config");
	TCase *vectors = tcase_create("vectors");

	tcase_add_test(vectors, vectors_hold);
	suite_add_tcase(s, vectors);
	/* Each has a tree of its own, which is gone afterwards. */
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		TCase *t = tcase_create("config");

		tcase_add_unchecked_fixture(t, scratch_setup, scratch_teardown);
		tcase_add_test(t, tests[i]);
		suite_add_tcase(s, t);
	}
	return unit_run(s);
}
