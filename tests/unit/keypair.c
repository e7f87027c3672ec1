/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a key pair signs is accepted by our own gate; keys that do not go with it are refused (specs: pack.11 to pack.13). */

#include "verity/keypair.h"
#include "signing.h"
#include "unit.h"
#include "verity/signature.h"

#define H16 "00112233445566778899aabbccddeeff"
#define HASH H16 H16

enum kind { RSA_2048, RSA_3072, EC_256, EC_384, RSA_1024, ED25519, KINDS };

static EVP_PKEY *keys[KINDS];
static X509 *certificates[KINDS];

static void setup(void) {
	static const char *const names[] = { "rsa 2048", "rsa 3072", "p-256",
					     "p-384",	 "rsa 1024", "ed25519" };

	signing_begin();
	keys[RSA_2048] = signing_rsa(2048);
	keys[RSA_3072] = signing_rsa(3072);
	keys[RSA_1024] = signing_rsa(1024);
	keys[EC_256] = signing_ec(NID_X9_62_prime256v1, OPENSSL_EC_NAMED_CURVE);
	keys[EC_384] = signing_ec(NID_secp384r1, OPENSSL_EC_NAMED_CURVE);
	keys[ED25519] = signing_generate(signing_context(EVP_PKEY_ED25519));
	for (int i = 0; i < KINDS; i++)
		certificates[i] = signing_certificate(keys[i], names[i], i + 1);
}

static void teardown(void) {
	for (int i = 0; i < KINDS; i++) {
		EVP_PKEY_free(keys[i]);
		X509_free(certificates[i]);
	}
}

/* With a passphrase it is encrypted. The caller owns the text. */
static char *key_pem(EVP_PKEY *key, const char *passphrase) {
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key,
						  passphrase ? EVP_aes_256_cbc() : NULL,
						  NULL, 0, NULL, (void *)passphrase),
			 1);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static int say(void *userdata, char *ret, size_t size) {
	const char *text = userdata;

	ck_assert_uint_le(strlen(text), size);
	memcpy(ret, text, strlen(text));
	return (int)strlen(text);
}

static int say_nothing(void *userdata, char *ret, size_t size) {
	return -ENXIO;
}

static int must_not_ask(void *userdata, char *ret, size_t size) {
	ck_abort_msg("nothing here is encrypted");
	return -EIO;
}

static int read_pair(const char *key, X509 *certificate, keypair_ask_t ask,
		     void *userdata, struct keypair **ret, const char **ret_why) {
	_cleanup_free_ char *pem = signing_certificate_pem(certificate);

	return keypair_read(key, strlen(key), pem, strlen(pem), ask, userdata, ret,
			    ret_why);
}

static struct keypair *pair_of(enum kind kind) {
	_cleanup_free_ char *key = key_pem(keys[kind], NULL);
	struct keypair *k = NULL;
	const char *why = "";

	ck_assert_msg(read_pair(key, certificates[kind], must_not_ask, NULL, &k, &why) ==
			      0,
		      "%s", why);
	return k;
}

/* pack.12 */
START_TEST(its_signature_is_accepted) {
	_cleanup_(keypair_freep) struct keypair *k = pair_of((enum kind)_i);
	struct cert *items[] = { (struct cert *)keypair_certificate(k) };
	const struct certs trusted = { .items = items, .n = 1 };
	_cleanup_free_ uint8_t *der = NULL, *again = NULL;
	size_t size = 0, again_size = 0;
	struct signer signer;
	const char *why = "";

	ck_assert_int_eq(keypair_sign(k, HASH, &der, &size), 0);
	ck_assert_msg(signature_verify(&trusted, NULL, HASH, der, size, &signer, &why) ==
			      0,
		      "%s", why);
	ck_assert_int_eq(signature_verify(&trusted, NULL, H16 H16 H16 H16, der, size,
					  &signer, &why),
			 -EKEYREJECTED);
	ck_assert_int_eq(keypair_sign(k, HASH, &again, &again_size), 0);
	ck_assert_int_eq(keypair_is_deterministic(k), _i == RSA_2048 || _i == RSA_3072);
	if (keypair_is_deterministic(k)) {
		ck_assert_uint_eq(size, again_size);
		ck_assert_mem_eq(der, again, size);
	}
}
END_TEST

static const struct {
	enum kind kind;
	const char *why;
} weak[] = {
	{ RSA_1024, "its RSA key has fewer than 2048 bits" },
	{ ED25519, "its key is neither RSA nor ECDSA" },
};

START_TEST(weak_keys_are_refused) {
	_cleanup_free_ char *key = key_pem(keys[weak[_i].kind], NULL);
	struct keypair *k = NULL;
	const char *why = "";

	ck_assert_int_eq(read_pair(key, certificates[weak[_i].kind], must_not_ask, NULL,
				   &k, &why),
			 -EPROTONOSUPPORT);
	ck_assert_str_eq(why, weak[_i].why);
}
END_TEST

START_TEST(others_are_refused) {
	_cleanup_free_ char *key = key_pem(keys[RSA_3072], NULL);
	struct keypair *k = NULL;
	const char *why = "";

	ck_assert_int_eq(read_pair(key, certificates[RSA_2048], must_not_ask, NULL, &k,
				   &why),
			 -ENOKEY);
	ck_assert_int_eq(read_pair(key, certificates[EC_256], must_not_ask, NULL, &k,
				   &why),
			 -ENOKEY);
	ck_assert_int_eq(read_pair("nonsense", certificates[EC_256], must_not_ask, NULL,
				   &k, &why),
			 -EBADMSG);
	ck_assert_int_eq(keypair_read(key, strlen(key), key, strlen(key), must_not_ask,
				      NULL, &k, &why),
			 -EBADMSG);
	ck_assert_str_eq(why, "it has no certificate in PEM");
}
END_TEST

START_TEST(passphrases) {
	_cleanup_free_ char *key = key_pem(keys[EC_256], "sesame");
	_cleanup_(keypair_freep) struct keypair *k = NULL;
	const char *why = "";

	ck_assert_int_eq(read_pair(key, certificates[EC_256], say, (void *)"wrong", &k,
				   &why),
			 -EKEYREJECTED);
	ck_assert_int_eq(read_pair(key, certificates[EC_256], say_nothing, NULL, &k, &why),
			 -ENXIO);
	ck_assert_ptr_null(k);
	ck_assert_int_eq(read_pair(key, certificates[EC_256], say, (void *)"sesame", &k,
				   &why),
			 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("keypair");
	TCase *t = tcase_create("keypair");

	tcase_add_unchecked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, its_signature_is_accepted, RSA_2048, EC_384 + 1);
	tcase_add_loop_test(t, weak_keys_are_refused, 0, ARRAY_SIZE(weak));
	tcase_add_test(t, others_are_refused);
	tcase_add_test(t, passphrases);
	suite_add_tcase(s, t);
	return unit_run(s);
}
