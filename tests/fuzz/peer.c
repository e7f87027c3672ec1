/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers as bytes say, what is asked of their server, and what its answers must be (specs: union.19). */
#define FUSE_USE_VERSION 35
#include "peer.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fuse/birth.h"
#include "fuse/outer.h"
#include "merge/base.h"

#define THINGS_MAX 64
#define REQUESTS_MAX 256
#define ANSWER_MAX ((size_t)2 * 1024 * 1024)

unsigned peer_next(struct peer *p, unsigned n) {
	unsigned value = 0;

	if (p->len > 0) {
		value = *p->data++;
		p->len--;
	}
	return value % n;
}

static const char *const names[] = {
	"a", "b",   "c",	 "d", "secret", "..",
	".", "a/b", "../secret", "",  "\xff\n", "aaaaaaaa",
};

const char *peer_name(struct peer *p) {
	return names[peer_next(p, ARRAY_SIZE(names))];
}

/* --- the layers --- */

static const char *const marks[][2] = {
	{ "user.overlay.opaque", "y" },	 { "user.overlay.opaque", "x" },
	{ "user.overlay.whiteout", "" }, { "user.overlay.redirect", "/../secret" },
	{ "user.overlay.metacopy", "" }, { "user.overlay.overlay.opaque", "y" },
	{ "user.some", "a value" },
};

/* Makes or changes something; what the file system refuses is left out. */
static void change(struct peer *p) {
	static const char *const targets[] = { "../secret", "a", "/etc/passwd",
					       "../../secret" };
	char path[64], other[64];
	struct stat st;
	unsigned kind = peer_next(p, 9), place = peer_next(p, p->places);

	snprintf(path, sizeof(path), "%u/%.8s/%.8s", place, names[peer_next(p, 4)],
		 names[peer_next(p, 5)]);
	*strrchr(path, '/') = '\0';
	if (fstatat(p->tree, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return; /* it may lead elsewhere */
	if (peer_next(p, 2))
		path[strlen(path)] = '/';
	snprintf(other, sizeof(other), "%u/%.8s",
		 place < PEER_LAYERS ? peer_next(p, PEER_LAYERS) : place,
		 names[peer_next(p, 4)]);
	if (kind == 0)
		(void)!mkdirat(p->tree, path, 0700);
	if (kind == 1)
		(void)!mknodat(p->tree, path, S_IFREG | 0600, 0);
	if (kind == 2)
		(void)!symlinkat(targets[peer_next(p, 4)], p->tree, path);
	if (kind == 3)
		(void)!mkfifoat(p->tree, path, 0600);
	if (kind == 4)
		(void)!linkat(p->tree, other, p->tree, path, 0);
	if (kind == 5)
		(void)!unlinkat(p->tree, path, peer_next(p, 2) ? AT_REMOVEDIR : 0);
	if (kind == 6)
		(void)!renameat(p->tree, other, p->tree, path);
	if (kind == 7) {
		unsigned mark = peer_next(p, ARRAY_SIZE(marks));
		char shown[128];

		snprintf(shown, sizeof(shown), "/proc/self/fd/%d/%s", p->tree, path);
		lsetxattr(shown, marks[mark][0], marks[mark][1], strlen(marks[mark][1]),
			  0);
	}
	if (kind == 8) {
		int fd = openat(p->tree, path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);

		(void)!write(fd, "some text", peer_next(p, 10));
		close(fd);
	}
}

/* --- the kernel's side --- */

uint64_t peer_node(struct peer *p) {
	uint64_t n;

	if (peer_next(p, 8) > 0)
		return p->nodes[peer_next(p, PEER_NODES)];
	n = (uint64_t)peer_next(p, 256) << 32 | peer_next(p, 256);
	return peer_next(p, 2) ? n : n * UINT64_C(0x0101010101010101);
}

static void check_attributes(const struct peer *p, const struct fuse_attr *a) {
	assert(a->ino != 0);
	assert(a->ino != p->secret || S_ISDIR(a->mode));
	assert(a->mode >> 12 != 0);
}

static void keep_node(struct peer *p, uint64_t node) {
	if (node != 0)
		p->nodes[1 + peer_next(p, PEER_NODES - 1)] = node;
}

static void check_entry(struct peer *p, const struct fuse_entry_out *e) {
	if (e->nodeid == 0)
		return;
	assert(e->nodeid != FUSE_ROOT_ID);
	check_attributes(p, &e->attr);
	keep_node(p, e->nodeid);
}

/* Of a listing each entry is whole, has a name, and no name that leads elsewhere. */
static void check_listing(struct peer *p, const char *at, size_t n, bool plus) {
	while (n > 0) {
		struct fuse_entry_out e;
		struct fuse_dirent d;
		size_t head = plus ? sizeof(e) : 0, size;

		assert(n >= head + FUSE_NAME_OFFSET);
		memcpy(&d, at + head, FUSE_NAME_OFFSET);
		size = head + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + d.namelen);
		assert(d.namelen > 0 && d.namelen <= 255 && size <= n);
		assert(!memchr(at + head + FUSE_NAME_OFFSET, '/', d.namelen) &&
		       d.ino != 0);
		if (plus) {
			memcpy(&e, at, sizeof(e));
			check_entry(p, &e);
		}
		at += size;
		n -= size;
	}
}

static void check_answer(struct peer *p, uint32_t opcode) {
	struct fuse_entry_out e;
	struct fuse_attr_out a;
	struct birth_answer b;

	assert(!memmem(p->answer, p->answered, PEER_SECRET, strlen(PEER_SECRET)));
	switch (opcode) {
	case FUSE_LOOKUP:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_LINK:
	case FUSE_CREATE:
	case PEER_TMPFILE:
		assert(p->answered >= sizeof(e));
		memcpy(&e, p->answer, sizeof(e));
		assert(e.nodeid != 0 || opcode == FUSE_LOOKUP);
		check_entry(p, &e);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		assert(p->answered == sizeof(a));
		memcpy(&a, p->answer, sizeof(a));
		check_attributes(p, &a.attr);
		break;
	case BIRTH_OPCODE:
		assert(p->answered == sizeof(b) - offsetof(struct birth_answer, valid));
		memcpy((char *)&b + sizeof(b) - p->answered, p->answer, p->answered);
		assert((b.attributes.stx_mode & S_IFMT) != 0 &&
		       b.attributes.stx_size <= INT64_MAX &&
		       b.attributes.stx_btime.tv_nsec < 1000000000);
		break;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		check_listing(p, p->answer, p->answered, opcode == FUSE_READDIRPLUS);
		break;
	default:
		break;
	}
}

/* The answer, and not what the server says without being asked. The fuzzer's clock interrupts. */
static size_t receive(struct peer *p, char *buffer, struct fuse_out_header *ret) {
	do {
		ssize_t n;

		do
			n = recv(p->fd, buffer, ANSWER_MAX, 0);
		while (n < 0 && errno == EINTR);
		assert(n >= (ssize_t)sizeof(*ret));
		memcpy(ret, buffer, sizeof(*ret));
		assert(ret->len == n);
	} while (ret->unique == 0);
	return ret->len - sizeof(*ret);
}

void peer_ask(struct peer *p, uint32_t opcode, uint64_t node, size_t body) {
	struct fuse_in_header in = { .len = (uint32_t)(sizeof(in) + body),
				     .opcode = opcode,
				     .unique = ++p->unique,
				     .nodeid = node };
	struct fuse_out_header out;

	memcpy(p->request, &in, sizeof(in));
	while (send(p->fd, p->request, in.len, 0) < 0)
		if (errno != EINTR)
			abort();
	if (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET)
		return;
	p->answered = receive(p, p->answer - sizeof(out), &out);
	assert(out.unique == in.unique && out.error <= 0 && out.error > -512);
	assert(out.error == 0 || p->answered == 0);
	p->failed = out.error != 0;
	if (!p->failed)
		check_answer(p, opcode);
}

size_t peer_put(struct peer *p, size_t at, const void *body, size_t n) {
	memcpy(p->request + sizeof(struct fuse_in_header) + at, body, n);
	return at + n;
}

size_t peer_put_name(struct peer *p, size_t at, const char *name) {
	return peer_put(p, at, name, strlen(name) + 1);
}

/* --- what changes nothing --- */

static size_t put_read(struct peer *p) {
	struct fuse_read_in r = { .offset = peer_next(p, 16), .size = peer_next(p, 256) };

	if (peer_next(p, 2))
		r.offset *= UINT64_C(0x0fffffffffffffff);
	if (peer_next(p, 2))
		r.size *= 4096 + peer_next(p, 2) * 65536;
	return peer_put(p, 0, &r, sizeof(r));
}

static size_t put_xattr(struct peer *p, bool named) {
	static const char *const attributes[] = {
		"user.some",
		"user.overlay.opaque",
		"security.capability",
		"trusted.extmerge.io",
		"system.posix_acl_access",
		"user.overlay.overlay.x",
		"nonsense",
	};
	struct fuse_getxattr_in x = { .size = peer_next(p, 2) * peer_next(p, 256) * 257 };
	size_t n = peer_put(p, 0, &x, sizeof(x));

	return named ? peer_put_name(p, n,
				     attributes[peer_next(p, ARRAY_SIZE(attributes))])
		     : n;
}

static size_t put_forget(struct peer *p) {
	struct fuse_forget_in f = { .nlookup = peer_next(p, 4) };

	if (peer_next(p, 8) == 0)
		f.nlookup = UINT64_MAX;
	return peer_put(p, 0, &f, sizeof(f));
}

static size_t put_batch(struct peer *p) {
	const struct fuse_batch_forget_in head = { .count = 1 + peer_next(p, 4) };
	size_t n = peer_put(p, 0, &head, sizeof(head));

	for (uint32_t i = 0; i < head.count; i++) {
		struct fuse_forget_one one = { peer_node(p), peer_next(p, 3) };

		n = peer_put(p, n, &one, sizeof(one));
	}
	return n;
}

static size_t put_reading(struct peer *p, uint32_t opcode) {
	const char zeros[64] = { 0 };

	switch (opcode) {
	case FUSE_LOOKUP:
		return peer_put_name(p, 0, peer_name(p));
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return put_read(p);
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
		return put_xattr(p, opcode == FUSE_GETXATTR);
	case FUSE_FORGET:
		return put_forget(p);
	case FUSE_BATCH_FORGET:
		return put_batch(p);
	default:
		return peer_put(p, 0, zeros, sizeof(zeros));
	}
}

#define OF_DIRECTORIES 5 /* at the end of the list */

void peer_read(struct peer *p, bool directories) {
	static const uint32_t opcodes[] = {
		FUSE_LOOKUP,	   FUSE_LOOKUP,	 FUSE_GETATTR,	   FUSE_READLINK,
		FUSE_OPEN,	   FUSE_READ,	 FUSE_RELEASE,	   FUSE_GETXATTR,
		FUSE_LISTXATTR,	   FUSE_FORGET,	 FUSE_STATFS,	   FUSE_LSEEK,
		FUSE_BATCH_FORGET, FUSE_FLUSH,	 BIRTH_OPCODE,	   FUSE_OPENDIR,
		FUSE_RELEASEDIR,   FUSE_READDIR, FUSE_READDIRPLUS, FUSE_READDIRPLUS,
	};
	const unsigned n = ARRAY_SIZE(opcodes) - (directories ? 0 : OF_DIRECTORIES);
	const uint32_t opcode = opcodes[peer_next(p, n)];
	const uint64_t node = peer_node(p);

	peer_ask(p, opcode, node, put_reading(p, opcode));
}

/* --- one run --- */

static void greet(struct peer *p, bool enclosed) {
	const struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION,
					   .minor = 38,
					   .max_readahead = 131072,
					   .flags = ~0U,
					   .flags2 = ~0U };

	peer_ask(p, FUSE_INIT, 0, peer_put(p, 0, &init, sizeof(init)));
	for (size_t i = 0; i < PEER_NODES; i++)
		p->nodes[i] = enclosed && i != 1 ? OUTER_NODE : FUSE_ROOT_ID;
}

struct run {
	const struct peer_target *target;
	int fd, tree, layers[PEER_LAYERS];
};

static void *be_server(void *run) {
	struct run *r = run;

	r->target->serve(r->fd, r->layers, r->tree);
	return NULL;
}

/* The server ends as soon as there is no kernel any more. */
static void be_kernel(struct peer *p, const struct peer_target *t) {
	greet(p, t->enclosed);
	for (unsigned i = 0; i < REQUESTS_MAX && p->len > 0; i++)
		if (peer_next(p, 8) == 0)
			change(p);
		else
			t->request(p);
	if (t->last)
		t->last(p);
	close(p->fd);
}

static void quiet(enum fuse_log_level level, const char *format, va_list arguments) {
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	return remove(path);
}

static void make_layers(struct peer *p, int *layers) {
	_cleanup_close_ int secret = openat(p->tree, "secret",
					    O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat st;

	if (write(secret, PEER_SECRET, strlen(PEER_SECRET)) < 0 || fstat(secret, &st) < 0)
		abort();
	p->secret = st.st_ino;
	for (unsigned i = 0; i < p->places; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%u", i);
		if (mkdirat(p->tree, name, 0700) < 0)
			abort();
		if (i < PEER_LAYERS)
			layers[i] = openat(p->tree, name,
					   O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	for (unsigned n = peer_next(p, THINGS_MAX); n > 0; n--)
		change(p);
}

void peer_run(const struct peer_target *t, const uint8_t *data, size_t len) {
	static char answer[ANSWER_MAX];
	const char *scratch = getenv("TMPDIR");
	char path[256];
	struct peer p = { .data = data,
			  .len = len,
			  .places = t->places,
			  .answer = answer + sizeof(struct fuse_out_header) };
	struct run r = { .target = t };
	int ends[2];
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	fuse_set_log_func(quiet);
	snprintf(path, sizeof(path), "%s/extmerge-fuzz-XXXXXX",
		 scratch ? scratch : "/tmp");
	if (!mkdtemp(path) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	p.tree = r.tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p.fd = ends[0];
	r.fd = ends[1];
	make_layers(&p, r.layers);
	if (pthread_create(&thread, NULL, be_server, &r) != 0)
		abort();
	be_kernel(&p, t);
	pthread_join(thread, NULL);
	if (t->ended)
		t->ended(p.tree);
	for (unsigned i = 0; i < PEER_LAYERS; i++)
		close(r.layers[i]);
	close(p.tree);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
