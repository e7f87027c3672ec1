/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any layers and any callers: the server of a union answers each request once, with sound answers, and shows nothing of
 * what lies beside the layers (specs: union.19). In place of /dev/fuse there is a socket, on which this program is the
 * kernel. An input is a program of bytes: first what is in the layers, then requests, and changes to the layers in
 * between.
 */
#define FUSE_USE_VERSION 35
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fuse/serve-union.h"
#include "merge/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LAYERS 3
#define THINGS_MAX 64
#define REQUESTS_MAX 256
#define NODES 16
#define SECRET "what lies beside the layers"

/* The input, byte by byte; zeros behind its end. */
struct input {
	const uint8_t *data;
	size_t len;
};

static unsigned next(struct input *in, unsigned n) {
	unsigned value = 0;

	if (in->len > 0) {
		value = *in->data++;
		in->len--;
	}
	return value % n;
}

static const char *const names[] = {
	"a", "b",   "c",	 "d", "secret", "..",
	".", "a/b", "../secret", "",  "\xff\n", "aaaaaaaa",
};

static const char *name_of(struct input *in) {
	return names[next(in, ARRAY_SIZE(names))];
}

/* --- the layers --- */

static const char *const marks[][2] = {
	{ "user.overlay.opaque", "y" },	 { "user.overlay.opaque", "x" },
	{ "user.overlay.whiteout", "" }, { "user.overlay.redirect", "/../secret" },
	{ "user.overlay.metacopy", "" }, { "user.overlay.overlay.opaque", "y" },
	{ "user.some", "a value" },
};

/* Makes or changes something; what the file system refuses is left out. */
static void change(struct input *in, int tree) {
	static const char *const targets[] = { "../secret", "a", "/etc/passwd",
					       "../../secret" };
	char path[64], other[64];
	unsigned kind = next(in, 9);

	snprintf(path, sizeof(path), "%u/%.8s/%.8s", next(in, LAYERS), names[next(in, 4)],
		 names[next(in, 5)]);
	if (next(in, 2))
		*strrchr(path, '/') = '\0';
	snprintf(other, sizeof(other), "%u/%.8s", next(in, LAYERS), names[next(in, 4)]);
	if (kind == 0)
		(void)!mkdirat(tree, path, 0700);
	if (kind == 1)
		(void)!mknodat(tree, path, S_IFREG | 0600, 0);
	if (kind == 2)
		(void)!symlinkat(targets[next(in, 4)], tree, path);
	if (kind == 3)
		(void)!mkfifoat(tree, path, 0600);
	if (kind == 4)
		(void)!linkat(tree, other, tree, path, 0);
	if (kind == 5)
		(void)!unlinkat(tree, path, next(in, 2) ? AT_REMOVEDIR : 0);
	if (kind == 6)
		(void)!renameat(tree, other, tree, path);
	if (kind == 7) {
		unsigned mark = next(in, ARRAY_SIZE(marks));
		char shown[128];

		snprintf(shown, sizeof(shown), "/proc/self/fd/%d/%s", tree, path);
		lsetxattr(shown, marks[mark][0], marks[mark][1], strlen(marks[mark][1]),
			  0);
	}
	if (kind == 8) {
		int fd = openat(tree, path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);

		(void)!write(fd, "some text", next(in, 10));
		close(fd);
	}
}

/* --- the kernel's side --- */

struct kernel {
	int fd, tree;
	struct input in;
	uint64_t unique, nodes[NODES];
	ino_t secret;
	char request[4096];
	char *answer; /* of ANSWER_MAX bytes */
};

#define ANSWER_MAX ((size_t)2 * 1024 * 1024)

/* A node that was given out, or any number. */
static uint64_t some_node(struct kernel *k) {
	uint64_t n;

	if (next(&k->in, 8) > 0)
		return k->nodes[next(&k->in, NODES)];
	n = (uint64_t)next(&k->in, 256) << 32 | next(&k->in, 256);
	return next(&k->in, 2) ? n : n * UINT64_C(0x0101010101010101);
}

static void check_attributes(const struct kernel *k, const struct fuse_attr *a) {
	assert(a->ino != 0);
	assert(a->ino != k->secret || S_ISDIR(a->mode));
	assert(a->mode >> 12 != 0);
}

static void keep_node(struct kernel *k, uint64_t node) {
	if (node != 0)
		k->nodes[1 + next(&k->in, NODES - 1)] = node;
}

static void check_entry(struct kernel *k, const struct fuse_entry_out *e) {
	if (e->nodeid == 0)
		return;
	assert(e->nodeid != FUSE_ROOT_ID);
	check_attributes(k, &e->attr);
	keep_node(k, e->nodeid);
}

/* Of a listing each entry is whole, has a name, and no name that leads elsewhere. */
static void check_listing(struct kernel *k, const char *p, size_t n, bool plus) {
	while (n > 0) {
		struct fuse_entry_out e;
		struct fuse_dirent d;
		size_t head = plus ? sizeof(e) : 0, size;

		assert(n >= head + FUSE_NAME_OFFSET);
		memcpy(&d, p + head, FUSE_NAME_OFFSET);
		size = head + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + d.namelen);
		assert(d.namelen > 0 && d.namelen <= 255 && size <= n);
		assert(!memchr(p + head + FUSE_NAME_OFFSET, '/', d.namelen) && d.ino != 0);
		if (plus) {
			memcpy(&e, p, sizeof(e));
			check_entry(k, &e);
		}
		p += size;
		n -= size;
	}
}

static void check_answer(struct kernel *k, uint32_t opcode, const char *p, size_t n) {
	assert(!memmem(p, n, SECRET, strlen(SECRET)));
	if (opcode == FUSE_LOOKUP) {
		struct fuse_entry_out e;

		assert(n == sizeof(e));
		memcpy(&e, p, n);
		check_entry(k, &e);
	}
	if (opcode == FUSE_GETATTR) {
		struct fuse_attr_out a;

		assert(n == sizeof(a));
		memcpy(&a, p, n);
		check_attributes(k, &a.attr);
	}
	if (opcode == FUSE_READDIR || opcode == FUSE_READDIRPLUS)
		check_listing(k, p, n, opcode == FUSE_READDIRPLUS);
}

/* Sends it, and, unless it has none, waits for its answer. */
static void ask(struct kernel *k, uint32_t opcode, uint64_t node, size_t body) {
	struct fuse_in_header in = { .len = (uint32_t)(sizeof(in) + body),
				     .opcode = opcode,
				     .unique = ++k->unique,
				     .nodeid = node };
	struct fuse_out_header out;
	ssize_t n;

	memcpy(k->request, &in, sizeof(in));
	if (send(k->fd, k->request, in.len, 0) < 0)
		abort();
	if (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET)
		return;
	n = recv(k->fd, k->answer, ANSWER_MAX, 0);
	assert(n >= (ssize_t)sizeof(out));
	memcpy(&out, k->answer, sizeof(out));
	assert(out.len == n && out.unique == in.unique && out.error <= 0 &&
	       out.error > -512);
	assert(out.error == 0 || out.len == sizeof(out));
	if (out.error == 0)
		check_answer(k, opcode, k->answer + sizeof(out), out.len - sizeof(out));
}

static size_t put(struct kernel *k, const void *body, size_t n) {
	memcpy(k->request + sizeof(struct fuse_in_header), body, n);
	return n;
}

static size_t put_name(struct kernel *k, size_t at, const char *name) {
	size_t n = strlen(name) + 1;

	memcpy(k->request + sizeof(struct fuse_in_header) + at, name, n);
	return at + n;
}

static size_t put_read(struct kernel *k) {
	struct fuse_read_in r = { .offset = next(&k->in, 16), .size = next(&k->in, 256) };

	if (next(&k->in, 2))
		r.offset *= UINT64_C(0x0fffffffffffffff);
	if (next(&k->in, 2))
		r.size *= 4096 + next(&k->in, 2) * 65536;
	return put(k, &r, sizeof(r));
}

static size_t put_xattr(struct kernel *k, bool named) {
	static const char *const attributes[] = {
		"user.some",
		"user.overlay.opaque",
		"security.capability",
		"trusted.extmerge.io",
		"system.posix_acl_access",
		"user.overlay.overlay.x",
		"nonsense",
	};
	struct fuse_getxattr_in x = { .size = next(&k->in, 2) * next(&k->in, 256) * 257 };
	size_t n = put(k, &x, sizeof(x));

	return named ? put_name(k, n, attributes[next(&k->in, ARRAY_SIZE(attributes))])
		     : n;
}

static size_t put_forget(struct kernel *k) {
	struct fuse_forget_in f = { .nlookup = next(&k->in, 4) };

	if (next(&k->in, 8) == 0)
		f.nlookup = UINT64_MAX;
	return put(k, &f, sizeof(f));
}

static size_t put_batch(struct kernel *k) {
	const struct fuse_batch_forget_in head = { .count = 1 + next(&k->in, 4) };
	size_t n = put(k, &head, sizeof(head));

	for (uint32_t i = 0; i < head.count; i++) {
		struct fuse_forget_one one = { some_node(k), next(&k->in, 3) };

		memcpy(k->request + sizeof(struct fuse_in_header) + n, &one, sizeof(one));
		n += sizeof(one);
	}
	return n;
}

static void one_request(struct kernel *k) {
	static const uint32_t opcodes[] = {
		FUSE_LOOKUP,  FUSE_LOOKUP,   FUSE_READDIRPLUS, FUSE_READDIR,
		FUSE_GETATTR, FUSE_READLINK, FUSE_OPEN,	       FUSE_READ,
		FUSE_RELEASE, FUSE_OPENDIR,  FUSE_GETXATTR,    FUSE_LISTXATTR,
		FUSE_FORGET,  FUSE_STATFS,   FUSE_LSEEK,       FUSE_BATCH_FORGET,
		FUSE_UNLINK,  FUSE_FLUSH,    FUSE_FSYNC,       FUSE_RELEASEDIR,
	};
	uint32_t opcode = opcodes[next(&k->in, ARRAY_SIZE(opcodes))];
	uint64_t node = some_node(k);
	char zeros[64] = { 0 };
	size_t n = put(k, zeros, sizeof(zeros));

	if (opcode == FUSE_LOOKUP || opcode == FUSE_UNLINK)
		n = put_name(k, 0, name_of(&k->in));
	else if (opcode == FUSE_READDIR || opcode == FUSE_READDIRPLUS ||
		 opcode == FUSE_READ)
		n = put_read(k);
	else if (opcode == FUSE_GETXATTR || opcode == FUSE_LISTXATTR)
		n = put_xattr(k, opcode == FUSE_GETXATTR);
	else if (opcode == FUSE_FORGET)
		n = put_forget(k);
	else if (opcode == FUSE_BATCH_FORGET)
		n = put_batch(k);
	ask(k, opcode, node, n);
}

static void greet(struct kernel *k) {
	const struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION,
					   .minor = 38,
					   .max_readahead = 131072,
					   .flags = ~0U,
					   .flags2 = ~0U };

	ask(k, FUSE_INIT, 0, put(k, &init, sizeof(init)));
	for (size_t i = 0; i < NODES; i++)
		k->nodes[i] = FUSE_ROOT_ID;
}

/* The server ends as soon as there is no kernel any more. */
static void *be_kernel(void *kernel) {
	struct kernel *k = kernel;

	greet(k);
	for (unsigned i = 0; i < REQUESTS_MAX && k->in.len > 0; i++)
		if (next(&k->in, 8) == 0)
			change(&k->in, k->tree);
		else
			one_request(k);
	close(k->fd);
	return NULL;
}

/* --- the server --- */

static int ready(void *userdata) {
	return 0;
}

static void serve(int fd, const int *layers) {
	_cleanup_(union_freep) struct union_tree *u = NULL;
	_cleanup_(serve_union_freep) struct serve_union *s = NULL;

	if (union_new(layers, LAYERS, WHITEOUT_USER, &u) < 0 ||
	    serve_union_new(fd, u, 1, UNION_IO_AUTO, &s) < 0)
		abort();
	serve_union_run(s, ready, NULL);
}

static void quiet(enum fuse_log_level level, const char *format, va_list arguments) {
}

/* --- one run --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	return remove(path);
}

static void make_layers(struct kernel *k, int *layers) {
	_cleanup_close_ int secret = openat(k->tree, "secret",
					    O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat st;

	if (write(secret, SECRET, strlen(SECRET)) < 0 || fstat(secret, &st) < 0)
		abort();
	k->secret = st.st_ino;
	for (unsigned i = 0; i < LAYERS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%u", i);
		(void)!mkdirat(k->tree, name, 0700);
		layers[i] = openat(k->tree, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	for (unsigned n = next(&k->in, THINGS_MAX); n > 0; n--)
		change(&k->in, k->tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static char answer[ANSWER_MAX];
	char path[] = "/tmp/extmerge-fuzz-XXXXXX";
	struct kernel k = { .in = { data, len }, .answer = answer };
	int layers[LAYERS], ends[2];
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	fuse_set_log_func(quiet);
	if (!mkdtemp(path) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	k.tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	k.fd = ends[0];
	make_layers(&k, layers);
	if (pthread_create(&thread, NULL, be_kernel, &k) != 0)
		abort();
	serve(ends[1], layers);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < LAYERS; i++)
		close(layers[i]);
	close(k.tree);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return 0;
}
