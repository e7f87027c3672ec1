/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge pack: who signs. */
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "../file.h"
#include "../log.h"
#include "../passphrase.h"
#include "../text.h"
#include "packing.h"

#define PEM_MAX ((size_t)64 * 1024)

static enum exit_code read_pem(const char *path, char **ret, size_t *ret_size) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : file_read(fd, PEM_MAX, ret, ret_size);

	if (r == 0)
		return EXIT_DONE;
	log_error("Cannot read '%s': %s", path, strerror(-r));
	return EXIT_FAILED;
}

static int ask(void *userdata, char *ret, size_t size) {
	_cleanup_free_ char *escaped = text_escape(userdata);
	_cleanup_free_ char *question = text_format("Passphrase of %s",
						    escaped ?: "the key");

	return question ? passphrase_ask(question, ret, size) : -ENOMEM;
}

static enum exit_code refuse_keys(const struct options *o, int error, const char *why) {
	if (error == -ENXIO) {
		log_error(
			"'%s' is encrypted, and there is no terminal to ask for its passphrase",
			o->key);
		log_hint("openssl pkey -in KEY -out PLAIN-KEY decrypts it");
		return EXIT_FAILED;
	}
	log_error("Cannot sign with '%s' and '%s': %s", o->key, o->certificate,
		  error == -ECANCELED ? "no passphrase was given"
				      : why ?: strerror(-error));
	return EXIT_FAILED;
}

static void warn_of_dates(const struct options *o, const struct signer *s) {
	time_t now = time(NULL);

	if (now > s->not_after)
		log_warning("The certificate '%s' has expired", o->certificate);
	else if (now < s->not_before)
		log_warning("The certificate '%s' is not valid yet", o->certificate);
}

enum exit_code packing_read_keys(struct packing *p) {
	const struct options *o = p->options;
	_cleanup_free_ char *key = NULL, *certificate = NULL;
	size_t key_size = 0, certificate_size = 0;
	const char *why = NULL;
	enum exit_code code;
	int r;

	if (!o->key)
		return EXIT_DONE;
	code = read_pem(o->certificate, &certificate, &certificate_size);
	if (code == EXIT_DONE)
		code = read_pem(o->key, &key, &key_size);
	if (code != EXIT_DONE)
		return code;
	r = keypair_read(key, key_size, certificate, certificate_size, ask,
			 (void *)o->key, &p->keys, &why);
	explicit_bzero(key, key_size);
	if (r < 0)
		return refuse_keys(o, r, why);
	warn_of_dates(o, &keypair_certificate(p->keys)->signer);
	if (o->reproducible && !keypair_is_deterministic(p->keys)) {
		log_error(
			"An ECDSA signature is another one each time; --reproducible takes an RSA key");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
