/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's struct fuse_statx is struct statx. */
#include "birth.h"

#include <string.h>
#include <sys/sysmacros.h>

_Static_assert(sizeof(struct statx) == 256, "as the kernel has it");
_Static_assert(offsetof(struct birth_answer, attributes) ==
		       sizeof(struct fuse_out_header) + 32,
	       "without holes");

bool birth_is_asked(const char *request, size_t n, uint64_t *ret_node) {
	struct fuse_in_header h;

	if (n < sizeof(h))
		return false;
	memcpy(&h, request, sizeof(h));
	if (h.opcode != BIRTH_OPCODE)
		return false;
	*ret_node = h.nodeid;
	return true;
}

static struct statx_timestamp time_of(const struct timespec *t) {
	return (struct statx_timestamp){ .tv_sec = t->tv_sec,
					 .tv_nsec = (uint32_t)t->tv_nsec };
}

static void fill(struct statx *to, const struct stat *st, const struct statx *birth) {
	*to = (struct statx){
		.stx_mask = STATX_BASIC_STATS | (birth->stx_mask & STATX_BTIME),
		.stx_blksize = (uint32_t)st->st_blksize,
		.stx_nlink = (uint32_t)st->st_nlink,
		.stx_uid = st->st_uid,
		.stx_gid = st->st_gid,
		.stx_mode = (uint16_t)st->st_mode,
		.stx_ino = st->st_ino,
		.stx_size = (uint64_t)st->st_size,
		.stx_blocks = (uint64_t)st->st_blocks,
		.stx_atime = time_of(&st->st_atim),
		.stx_ctime = time_of(&st->st_ctim),
		.stx_mtime = time_of(&st->st_mtim),
		.stx_rdev_major = major(st->st_rdev),
		.stx_rdev_minor = minor(st->st_rdev),
	};
	if (birth->stx_mask & STATX_BTIME)
		to->stx_btime = birth->stx_btime;
}

void birth_answer(const char *request, int r, const struct stat *st,
		  const struct statx *birth, uint32_t valid, struct birth_answer *ret) {
	struct fuse_in_header h;

	memcpy(&h, request, sizeof(h));
	memset(ret, 0, sizeof(*ret));
	ret->header = (struct fuse_out_header){ .len = sizeof(ret->header),
						.error = r,
						.unique = h.unique };
	if (r < 0)
		return;
	ret->header.len = sizeof(*ret);
	ret->valid = valid;
	fill(&ret->attributes, st, birth);
}
