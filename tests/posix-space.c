/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holes, and space that is allocated. Which modes there are is up to the file system. */
#include <linux/falloc.h>

#include "posix.h"

#define KEEP FALLOC_FL_KEEP_SIZE
#define PUNCH (FALLOC_FL_PUNCH_HOLE | KEEP)

static bool byte_is(int fd, off_t at, char what) {
	char c = 1;

	return pread(fd, &c, 1, at) == 1 && c == what;
}

static void allocate(void) {
	int fd = opened("file", O_RDWR);

	CHECK(works(fallocate(fd, KEEP, 0, 100000)) && size_of("file") == 10);
	CHECK(status("file").st_blocks * 512 >= 100000);
	CHECK(works(fallocate(fd, 0, 0, 50000)) && size_of("file") == 50000);
	CHECK(byte_is(fd, 9, '9') && byte_is(fd, 10, 0) && byte_is(fd, 49999, 0));
	CHECK(works(posix_fallocate(fd, 60000, 10)) && size_of("file") == 60010);
	CHECK(fails(fallocate(fd, 0, -1, 10), EINVAL));
	CHECK(fails(fallocate(fd, 0, 0, 0), EINVAL));
	CHECK(fails(fallocate(fd, 0, 10, -1), EINVAL));
	CHECK(fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP));
	CHECK(fails(fallocate(opened("dir", O_RDONLY), 0, 0, 10), EBADF));
	CHECK(works(fallocate(opened("other", O_WRONLY), 0, 3, 10)));
	CHECK(size_of("other") == 13 && byte_is(opened("other", O_RDONLY), 4, 'r'));
}

static void punch(void) {
	int fd = opened("big", O_RDWR);

	CHECK(works(fallocate(fd, PUNCH, 204800, 40960)) && size_of("big") == 300000);
	CHECK(byte_is(fd, 204799, 'x') && byte_is(fd, 204800, 0));
	CHECK(byte_is(fd, 245759, 0) && byte_is(fd, 245760, 'x'));
	CHECK(works(fallocate(fd, PUNCH, 100, 10)) && byte_is(fd, 100, 0));
	CHECK(byte_is(fd, 99, 'x') && byte_is(fd, 110, 'x'));
	CHECK(works(fallocate(fd, PUNCH, 299000, 100000)) && size_of("big") == 300000);
	CHECK(byte_is(fd, 299000, 0) && byte_is(fd, 298999, 'x'));
	CHECK(pwrite(fd, "y", 1, 210000) == 1 && byte_is(fd, 210000, 'y'));
	CHECK(lseek(fd, 204800, SEEK_HOLE) <= 204800);
}

static void other_modes(void) {
	int fd = opened("big", O_RDWR);

	CHECK(works(fallocate(fd, FALLOC_FL_ZERO_RANGE, 200704, 4096)));
	CHECK(byte_is(fd, 200704, 0) && byte_is(fd, 204800, 'x'));
	CHECK(works(fallocate(fd, FALLOC_FL_ZERO_RANGE | KEEP, 299000, 5000)));
	CHECK(size_of("big") == 300000 && byte_is(fd, 299001, 0));
	CHECK(fails(fallocate(fd, 1 << 20, 0, 10), EOPNOTSUPP));
}

/* Pieces that are taken out and put in. */
static void pieces(void) {
	int fd = opened("big", O_RDWR);

	CHECK(works(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096)));
	CHECK(size_of("big") == 295904);
	CHECK(works(fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096, 4096)));
	CHECK(size_of("big") == 300000);
}

static void seek_holes(void) {
	int fd = opened("big", O_RDWR);
	off_t hole = lseek(fd, 0, SEEK_HOLE), data = lseek(fd, hole, SEEK_DATA);

	CHECK(hole >= 4096 && hole <= 196608);
	CHECK(data > hole && data <= 200000);
	CHECK(lseek(fd, data, SEEK_HOLE) == 300000);
	CHECK(fails(lseek(fd, 300000, SEEK_DATA), ENXIO));
	CHECK(fails(lseek(fd, 400000, SEEK_HOLE), ENXIO));
	CHECK(fails(lseek(fd, -1, SEEK_DATA), ENXIO));
	CHECK(pwrite(fd, "x", 1, 100000) == 1);
	CHECK(lseek(fd, 4096, SEEK_DATA) <= 100000 && lseek(fd, 4096, SEEK_DATA) >= 4096);
	CHECK(works(ftruncate(fd, 1000000)) &&
	      lseek(fd, 300000 / 4096 * 4096 + 4096, SEEK_HOLE) <= 303104);
	CHECK(fails(lseek(fd, 303104, SEEK_DATA), ENXIO));
	CHECK(lseek(opened("empty", O_RDONLY), 0, SEEK_END) == 0);
	CHECK(lseek(opened("file", O_RDONLY), 0, SEEK_HOLE) == 10);
	CHECK(lseek(opened("file", O_RDONLY), 3, SEEK_DATA) == 3);
}

static void sparse(void) {
	int fd = opened("gone", O_RDWR | O_CREAT | O_EXCL);

	CHECK(pwrite(fd, "a", 1, (off_t)5 << 30) == 1);
	CHECK(size_of("gone") == ((off_t)5 << 30) + 1);
	CHECK(status("gone").st_blocks < 100);
	CHECK(byte_is(fd, 1 << 30, 0) && byte_is(fd, (off_t)5 << 30, 'a'));
	CHECK(works(chmod("big", 0600)) && status("big").st_blocks * 512 < 150000);
	CHECK(works(ftruncate(fd, 5)) && size_of("gone") == 5 && byte_is(fd, 4, 0));
}

const struct posix_case posix_space[] = {
	{ "allocate", allocate },
	{ "punch", punch },
	{ "other-modes", other_modes },
	{ "pieces", pieces },
	{ "seek-holes", seek_holes },
	{ "sparse", sparse },
	{ NULL, NULL },
};
