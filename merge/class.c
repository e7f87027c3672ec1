/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the two classes of extensions (UAPI.4, Extension Types). */
#include "class.h"

#include <string.h>
#include <sys/mount.h>

static const char *const sysext_search[] = {
	"etc/extensions",
	"run/extensions",
	"var/lib/extensions",
	NULL,
};

/* What the boot loader found on the ESP is in .extra: last, it overrides nothing. */
static const char *const sysext_search_initrd[] = {
	"etc/extensions", "run/extensions",	  "var/lib/extensions",
	".extra/sysext",  ".extra/global_sysext", NULL,
};

static const char *const confext_search[] = {
	"run/confexts", "var/lib/confexts", "usr/local/lib/confexts", "usr/lib/confexts",
	NULL,
};

static const char *const confext_search_initrd[] = {
	"run/confexts",
	"var/lib/confexts",
	"usr/local/lib/confexts",
	"usr/lib/confexts",
	".extra/confext",
	".extra/global_confext",
	NULL,
};

const struct class classes[CLASS_COUNT] = {
	[CLASS_CONFEXT] = {
		.id = CLASS_CONFEXT,
		.name = "confext",
		.suffix = ".confext",
		.hierarchies = { "etc" },
		.release_dir = "etc/extension-release.d",
		.scope_key = "CONFEXT_SCOPE",
		.level_key = "CONFEXT_LEVEL",
		.search = confext_search,
		.search_initrd = confext_search_initrd,
		.mount_attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC,
	},
	[CLASS_SYSEXT] = {
		.id = CLASS_SYSEXT,
		.name = "sysext",
		.suffix = ".sysext",
		.hierarchies = { "usr", "opt" },
		.release_dir = "usr/lib/extension-release.d",
		.scope_key = "SYSEXT_SCOPE",
		.level_key = "SYSEXT_LEVEL",
		.search = sysext_search,
		.search_initrd = sysext_search_initrd,
		.mount_attributes = MOUNT_ATTR_NODEV,
	},
};

const struct class *class_find(const char *name) {
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (strcmp(classes[i].name, name) == 0)
			return &classes[i];
	return NULL;
}

const char *class_lasting(const struct class *class) {
	const char *const *search = class->search;

	while (strncmp(*search, "var/", 4) != 0)
		search++;
	return *search;
}
