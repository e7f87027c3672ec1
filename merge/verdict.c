/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verdicts: word, hint, and how they are treated. */
#include "verdict.h"

#include <stdarg.h>
#include <string.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-"

static const struct {
	const char *word, *hint;
	bool forcible, quiet, refusal;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_FITS] = { .word = "fits" },

	[VERDICT_MASKED] = {
		.word = "masked",
		.hint = "Remove the empty directory or link to /dev/null to have it back",
		.quiet = true,
	},
	[VERDICT_SHADOWED] = {
		.word = "shadowed",
		.hint = "Remove the other one, or rename this one, to have it merged",
		.quiet = true,
	},

	[VERDICT_NO_RELEASE] = {
		.word = "no-release",
		.hint = "Add usr/lib/extension-release.d/extension-release.NAME "
			"(confext: etc/...) with ID= in it, see extmerge(8)",
		.forcible = true,
	},
	[VERDICT_NAME_MISMATCH] = {
		.word = "name-mismatch",
		.hint = "Give the image and its release file the same name, "
			"or set user.extension-release.strict=0 on the file",
		.forcible = true,
	},
	[VERDICT_WRONG_SCOPE] = {
		.word = "wrong-scope",
		.hint = "Rebuild it with this scope in SYSEXT_SCOPE= or CONFEXT_SCOPE=, "
			"or merge it all the same: --force=NAME",
		.forcible = true,
	},
	[VERDICT_OTHER_ARCHITECTURE] = {
		.word = "other-architecture",
		.hint = "Get the image that was built for this machine",
		.forcible = true,
	},
	[VERDICT_WRONG_ID] = {
		.word = "wrong-id",
		.hint = "Rebuild it for this distribution (ID=_any fits all), "
			"or merge it all the same: --force=NAME",
		.forcible = true,
	},
	[VERDICT_WRONG_LEVEL] = {
		.word = "wrong-level",
		.hint = "Rebuild it for the host's SYSEXT_LEVEL= or CONFEXT_LEVEL=, "
			"or merge it all the same: --force=NAME",
		.forcible = true,
	},
	[VERDICT_WRONG_VERSION] = {
		.word = "wrong-version",
		.hint = "Rebuild it for this host's version, "
			"or merge it all the same: --force=NAME",
		.forcible = true,
	},

	[VERDICT_BAD_NAME] = {
		.word = "bad-name",
		.hint = "Rename it to NAME.raw or NAME_VERSION.raw, see extmerge(8)",
	},
	[VERDICT_BAD_RELEASE] = {
		.word = "bad-release",
		.hint = "Correct the extension-release file, see os-release(5)",
	},
	[VERDICT_UNKNOWN_FORMAT] = {
		.word = "unknown-format",
		.hint = "Build it as erofs, squashfs, ext4 or btrfs, bare or in a GPT",
	},
	[VERDICT_AMBIGUOUS] = {
		.word = "ambiguous",
		.hint = "Rebuild it so that only one reading of it is possible",
	},
	[VERDICT_CORRUPT] = {
		.word = "corrupt",
		.hint = "Copy the image again and compare its checksum with the source's",
	},
	[VERDICT_UNREADABLE] = {
		.word = "unreadable",
		.hint = "Check what the path leads to, its permissions, and the health of the disk",
	},
	[VERDICT_UNRESPONSIVE] = {
		.word = "unresponsive",
		.hint = "Check the disk or network that the image lies on, "
			"then run extmerge refresh",
	},
	[VERDICT_UNSUPPORTED] = {
		.word = "unsupported",
		.hint = "Use erofs, squashfs, ext4 or btrfs, and a kernel that has a driver for it",
	},
	[VERDICT_NO_PRIVILEGE] = {
		.word = "no-privilege",
		.hint = "Run extmerge as root, or do what the reason names",
	},
	[VERDICT_EMPTY] = {
		.word = "empty",
		.hint = "Put files below usr or opt (sysext), or etc (confext); copy an empty image again",
	},

	[VERDICT_UNSIGNED] = {
		.word = "unsigned",
		.hint = "Have it signed by somebody whose certificate is in /etc/verity.d, "
			"or allow what is unsigned: --trust=verity or --trust=any",
		.refusal = true,
	},
	[VERDICT_UNPROTECTED] = {
		.word = "unprotected",
		.hint = "Rebuild it as an image with a hash tree, see extmerge(8), "
			"or allow what has none: --trust=any",
		.refusal = true,
	},
	[VERDICT_UNKNOWN_SIGNER] = {
		.word = "unknown-signer",
		.hint = "If the signer is to be trusted, put the certificate into /etc/verity.d",
		.refusal = true,
	},
	[VERDICT_BAD_SIGNATURE] = {
		.word = "bad-signature",
		.hint = "Get the image and its signature again from where they came",
		.refusal = true,
	},
	[VERDICT_UNSUPPORTED_SIGNATURE] = {
		.word = "unsupported-signature",
		.hint = "Have it signed again: detached, without attributes, SHA-256 or better, "
			"RSA of 2048 bits or P-256 or better",
		.refusal = true,
	},
	[VERDICT_OUTSIDE_VALIDITY] = {
		.word = "outside-validity",
		.hint = "Have it signed by a certificate that is valid, and see that the clock is right, "
			"or let the dates not matter: --certificate-validity=ignore",
		.refusal = true,
	},
	[VERDICT_ROOT_HASH_MISMATCH] = {
		.word = "root-hash-mismatch",
		.hint = "Get the image and the files beside it again: they are not of one build",
		.refusal = true,
	},
	[VERDICT_POLICY_REFUSED] = {
		.word = "policy-refused",
		.hint = "Change the image, or the policy: --image-policy= and --trust=",
		.refusal = true,
	},
	[VERDICT_NO_VERITY_BACKEND] = {
		.word = "no-verity-backend",
		.hint = "Use a kernel with dm-verity or FUSE (modules dm_verity, fuse), "
			"and install extmerge-fuse",
		.refusal = true,
	},

	[VERDICT_UNSAFE_PATH] = {
		.word = "unsafe-path",
		.hint = "Let only root write to the image and the directories above it",
	},
	[VERDICT_OS_RELEASE] = {
		.word = "os-release",
		.hint = "Rebuild it without an os-release file, which is the host's",
	},
	[VERDICT_TYPE_CONFLICT] = {
		.word = "type-conflict",
		.hint = "Rebuild it so that directories stay directories, and files stay files",
	},
	[VERDICT_WHITEOUT] = {
		.word = "whiteout",
		.hint = "Rebuild it without whiteouts and opaque directories",
	},
	[VERDICT_OVERLAY_XATTR] = {
		.word = "overlay-xattr",
		.hint = "Rebuild it from a plain tree, not from an overlay's upper, "
			"so that it has no overlay attributes",
	},
	[VERDICT_BAD_HIERARCHY] = {
		.word = "bad-hierarchy",
		.hint = "Rebuild it with usr, opt or etc as a plain directory",
	},
	[VERDICT_NESTED] = {
		.word = "nested",
		.hint = "Move it out of the hierarchies that it would be merged over",
	},
	[VERDICT_DUPLICATE] = {
		.word = "duplicate",
		.hint = "Remove one of the two: they are the same image",
	},
	[VERDICT_TOO_LARGE] = {
		.word = "too-large",
		.hint = "Split it into smaller extensions",
	},
	[VERDICT_TOO_MANY] = {
		.word = "too-many",
		.hint = "Join some of the extensions into one image",
	},
};

const char *verdict_word(enum verdict_code code) {
	return verdicts[code].word;
}

const char *verdict_hint(enum verdict_code code) {
	return verdicts[code].hint;
}

/* A word that a shell takes as it is, and nobody for an option. */
static bool is_plain(const char *name) {
	return *name && *name != '-' && name[strspn(name, PLAIN)] == '\0';
}

char *verdict_advice(enum verdict_code code, const char *name) {
	static const char blank[] = "NAME";
	const char *hint = verdicts[code].hint;
	const char *at = hint ? strstr(hint, blank) : NULL;
	char *text;

	/* In "NAME.raw" it is any name. */
	if (!at || at == hint || !strchr("=.", at[-1]) || !is_plain(name))
		return hint ? strdup(hint) : NULL;
	return asprintf(&text, "%.*s%s%s", (int)(at - hint), hint, name,
			at + strlen(blank)) < 0
		       ? NULL
		       : text;
}

bool verdict_is_forcible(enum verdict_code code) {
	return verdicts[code].forcible;
}

bool verdict_is_quiet(enum verdict_code code) {
	return verdicts[code].quiet;
}

bool verdict_is_refusal(enum verdict_code code) {
	return verdicts[code].refusal;
}

int verdict_set(struct verdict *v, enum verdict_code code, const char *format, ...) {
	char *text;
	va_list ap;
	int r;

	/* Fitting is the absence of a reason: it replaces none and needs no sentence. */
	if (v->code != VERDICT_FITS || code == VERDICT_FITS)
		return 0;

	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;

	v->code = code;
	v->text = text;
	return 0;
}

void verdict_done(struct verdict *v) {
	free(v->text);
	*v = (struct verdict){ .code = VERDICT_FITS };
}
