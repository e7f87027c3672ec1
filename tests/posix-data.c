/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in files: written, cut, copied, mapped. */
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "posix.h"

static bool is_all(int fd, off_t at, size_t n, char what) {
	static char buffer[1 << 20];

	if (n > sizeof(buffer) || pread(fd, buffer, n, at) != (ssize_t)n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (buffer[i] != what)
			return false;
	return true;
}

static void truncating(void) {
	int fd = opened("file", O_RDWR);

	CHECK(works(truncate("file", 5)) && holds("file", "01234"));
	CHECK(works(truncate("file", 8)) && size_of("file") == 8);
	CHECK(is_all(fd, 5, 3, 0));
	CHECK(works(ftruncate(fd, 100000)) && size_of("file") == 100000);
	CHECK(is_all(fd, 5, 99995, 0));
	CHECK(works(ftruncate(fd, 0)) && size_of("file") == 0);
	CHECK(works(truncate("big", 200001)) && size_of("big") == 200001);
	CHECK(works(truncate("big", 200003)));
	CHECK(is_all(opened("big", O_RDONLY), 200001, 2, 0));
	CHECK(works(truncate("symlink", 3)) && size_of("file") == 3);
	CHECK(fails(truncate("dir", 0), EISDIR));
	CHECK(fails(truncate("gone", 0), ENOENT));
	CHECK(fails(truncate("other", -1), EINVAL));
	CHECK(fails(truncate("other/x", 0), ENOTDIR));
	CHECK(fails(truncate("fifo", 0), EINVAL));
	CHECK(works(truncate("other", (off_t)1 << 40)) &&
	      size_of("other") == (off_t)1 << 40);
	CHECK(is_all(opened("other", O_RDONLY), ((off_t)1 << 40) - 10, 10, 0));
	CHECK(works(truncate("other", 2)) && holds("other", "ot"));
}

static void writing(void) {
	int fd = opened("file", O_RDWR);
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char text[7] = "";
	const struct iovec parts[] = { { (void *)"ab", 2 },
				       { (void *)"", 0 },
				       { (void *)"cde", 3 } },
			   into[] = { { text, 3 }, { text + 3, 3 } };

	CHECK(write(fd, "AB", 2) == 2 && lseek(fd, 0, SEEK_CUR) == 2);
	CHECK(holds("file", "AB23456789"));
	CHECK(pwrite(fd, "Z", 1, 20) == 1 && size_of("file") == 21);
	CHECK(is_all(fd, 10, 10, 0) && lseek(fd, 0, SEEK_CUR) == 2);
	CHECK(writev(fd, parts, 3) == 5 && lseek(fd, 0, SEEK_CUR) == 7);
	CHECK(preadv(fd, into, 2, 1) == 6 && strcmp(text, "Babcde") == 0);
	CHECK(write(fd, "", 0) == 0);
	CHECK(lseek(fd, 0, SEEK_END) == 21 && read(fd, text, 5) == 0);
	CHECK(pread(fd, text, 5, 19) == 2 && pread(fd, text, 5, 1000) == 0);
	CHECK(fails(pwrite(fd, "x", 1, -1), EINVAL));
	CHECK(fails(write(fd, nowhere, 10), EFAULT));
	CHECK(works(fsync(fd)) && works(fdatasync(fd)));
	CHECK(works(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)));
	CHECK(pwritev2(fd, parts, 3, 0, RWF_SYNC) == 5 && pread(fd, text, 5, 0) == 5);
	CHECK(memcmp(text, "abcde", 5) == 0);
	CHECK(pwritev2(fd, parts, 1, 0, RWF_APPEND) == 2 && size_of("file") == 23);
}

static void write_large(void) {
	static char data[3 << 20];
	int fd = opened("gone", O_RDWR | O_CREAT | O_EXCL);

	memset(data, 'L', sizeof(data));
	CHECK(write(fd, data, sizeof(data)) == sizeof(data));
	CHECK(size_of("gone") == sizeof(data) && is_all(fd, 2 << 20, 1 << 20, 'L'));
	CHECK(pwrite(fd, data, 100001, 4095) == 100001);
	CHECK(pwrite(fd, data, sizeof(data), 999) == sizeof(data));
	CHECK(size_of("gone") == sizeof(data) + 999);
	CHECK(works(fsync(fd)) && is_all(fd, 0, 1 << 20, 'L'));
	fd = opened("big", O_RDWR);
	CHECK(pwrite(fd, data, 150000, 100) == 150000);
	CHECK(is_all(fd, 100, 150000, 'L') && size_of("big") == 300000);
	CHECK(is_all(fd, 250100, 49900, 'x') && is_all(fd, 0, 100, 'x'));
	fd = opened("big", O_RDWR | O_DIRECT);
	CHECK(works(fd) || errno == EINVAL);
	fd = opened("other", O_RDWR | O_SYNC);
	CHECK(pwrite(fd, "O", 1, 0) == 1 && holds("other", "Other"));
}

static void copying(void) {
	int in = opened("big", O_RDWR), out = opened("file", O_RDWR);
	off_t from = 0, to = 5;

	CHECK(copy_file_range(in, &from, out, &to, 100, 0) == 100);
	CHECK(from == 100 && to == 105 && size_of("file") == 105);
	CHECK(is_all(out, 5, 100, 'x') && lseek(in, 0, SEEK_CUR) == 0);
	CHECK(copy_file_range(in, NULL, out, NULL, 3, 0) == 3);
	CHECK(lseek(in, 0, SEEK_CUR) == 3 && lseek(out, 0, SEEK_CUR) == 3);
	from = 299990;
	CHECK(copy_file_range(in, &from, out, NULL, 100, 0) == 10);
	CHECK(copy_file_range(in, &from, out, NULL, 100, 0) == 0);
	from = 0, to = 400000;
	CHECK(copy_file_range(in, &from, in, &to, 4096, 0) == 4096);
	CHECK(size_of("big") == 404096 && is_all(in, 400000, 4096, 'x'));
	CHECK(is_all(in, 300000, 100000, 0));
	from = 0, to = 10;
	CHECK(fails(copy_file_range(in, &from, in, &to, 100, 0), EINVAL));
	CHECK(fails(copy_file_range(in, NULL, opened("other", O_RDONLY), NULL, 1, 0),
		    EBADF));
	CHECK(fails(copy_file_range(in, NULL, opened("other", O_WRONLY | O_APPEND), NULL,
				    1, 0),
		    EBADF));
	CHECK(fails(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL));
	CHECK(fails(copy_file_range(opened("dir", O_RDONLY), NULL, out, NULL, 1, 0),
		    EISDIR));
	from = 0;
	CHECK(sendfile(opened("empty", O_RDWR), in, &from, 5000) == 5000);
	CHECK(size_of("empty") == 5000);
}

static void mapping(void) {
	int fd = opened("file", O_RDWR), in = opened("other", O_RDONLY);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *r = mmap(NULL, 4096, PROT_READ, MAP_SHARED, in, 0);

	CHECK(p != MAP_FAILED && q != MAP_FAILED && r != MAP_FAILED);
	CHECK(memcmp(p, "0123456789", 11) == 0 && memcmp(r, "other", 6) == 0);
	p[0] = 'X';
	CHECK(works(msync(p, 4096, MS_SYNC)) && holds("file", "X123456789"));
	CHECK(pwrite(fd, "Y", 1, 1) == 1 && p[1] == 'Y');
	CHECK(q[1] == 'Y' || q[1] == '1');
	q[2] = 'Z';
	CHECK(p[2] == '2' && holds("file", "XY23456789"));
	CHECK(works(munmap(q, 4096)) && works(close(fd)));
	p[3] = 'W';
	CHECK(works(munmap(p, 4096)) && holds("file", "XY2W456789"));
	CHECK(fails((long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, in, 0), EACCES));
	CHECK(works(unlink("other")) && r[0] == 'o' && works(munmap(r, 4096)));
	CHECK(CHANGES(put("file", "again"), "file", "mc"));
}

/* Through one mapping, and by calls in between, in all directions. */
static void mapped_large(void) {
	int fd = opened("big", O_RDWR), again = opened("big", O_RDONLY);
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED && p[0] == 'x' && p[100000] == 0 && p[250000] == 'x');
	memset(p + 50000, 'm', 150000);
	CHECK(works(msync(p, 1 << 20, MS_SYNC)) && is_all(again, 50000, 150000, 'm'));
	CHECK(works(ftruncate(fd, 60000)) && size_of("big") == 60000);
	CHECK(works(ftruncate(fd, 300000)) && p[70000] == 0);
	CHECK(is_all(again, 60000, 240000, 0) && p[55000] == 'm');
	p[299999] = 'e';
	CHECK(pwrite(fd, "w", 1, 299998) == 1 && p[299998] == 'w');
	CHECK(works(munmap(p, 1 << 20)) && is_all(again, 299999, 1, 'e'));
	CHECK(works(fsync(fd)) && size_of("big") == 300000);
}

/* Who has a file open for reading sees what others write to it. */
static void seen_by_readers(void) {
	int in = opened("file", O_RDONLY);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, in, 0);

	CHECK(fd_holds(in, "0123456789") && p[0] == '0');
	CHECK(pwrite(opened("file", O_WRONLY), "X", 1, 0) == 1);
	CHECK(fd_holds(in, "X123456789"));
	CHECK(p[0] == 'X');
	CHECK(works(truncate("file", 3)) && fd_holds(in, "X12"));
}

const struct posix_case posix_data[] = {
	{ "truncating", truncating },
	{ "writing", writing },
	{ "write-large", write_large },
	{ "copying", copying },
	{ "mapping", mapping },
	{ "mapped-large", mapped_large },
	{ "seen-by-readers", seen_by_readers },
	{ NULL, NULL },
};
