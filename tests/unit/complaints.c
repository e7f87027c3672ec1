/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line says what is wrong; many say no more than some. */

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "fuse/complaints.h"
#include "unit.h"

static char text[65536];

static int open_log(void) {
	int fd = memfd_create("log", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static const char *read_log(int fd) {
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

static unsigned count_lines(int fd) {
	unsigned n = 0;

	for (const char *p = read_log(fd); (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static struct complaints *open_complaints(const char *name, int fd) {
	struct complaints *c = NULL;

	ck_assert_int_eq(complaints_new(name, fd, &c), 0);
	return c;
}

static struct hashtree_fault data_block(uint64_t block) {
	return (struct hashtree_fault){ .area = HASHTREE_DATA,
					.block = block,
					.offset = block * 4096 };
}

/* vfile.5 */
START_TEST(line_names_the_place) {
	_cleanup_close_ int fd = open_log();
	_cleanup_(complaints_freep) struct complaints *c = open_complaints("a\nb", fd);
	struct hashtree_fault fault = data_block(25600);

	complaints_add(c, &fault, -EBADMSG, 0);
	ck_assert_str_eq(read_log(fd),
			 "<3>extmerge-fuse: image 'a\\x0ab': data block 25600 at byte "
			 "104857600 of its area cannot be given out: it is not what the "
			 "hash tree names\n");
	fault = (struct hashtree_fault){
		.area = HASHTREE_HASH, .level = 2, .block = 3, .offset = 512
	};
	complaints_add(c, &fault, -EBADMSG, 0);
	ck_assert_ptr_nonnull(strstr(read_log(fd), "hash block 3 of level 2 at byte 512"));
	ck_assert_ptr_nonnull(strstr(text, "not under the root hash"));
	fault = data_block(1);
	complaints_add(c, &fault, -EIO, 0);
	ck_assert_ptr_nonnull(strstr(read_log(fd), strerror(EIO)));
}
END_TEST

START_TEST(long_names_stay_one_line) {
	_cleanup_close_ int fd = open_log();
	_cleanup_(complaints_freep) struct complaints *c = NULL;
	const struct hashtree_fault fault = { .area = HASHTREE_HASH,
					      .level = UINT32_MAX,
					      .block = UINT64_MAX,
					      .offset = UINT64_MAX };
	char name[4096];

	memset(name, '\1', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	c = open_complaints(name, fd);
	complaints_add(c, &fault, -EBADMSG, 0);
	ck_assert_uint_lt(strlen(read_log(fd)), COMPLAINT_LINE_MAX);
	ck_assert_uint_eq(count_lines(fd), 1);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

/* The kernel asks for the same page several times before it gives up. */
START_TEST(same_block_is_named_once) {
	_cleanup_close_ int fd = open_log();
	_cleanup_(complaints_freep) struct complaints *c = open_complaints("a", fd);
	const struct hashtree_fault fault = data_block(1), other = data_block(2);

	for (unsigned i = 0; i < 5; i++)
		complaints_add(c, &fault, -EBADMSG, i);
	ck_assert_uint_eq(count_lines(fd), 1);
	complaints_add(c, &other, -EBADMSG, 5);
	complaints_add(c, &fault, -EBADMSG, 5);
	ck_assert_uint_eq(count_lines(fd), 3);
}
END_TEST

START_TEST(flood_is_held_back_and_counted) {
	_cleanup_close_ int fd = open_log();
	_cleanup_(complaints_freep) struct complaints *c = open_complaints("a", fd);

	for (uint64_t i = 0; i < 1000; i++) {
		const struct hashtree_fault fault = data_block(i);

		complaints_add(c, &fault, -EBADMSG, 1000 + i % COMPLAINTS_PERIOD / 2);
	}
	ck_assert_uint_eq(count_lines(fd), COMPLAINTS_MAX);
	for (uint64_t i = 0; i < 2; i++) {
		const struct hashtree_fault fault = data_block(5000 + i);

		complaints_add(c, &fault, -EBADMSG, 1000 + COMPLAINTS_PERIOD);
	}
	ck_assert_uint_eq(count_lines(fd), COMPLAINTS_MAX + 2);
	ck_assert_ptr_nonnull(strstr(read_log(fd), "(990 more lines held back)\n"));
	ck_assert_ptr_null(strstr(strstr(text, "held back") + 1, "held back"));
}
END_TEST

START_TEST(log_that_fails_changes_nothing) {
	_cleanup_(complaints_freep) struct complaints *c = open_complaints("a", -1);
	const struct hashtree_fault fault = data_block(1);

	complaints_add(c, &fault, -EBADMSG, 0);
}
END_TEST

int main(void) {
	const TTest *const tests[] = {
		line_names_the_place,		long_names_stay_one_line,
		same_block_is_named_once,	flood_is_held_back_and_counted,
		log_that_fails_changes_nothing, NULL
	};

	return unit_main("complaints", tests);
}
