/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two classes of extensions and all that differs between them (UAPI.4). Pure data. */
#pragma once

#include <stdint.h>

#include "base.h"

enum class_id {
	CLASS_CONFEXT, /* first: it is merged first */
	CLASS_SYSEXT,
	CLASS_COUNT,
};

#define CLASS_HIERARCHIES_MAX 2

struct class {
	enum class_id id;
	const char *name;				    /* "sysext" */
	const char *suffix;				    /* ".sysext" */
	const char *hierarchies[CLASS_HIERARCHIES_MAX + 1]; /* relative to the root: "usr" */
	const char *release_dir;	   /* "usr/lib/extension-release.d" */
	const char *scope_key, *level_key; /* "SYSEXT_SCOPE", "SYSEXT_LEVEL" */
	const char *const *search; /* directories relative to the root, best first */
	const char *const *search_initrd; /* the same for the initrd scope */
	uint64_t mount_attributes; /* MOUNT_ATTR_* of the merged tree, beside RDONLY */
};

extern const struct class classes[CLASS_COUNT];

/*
 * The search directory for what is to stay: /etc/extensions may lie in a merged tree, and /run is gone at the next
 * boot.
 */
const char *class_lasting(const struct class *class);

/* The class called `name`, or NULL. */
const struct class *class_find(const char *name);
