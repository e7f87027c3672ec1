/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of files that look as if they should be images. */
#include "misnamed.h"

#include <string.h>
#include <strings.h>

/* What people and tools call a file system, or a disk, in a file. */
static const char *const image_suffixes[] = {
	".img", ".image", ".squashfs", ".squash", ".sqfs", ".sqsh",
	".sfs", ".erofs", ".ext4",     ".btrfs",  NULL,
};

static const char *const packed_suffixes[] = {
	".xz", ".gz", ".zst", ".bz2", ".lz4", ".zip", NULL,
};

/* How long the name is without one of the suffixes, in whatever case; 0 where it has none, or nothing else. */
static size_t strip(const char *entry, size_t len, const char *const *suffixes) {
	for (; *suffixes; suffixes++) {
		size_t n = strlen(*suffixes);

		if (len > n && strncasecmp(entry + len - n, *suffixes, n) == 0)
			return len - n;
	}
	return 0;
}

bool misnamed_look(const char *entry, struct misnamed *ret) {
	static const char *const raw[] = { ".raw", NULL };
	size_t len = strlen(entry), unpacked = strip(entry, len, packed_suffixes), stem;

	if (entry[0] == '.') /* discover.entries */
		return false;
	if (unpacked > 0)
		len = unpacked;
	stem = strip(entry, len, raw);
	/* What ends as it should is one already. */
	if (stem > 0 && unpacked == 0 && strcmp(entry + stem, raw[0]) == 0)
		return false;
	if (stem == 0)
		stem = strip(entry, len, image_suffixes);
	if (stem > 0)
		*ret = (struct misnamed){ stem, unpacked > 0 };
	return stem > 0;
}
