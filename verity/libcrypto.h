/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcrypto, loaded when its first function is called (library.h): only a host or an image with signatures or
 * hash trees needs it. Included after the headers of openssl by whoever uses them. Each of these functions
 * stands for failure with 0 or NULL, so without the library nothing is trusted. A function that is not in
 * this list is linked as usual, and libcrypto is then loaded at every start.
 */
#pragma once

#include "../merge/library.h"

extern struct library crypto;

#define ASN1_STRING_to_UTF8 LIBRARY_CALL(crypto, ASN1_STRING_to_UTF8)
#define ASN1_TIME_to_tm LIBRARY_CALL(crypto, ASN1_TIME_to_tm)
#define BIO_free LIBRARY_CALL(crypto, BIO_free)
#define BIO_new_mem_buf LIBRARY_CALL(crypto, BIO_new_mem_buf)
#define CRYPTO_free LIBRARY_CALL(crypto, CRYPTO_free)
#define ERR_pop_to_mark LIBRARY_CALL(crypto, ERR_pop_to_mark)
#define ERR_set_mark LIBRARY_CALL(crypto, ERR_set_mark)
#define EVP_DigestFinal_ex LIBRARY_CALL(crypto, EVP_DigestFinal_ex)
#define EVP_DigestInit_ex LIBRARY_CALL(crypto, EVP_DigestInit_ex)
#define EVP_DigestUpdate LIBRARY_CALL(crypto, EVP_DigestUpdate)
#define EVP_DigestVerify LIBRARY_CALL(crypto, EVP_DigestVerify)
#define EVP_DigestVerifyInit LIBRARY_CALL(crypto, EVP_DigestVerifyInit)
#define EVP_MD_CTX_free LIBRARY_CALL(crypto, EVP_MD_CTX_free)
#define EVP_MD_CTX_new LIBRARY_CALL(crypto, EVP_MD_CTX_new)
#define EVP_PKEY_CTX_set_rsa_padding LIBRARY_CALL(crypto, EVP_PKEY_CTX_set_rsa_padding)
#define EVP_PKEY_free LIBRARY_CALL(crypto, EVP_PKEY_free)
#define EVP_PKEY_up_ref LIBRARY_CALL(crypto, EVP_PKEY_up_ref)
#define EVP_sha256 LIBRARY_CALL(crypto, EVP_sha256)
#define EVP_sha384 LIBRARY_CALL(crypto, EVP_sha384)
#define EVP_sha512 LIBRARY_CALL(crypto, EVP_sha512)
#define OBJ_obj2nid LIBRARY_CALL(crypto, OBJ_obj2nid)
#define OPENSSL_init_crypto LIBRARY_CALL(crypto, OPENSSL_init_crypto)
#define PEM_read_bio LIBRARY_CALL(crypto, PEM_read_bio)
#define PEM_read_bio_PrivateKey LIBRARY_CALL(crypto, PEM_read_bio_PrivateKey)
#define PEM_read_bio_X509 LIBRARY_CALL(crypto, PEM_read_bio_X509)
#define PKCS7_final LIBRARY_CALL(crypto, PKCS7_final)
#define PKCS7_free LIBRARY_CALL(crypto, PKCS7_free)
#define PKCS7_sign LIBRARY_CALL(crypto, PKCS7_sign)
#define PKCS7_sign_add_signer LIBRARY_CALL(crypto, PKCS7_sign_add_signer)
#define X509_ALGOR_get0 LIBRARY_CALL(crypto, X509_ALGOR_get0)
#define X509_NAME_ENTRY_get_data LIBRARY_CALL(crypto, X509_NAME_ENTRY_get_data)
#define X509_NAME_get_entry LIBRARY_CALL(crypto, X509_NAME_get_entry)
#define X509_NAME_get_index_by_NID LIBRARY_CALL(crypto, X509_NAME_get_index_by_NID)
#define X509_PUBKEY_get0_param LIBRARY_CALL(crypto, X509_PUBKEY_get0_param)
#define X509_check_private_key LIBRARY_CALL(crypto, X509_check_private_key)
#define X509_free LIBRARY_CALL(crypto, X509_free)
#define X509_get0_notAfter LIBRARY_CALL(crypto, X509_get0_notAfter)
#define X509_get0_notBefore LIBRARY_CALL(crypto, X509_get0_notBefore)
#define X509_get0_pubkey LIBRARY_CALL(crypto, X509_get0_pubkey)
#define X509_get_X509_PUBKEY LIBRARY_CALL(crypto, X509_get_X509_PUBKEY)
#define X509_get_subject_name LIBRARY_CALL(crypto, X509_get_subject_name)
#define d2i_X509 LIBRARY_CALL(crypto, d2i_X509)
#define i2d_PKCS7 LIBRARY_CALL(crypto, i2d_PKCS7)
#ifdef EVP_PKEY_bits /* OpenSSL 3.0: another name for this */
#define EVP_PKEY_get_bits LIBRARY_CALL(crypto, EVP_PKEY_get_bits)
#else
#define EVP_PKEY_bits LIBRARY_CALL(crypto, EVP_PKEY_bits)
#endif
