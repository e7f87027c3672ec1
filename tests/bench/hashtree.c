/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compares the verification of a whole file with the bare hash of a block in memory, by as many threads:
 *     hashtree [ALGORITHM [THREADS]]
 * or does only the second, and prints its microseconds (for verify.sh and verified-file.sh):
 *     hashtree --bare MIB THREADS
 */

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "tests/unit/format.h"
#include "verity/hasher.h"
#include "verity/hashtree.h"

static struct formatted made;
static int data_fd = -EBADF;

/* Seconds of the clock on the wall, and of all threads: on a busy machine the second says more. */
struct timing {
	double wall, cpu;
};

static double now(clockid_t clock) {
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct timing start(void) {
	return (struct timing){ now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct timing since(struct timing t) {
	return (struct timing){ now(CLOCK_MONOTONIC) - t.wall,
				now(CLOCK_PROCESS_CPUTIME_ID) - t.cpu };
}

static int read_areas(void *userdata, enum hashtree_area area, uint64_t offset, void *ret,
		      size_t len) {
	(void)userdata;
	if (area == HASHTREE_HASH) {
		memcpy(ret, made.hash + offset, len);
		return 0;
	}
	return pread(data_fd, ret, len, (off_t)offset) == (ssize_t)len ? 0 : -EIO;
}

struct share {
	const struct format *format;
	uint64_t blocks;
};

/* The same hash of the same number of blocks of the same size, without reading. */
static void *hash_only(void *userdata) {
	const struct share *s = userdata;
	uint8_t block[SUPERBLOCK_BLOCK_MAX] = { 1 }, digest[SUPERBLOCK_DIGEST_MAX];
	_cleanup_(hasher_freep) struct hasher *h = NULL;

	format_require(hasher_new(s->format->algorithm, s->format->salt,
				  s->format->salt_size, &h) == 0);
	for (uint64_t i = 0; i < s->blocks; i++)
		hasher_digest(h, block, s->format->data_block_size, digest);
	return NULL;
}

static struct timing time_bare(const struct format *f, unsigned threads) {
	struct share share = { f, f->data_blocks / threads };
	pthread_t ids[64];
	struct timing started = start();

	for (unsigned i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, hash_only, &share);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return since(started);
}

static struct timing time_tree(unsigned threads) {
	const struct hashtree_source source = { read_areas, NULL };
	const struct hashtree_sweep sweep = { .threads = threads };
	_cleanup_(hashtree_freep) struct hashtree *t = NULL;
	struct hashtree_fault fault;
	struct superblock sb;
	const char *why = "";
	struct timing started = start();

	format_require(superblock_parse(made.hash, made.data_size, made.hash_size, &sb,
					&why) == 0);
	format_require(hashtree_new(&sb, made.root, made.root_size, &source, 4 << 20, &t,
				    &why) == 0);
	format_require(hashtree_verify_all(t, &sweep, &fault) == 0);
	return since(started);
}

int main(int argc, char **argv) {
	bool is_bare = argc == 4 && strcmp(argv[1], "--bare") == 0;
	struct format f = { .algorithm = argc > 1 && !is_bare ? argv[1] : "sha256",
			    .data_block_size = 4096,
			    .hash_block_size = 4096,
			    .data_blocks = 128 * 1024,
			    .salt_size = 32 };
	unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	char path[] = "/tmp/extmerge-bench-XXXXXX";
	double mib = (double)f.data_blocks / 256;

	if (is_bare) {
		f.data_blocks = strtoull(argv[2], NULL, 10) * 256;
		threads = (unsigned)atoi(argv[3]);
	}
	if (threads < 1 || threads > 64)
		return 2;
	if (is_bare) {
		printf("%.0f\n", time_bare(&f, threads).wall * 1e6);
		return 0;
	}
	made = format_areas(&f);
	data_fd = mkstemp(path);
	unlink(path);
	format_require(write(data_fd, made.data, made.data_size) ==
		       (ssize_t)made.data_size);
	time_tree(threads);
	for (int i = 0; i < 5; i++) {
		struct timing bare = time_bare(&f, threads), tree = time_tree(threads);

		printf("%s, %u threads: bare %.0f MiB/s, tree %.0f MiB/s, ratio %.2f (of CPU time %.2f)\n",
		       f.algorithm, threads, mib / bare.wall, mib / tree.wall,
		       bare.wall / tree.wall, bare.cpu / tree.cpu);
	}
	formatted_done(&made);
	return 0;
}
