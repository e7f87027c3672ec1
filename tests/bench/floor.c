/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What no server of FUSE can be faster than: it answers from nothing. The tree has the shape of tests/bench/union.sh's base,
 * but no file system is looked at, no libfuse is between, and each answer is a copy of a few bytes; it follows its
 * client as extmerge-fuse does. What overlayfs takes less than this for, a union of FUSE cannot.
 *     floor FILE DIR         mounts it on DIR; what is read are FILE's first 4 KiB, by passthrough
 *     floor - DIR            the same, kept by the kernel, which does not ask for opens
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/uio.h>

#include "fuse/affinity.h"
#include "fuse/backing.h"

#define FOREVER (UINT64_C(1) << 31)	     /* seconds */
#define FLAG_PASSTHROUGH (UINT64_C(1) << 37) /* Linux 6.9 */
#define FLAG_NO_OPENDIR (UINT64_C(1) << 24)
#define OPEN_PASSTHROUGH (1U << 7)
#define OPEN_NOFLUSH (1U << 5)
#define TOPS 16	     /* directories in the root, beside "big" */
#define MIDDLES 4000 /* directories below these */
#define FILES 10     /* in each of them, of which the first half have 4 KiB */
#define BIG 10000    /* entries of "big" */
#define PAGE 4096

/* What a node is, and which one: both are in its number. */
enum kind { ROOT, TOP, MIDDLE, FILE_NODE, BIG_DIRECTORY, BIG_ENTRY };

static int device;
static int32_t backing_id; /* 0: none */

static uint64_t node_of(enum kind kind, uint64_t which) {
	return kind == ROOT ? FUSE_ROOT_ID : (uint64_t)kind << 32 | (which + 1);
}

static enum kind kind_of(uint64_t node) {
	return node == FUSE_ROOT_ID ? ROOT : (enum kind)(node >> 32);
}

static uint64_t which_of(uint64_t node) {
	return (uint32_t)node - 1;
}

static struct fuse_attr attributes_of(uint64_t node) {
	enum kind kind = kind_of(node);
	bool is_file = kind == FILE_NODE || kind == BIG_ENTRY;

	return (struct fuse_attr){
		.ino = node,
		.size = kind == FILE_NODE && which_of(node) % FILES < FILES / 2 ? PAGE : 0,
		.mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755,
		.nlink = 1,
		.blksize = PAGE,
	};
}

/* The entry of a directory at a place, and its name; 0 behind the last. */
static uint64_t child_at(uint64_t node, uint64_t place, char name[static 32]) {
	uint64_t which = which_of(node), n = 0;

	name[0] = '\0';
	switch (kind_of(node)) {
	case ROOT:
		if (place == TOPS)
			strcpy(name, "big");
		else if (place < TOPS)
			snprintf(name, 32, "d%" PRIu64, place);
		n = place == TOPS ? node_of(BIG_DIRECTORY, 0) : node_of(TOP, place);
		break;
	case TOP:
		if (place < MIDDLES / TOPS)
			snprintf(name, 32, "e%" PRIu64, place * TOPS + which);
		n = node_of(MIDDLE, place * TOPS + which);
		break;
	case MIDDLE:
		if (place < FILES)
			snprintf(name, 32, "%c%" PRIu64, place < FILES / 2 ? 'f' : 'g',
				 place % (FILES / 2));
		n = node_of(FILE_NODE, which * FILES + place);
		break;
	case BIG_DIRECTORY:
		if (place < BIG)
			snprintf(name, 32, "entry-%" PRIu64, place + 1);
		n = node_of(BIG_ENTRY, place);
		break;
	case FILE_NODE:
	case BIG_ENTRY:
		break;
	}
	return name[0] ? n : 0;
}

/* The names above, read. */
static uint64_t child_named(uint64_t node, const char *name) {
	uint64_t n = strcspn(name, "0123456789") < strlen(name)
			     ? strtoull(name + strcspn(name, "0123456789"), NULL, 10)
			     : 0;

	if (kind_of(node) == ROOT && strcmp(name, "big") == 0)
		return node_of(BIG_DIRECTORY, 0);
	if (kind_of(node) == ROOT && name[0] == 'd' && n < TOPS)
		return node_of(TOP, n);
	if (kind_of(node) == TOP && name[0] == 'e' && n < MIDDLES)
		return node_of(MIDDLE, n);
	if (kind_of(node) == MIDDLE && (name[0] == 'f' || name[0] == 'g'))
		return node_of(FILE_NODE,
			       which_of(node) * FILES + n + (name[0] == 'g') * FILES / 2);
	return 0;
}

static struct fuse_entry_out entry_of(uint64_t node) {
	struct fuse_entry_out e = { .nodeid = node, .entry_valid = FOREVER };

	if (node != 0) {
		e.attr_valid = FOREVER;
		e.attr = attributes_of(node);
	}
	return e;
}

static void reply(uint64_t unique, int error, const void *body, size_t size) {
	struct fuse_out_header h = { .unique = unique,
				     .error = error,
				     .len = (uint32_t)(sizeof(h) + size) };
	const struct iovec parts[] = { { &h, sizeof(h) }, { (void *)body, size } };

	if (writev(device, parts, size > 0 ? 2 : 1) < 0)
		return; /* withdrawn */
}

static void list(uint64_t unique, uint64_t node, const struct fuse_read_in *in,
		 bool plus) {
	static char buffer[1 << 16];
	size_t used = 0;
	char name[32];

	for (uint64_t place = in->offset;; place++) {
		uint64_t child = child_at(node, place, name);
		size_t length = strlen(name),
		       head = plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET,
		       needed = FUSE_DIRENT_ALIGN(head + length);
		struct fuse_direntplus e = { .dirent = { .ino = child,
							 .off = place + 1,
							 .namelen = (uint32_t)length } };

		if (child == 0 || used + needed > in->size ||
		    used + needed > sizeof(buffer))
			break;
		e.entry_out = entry_of(child);
		e.dirent.type = e.entry_out.attr.mode >> 12;
		memset(buffer + used, 0, needed);
		if (plus)
			memcpy(buffer + used, &e, head);
		else
			memcpy(buffer + used, &e.dirent, head);
		memcpy(buffer + used + head, name, length);
		used += needed;
	}
	reply(unique, 0, buffer, used);
}

static void greet(uint64_t unique, const struct fuse_init_in *in) {
	uint64_t flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_DO_READDIRPLUS |
			 FUSE_READDIRPLUS_AUTO | FUSE_PARALLEL_DIROPS | FLAG_NO_OPENDIR |
			 FUSE_MAX_PAGES | FUSE_INIT_EXT;
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
				     .minor = in->minor < 39 ? in->minor : 39,
				     .max_readahead = in->max_readahead,
				     .max_write = 1 << 16,
				     .max_pages = 16,
				     .time_gran = 1 };

	if (backing_id != 0)
		flags |= FLAG_PASSTHROUGH;
	out.flags = (uint32_t)flags;
	out.flags2 = (uint32_t)(flags >> 32);
	out.unused[0] = 1; /* max_stack_depth */
	reply(unique, 0, &out, sizeof(out));
}

static void open_file(uint64_t unique) {
	/* The protocol's struct fuse_open_out of Linux 6.9. */
	const struct {
		uint64_t fh;
		uint32_t flags;
		int32_t backing_id;
	} out = { .flags = OPEN_PASSTHROUGH | OPEN_NOFLUSH, .backing_id = backing_id };

	if (backing_id != 0)
		reply(unique, 0, &out, sizeof(out));
	else
		reply(unique, -ENOSYS, NULL, 0);
}

static void answer(const struct fuse_in_header *h, const void *body) {
	static const char page[PAGE];
	struct fuse_entry_out entry;
	struct fuse_attr_out attributes;

	switch (h->opcode) {
	case FUSE_INIT:
		greet(h->unique, body);
		break;
	case FUSE_LOOKUP:
		entry = entry_of(child_named(h->nodeid, body));
		reply(h->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		attributes = (struct fuse_attr_out){ .attr_valid = FOREVER,
						     .attr = attributes_of(h->nodeid) };
		reply(h->unique, 0, &attributes, sizeof(attributes));
		break;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		list(h->unique, h->nodeid, body, h->opcode == FUSE_READDIRPLUS);
		break;
	case FUSE_OPEN:
		open_file(h->unique);
		break;
	case FUSE_READ:
		reply(h->unique, 0, page,
		      ((const struct fuse_read_in *)body)->offset ? 0 : PAGE);
		break;
	case FUSE_RELEASE:
		reply(h->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break;
	default:
		reply(h->unique, -ENOSYS, NULL, 0);
	}
}

static void mount_on(const char *dir) {
	char options[128];

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
		 device);
	if (device < 0 ||
	    mount("floor", dir, "fuse", MS_RDONLY | MS_NOSUID | MS_NODEV, options) < 0) {
		perror(dir);
		exit(1);
	}
}

int main(int argc, char **argv) {
	static char buffer[1 << 17] __attribute__((aligned(8)));
	struct affinity a;
	int fd;

	if (argc != 3)
		return 2;
	mount_on(argv[2]);
	if (strcmp(argv[1], "-") != 0)
		backing_id =
			1; /* so that passthrough is asked for; after the greeting a real one */
	affinity_begin(&a, -EBADF);
	for (bool greeted = false;;) {
		ssize_t n = read(device, buffer, sizeof(buffer));
		const struct fuse_in_header *h = (const void *)buffer;

		if (n < 0 && errno == ENODEV)
			return 0;
		if (n < (ssize_t)sizeof(*h))
			continue;
		affinity_request(&a, h->pid);
		answer(h, buffer + sizeof(*h));
		affinity_answered(&a);
		if (greeted)
			continue;
		greeted = true;
		fd = backing_id == 0 ? -1 : open(argv[1], O_RDONLY | O_CLOEXEC);
		if (backing_id != 0)
			backing_id = backing_open(device, fd);
		if (backing_id < 0 || daemon(1, 0) < 0) {
			perror(argv[1]);
			return 1;
		}
		affinity_begin(&a, affinity_prepare());
	}
}
