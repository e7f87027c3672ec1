/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes where superblocks stand: fstype_probe() ends, and what it accepts fits into the size. */

#include <assert.h>
#include <string.h>

#include "merge/bytes.h"
#include "merge/fstype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/*
 * An input is the size (8 bytes), the head's length (4 bytes), then the bytes for these places one
 * after the other: short enough to be changed well, and no hole of 64 KiB in it.
 */
static const struct {
	size_t offset, len;
} places[] = {
	{ 0x10000, 256 }, { 0, 96 },	 { 1024, 512 }, { 512, 8 },
	{ 4086, 10 },	  { 0x4000, 6 }, { 0x8001, 5 }, { 65526, 10 },
};

static void check_found(enum fstype t, const uint8_t *head, uint64_t size) {
	assert(t > FSTYPE_NONE && t < FSTYPE_COUNT && fstype_name(t));
	if (t == FSTYPE_EROFS)
		assert(head[1036] >= 9 && head[1036] <= 16 &&
		       (uint64_t)bytes_le32(head + 1060) << head[1036] <= size);
	if (t == FSTYPE_SQUASHFS)
		assert(bytes_le64(head + 40) <= size);
	if (t == FSTYPE_BTRFS)
		assert(bytes_le64(head + 0x10070) <= size);
	if (t == FSTYPE_EXT4)
		assert((uint64_t)bytes_le32(head + 1028) << (10 + head[1048]) <= size);
}

static void spread(const uint8_t *data, size_t len, uint8_t *head) {
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t n = len < places[i].len ? len : places[i].len;

		memcpy(head + places[i].offset, data, n);
		data += n;
		len -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static uint8_t whole[FSTYPE_HEAD];
	_cleanup_free_ uint8_t *head = NULL;
	enum fstype t = FSTYPE_NONE;
	const char *why = NULL;
	size_t head_len;
	uint64_t size;
	int r;

	if (len < 12)
		return 0;
	size = bytes_le64(data);
	head_len = bytes_le32(data + 8) % (FSTYPE_HEAD + 1);
	memset(whole, 0, sizeof(whole));
	spread(data + 12, len - 12, whole);
	head = malloc(head_len);
	memcpy(head, whole, head_len);
	r = fstype_probe(head, head_len, size, &t, &why);
	assert(r == 0 || r == -ENODATA || r == -ENOTUNIQ || r == -EMEDIUMTYPE ||
	       r == -EUCLEAN || r == -EBADMSG);
	assert((r < 0) == (why != NULL));
	if (r == 0)
		check_found(t, head, size);
	return 0;
}
