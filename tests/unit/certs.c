/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves which certificates of a tree are trusted, and that what is broken stops nothing (specs: certs.*). */
#include "verity/certs.h"

#include <sys/sysmacros.h>

#include "merge/cascade.h"
#include "merge/strv.h"
#include "scratch.h"
#include "signing.h"
#include "unit.h"

static EVP_PKEY *key;
static char *pems[4]; /* their common names are "0" to "3" */
static char *weak;

static void make_pems(void) {
	EVP_PKEY *weak_key;

	signing_begin();
	weak_key = signing_rsa(1024);
	key = signing_ec(NID_X9_62_prime256v1, OPENSSL_EC_NAMED_CURVE);
	for (size_t i = 0; i < ARRAY_SIZE(pems); i++) {
		const char name[] = { (char)('0' + i), '\0' };
		X509 *x = signing_certificate(key, name, (long)i);

		pems[i] = signing_certificate_pem(x);
		X509_free(x);
	}
	X509 *x = signing_certificate(weak_key, "weak", 9);

	weak = signing_certificate_pem(x);
	X509_free(x);
	EVP_PKEY_free(weak_key);
}

static void setup(void) {
	static const char *const directories[] = { "etc",
						   "etc/verity.d",
						   "run",
						   "run/verity.d",
						   "usr",
						   "usr/lib",
						   "usr/lib/verity.d",
						   "usr/local",
						   "usr/local/lib",
						   "usr/local/lib/verity.d" };

	make_pems();
	scratch_setup();
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		scratch_mkdir(directories[i]);
}

static void teardown(void) {
	scratch_teardown();
	EVP_PKEY_free(key);
	for (size_t i = 0; i < ARRAY_SIZE(pems); i++)
		free(pems[i]);
	free(weak);
}

/* The common names in their order, "*" in front where trust is wanted; then all problems. */
static void check(const char *expected, const char *const *problems) {
	_cleanup_strv_ char **said = NULL;
	_cleanup_(certs_done) struct certs c = { 0 };
	char names[64] = "";
	size_t n = 0;

	ck_assert_int_eq(certs_read(scratch_fd, &c, &said), 0);
	if (c.is_wanted)
		strcat(names, "*");
	for (size_t i = 0; i < c.n; i++)
		strcat(names, c.items[i]->signer.subject);
	ck_assert_str_eq(names, expected);
	for (; problems && problems[n]; n++)
		ck_assert_pstr_eq(said && n < strv_length(said) ? said[n] : NULL,
				  problems[n]);
	ck_assert_uint_eq(strv_length(said), n);
}

#define check_problem(expected, problem) \
	check(expected, (const char *const[]){ problem, NULL })

START_TEST(nothing_is_wanted) {
	check("", NULL);
	scratch_write("etc/verity.d/a.pem", pems[0]);
	scratch_write("etc/verity.d/.hidden.crt", pems[0]);
	scratch_write("etc/verity.d/.crt", pems[0]);
	scratch_write("etc/verity.d/a.crt.bak", pems[0]);
	scratch_write("etc/verity.d/a.CRT", pems[0]);
	scratch_write("usr/a.crt", pems[0]);
	check("", NULL);
}
END_TEST

START_TEST(no_directory_is_no_problem) {
	ck_assert_int_eq(unlinkat(scratch_fd, "etc/verity.d", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(scratch_fd, "run/verity.d", AT_REMOVEDIR), 0);
	scratch_write("usr/lib/verity.d/a.crt", pems[1]);
	check("*1", NULL);
}
END_TEST

/* certs.1, certs.2: sorted by name, whatever the directory. */
START_TEST(all_directories_count) {
	scratch_write("etc/verity.d/d.crt", pems[3]);
	scratch_write("run/verity.d/b.crt", pems[1]);
	scratch_write("usr/local/lib/verity.d/a.crt", pems[0]);
	scratch_write("usr/lib/verity.d/c.crt", pems[2]);
	check("*0123", NULL);
}
END_TEST

START_TEST(better_directory_overrides) {
	static const char *const names[] = { "usr/lib/verity.d/a.crt",
					     "usr/local/lib/verity.d/a.crt",
					     "run/verity.d/a.crt", "etc/verity.d/a.crt" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char expected[] = { '*', (char)('0' + i), '\0' };

		scratch_write(names[i], pems[i]);
		check(expected, NULL);
	}
}
END_TEST

/* certs.2: the broken one does not let the other one back in. */
START_TEST(unusable_overrides_too) {
	scratch_write("etc/verity.d/a.crt", "broken");
	scratch_write("usr/lib/verity.d/a.crt", pems[1]);
	check_problem("*",
		      "Cannot trust '/etc/verity.d/a.crt': it has no certificate in PEM");
}
END_TEST

/* certs.3 */
START_TEST(masks) {
	scratch_write("usr/lib/verity.d/a.crt", pems[0]);
	scratch_write("usr/lib/verity.d/b.crt", pems[1]);
	scratch_write("usr/lib/verity.d/c.crt", pems[2]);
	scratch_write("run/verity.d/a.crt", "");
	scratch_link("/dev/null", "etc/verity.d/b.crt");
	check("*2", NULL);
	scratch_link("/dev/null", "etc/verity.d/c.crt");
	check("", NULL);
}
END_TEST

/* Where there is a /dev/null: below the root, and as a node of its own. */
START_TEST(masks_by_device) {
	scratch_write("usr/lib/verity.d/a.crt", pems[0]);
	scratch_write("usr/lib/verity.d/b.crt", pems[1]);
	scratch_mkdir("dev");
	if (mknodat(scratch_fd, "dev/null", S_IFCHR | 0666, makedev(1, 3)) < 0 ||
	    mknodat(scratch_fd, "dev/zero", S_IFCHR | 0666, makedev(1, 5)) < 0)
		return; /* needs root */
	scratch_link("../../dev/null", "etc/verity.d/a.crt");
	scratch_link("/dev/zero", "etc/verity.d/b.crt");
	check_problem("*", "Cannot trust '/etc/verity.d/b.crt': it is no regular file");
}
END_TEST

START_TEST(links_stay_in_the_root) {
	scratch_write("usr/real.crt", pems[0]);
	scratch_link("/usr/real.crt", "etc/verity.d/a.crt");
	scratch_link("../../../../../usr/real.crt", "etc/verity.d/b.crt");
	check("*00", NULL);
	scratch_link("/proc/self/exe", "etc/verity.d/c.crt");
	check_problem("*00", "Cannot trust '/etc/verity.d/c.crt': it cannot be read: "
			     "No such file or directory");
}
END_TEST

START_TEST(only_regular_files) {
	static const char *const problems[] = {
		"Cannot trust '/etc/verity.d/a.crt': it is no regular file",
		"Cannot trust '/etc/verity.d/b.crt': it is no regular file",
		"Cannot trust '/etc/verity.d/c.crt': it cannot be read: "
		"Too many levels of symbolic links",
		NULL
	};

	scratch_mkdir("etc/verity.d/a.crt");
	ck_assert_int_eq(mkfifoat(scratch_fd, "etc/verity.d/b.crt", 0644), 0);
	scratch_link("c.crt", "etc/verity.d/c.crt");
	scratch_write("etc/verity.d/d.crt", pems[3]);
	check("*3", problems);
}
END_TEST

/* certs.4 */
START_TEST(everybody_may_write) {
	scratch_write("etc/verity.d/a.crt", pems[0]);
	scratch_write("etc/verity.d/b.crt", pems[1]);
	scratch_write("etc/verity.d/c.crt", "");
	scratch_write("usr/lib/verity.d/c.crt", pems[2]);
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/verity.d/a.crt", 0666, 0), 0);
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/verity.d/c.crt", 0602, 0), 0);
	check("*1",
	      (const char *const[]){
		      "Cannot trust '/etc/verity.d/a.crt': it can be written by everybody",
		      "Cannot trust '/etc/verity.d/c.crt': it can be written by everybody",
		      NULL });
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/verity.d", 01777, 0), 0);
	check("*2", (const char *const[]){
			    "Cannot trust '/etc/verity.d': it can be written by everybody",
			    NULL });
}
END_TEST

START_TEST(owner_is_root) {
	if (geteuid() != 0)
		return;
	scratch_write("etc/verity.d/a.crt", pems[0]);
	scratch_write("run/verity.d/b.crt", pems[1]);
	ck_assert_int_eq(fchownat(scratch_fd, "etc/verity.d/a.crt", SCRATCH_NOBODY, 0, 0),
			 0);
	check_problem("*1",
		      "Cannot trust '/etc/verity.d/a.crt': it does not belong to root");
	/* For somebody who is not root, his own files are as good as those of root. */
	scratch_become_nobody();
	check("*01", NULL);
	scratch_become_root();
	ck_assert_int_eq(fchownat(scratch_fd, "run/verity.d", SCRATCH_NOBODY, 0, 0), 0);
	check("*",
	      (const char *const[]){
		      "Cannot trust '/run/verity.d': it does not belong to root",
		      "Cannot trust '/etc/verity.d/a.crt': it does not belong to root",
		      NULL });
}
END_TEST

START_TEST(what_cannot_be_read) {
	if (geteuid() != 0)
		return;
	scratch_write("etc/verity.d/a.crt", pems[0]);
	scratch_write("etc/verity.d/b.crt", pems[1]);
	ck_assert_int_eq(fchmodat(scratch_fd, "etc/verity.d/a.crt", 0600, 0), 0);
	ck_assert_int_eq(fchmodat(scratch_fd, "run/verity.d", 0700, 0), 0);
	scratch_become_nobody();
	check("*1",
	      (const char *const[]){
		      "Cannot trust '/run/verity.d': it cannot be read: Permission denied",
		      "Cannot trust '/etc/verity.d/a.crt': it cannot be read: "
		      "Permission denied",
		      NULL });
	scratch_become_root();
}
END_TEST

START_TEST(directory_that_is_none) {
	ck_assert_int_eq(unlinkat(scratch_fd, "etc/verity.d", AT_REMOVEDIR), 0);
	scratch_write("etc/verity.d", pems[0]);
	scratch_write("run/verity.d/b.crt", pems[1]);
	check_problem("*1",
		      "Cannot trust '/etc/verity.d': it cannot be read: Not a directory");
}
END_TEST

START_TEST(size_has_a_limit) {
	_cleanup_free_ char *text = malloc(CERT_SIZE_MAX + 2);

	memset(text, '\n', CERT_SIZE_MAX + 1);
	memcpy(text, pems[0], strlen(pems[0]));
	text[CERT_SIZE_MAX + 1] = '\0';
	scratch_write("etc/verity.d/a.crt", text);
	check_problem("*", "Cannot trust '/etc/verity.d/a.crt': it is larger than 64 KiB");
	text[CERT_SIZE_MAX] = '\0';
	scratch_write("etc/verity.d/a.crt", text);
	check("*0", NULL);
}
END_TEST

/* The weak one stays, so that what it has signed is refused by its name. */
START_TEST(weak_key_is_a_problem) {
	scratch_write("etc/verity.d/a.crt", weak);
	check_problem(
		"*weak",
		"Cannot trust '/etc/verity.d/a.crt': its RSA key has fewer than 2048 bits");
}
END_TEST

START_TEST(number_has_a_limit) {
	_cleanup_strv_ char **said = NULL;
	_cleanup_(certs_done) struct certs c = { 0 };
	char path[64];

	for (int i = 0; i <= CERTS_MAX; i++) {
		sprintf(path, "usr/lib/verity.d/%04d.crt", i);
		scratch_write(path, pems[0]);
	}
	ck_assert_int_eq(certs_read(scratch_fd, &c, &said), 0);
	ck_assert_uint_eq(c.n, CERTS_MAX);
	ck_assert_uint_eq(strv_length(said), 1);
	ck_assert_str_eq(said[0], "Cannot trust '/usr/lib/verity.d/0256.crt': "
				  "it is one of more than 256");
}
END_TEST

START_TEST(entries_have_a_limit) {
	char path[64];

	for (int i = 0; i <= CASCADE_ENTRIES_MAX; i++) {
		sprintf(path, "run/verity.d/%04d", i);
		scratch_write(path, "");
	}
	check_problem("*", "Cannot trust '/run/verity.d': it cannot be read: "
			   "Argument list too long");
}
END_TEST

/* No fd is left: the run must stop, and not call what it could not read untrusted. */
START_TEST(shortage_is_an_error) {
	_cleanup_strv_ char **said = NULL;
	struct certs c = { .n = 7 };
	int fds[1024], n = 0, r;

	scratch_write("etc/verity.d/a.crt", pems[0]);
	for (int spare = 0; spare < 6; spare++) {
		while (n < 1024 && (fds[n] = dup(scratch_fd)) >= 0)
			n++;
		for (int i = 0; i < spare && n > 0; i++)
			close(fds[--n]);
		r = certs_read(scratch_fd, &c, &said);
		if (r == 0)
			break;
		ck_assert_int_eq(r, -EMFILE);
		ck_assert_uint_eq(c.n, 7);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(c.n, 1);
	certs_done(&c);
	ck_assert_uint_eq(strv_length(said), 0);
}
END_TEST

int main(void) {
	const TTest *const tests[] = {
		nothing_is_wanted,	no_directory_is_no_problem,
		all_directories_count,	better_directory_overrides,
		unusable_overrides_too, masks,
		masks_by_device,	links_stay_in_the_root,
		only_regular_files,	everybody_may_write,
		owner_is_root,		what_cannot_be_read,
		directory_that_is_none, size_has_a_limit,
		weak_key_is_a_problem,	number_has_a_limit,
		entries_have_a_limit,	shortage_is_an_error,
	};
	Suite *s = suite_create("certs");

	/* Each has a tree of its own, which is gone afterwards. */
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		TCase *t = tcase_create("certs");

		tcase_add_unchecked_fixture(t, setup, teardown);
		tcase_add_test(t, tests[i]);
		suite_add_tcase(s, t);
	}
	return unit_run(s);
}
