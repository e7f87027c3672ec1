/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images taken apart: partitions under a policy, files and attributes beside a bare file system. */

#include <check.h>
#include <sys/xattr.h>

#include "image.h"
#include "scratch.h"
#include "unit.h"
#include "verity/dissect.h"
#include "verity/hex.h"

#define SECTOR 512
#define ENTRIES_AT (2 * SECTOR)
#define FIRST 64	/* sector of the first partition */
#define PART_SECTORS 16 /* of each */
#define SIZE ((FIRST + 8 * PART_SECTORS) * SECTOR)
#define HASH "00112233445566778899aabbccddeeff102132435465768798a9babbdcdddedf"

/* Types as they are printed. */
static const char *const types[] = {
	['r'] = "4f68bce3e8cd4db196e7fbcaf984b709",
	['R'] = "2c7357edebd246d9aec123d437ec2bf5",
	['S'] = "41092b059fc84523994f2def0408b176",
	['u'] = "8484680c952148c69c11b0720656f69e",
	['U'] = "77ff5f63e7b64633acf41565b864c0e6",
	['e'] = "c12a7328f81f11d2ba4b00a0c93ec93b",
	['g'] = "0fc63daf848347728e793d69d8477de4",
};

static void put_guid(uint8_t *at, const char *hex) {
	static const int order[] = { 3, 2, 1, 0, 5, 4, 7, 6 };
	uint8_t guid[16];

	ck_assert_int_eq(hex_decode(hex, 32, true, guid), 0);
	for (size_t i = 0; i < 16; i++)
		at[i] = guid[i < 8 ? order[i] : (int)i];
}

/* One partition for each letter of `types`; the UUIDs of root are made of HASH. */
static void make_disk(const char *name, const char *letters) {
	uint8_t *image = calloc(1, SIZE), *header = image + SECTOR;
	FILE *f;
	int fd = openat(scratch_fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	ck_assert(image && fd >= 0);
	memcpy(header, "EFI PART", 8);
	put_le(header + 8, 4, 0x10000);
	put_le(header + 12, 4, 92);
	put_le(header + 24, 8, 1);
	put_le(header + 40, 8, FIRST);
	put_le(header + 48, 8, SIZE / SECTOR - 1);
	put_le(header + 72, 8, 2);
	put_le(header + 80, 4, 16);
	put_le(header + 84, 4, 128);
	for (size_t i = 0; letters[i]; i++) {
		uint8_t *entry = image + ENTRIES_AT + 128 * i;
		char uuid[33] = "0123456789abcdef0123456789abcde0";

		uuid[31] = (char)('0' + i);
		put_guid(entry, types[(int)letters[i]]);
		put_guid(entry + 16, letters[i] == 'r'	 ? HASH
				     : letters[i] == 'R' ? HASH + 32
							 : uuid);
		put_le(entry + 32, 8, FIRST + i * PART_SECTORS);
		put_le(entry + 40, 8, FIRST + (i + 1) * PART_SECTORS - 1);
	}
	gpt_seal(image, SIZE, SECTOR);
	f = fdopen(fd, "we");
	ck_assert_uint_eq(fwrite(image, 1, SIZE, f), SIZE);
	fclose(f);
	free(image);
}

static void write_file(const char *name, const char *text) {
	int fd = openat(scratch_fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The fault, or FAULT_NONE with *ret. */
static enum fault_code take_apart(const char *name, const char *policy_text,
				  struct dissection *ret, struct fault *fault) {
	_cleanup_close_ int fd = openat(scratch_fd, name, O_RDONLY | O_CLOEXEC);
	struct policy policy;
	struct dissect_image image = {
		.fd = fd,
		.size = SIZE,
		.directory = scratch_fd,
		.name = name,
		.native = "x86-64",
		.compare = strcmp,
	};
	const char *why;
	int r;

	if (policy_text) {
		ck_assert_int_eq(policy_parse(policy_text, strlen(policy_text), &policy,
					      &why),
				 0);
		image.policy = &policy;
	}
	*fault = (struct fault){ FAULT_NONE, NULL, NULL };
	r = dissect(&image, ret, fault);
	ck_assert_int_eq(r, fault->code == FAULT_NONE ? 0 : -EBADMSG);
	return fault->code;
}

static const struct {
	const char *partitions, *policy;
	enum fault_code fault;
	const char *parts; /* letters of data partitions; capital where there is a tree, '+' if signed */
} disks[] = {
	{ "r", NULL, FAULT_NONE, "r" },
	{ "rRS", NULL, FAULT_NONE, "R+" },
	{ "rR", NULL, FAULT_NONE, "R" },
	{ "ru", NULL, FAULT_NONE, "ru" },
	{ "ruU", NULL, FAULT_NONE, "rU" },
	{ "g", NULL, FAULT_NONE, "r" },
	{ "e", NULL, FAULT_NO_PARTITION, "" },
	{ "rS", NULL, FAULT_CORRUPT, "" },
	{ "R", NULL, FAULT_CORRUPT, "" },
	{ "gg", NULL, FAULT_AMBIGUOUS, "" },
	{ "rRu", NULL, FAULT_AMBIGUOUS, "" },
	/* policy.10: what is ignored is not there */
	{ "rRS", "root=verity", FAULT_NONE, "R" },
	{ "rRS", "root=unprotected", FAULT_NONE, "r" },
	{ "rRS", "root=signed", FAULT_NONE, "R+" },
	{ "rRu", "root=signed", FAULT_NONE, "R" },
	{ "ru", "usr=unprotected", FAULT_NONE, "u" },
	{ "ru", "-", FAULT_NO_PARTITION, "" },
	/* and what is forbidden refuses */
	{ "r", "~", FAULT_POLICY, "" },
	{ "re", "root=unprotected:esp=absent", FAULT_POLICY, "" },
	{ "re", "root=unprotected", FAULT_NONE, "r" },
	{ "rRS", "root=verity:root-verity-sig=absent", FAULT_POLICY, "" },
};

START_TEST(disk_is_taken_apart) {
	struct dissection d = DISSECTION_NONE;
	char parts[8] = "";
	struct fault fault;

	make_disk("disk.raw", disks[_i].partitions);
	ck_assert_int_eq(take_apart("disk.raw", disks[_i].policy, &d, &fault),
			 disks[_i].fault);
	for (size_t i = 0; i < d.n_parts; i++) {
		char letter[3] = { d.parts[i].designator == GPT_ROOT ? 'r' : 'u' };

		letter[0] = (char)(letter[0] - (d.parts[i].has_tree ? 'a' - 'A' : 0));
		letter[1] = d.parts[i].has_signature ? '+' : '\0';
		strcat(parts, letter);
	}
	ck_assert_str_eq(parts, disks[_i].parts);
	dissection_done(&d);
}
END_TEST

START_TEST(disk_has_places_and_root_hash) {
	struct dissection d = DISSECTION_NONE;
	char hash[65];
	struct fault fault;

	make_disk("disk.raw", "rR");
	ck_assert_int_eq(take_apart("disk.raw", NULL, &d, &fault), FAULT_NONE);
	ck_assert(d.is_disk);
	ck_assert_uint_eq(d.parts[0].offset, FIRST * SECTOR);
	ck_assert_uint_eq(d.parts[0].size, PART_SECTORS * SECTOR);
	ck_assert_uint_eq(d.parts[0].tree_offset, (FIRST + PART_SECTORS) * SECTOR);
	ck_assert_uint_eq(d.parts[0].tree_size, PART_SECTORS * SECTOR);
	hex_encode(d.parts[0].root, d.parts[0].root_size, hash);
	ck_assert_str_eq(hash, HASH);
	ck_assert_uint_eq(d.present, 1U << POLICY_ROOT | 1U << POLICY_ROOT_VERITY);
	dissection_done(&d);
}
END_TEST

/* A malformed signature is the policy's business, not an end. */
START_TEST(signature_fault_is_kept) {
	struct dissection d = DISSECTION_NONE;
	struct fault fault;

	make_disk("disk.raw", "rRS");
	ck_assert_int_eq(take_apart("disk.raw", NULL, &d, &fault), FAULT_NONE);
	ck_assert(d.parts[0].has_signature && !d.parts[0].signature);
	ck_assert_ptr_nonnull(d.parts[0].signature_why);
	dissection_done(&d);
}
END_TEST

#define SIDECARS 5

static const struct {
	const char *files[SIDECARS]; /* .roothash, .roothash.p7s, .usrhash, .usrhash.p7s, .verity */
	const char *attribute, *policy;
	enum fault_code fault;
	bool has_tree, has_signature;
} bare[] = {
	{ { NULL }, NULL, NULL, FAULT_NONE, false, false },
	{ { HASH, "p7s", NULL, NULL, "tree" }, NULL, NULL, FAULT_NONE, true, true },
	{ { HASH "\n", NULL, NULL, NULL, "tree" }, HASH, NULL, FAULT_NONE, true, false },
	{ { NULL, NULL, NULL, NULL, "tree" }, HASH, NULL, FAULT_NONE, true, false },
	{ { HASH, NULL, NULL, NULL, "tree" }, "x", NULL, FAULT_CORRUPT, false, false },
	{ { HASH, NULL, NULL, NULL, "tree" }, HASH + 2, NULL, FAULT_ROOT_HASH, false, false },
	{ { NULL, NULL, NULL, NULL, "tree" }, NULL, NULL, FAULT_CORRUPT, false, false },
	{ { HASH }, NULL, NULL, FAULT_CORRUPT, false, false },
	{ { NULL, "p7s" }, NULL, NULL, FAULT_CORRUPT, false, false },
	{ { NULL, NULL, HASH }, NULL, NULL, FAULT_CORRUPT, false, false },
	{ { HASH, NULL, HASH, NULL, "tree" }, NULL, NULL, FAULT_CORRUPT, false, false },
	{ { HASH, "p7s", NULL, "p7s", "tree" }, NULL, NULL, FAULT_CORRUPT, false, false },
	/* What the policy ignores may be anything. */
	{ { "x", "p7s", NULL, NULL, "tree" },
	  "y",
	  "root=unprotected",
	  FAULT_NONE,
	  false,
	  false },
	{ { HASH, "p7s", NULL, NULL, "tree" }, NULL, "root=verity", FAULT_NONE, true, false },
	{ { HASH, NULL, NULL, NULL, "tree" },
	  NULL,
	  "root=unprotected:root-verity=absent",
	  FAULT_POLICY,
	  false,
	  false },
};

START_TEST(sidecars_are_taken) {
	static const char *const names[] = { "bare.roothash", "bare.roothash.p7s",
					     "bare.usrhash", "bare.usrhash.p7s",
					     "bare.verity" };
	struct dissection d = DISSECTION_NONE;
	struct fault fault;

	write_file("bare.raw", "no partition table");
	for (size_t i = 0; i < SIDECARS; i++) {
		unlinkat(scratch_fd, names[i], 0);
		if (bare[_i].files[i])
			write_file(names[i], bare[_i].files[i]);
	}
	if (bare[_i].attribute) {
		_cleanup_close_ int fd = openat(scratch_fd, "bare.raw", O_RDONLY);

		if (fsetxattr(fd, "user.verity.roothash", bare[_i].attribute,
			      strlen(bare[_i].attribute), 0) < 0)
			return; /* this file system has no such attributes */
	}
	ck_assert_int_eq(take_apart("bare.raw", bare[_i].policy, &d, &fault),
			 bare[_i].fault);
	ck_assert_int_eq(d.parts[0].has_tree, bare[_i].has_tree);
	ck_assert_int_eq(d.parts[0].has_signature, bare[_i].has_signature);
	if (d.parts[0].has_tree)
		ck_assert_uint_eq(d.parts[0].tree_size, strlen("tree"));
	dissection_done(&d);
	unlinkat(scratch_fd, "bare.raw", 0);
}
END_TEST

/* sidecar.9 */
static const struct {
	mode_t type, mode;
	const char *why;
} unsafe[] = {
	{ S_IFREG, 0666, "everybody" },
	{ S_IFREG, 0602, "everybody" },
	{ S_IFIFO, 0600, "no regular file" },
	{ S_IFDIR, 0755, "no regular file" },
	{ S_IFLNK, 0777, "link" },
};

START_TEST(unsafe_sidecar_is_refused) {
	struct dissection d = DISSECTION_NONE;
	struct fault fault;

	write_file("odd.raw", "no partition table");
	if (unsafe[_i].type == S_IFLNK)
		ck_assert_int_eq(symlinkat("odd.raw", scratch_fd, "odd.roothash"), 0);
	else if (unsafe[_i].type == S_IFDIR)
		ck_assert_int_eq(mkdirat(scratch_fd, "odd.roothash", 0755), 0);
	else
		ck_assert_int_eq(mknodat(scratch_fd, "odd.roothash", unsafe[_i].type, 0),
				 0);
	if (unsafe[_i].type != S_IFLNK)
		ck_assert_int_eq(fchmodat(scratch_fd, "odd.roothash", unsafe[_i].mode, 0),
				 0);
	ck_assert_int_eq(take_apart("odd.raw", NULL, &d, &fault), FAULT_UNSAFE);
	ck_assert_ptr_nonnull(strstr(fault.why, unsafe[_i].why));
	ck_assert_str_eq(fault.about, "the .roothash file beside it");
	unlinkat(scratch_fd, "odd.roothash",
		 unsafe[_i].type == S_IFDIR ? AT_REMOVEDIR : 0);
}
END_TEST

START_TEST(fault_is_said) {
	struct fault fault;
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(fault_set(&fault, FAULT_UNSAFE, "a file", "it is a link"),
			 -EBADMSG);
	text = fault_text(&fault);
	ck_assert_str_eq(text, "a file: it is a link");
}
END_TEST

int main(void) {
	Suite *suite = suite_create("dissect");
	TCase *tcase = tcase_create("dissect");

	tcase_add_unchecked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_loop_test(tcase, disk_is_taken_apart, 0, ARRAY_SIZE(disks));
	tcase_add_test(tcase, disk_has_places_and_root_hash);
	tcase_add_test(tcase, signature_fault_is_kept);
	tcase_add_loop_test(tcase, sidecars_are_taken, 0, ARRAY_SIZE(bare));
	tcase_add_loop_test(tcase, unsafe_sidecar_is_refused, 0, ARRAY_SIZE(unsafe));
	tcase_add_test(tcase, fault_is_said);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
