/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves whose signatures count: those of libcrypto and of its program, and that every change of them is refused. */
#include "verity/signature.h"

#include <openssl/x509v3.h>

#include "merge/file.h"
#include "merge/strv.h"
#include "scratch.h"
#include "signing.h"
#include "unit.h"

#define SIXTEEN "0123456789abcdef"
#define HASH SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define OTHER_HASH SIXTEEN SIXTEEN SIXTEEN "0123456789abcdee"

#define STRANGER_SAYS "nobody who is trusted has signed it"
#define WRONG "the signature is not that of this root hash"
#define DIGEST "the digest is not SHA-256, SHA-384 or SHA-512"

/* The first four are trusted. */
enum who {
	RSA_2048,
	EC_256,
	EC_384,
	RSA_1024,
	STRANGER,
	TWIN,	 /* names itself as RSA_2048 does */
	EC_TWIN, /* the same, with another kind of key */
	LEAF,	 /* made by RSA_2048 */
	N_PARTIES
};
#define N_TRUSTED STRANGER

static struct party {
	EVP_PKEY *key;
	X509 *x;
} parties[N_PARTIES];
static struct certs trusted;

static void trust(struct certs *c, X509 *x) {
	_cleanup_free_ char *pem = signing_certificate_pem(x);
	const char *why = NULL;

	c->items = reallocarray(c->items, c->n + 1, sizeof(struct cert *));
	ck_assert_int_eq(cert_parse(pem, strlen(pem), &c->items[c->n++], &why), 0);
}

static void make_party(enum who who, EVP_PKEY *key, const char *name, long serial) {
	parties[who] = (struct party){ key, signing_certificate(key, name, serial) };
}

static void make_stranger(void) {
	EVP_PKEY *key = signing_rsa(2048);
	X509 *x = signing_draft(key, "stranger", 5);
	X509_EXTENSION *id = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_key_identifier,
						 "01020304");

	ck_assert_int_eq(X509_add_ext(x, id, -1), 1);
	X509_EXTENSION_free(id);
	parties[STRANGER] = (struct party){ key, signing_finish(x, key) };
}

static void make_leaf(void) {
	EVP_PKEY *key = signing_rsa(2048);
	X509 *x = signing_draft(key, "leaf", 8);

	X509_set_issuer_name(x, X509_get_subject_name(parties[RSA_2048].x));
	parties[LEAF] = (struct party){ key, signing_finish(x, parties[RSA_2048].key) };
}

static void setup(void) {
	signing_begin();
	make_party(RSA_2048, signing_rsa(2048), "rsa", 1);
	make_party(EC_256, signing_ec(NID_X9_62_prime256v1, OPENSSL_EC_NAMED_CURVE),
		   "p256", 2);
	make_party(EC_384, signing_ec(NID_secp384r1, OPENSSL_EC_NAMED_CURVE), "p384", 3);
	make_party(RSA_1024, signing_rsa(1024), "small", 4);
	make_stranger();
	make_party(TWIN, signing_rsa(2048), "rsa", 1);
	make_party(EC_TWIN, signing_ec(NID_secp384r1, OPENSSL_EC_NAMED_CURVE), "rsa", 1);
	make_leaf();
	for (size_t i = 0; i < N_TRUSTED; i++)
		trust(&trusted, parties[i].x);
}

static void teardown(void) {
	for (size_t i = 0; i < N_PARTIES; i++) {
		EVP_PKEY_free(parties[i].key);
		X509_free(parties[i].x);
	}
	certs_done(&trusted);
}

static struct blob sign_as(enum who who, const EVP_MD *md, const char *text, int flags) {
	const struct signing_signer signers[] = { { parties[who].x, parties[who].key, md },
						  { NULL, NULL, NULL } };

	return signing_sign(signers, text, flags);
}

static struct blob sign(enum who who) {
	return sign_as(who, EVP_sha256(), HASH, SIGNING_FLAGS);
}

static int verify(const struct blob *b, struct signer *ret, const char **ret_why) {
	return signature_verify(&trusted, NULL, HASH, b->data, b->len, ret, ret_why);
}

static void check_refused(const struct blob *b, int error, const char *expected) {
	struct signer s = { .not_before = 7 };
	const char *why = NULL;

	ck_assert_int_eq(verify(b, &s, &why), error);
	ck_assert_pstr_eq(why, expected);
	ck_assert_int_eq(s.not_before, 7);
}

/* --- what is accepted --- */

static const struct {
	enum who who;
	const EVP_MD *(*md)(void);
} good[] = {
	{ RSA_2048, EVP_sha256 }, { RSA_2048, EVP_sha384 }, { RSA_2048, EVP_sha512 },
	{ EC_256, EVP_sha256 },	  { EC_256, EVP_sha384 },   { EC_256, EVP_sha512 },
	{ EC_384, EVP_sha256 },	  { EC_384, EVP_sha384 },   { EC_384, EVP_sha512 },
};

START_TEST(good_is_accepted) {
	enum who who = good[_i].who;
	struct blob b = sign_as(who, good[_i].md(), HASH, SIGNING_FLAGS);
	const char *why = NULL;
	struct signer s;

	ck_assert_msg(verify(&b, &s, &why) == 0, "refused: %s", why);
	ck_assert_ptr_null(why);
	ck_assert_str_eq(s.subject, trusted.items[who]->signer.subject);
	ck_assert_str_eq(s.fingerprint, trusted.items[who]->signer.fingerprint);
	ck_assert_int_eq(s.not_before, SIGNING_EPOCH);
	ck_assert(signing_openssl_accepts(&b, HASH, parties[who].x));
}
END_TEST

static struct blob take_cms(CMS_ContentInfo *cms) {
	struct blob b = { .len = 0 };
	unsigned char *p = b.data;

	ck_assert_int_le(i2d_CMS_ContentInfo(cms, NULL), (int)sizeof(b.data));
	b.len = (size_t)i2d_CMS_ContentInfo(cms, &p);
	CMS_ContentInfo_free(cms);
	return b;
}

#define CMS_FLAGS (CMS_DETACHED | CMS_BINARY | CMS_NOATTR | CMS_NOCERTS)

static struct blob sign_cms(enum who who, unsigned flags, int padding) {
	BIO *bio = BIO_new_mem_buf(HASH, -1);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, bio,
					CMS_FLAGS | CMS_PARTIAL | flags);
	CMS_SignerInfo *si =
		CMS_add1_signer(cms, parties[who].x, parties[who].key, EVP_sha256(),
				CMS_FLAGS | flags | (padding ? CMS_KEY_PARAM : 0));

	ck_assert_ptr_nonnull(si);
	if (padding)
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(
					 CMS_SignerInfo_get0_pkey_ctx(si), padding),
				 1);
	ck_assert_int_eq(CMS_final(cms, bio, NULL, CMS_FLAGS | flags), 1);
	BIO_free(bio);
	return take_cms(cms);
}

START_TEST(cms_is_accepted) {
	for (enum who who = RSA_2048; who <= EC_384; who++) {
		struct blob b = sign_cms(who, 0, 0);
		const char *why = NULL;
		struct signer s;

		ck_assert_msg(verify(&b, &s, &why) == 0, "refused: %s", why);
	}
}
END_TEST

/* Certificates that come along neither help nor harm. */
START_TEST(embedded_is_ignored) {
	struct blob b = sign_as(RSA_2048, EVP_sha256(), HASH,
				SIGNING_FLAGS & ~PKCS7_NOCERTS);
	const char *why = NULL;
	struct signer s;

	ck_assert_uint_gt(b.len, sign(RSA_2048).len + 200);
	ck_assert_int_eq(verify(&b, &s, &why), 0);
	ck_assert_str_eq(s.subject, "rsa");
}
END_TEST

START_TEST(long_hashes_are_accepted) {
	static const char *const hashes[] = {
		SIXTEEN SIXTEEN SIXTEEN SIXTEEN,
		SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN, HASH HASH
	};
	struct blob b = sign_as(EC_256, EVP_sha256(), hashes[_i], SIGNING_FLAGS);
	const char *why = NULL;
	struct signer s;

	ck_assert_int_eq(signature_verify(&trusted, NULL, hashes[_i], b.data, b.len, &s,
					  &why),
			 0);
}
END_TEST

/* --- what is refused: facts, "What really is accepted" --- */

static struct blob with_attributes(void) {
	return sign_as(RSA_2048, EVP_sha256(), HASH, SIGNING_FLAGS & ~PKCS7_NOATTR);
}

static struct blob attached(void) {
	return sign_as(RSA_2048, EVP_sha256(), HASH, SIGNING_FLAGS & ~PKCS7_DETACHED);
}

static struct blob by_sha1(void) {
	return sign_as(RSA_2048, EVP_sha1(), HASH, SIGNING_FLAGS);
}

static struct blob by_md5(void) {
	return sign_as(RSA_2048, EVP_md5(), HASH, SIGNING_FLAGS);
}

static struct blob by_small_key(void) {
	return sign(RSA_1024);
}

static struct blob by_stranger(void) {
	return sign(STRANGER);
}

static struct blob by_stranger_who_is_embedded(void) {
	return sign_as(STRANGER, EVP_sha256(), HASH, SIGNING_FLAGS & ~PKCS7_NOCERTS);
}

static struct blob by_leaf_that_is_embedded(void) {
	return sign_as(LEAF, EVP_sha256(), HASH, SIGNING_FLAGS & ~PKCS7_NOCERTS);
}

static struct blob by_twin(void) {
	return sign_as(TWIN, EVP_sha256(), HASH, SIGNING_FLAGS & ~PKCS7_NOCERTS);
}

static struct blob by_ec_twin(void) {
	return sign(EC_TWIN);
}

static struct blob with_newline(void) {
	return sign_as(RSA_2048, EVP_sha256(), HASH "\n", SIGNING_FLAGS);
}

static struct blob of_other_hash(void) {
	return sign_as(RSA_2048, EVP_sha256(), OTHER_HASH, SIGNING_FLAGS);
}

static struct blob with_garbage(void) {
	struct blob b = sign(RSA_2048);

	blob_add(&b, "\n", 1);
	return b;
}

static struct blob twice(void) {
	struct blob b = sign(RSA_2048), again = b;

	blob_add(&b, again.data, again.len);
	return b;
}

static struct blob by_nobody(void) {
	const struct signing_signer nobody = { NULL, NULL, NULL };

	return signing_sign(&nobody, HASH, SIGNING_FLAGS);
}

static struct blob by_two(void) {
	const struct signing_signer two[] = {
		{ parties[RSA_2048].x, parties[RSA_2048].key, EVP_sha256() },
		{ parties[EC_256].x, parties[EC_256].key, EVP_sha256() },
		{ NULL, NULL, NULL },
	};

	return signing_sign(two, HASH, SIGNING_FLAGS);
}

static struct blob by_key_identifier(void) {
	return sign_cms(STRANGER, CMS_USE_KEYID, 0);
}

static struct blob by_pss(void) {
	return sign_cms(RSA_2048, 0, RSA_PKCS1_PSS_PADDING);
}

static const struct {
	struct blob (*make)(void);
	int error;
	const char *why;
	bool openssl; /* whether the verifier of systemd accepts it */
} bad[] = {
	{ with_attributes, -EPROTONOSUPPORT, "it has signed attributes", true },
	{ attached, -EPROTONOSUPPORT, "the content is attached", true },
	{ by_sha1, -EPROTONOSUPPORT, DIGEST, true },
	{ by_md5, -EPROTONOSUPPORT, DIGEST, true },
	{ by_small_key, -EPROTONOSUPPORT, "its RSA key has fewer than 2048 bits", false },
	{ by_stranger, -ENOKEY, STRANGER_SAYS, false },
	{ by_stranger_who_is_embedded, -ENOKEY, STRANGER_SAYS, false },
	{ by_leaf_that_is_embedded, -ENOKEY, STRANGER_SAYS, false },
	{ by_twin, -EKEYREJECTED, WRONG, false },
	{ by_ec_twin, -EKEYREJECTED, "the signer's key is of another algorithm", false },
	{ with_newline, -EKEYREJECTED, WRONG, false },
	{ of_other_hash, -EKEYREJECTED, WRONG, false },
	{ with_garbage, -EBADMSG, "bytes behind the end", true },
	{ twice, -EBADMSG, "bytes behind the end", true },
	{ by_nobody, -EBADMSG, "no digest algorithm is listed", false },
	{ by_two, -EPROTONOSUPPORT, "it has more than one signer", false },
	{ by_key_identifier, -EPROTONOSUPPORT, "the signer is named by a key identifier",
	  false },
	{ by_pss, -EPROTONOSUPPORT,
	  "the algorithm is neither RSA (PKCS #1 v1.5) nor ECDSA", false },
};

START_TEST(bad_is_refused) {
	struct blob b = bad[_i].make();

	check_refused(&b, bad[_i].error, bad[_i].why);
	ck_assert_int_eq(signing_openssl_accepts(&b, HASH, parties[RSA_2048].x),
			 bad[_i].openssl);
}
END_TEST

START_TEST(only_a_root_hash_is_signed) {
	static const char *const texts[] = {
		"",
		"0123456789ABCDEF" SIXTEEN SIXTEEN SIXTEEN,
		HASH "\n",
		HASH "00",
		SIXTEEN SIXTEEN "01234567", /* SHA-1 */
		"0x" SIXTEEN SIXTEEN SIXTEEN "0123456789abcd",
		" " SIXTEEN SIXTEEN SIXTEEN "0123456789abcde",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct blob b = sign_as(RSA_2048, EVP_sha256(), texts[i], SIGNING_FLAGS);
		const char *why = NULL;
		struct signer s;

		ck_assert_int_eq(signature_verify(&trusted, NULL, texts[i], b.data, b.len,
						  &s, &why),
				 -EINVAL);
		ck_assert_str_eq(why,
				 "the root hash is no lower-case hex of a known length");
	}
}
END_TEST

START_TEST(every_digit_of_the_hash_counts) {
	struct blob b = sign(EC_256);

	for (size_t i = 0; i < sizeof(HASH) - 1; i++) {
		char hash[] = HASH;
		const char *why = NULL;
		struct signer s;

		hash[i] = hash[i] == '0' ? '1' : '0';
		ck_assert_int_eq(signature_verify(&trusted, NULL, hash, b.data, b.len, &s,
						  &why),
				 -EKEYREJECTED);
	}
}
END_TEST

START_TEST(trust_in_nobody) {
	const struct certs nobody = { 0 };
	struct blob b = sign(RSA_2048);
	const char *why = NULL;
	struct signer s;

	ck_assert_int_eq(signature_verify(&nobody, NULL, HASH, b.data, b.len, &s, &why),
			 -ENOKEY);
	ck_assert_str_eq(why, STRANGER_SAYS);
}
END_TEST

/* Two certificates with one name: each signs for itself, whichever is first. */
START_TEST(one_name_for_two) {
	static const enum who order[] = { TWIN, EC_TWIN, RSA_2048 };
	struct certs both = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		trust(&both, parties[order[i]].x);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct blob b = sign(order[i]);
		const char *why = NULL;
		struct signer s;

		ck_assert_int_eq(signature_verify(&both, NULL, HASH, b.data, b.len, &s,
						  &why),
				 0);
		ck_assert_str_eq(s.fingerprint, both.items[i]->signer.fingerprint);
		ck_assert_ptr_null(why);
	}
	certs_done(&both);
}
END_TEST

/* signature.14 */
static const struct {
	bool enforce;
	int64_t now; /* from the certificate's begin */
	int error;
	const char *why;
} dates[] = {
	{ false, -SIGNING_EPOCH, 0, NULL },
	{ false, 10 * 365 * SIGNING_DAY, 0, NULL },
	{ true, -1, -EKEYEXPIRED, "the signer's certificate is not valid yet" },
	{ true, -SIGNING_EPOCH, -EKEYEXPIRED,
	  "the signer's certificate is not valid yet" },
	{ true, 0, 0, NULL },
	{ true, SIGNING_DAY, 0, NULL },
	{ true, SIGNING_DAY + 1, -EKEYEXPIRED, "the signer's certificate has expired" },
};

START_TEST(dates_count_if_asked) {
	struct signature_rules rules = { dates[_i].enforce,
					 SIGNING_EPOCH + dates[_i].now };
	struct blob b = sign(RSA_2048), wrong = of_other_hash();
	const char *why = NULL;
	struct signer s;

	ck_assert_int_eq(signature_verify(&trusted, &rules, HASH, b.data, b.len, &s, &why),
			 dates[_i].error);
	ck_assert_pstr_eq(why, dates[_i].why);
	/* A wrong signature is worse than an old certificate. */
	ck_assert_int_eq(signature_verify(&trusted, &rules, HASH, wrong.data, wrong.len,
					  &s, &why),
			 -EKEYREJECTED);
}
END_TEST

/* --- tampering --- */

static bool is_accepted(const struct blob *b) {
	const char *why = NULL;
	struct signer s;

	return verify(b, &s, &why) == 0;
}

START_TEST(every_bit_counts) {
	struct blob b = sign((enum who)_i);

	ck_assert(is_accepted(&b));
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_msg(!is_accepted(&b), "bit %zu does not count", bit);
		b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}
END_TEST

/* Each byte turned round, taken out, and there twice; and the end cut off. */
START_TEST(every_byte_counts) {
	struct blob b = sign((enum who)_i);

	for (size_t i = 0; i < b.len; i++) {
		struct blob turned = b, less = b, more = b, cut = b;

		turned.data[i] ^= 0xff;
		ck_assert_msg(!is_accepted(&turned), "byte %zu does not count", i);
		memmove(less.data + i, b.data + i + 1, b.len - i - 1);
		less.len--;
		ck_assert_msg(!is_accepted(&less), "byte %zu is not needed", i);
		memmove(more.data + i + 1, b.data + i, b.len - i);
		more.len++;
		ck_assert_msg(!is_accepted(&more), "byte %zu may be there twice", i);
		cut.len = i;
		ck_assert_msg(!is_accepted(&cut), "bytes from %zu on are not needed", i);
	}
}
END_TEST

/* Only within the element of the certificates, which is ignored, may a bit change; its header has four bytes. */
START_TEST(only_ignored_bytes_do_not_count) {
	struct blob b = sign_as(EC_256, EVP_sha256(), HASH,
				SIGNING_FLAGS & ~PKCS7_NOCERTS),
		    embedded = signing_der(parties[EC_256].x);
	const uint8_t *at = memmem(b.data, b.len, embedded.data, embedded.len);
	unsigned ignored = 0;

	ck_assert(at && at[-4] == DER_CONTEXT_0);
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		const uint8_t *byte = b.data + bit / 8;
		const char *why = NULL;
		struct signer s;

		b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (verify(&b, &s, &why) == 0) {
			ck_assert_str_eq(s.subject, "p256");
			ck_assert_msg(byte >= at - 4 && byte < at + embedded.len,
				      "bit %zu does not count", bit);
			ignored++;
		}
		b.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	ck_assert_uint_gt(ignored, 0);
}
END_TEST

/* --- the program openssl, and a whole tree --- */

static const char script[] =
	"command -v openssl >/dev/null || exit 77\n"
	"set -e; cd $0; mkdir -p root/etc/verity.d\n"
	"printf \"[req]\\ndistinguished_name=d\\n[d]\\n\" >conf; printf %s " HASH
	" >hash\n"
	"for kind in rsa:2048 P-256 P-384; do\n"
	"  curve=; [ $kind = rsa:2048 ] || curve=\"ec -pkeyopt ec_paramgen_curve:$kind\"\n"
	"  openssl req -x509 -config conf -subj /CN=$kind -days 1 -nodes -keyout key \\\n"
	"    -newkey ${curve:-$kind} -out root/etc/verity.d/$kind.crt\n"
	"  for tool in smime cms; do for md in sha256 sha384 sha512; do\n"
	"    openssl $tool -sign -nocerts -noattr -binary -in hash -inkey key -md $md \\\n"
	"      -signer root/etc/verity.d/$kind.crt -outform der -out $tool-$md-$kind.p7s\n"
	"  done; done\n"
	"done; rm key\n";

static int run(const char *program, const char *argument, const char *what) {
	_cleanup_free_ char *command = NULL;
	int status;

	ck_assert_int_gt(asprintf(&command, "%s '%s' '%s' >/dev/null 2>&1", what, program,
				  argument),
			 0);
	status = system(command);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* 0, or the first error. Without assertions, since it also runs outside of a test. */
static int verify_file(int directory, const struct certs *c, const char *name,
		       struct signer *ret) {
	_cleanup_close_ int fd = file_open_exact(directory, name, O_RDONLY);
	_cleanup_free_ char *data = NULL;
	const char *why = NULL;
	size_t len = 0;
	int r = fd < 0 ? fd : file_read(fd, PKCS7_SIZE_MAX, &data, &len);

	return r < 0 ? r : signature_verify(c, NULL, HASH, data, len, ret, &why);
}

static int verify_files(const char *path, unsigned *ret_n) {
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int root = file_open_exact(fd, "root", O_PATH | O_DIRECTORY);
	_cleanup_strv_ char **names = NULL, **problems = NULL;
	_cleanup_(certs_done) struct certs c = { 0 };
	int r = certs_read(root, &c, &problems);

	if (r == 0)
		r = file_list(fd, 100, &names);
	*ret_n = 0;
	for (char **name = names; r == 0 && name && *name; name++) {
		struct signer s;

		if (!strstr(*name, ".p7s"))
			continue;
		r = verify_file(fd, &c, *name, &s);
		if (r == 0 && !strstr(*name, s.subject))
			r = -EKEYREJECTED;
		++*ret_n;
	}
	return r < 0 ? r : problems ? -EBADMSG : 0;
}

START_TEST(program_makes_good_signatures) {
	unsigned n = 0;

	if (run(script, scratch_path, "sh -c") == 77) {
		fprintf(stderr, "skip: there is no program openssl\n");
		return;
	}
	ck_assert_int_eq(verify_files(scratch_path, &n), 0);
	ck_assert_uint_eq(n, 18);
}
END_TEST

/* --- threats.md row 56: OPENSSL_CONF --- */

/* What the test below starts: a process in which nobody has used libcrypto yet. */
static int child(const char *path) {
	unsigned n;

	if (getenv("LOAD_CONFIG"))
		OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	return verify_files(path, &n) < 0 || n == 0;
}

static void write_blob(const char *path, const struct blob *b) {
	_cleanup_close_ int fd = scratch_open(path, O_WRONLY | O_CREAT | O_TRUNC);

	ck_assert_int_eq(write(fd, b->data, b->len), (ssize_t)b->len);
}

START_TEST(configuration_is_not_loaded) {
	_cleanup_free_ char *pem = signing_certificate_pem(parties[RSA_2048].x);
	_cleanup_free_ char *self = realpath("/proc/self/exe", NULL), *conf = NULL;
	struct blob b = sign(RSA_2048);

	scratch_mkdir("root");
	scratch_mkdir("root/etc");
	scratch_mkdir("root/etc/verity.d");
	scratch_write("root/etc/verity.d/rsa.crt", pem);
	write_blob("rsa.p7s", &b);
	scratch_write("conf", "openssl_conf = start\n[start]\nalg_section = bad\n"
			      "[bad]\ndefault_properties = no_such_property=yes\n");
	ck_assert_int_gt(asprintf(&conf, "%s/conf", scratch_path), 0);
	ck_assert_int_eq(run(self, scratch_path, ""), 0);
	setenv("OPENSSL_CONF", conf, 1);
	ck_assert_int_eq(run(self, scratch_path, ""), 0);
	/* The file does harm where it is loaded (since OpenSSL 3). */
	if (OPENSSL_VERSION_NUMBER >= 0x30000000L)
		ck_assert_int_eq(run(self, scratch_path, "LOAD_CONFIG=1"), 1);
}
END_TEST

int main(int argc, char **argv) {
	Suite *s;
	TCase *t, *tree, *conf;

	if (argc == 2)
		return child(argv[1]);
	s = suite_create("signature");
	t = tcase_create("signature");
	tree = tcase_create("tree");
	conf = tcase_create("configuration");
	tcase_add_unchecked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, good_is_accepted, 0, ARRAY_SIZE(good));
	tcase_add_test(t, cms_is_accepted);
	tcase_add_test(t, embedded_is_ignored);
	tcase_add_loop_test(t, long_hashes_are_accepted, 0, 3);
	tcase_add_loop_test(t, bad_is_refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(t, only_a_root_hash_is_signed);
	tcase_add_test(t, every_digit_of_the_hash_counts);
	tcase_add_test(t, trust_in_nobody);
	tcase_add_test(t, one_name_for_two);
	tcase_add_loop_test(t, dates_count_if_asked, 0, ARRAY_SIZE(dates));
	tcase_add_loop_test(t, every_bit_counts, RSA_2048, EC_384 + 1);
	tcase_add_loop_test(t, every_byte_counts, RSA_2048, EC_384 + 1);
	tcase_add_test(t, only_ignored_bytes_do_not_count);
	tcase_add_unchecked_fixture(tree, scratch_setup, scratch_teardown);
	tcase_add_test(tree, program_makes_good_signatures);
	tcase_add_unchecked_fixture(conf, setup, teardown);
	tcase_add_unchecked_fixture(conf, scratch_setup, scratch_teardown);
	tcase_add_test(conf, configuration_is_not_loaded);
	suite_add_tcase(s, t);
	suite_add_tcase(s, tree);
	suite_add_tcase(s, conf);
	return unit_run(s);
}
