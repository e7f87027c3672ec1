/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image is allowed for: each kind of protection under each kind of policy, and trees that do not belong to it. */
#include "verity/verity.h"

#include "format.h"
#include "scratch.h"
#include "signing.h"
#include "unit.h"
#include "verity/hex.h"

#define READ_ONLY (UINT64_C(1) << 60)

/* What the image carries. */
enum kind { BARE, TREE, SIGNED, STRANGER, WRONG, MALFORMED, UNREADABLE };

static struct party {
	EVP_PKEY *key;
	X509 *x;
} friend, stranger;
static struct certs trusted;
static struct formatted areas;
static int image = -EBADF;

static struct party make_party(const char *name, long serial) {
	EVP_PKEY *key = signing_rsa(2048);

	return (struct party){ key, signing_certificate(key, name, serial) };
}

static void setup(void) {
	const struct format f = { .algorithm = "sha256",
				  .data_block_size = 4096,
				  .hash_block_size = 4096,
				  .data_blocks = 200 };
	_cleanup_free_ char *pem = NULL;
	const char *why = NULL;

	scratch_setup();
	signing_begin();
	friend = make_party("friend", 1);
	stranger = make_party("stranger", 2);
	pem = signing_certificate_pem(friend.x);
	trusted.items = calloc(1, sizeof(struct cert *));
	ck_assert_int_eq(cert_parse(pem, strlen(pem), &trusted.items[trusted.n++], &why),
			 0);
	trusted.is_wanted = true;
	areas = format_areas(&f);
	image = openat(scratch_fd, "image", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ck_assert_int_eq(pwrite(image, areas.data, areas.data_size, 0),
			 (ssize_t)areas.data_size);
	ck_assert_int_eq(pwrite(image, areas.hash, areas.hash_size,
				(off_t)areas.data_size),
			 (ssize_t)areas.hash_size);
}

static void teardown(void) {
	EVP_PKEY_free(friend.key);
	EVP_PKEY_free(stranger.key);
	X509_free(friend.x);
	X509_free(stranger.x);
	certs_done(&trusted);
	formatted_done(&areas);
	close_fdp(&image);
	scratch_teardown();
}

static struct blob sign(enum kind kind) {
	const struct party *by = kind == STRANGER ? &stranger : &friend;
	const struct signing_signer signers[] = { { by->x, by->key, EVP_sha256() },
						  { NULL, NULL, NULL } };
	char text[65];

	hex_encode(areas.root, areas.root_size, text);
	text[0] = kind == WRONG ? (char)(text[0] ^ 1) : text[0];
	if (kind == MALFORMED)
		return blob_hex("30 03 02 01");
	return signing_sign(signers, text, SIGNING_FLAGS);
}

/* As dissect() would leave it; `signature` must live as long. */
static struct dissection describe(enum kind kind, struct blob *signature) {
	struct dissection d = { .n_parts = 1,
				.present = 1U << POLICY_ROOT,
				.tree = -EBADF };
	struct dissect_part *p = &d.parts[0];

	*p = (struct dissect_part){ .size = areas.data_size, .tree_fd = -EBADF };
	if (kind == BARE)
		return d;
	d.present |= 1U << POLICY_ROOT_VERITY;
	p->has_tree = true;
	p->tree_fd = image;
	p->tree_offset = areas.data_size;
	p->tree_size = areas.hash_size;
	memcpy(p->root, areas.root, areas.root_size);
	p->root_size = areas.root_size;
	if (kind == TREE)
		return d;
	d.present |= 1U << POLICY_ROOT_VERITY_SIG;
	p->has_signature = true;
	p->signature_about = "its signature";
	p->signature_why = "it cannot be read";
	if (kind == UNREADABLE)
		return d;
	*signature = sign(kind);
	p->signature = signature->data;
	p->signature_size = signature->len;
	return d;
}

static struct policy parse(const char *text) {
	struct policy p;
	const char *why = NULL;

	ck_assert_msg(policy_parse(text, strlen(text), &p, &why) == 0, "%s: %s", text,
		      why);
	return p;
}

static enum fault_code judge(const struct dissection *d, const struct verity_rules *rules,
			     struct verity_parts *ret) {
	struct fault fault = { FAULT_NONE, NULL, NULL };
	int r = verity_judge(image, d, rules, ret, &fault);

	ck_assert_int_eq(r, fault.code == FAULT_NONE ? 0 : -EBADMSG);
	ck_assert(r == 0 || fault.why);
	return fault.code;
}

#define ALL "root=signed+verity+unprotected+absent"

static const struct {
	enum kind kind;
	const char *policy;
	bool tolerates_unknown, tolerates_bad;
	enum fault_code fault;
	uint32_t protection;
	bool may_be_bare;
	enum fault_code remark;
} cases[] = {
	/* trust.3: the strongest that it has */
	{ BARE, ALL, 0, 0, FAULT_NONE, POLICY_UNPROTECTED, true, FAULT_NONE },
	{ TREE, ALL, 0, 0, FAULT_NONE, POLICY_VERITY, true, FAULT_NONE },
	{ SIGNED, ALL, 0, 0, FAULT_NONE, POLICY_SIGNED, true, FAULT_NONE },
	{ SIGNED, "root=signed", 0, 0, FAULT_NONE, POLICY_SIGNED, false, FAULT_NONE },
	{ SIGNED, "root=verity", 0, 0, FAULT_NONE, POLICY_SIGNED, false, FAULT_NONE },
	{ TREE, "root=verity", 0, 0, FAULT_NONE, POLICY_VERITY, false, FAULT_NONE },
	/* what it lacks */
	{ BARE, "root=signed", 0, 0, FAULT_UNSIGNED, 0, 0, 0 },
	{ TREE, "root=signed", 0, 0, FAULT_UNSIGNED, 0, 0, 0 },
	{ BARE, "root=signed+encrypted", 0, 0, FAULT_UNSIGNED, 0, 0, 0 },
	{ BARE, "root=verity", 0, 0, FAULT_BARE, 0, 0, 0 },
	{ BARE, "root=signed+verity", 0, 0, FAULT_BARE, 0, 0, 0 },
	{ BARE, "root=encrypted", 0, 0, FAULT_POLICY, 0, 0, 0 },
	{ BARE, "root=absent", 0, 0, FAULT_POLICY, 0, 0, 0 },
	{ BARE, "-", 0, 0, FAULT_POLICY, 0, 0, 0 },
	{ BARE, "root=unprotected:usr=unprotected", 0, 0, FAULT_POLICY, 0, 0, 0 },
	{ TREE, "root=verity:root-verity-sig=unprotected", 0, 0, FAULT_POLICY, 0, 0, 0 },
	/* attributes */
	{ BARE, "root=unprotected+read-only-on", 0, 0, FAULT_POLICY, 0, 0, 0 },
	{ BARE, "root=unprotected+growfs-on", 0, 0, FAULT_POLICY, 0, 0, 0 },
	{ SIGNED, "root=signed+verity+read-only-on", 0, 0, FAULT_POLICY, 0, 0, 0 },
	/* trust.4: a signature that does not verify */
	{ STRANGER, ALL, 0, 0, FAULT_UNKNOWN_SIGNER, 0, 0, 0 },
	{ WRONG, ALL, 0, 0, FAULT_BAD_SIGNATURE, 0, 0, 0 },
	{ MALFORMED, ALL, 0, 0, FAULT_BAD_SIGNATURE, 0, 0, 0 },
	{ UNREADABLE, ALL, 0, 0, FAULT_BAD_SIGNATURE, 0, 0, 0 },
	{ STRANGER, ALL, 0, 1, FAULT_NONE, POLICY_VERITY, true, FAULT_UNKNOWN_SIGNER },
	{ WRONG, ALL, 0, 1, FAULT_NONE, POLICY_VERITY, true, FAULT_BAD_SIGNATURE },
	{ UNREADABLE, ALL, 0, 1, FAULT_NONE, POLICY_VERITY, true, FAULT_BAD_SIGNATURE },
	{ WRONG, "root=signed", 0, 1, FAULT_BAD_SIGNATURE, 0, 0, 0 },
	{ STRANGER, "root=signed", 0, 1, FAULT_UNKNOWN_SIGNER, 0, 0, 0 },
	/* trust.5 */
	{ STRANGER, ALL, 1, 0, FAULT_NONE, POLICY_VERITY, true, FAULT_UNKNOWN_SIGNER },
	{ WRONG, ALL, 1, 0, FAULT_BAD_SIGNATURE, 0, 0, 0 },
	{ MALFORMED, ALL, 1, 0, FAULT_BAD_SIGNATURE, 0, 0, 0 },
	{ STRANGER, "root=signed", 1, 0, FAULT_UNKNOWN_SIGNER, 0, 0, 0 },
};

START_TEST(kinds_under_policies) {
	const struct policy policy = parse(cases[_i].policy);
	const struct verity_rules rules = {
		.policy = &policy,
		.trusted = &trusted,
		.tolerates_unknown = cases[_i].tolerates_unknown,
		.tolerates_bad = cases[_i].tolerates_bad,
	};
	struct blob signature;
	const struct dissection d = describe(cases[_i].kind, &signature);
	struct verity_parts parts = { .n = 0 };

	ck_assert_int_eq(judge(&d, &rules, &parts), cases[_i].fault);
	if (cases[_i].fault != FAULT_NONE)
		return;
	ck_assert_uint_eq(parts.n, 1);
	ck_assert_uint_eq(parts.items[0].protection, cases[_i].protection);
	ck_assert_int_eq(parts.items[0].may_be_bare, cases[_i].may_be_bare);
	ck_assert_int_eq(parts.items[0].remark.code, cases[_i].remark);
	/* A kernel that verifies signatures is given only those that count. */
	ck_assert_int_eq(parts.items[0].target.signature != NULL,
			 cases[_i].protection == POLICY_SIGNED);
	if (cases[_i].protection == POLICY_SIGNED)
		ck_assert_str_eq(parts.items[0].signer.subject, "friend");
}
END_TEST

static unsigned times_asked;

static bool asks(void *answer) {
	times_asked++;
	return *(bool *)answer;
}

/* trust.14: only what nobody here knows, and only as signed. */
static const struct {
	enum kind kind;
	const char *policy;
	bool answer;
	enum fault_code fault;
	bool is_for_kernel;
	unsigned times_asked;
} kernels[] = {
	{ STRANGER, "root=signed", true, FAULT_NONE, true, 1 },
	{ STRANGER, "root=signed", false, FAULT_UNKNOWN_SIGNER, false, 1 },
	{ STRANGER, "root=absent", true, FAULT_POLICY, true, 1 },
	{ SIGNED, "root=signed", true, FAULT_NONE, false, 0 },
	{ WRONG, "root=signed", true, FAULT_BAD_SIGNATURE, false, 0 },
	{ MALFORMED, "root=signed", true, FAULT_BAD_SIGNATURE, false, 0 },
	{ TREE, "root=signed", true, FAULT_UNSIGNED, false, 0 },
};

START_TEST(kernel_is_asked) {
	const struct policy policy = parse(kernels[_i].policy);
	bool answer = kernels[_i].answer;
	const struct verity_rules rules = { .policy = &policy,
					    .trusted = &trusted,
					    .asks_kernel = asks,
					    .userdata = &answer };
	struct blob signature;
	const struct dissection d = describe(kernels[_i].kind, &signature);
	struct verity_parts parts = { .n = 0 };

	times_asked = 0;
	ck_assert_int_eq(judge(&d, &rules, &parts), kernels[_i].fault);
	ck_assert_uint_eq(times_asked, kernels[_i].times_asked);
	if (kernels[_i].fault != FAULT_NONE)
		return;
	ck_assert_int_eq(parts.items[0].is_for_kernel, kernels[_i].is_for_kernel);
	ck_assert_uint_eq(parts.items[0].protection, POLICY_SIGNED);
	ck_assert_ptr_eq(parts.items[0].target.signature, d.parts[0].signature);
	ck_assert_int_eq(parts.items[0].signer.subject[0] == '\0',
			 kernels[_i].is_for_kernel);
}
END_TEST

START_TEST(target_is_complete) {
	const struct policy policy = parse("root=signed");
	const struct verity_rules rules = { .policy = &policy, .trusted = &trusted };
	struct blob signature;
	const struct dissection d = describe(SIGNED, &signature);
	struct verity_parts parts = { .n = 0 };
	const struct verity_target *t = &parts.items[0].target;

	ck_assert_int_eq(judge(&d, &rules, &parts), FAULT_NONE);
	ck_assert_int_eq(t->data_fd, image);
	ck_assert_int_eq(t->hash_fd, image);
	ck_assert_uint_eq(t->data_size, areas.data_size);
	ck_assert_uint_eq(t->hash_offset, areas.data_size);
	ck_assert_uint_eq(t->hash_size, areas.hash_size);
	ck_assert_uint_eq(t->root_size, areas.root_size);
	ck_assert_mem_eq(t->root, areas.root, areas.root_size);
}
END_TEST

/* trust.7: where a bit is turned round, and what that is called. */
static const struct {
	off_t offset; /* in the data; beyond it in the tree */
	enum fault_code fault;
} flips[] = {
	{ 100, FAULT_CORRUPT },		   /* first block */
	{ 200 * 4096, FAULT_CORRUPT },	   /* magic number */
	{ 201 * 4096, FAULT_ROOT_HASH },   /* the one block on top */
	{ 202 * 4096 + 4, FAULT_CORRUPT }, /* the block below */
	{ 100 * 4096, FAULT_NONE },	   /* data that nobody has asked for */
};

START_TEST(tree_is_looked_at) {
	const struct policy policy = parse("root=verity");
	const struct verity_rules rules = { .policy = &policy, .trusted = &trusted };
	const struct dissection d = describe(TREE, NULL);
	struct verity_parts parts = { .n = 0 };
	uint8_t byte, flipped;

	ck_assert_int_eq(pread(image, &byte, 1, flips[_i].offset), 1);
	flipped = byte ^ 1;
	ck_assert_int_eq(pwrite(image, &flipped, 1, flips[_i].offset), 1);
	ck_assert_int_eq(judge(&d, &rules, &parts), flips[_i].fault);
	ck_assert_int_eq(pwrite(image, &byte, 1, flips[_i].offset), 1);
}
END_TEST

START_TEST(tree_has_a_size) {
	const struct policy policy = parse("root=verity");
	const struct verity_rules rules = { .policy = &policy, .trusted = &trusted };
	struct dissection d = describe(TREE, NULL);
	struct verity_parts parts = { .n = 0 };

	d.parts[0].tree_size = 511;
	ck_assert_int_eq(judge(&d, &rules, &parts), FAULT_CORRUPT);
	d.parts[0].tree_size = areas.hash_size - 1;
	ck_assert_int_eq(judge(&d, &rules, &parts), FAULT_CORRUPT);
	d = describe(TREE, NULL);
	d.parts[0].root_size = 48;
	ck_assert_int_eq(judge(&d, &rules, &parts), FAULT_CORRUPT);
}
END_TEST

START_TEST(attributes_are_known) {
	const struct policy policy = parse("root=unprotected+read-only-on");
	const struct verity_rules rules = { .policy = &policy, .trusted = &trusted };
	struct dissection d = describe(BARE, NULL);
	struct verity_parts parts = { .n = 0 };

	d.parts[0].attributes = READ_ONLY;
	ck_assert_int_eq(judge(&d, &rules, &parts), FAULT_NONE);
}
END_TEST

static const struct {
	const char *policy;
	enum fault_code fault;
} directories[] = {
	{ ALL, FAULT_NONE },
	{ "root=signed+absent", FAULT_UNSIGNED },
	{ "root=signed+verity", FAULT_BARE },
	{ "~", FAULT_POLICY },
	{ "-", FAULT_POLICY },
};

START_TEST(directory_is_unprotected) {
	const struct policy policy = parse(directories[_i].policy);
	struct fault fault = { FAULT_NONE, NULL, NULL };
	int r = verity_judge_directory(&policy, &fault);

	ck_assert_int_eq(fault.code, directories[_i].fault);
	ck_assert_int_eq(r, fault.code == FAULT_NONE ? 0 : -EBADMSG);
}
END_TEST

START_TEST(file_system_may_be_asked_for) {
	const struct policy policy = parse("root=signed+read-only-on+squashfs");
	const struct verity_part p = { .protection = POLICY_SIGNED };
	const struct policy any = parse("root=signed");
	struct fault fault;

	ck_assert_int_eq(verity_check_format(&policy, &p, "squashfs", &fault), 0);
	ck_assert_int_eq(verity_check_format(&policy, &p, "erofs", &fault), -EBADMSG);
	ck_assert_int_eq(fault.code, FAULT_POLICY);
	ck_assert_int_eq(verity_check_format(&any, &p, "erofs", &fault), 0);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("verity");
	TCase *tcase = tcase_create("verity");

	tcase_add_unchecked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, kinds_under_policies, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tcase, kernel_is_asked, 0, ARRAY_SIZE(kernels));
	tcase_add_test(tcase, target_is_complete);
	tcase_add_loop_test(tcase, tree_is_looked_at, 0, ARRAY_SIZE(flips));
	tcase_add_test(tcase, tree_has_a_size);
	tcase_add_test(tcase, attributes_are_known);
	tcase_add_loop_test(tcase, directory_is_unprotected, 0, ARRAY_SIZE(directories));
	tcase_add_test(tcase, file_system_may_be_asked_for);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
