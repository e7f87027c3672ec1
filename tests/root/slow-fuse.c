/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * slow-fuse DIRECTORY: the tree of a confext "slow" as a FUSE file system, in which etc/slow is not read before a line comes on stdin. Says "ready" when it
 * is mounted, and "reading" when somebody has asked for that file's data. For tests/root/handover.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOW 5
#define SLOW_SIZE 16384

/* A node's number is its place in the table, and its parent is `in`. */
static const struct entry {
	unsigned in;
	const char *name, *text;
	bool is_directory;
} entries[] = {
	[1] = { 0, "", NULL, true },
	[2] = { 1, "etc", NULL, true },
	[3] = { 2, "extension-release.d", NULL, true },
	[4] = { 3, "extension-release.slow", "ID=_any\n", false },
	[SLOW] = { 2, "slow", NULL, false },
};
#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

static char request[FUSE_MIN_READ_BUFFER + 4096], data[SLOW_SIZE];
static int fuse;
static bool is_free;			  /* the file can be read by now */
static struct fuse_in_header waiting[64]; /* who wants to */
static struct fuse_read_in wanted[64];
static unsigned n_waiting;

static int answer(uint64_t unique, int error, const void *body, size_t len) {
	static char out[sizeof(struct fuse_out_header) + SLOW_SIZE];
	struct fuse_out_header header = { (uint32_t)(sizeof(header) + len), error,
					  unique };

	memcpy(out, &header, sizeof(header));
	memcpy(out + sizeof(header), body, len);
	return write(fuse, out, header.len) == (ssize_t)header.len ? 0 : -1;
}

static struct fuse_attr attributes(uint64_t node) {
	const struct entry *e = &entries[node];

	return (struct fuse_attr){
		.ino = node,
		.size = node == SLOW ? SLOW_SIZE
			: e->text    ? strlen(e->text)
				     : 0,
		.mode = e->is_directory ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = 1,
		.blksize = 4096,
	};
}

static int look_up(const struct fuse_in_header *in, const char *name) {
	for (uint64_t i = 2; i < N_ENTRIES; i++) {
		struct fuse_entry_out out = { .nodeid = i,
					      .entry_valid = 3600,
					      .attr_valid = 3600 };

		if (entries[i].in != in->nodeid || strcmp(entries[i].name, name) != 0)
			continue;
		out.attr = attributes(i);
		return answer(in->unique, 0, &out, sizeof(out));
	}
	return answer(in->unique, -ENOENT, NULL, 0);
}

static int list(const struct fuse_in_header *in, const struct fuse_read_in *read) {
	char out[512];
	size_t len = 0;

	for (uint64_t i = read->offset + 1; i < N_ENTRIES; i++) {
		struct fuse_dirent d = { i, i, (uint32_t)strlen(entries[i].name),
					 entries[i].is_directory ? S_IFDIR >> 12
								 : S_IFREG >> 12 };

		if (entries[i].in != in->nodeid || i == 1)
			continue;
		memset(out + len, 0, FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + d.namelen));
		memcpy(out + len, &d, FUSE_NAME_OFFSET);
		memcpy(out + len + FUSE_NAME_OFFSET, entries[i].name, d.namelen);
		len += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + d.namelen);
	}
	return answer(in->unique, 0, out, len);
}

static int read_text(const struct fuse_in_header *in, const struct fuse_read_in *r) {
	const char *text = in->nodeid == SLOW ? data : entries[in->nodeid].text;
	size_t size = attributes(in->nodeid).size;
	size_t len = r->offset >= size ? 0 : size - r->offset;

	return answer(in->unique, 0, text + r->offset, len < r->size ? len : r->size);
}

static int read_data(const struct fuse_in_header *in, const struct fuse_read_in *r) {
	if (in->nodeid != SLOW || is_free)
		return read_text(in, r);
	if (n_waiting == sizeof(waiting) / sizeof(waiting[0]))
		return answer(in->unique, -EIO, NULL, 0);
	waiting[n_waiting] = *in;
	wanted[n_waiting++] = *r;
	return puts("reading") < 0 ? -1 : 0;
}

static int release(void) {
	is_free = true;
	for (unsigned i = 0; i < n_waiting; i++)
		if (read_text(&waiting[i], &wanted[i]) < 0)
			return -1;
	n_waiting = 0;
	return 0;
}

static int serve(const struct fuse_in_header *in, const void *body) {
	const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
					    .minor = FUSE_KERNEL_MINOR_VERSION,
					    .max_readahead = 4096,
					    .max_write = 4096 };
	const struct fuse_statfs_out statfs = { .st = { .bsize = 4096, .namelen = 255 } };
	struct fuse_open_out open = { .open_flags = FOPEN_KEEP_CACHE };
	struct fuse_attr_out attr = { .attr_valid = 3600 };

	switch (in->opcode) {
	case FUSE_INIT:
		return answer(in->unique, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return look_up(in, body);
	case FUSE_GETATTR:
		attr.attr = attributes(in->nodeid);
		return answer(in->unique, 0, &attr, sizeof(attr));
	case FUSE_STATFS:
		return answer(in->unique, 0, &statfs, sizeof(statfs));
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return answer(in->unique, 0, &open, sizeof(open));
	case FUSE_READDIR:
		return list(in, body);
	case FUSE_READ:
		return read_data(in, body);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return 0;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		return answer(in->unique, 0, NULL, 0);
	default:
		return answer(in->unique, -ENOSYS, NULL, 0);
	}
}

static int loop(void) {
	struct pollfd polled[] = { { fuse, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };

	for (;;) {
		char line[64];
		ssize_t n;

		if (poll(polled, is_free ? 1 : 2, -1) < 0)
			return 1;
		if (!is_free && polled[1].revents) {
			if (read(STDIN_FILENO, line, sizeof(line)) < 0 || release() < 0)
				return 1;
		}
		if (!polled[0].revents)
			continue;
		n = read(fuse, request, sizeof(request));
		if (n < 0 && errno == ENODEV)
			return 0; /* unmounted */
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			(void)serve((const void *)request,
				    request + sizeof(struct fuse_in_header));
	}
}

int main(int argc, char **argv) {
	char options[96];

	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (argc != 2 || fuse < 0)
		return 77;
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(data, '\n', sizeof(data));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fuse);
	if (mount("slow", argv[1], "fuse.slow", MS_NODEV | MS_NOSUID, options) < 0)
		return 77;
	puts("ready");
	return loop();
}
