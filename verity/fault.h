/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with an image or with its protection. Said by a code, so that no two reasons look alike. */
#pragma once

#include "../merge/base.h"

enum fault_code {
	FAULT_NONE,
	FAULT_NO_PARTITION, /* nothing in it that could be used */
	FAULT_FOREIGN,	    /* only partitions of other architectures */
	FAULT_AMBIGUOUS,    /* it can be read in two ways */
	FAULT_CORRUPT,	    /* malformed, incomplete, or not what its hash tree says */
	FAULT_UNSAFE,	    /* a file beside it is none that could be trusted */
	FAULT_ROOT_HASH, /* those who name its root hash disagree, or its tree is of another one */
	FAULT_BAD_SIGNATURE,	     /* malformed or wrong */
	FAULT_UNSUPPORTED_SIGNATURE, /* sound, but of a kind that is refused */
	FAULT_UNKNOWN_SIGNER,
	FAULT_VALIDITY, /* the signer's certificate is outside of its dates, and they are asked for */
	FAULT_UNSIGNED, /* the policy asks for a signature, and there is none */
	FAULT_BARE,	/* the policy asks for verity, and there is none */
	FAULT_POLICY,	/* anything else that the policy does not allow */
};

/* Static text throughout. */
struct fault {
	enum fault_code code;
	const char *about; /* "the .roothash file beside it", or NULL for the image */
	const char *why;
};

/* Sets *f and returns -EBADMSG, which is what every function with a struct fault returns then. */
int fault_set(struct fault *f, enum fault_code code, const char *about, const char *why);

/* "the .roothash file beside it: it is a link", owned by the caller; NULL where memory ran out. */
char *fault_text(const struct fault *f);
