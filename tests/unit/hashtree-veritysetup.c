/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash trees made by veritysetup are accepted here, and those made for the tests by veritysetup. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "scratch.h"
#include "unit.h"
#include "verity/hashtree.h"
#include "verity/hex.h"

static const struct {
	uint32_t data_block_size, hash_block_size;
	uint64_t data_blocks;
} sizes[] = {
	/* 128 digests of 32 bytes, 64 of 48 or 64 bytes fit into a block of 4096. */
	{ 4096, 4096, 1 },
	{ 4096, 4096, 2 },
	{ 4096, 4096, 64 },
	{ 4096, 4096, 65 },
	{ 4096, 4096, 128 },
	{ 4096, 4096, 129 },
	{ 4096, 4096, 64 * 64 },
	{ 4096, 4096, 64 * 64 + 1 },
	{ 4096, 4096, 128 * 128 },
	{ 4096, 4096, 128 * 128 + 1 },
	{ 512, 4096, 1000 },
	{ 4096, 512, 300 },
	{ 512, 512, 16 * 16 * 16 + 1 },
	{ 1024, 2048, 4097 },
};

static const char *const algorithms[] = { "sha256", "sha384", "sha512" };
static const size_t salts[] = { 0, 32, 256 };

#define N_VARIANTS (ARRAY_SIZE(algorithms) * ARRAY_SIZE(salts))

static void put_file(const char *path, const void *bytes, size_t len) {
	_cleanup_close_ int fd = scratch_open(path, O_WRONLY | O_CREAT | O_TRUNC);

	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
}

/* Runs a command in the scratch directory; returns its output, up to 64 KiB. */
static char *run(const char *command, bool *ret_ok) {
	_cleanup_free_ char *line = NULL;
	char *out = format_allocate(65536);
	FILE *f;

	ck_assert_int_gt(asprintf(&line, "cd '%s' && %s 2>&1", scratch_path, command), 0);
	f = popen(line, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_lt(fread(out, 1, 65535, f), 65535);
	*ret_ok = pclose(f) == 0;
	return out;
}

static void veritysetup_format(const struct format *f, uint8_t *ret_root) {
	char salt[2 * SUPERBLOCK_SALT_MAX + 1];
	_cleanup_free_ char *command = NULL, *out = NULL;
	char *at;
	bool ok;

	hex_encode(f->salt, f->salt_size, salt);
	ck_assert_int_gt(asprintf(&command,
				  "rm -f hash && veritysetup format --hash=%s --salt=%s "
				  "--data-block-size=%u --hash-block-size=%u data hash",
				  f->algorithm, f->salt_size > 0 ? salt : "-",
				  f->data_block_size, f->hash_block_size),
			 0);
	out = run(command, &ok);
	ck_assert_msg(ok, "%s: %s", command, out);
	at = strstr(out, "Root hash:");
	ck_assert_ptr_nonnull(at);
	at += strlen("Root hash:");
	at += strspn(at, "\t ");
	ck_assert_int_eq(hex_decode(at, strcspn(at, "\n"), true, ret_root), 0);
}

static void veritysetup_verify(const struct formatted *made) {
	char root[2 * SUPERBLOCK_DIGEST_MAX + 1];
	_cleanup_free_ char *command = NULL, *out = NULL;
	bool ok;

	hex_encode(made->root, made->root_size, root);
	ck_assert_int_gt(asprintf(&command, "veritysetup verify data hash %s", root), 0);
	out = run(command, &ok);
	ck_assert_msg(ok, "%s: %s", command, out);
}

static int read_file(void *userdata, enum hashtree_area area, uint64_t offset, void *ret,
		     size_t len) {
	const int *fds = userdata;
	ssize_t n = pread(fds[area], ret, len, (off_t)offset);

	return n == (ssize_t)len ? 0 : -EIO;
}

static off_t size_of(int fd) {
	return lseek(fd, 0, SEEK_END);
}

static void check_here(const uint8_t *root, size_t root_size) {
	int fds[] = { scratch_open("data", O_RDONLY), scratch_open("hash", O_RDONLY) };
	const struct hashtree_source source = { read_file, fds };
	_cleanup_(hashtree_freep) struct hashtree *t = NULL;
	const struct hashtree_sweep sweep = { .threads = 2 };
	uint8_t bytes[SUPERBLOCK_SIZE];
	struct hashtree_fault fault;
	struct superblock sb;
	const char *why = "";

	ck_assert_int_eq(pread(fds[1], bytes, sizeof(bytes), 0), sizeof(bytes));
	ck_assert_msg(superblock_parse(bytes, size_of(fds[0]), size_of(fds[1]), &sb,
				       &why) == 0,
		      "%s", why);
	ck_assert_int_eq(hashtree_new(&sb, root, root_size, &source, 1 << 16, &t, &why),
			 0);
	ck_assert_int_eq(hashtree_verify_all(t, &sweep, &fault), 0);
	close(fds[0]);
	close(fds[1]);
}

START_TEST(both_agree) {
	const size_t variant = (size_t)_i % N_VARIANTS, size = (size_t)_i / N_VARIANTS;
	struct format f = {
		.algorithm = algorithms[variant / ARRAY_SIZE(salts)],
		.data_block_size = sizes[size].data_block_size,
		.hash_block_size = sizes[size].hash_block_size,
		.data_blocks = sizes[size].data_blocks,
		.salt_size = salts[variant % ARRAY_SIZE(salts)],
	};
	_cleanup_(formatted_done) struct formatted made;
	uint8_t root[SUPERBLOCK_DIGEST_MAX];

	format_fill(f.salt, f.salt_size, 5);
	made = format_areas(&f);
	put_file("data", made.data, made.data_size);
	veritysetup_format(&f, root);
	ck_assert_mem_eq(root, made.root, made.root_size);
	check_here(root, made.root_size);
	put_file("hash", made.hash, made.hash_size);
	veritysetup_verify(&made);
}
END_TEST

int main(void) {
	Suite *s = suite_create("hashtree-veritysetup");
	TCase *t = tcase_create("hashtree-veritysetup");

	setenv("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", 1);
	if (system("command -v veritysetup >/dev/null") != 0) {
		puts("there is no veritysetup (cryptsetup-bin)");
		return 77;
	}
	tcase_add_unchecked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, both_agree, 0, (int)(ARRAY_SIZE(sizes) * N_VARIANTS));
	suite_add_tcase(s, t);
	return unit_run(s);
}
