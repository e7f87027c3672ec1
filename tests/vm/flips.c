/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flips NODES IMAGE DATA-OFFSET DATA-SIZE HASH-OFFSET HASH-SIZE ROOT COUNT: turns round one bit of the image at a time, puts it in
 * force by device-mapper and reads all of it. For the tests in guests.
 *
 * Prints "AREA: N flips, N refused, N with blocks that cannot be read, N without effect, N bytes wrong", for data, superblock
 * and tree. Exit status 1 where a wrong byte was read, where a flip in the data did not make one block and
 * no other unreadable, or where one in the tree had no effect. The flips are the same every time.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../../verity/activate.h"
#include "../../verity/hex.h"

#define BLOCK 4096

enum area { DATA, SUPERBLOCK, TREE, N_AREAS };
static const char *const areas[] = { "data", "superblock", "tree" };

struct counts {
	unsigned long flips, refused, unreadable, without_effect, wrong, unexpected;
};

static uint64_t state = 88172645463325252u;

/* Xorshift: the same flips in every run. */
static uint64_t next_random(void) {
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void read_back(int device, const uint8_t *original, uint64_t size,
		      struct counts *c, unsigned *ret_bad) {
	static uint8_t buffer[BLOCK] __attribute__((aligned(BLOCK)));

	*ret_bad = 0;
	for (uint64_t at = 0; at < size; at += BLOCK) {
		ssize_t n = pread(device, buffer, BLOCK, (off_t)at);

		if (n != BLOCK)
			(*ret_bad)++;
		for (ssize_t i = 0; n == BLOCK && i < n; i++)
			c->wrong += buffer[i] != original[at + (size_t)i];
	}
}

static void judge(enum area area, unsigned bad, struct counts *c) {
	if (bad > 0)
		c->unreadable++;
	else
		c->without_effect++;
	if ((area == DATA && bad != 1) || (area == TREE && bad == 0))
		c->unexpected++;
}

/* Turns one bit of the file in memory, tries, and turns it back. */
static void try_flip(const struct verity_target *t, uint8_t *file, const uint8_t *original,
		     int nodes, enum area area, struct counts *c) {
	const uint64_t begin[] = { t->data_offset, t->hash_offset,
				   t->hash_offset + BLOCK };
	const uint64_t size[] = { t->data_size, SUPERBLOCK_SIZE, t->hash_size - BLOCK };
	const struct activate_options o = { .nodes = nodes };
	uint64_t at = begin[area] + next_random() % size[area];
	uint8_t bit = (uint8_t)(1 << next_random() % 8);
	struct activate_info info;
	const char *why = NULL;
	unsigned bad;
	int device;

	c->flips++;
	file[at] ^= bit;
	if (activate_verity(t, &o, &device, &info, &why) < 0) {
		c->refused++;
		c->unexpected += area != SUPERBLOCK;
	} else {
		read_back(device, original + t->data_offset, t->data_size, c, &bad);
		judge(area, bad, c);
		close(device);
	}
	file[at] ^= bit;
}

/* The image twice: in a file in memory, whose bits are turned, and as it is. */
static int load(const char *path, uint8_t **ret_file, uint8_t **ret_original,
		int *ret_fd) {
	int fd = open(path, O_RDONLY | O_CLOEXEC), memory = memfd_create("flips", 0);
	struct stat st;

	if (fd < 0 || memory < 0 || fstat(fd, &st) < 0 ||
	    ftruncate(memory, st.st_size) < 0)
		return -errno;
	*ret_original = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	*ret_file = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 memory, 0);
	if (*ret_original == MAP_FAILED || *ret_file == MAP_FAILED)
		return -errno;
	memcpy(*ret_file, *ret_original, (size_t)st.st_size);
	*ret_fd = memory;
	return 0;
}

int main(int argc, char **argv) {
	struct counts counts[N_AREAS] = { 0 };
	uint8_t *file = NULL, *original = NULL;
	struct verity_target t;
	int nodes, fd = -EBADF, failed = 0;

	if (argc != 9 || load(argv[2], &file, &original, &fd) < 0)
		return 2;
	nodes = open(argv[1], O_RDONLY | O_CLOEXEC);
	t = (struct verity_target){ .data_fd = fd,
				    .data_offset = strtoull(argv[3], NULL, 10),
				    .data_size = strtoull(argv[4], NULL, 10),
				    .hash_fd = fd,
				    .hash_offset = strtoull(argv[5], NULL, 10),
				    .hash_size = strtoull(argv[6], NULL, 10),
				    .root_size = strlen(argv[7]) / 2 };
	if (hex_decode(argv[7], strlen(argv[7]), false, t.root) < 0)
		return 2;
	for (unsigned long i = strtoul(argv[8], NULL, 10); i > 0; i--)
		try_flip(&t, file, original, nodes, (enum area)(i % N_AREAS),
			 &counts[i % N_AREAS]);
	for (int i = 0; i < N_AREAS; i++) {
		printf("%s: %lu flips, %lu refused, %lu with blocks that cannot be read, %lu without "
		       "effect, %lu bytes wrong\n",
		       areas[i], counts[i].flips, counts[i].refused, counts[i].unreadable,
		       counts[i].without_effect, counts[i].wrong);
		failed |= counts[i].wrong > 0 || counts[i].unexpected > 0;
	}
	return failed;
}
