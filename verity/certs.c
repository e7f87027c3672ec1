/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates that the host trusts. */
#include "certs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../merge/file.h"
#include "../merge/strv.h"
#include "../merge/text.h"

#define SUFFIX ".crt"
#define TARGET_MAX 16 /* "/dev/null" fits, and what does not is something else */

/* certs.1: best first. */
static const char *const directories[] = {
	"etc/verity.d",
	"run/verity.d",
	"usr/local/lib/verity.d",
	"usr/lib/verity.d",
};

/* A name, and the best directory that has it. */
struct entry {
	char *name;
	size_t directory;
};

struct search {
	int root;
	int fds[ARRAY_SIZE(directories)]; /* O_PATH, or negative */
	struct entry *entries;
	size_t n_entries;
	struct certs found;
	char ***problems;
};

static void search_done(struct search *s) {
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		close_fdp(&s->fds[i]);
	for (size_t i = 0; i < s->n_entries; i++)
		free(s->entries[i].name);
	free(s->entries);
	certs_done(&s->found);
}

static bool is_shortage(int error) {
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

/* certs.5: "Cannot trust '/etc/verity.d/a.crt': it is larger than 64 KiB". */
static int add_problem(struct search *s, const char *directory, const char *name,
		       const char *why) {
	_cleanup_free_ char *path = file_join(directory, name);
	_cleanup_free_ char *text = path ? text_format("Cannot trust '%s': %s", path, why)
					 : NULL;

	return text ? strv_append(s->problems, text) : -ENOMEM;
}

/* What is there and cannot be used was meant to be trusted. */
static int refuse(struct search *s, const char *directory, const char *name,
		  const char *why) {
	s->found.is_wanted = true;
	return add_problem(s, directory, name, why);
}

static int refuse_error(struct search *s, const char *directory, const char *name,
			int error) {
	_cleanup_free_ char *why = NULL;

	if (is_shortage(error))
		return error;
	why = text_format("it cannot be read: %s", strerror(-error));
	return why ? refuse(s, directory, name, why) : -ENOMEM;
}

/* certs.4: who can write it decides who is trusted. NULL where that is root, or we ourselves. */
static const char *check_writers(const struct stat *st) {
	if (st->st_mode & S_IWOTH)
		return "it can be written by everybody";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it does not belong to root";
	return NULL;
}

static bool is_wanted_name(const char *name) {
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) &&
	       strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static bool has_entry(const struct search *s, const char *name) {
	for (size_t i = 0; i < s->n_entries; i++)
		if (strcmp(s->entries[i].name, name) == 0)
			return true;
	return false;
}

/* certs.2: a name counts in the best directory that has it, whatever it is there. */
static int add_entry(struct search *s, const char *name, size_t directory) {
	struct entry *grown;

	if (!is_wanted_name(name) || has_entry(s, name))
		return 0;
	grown = reallocarray(s->entries, s->n_entries + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->entries = grown;
	grown[s->n_entries] = (struct entry){ strdup(name), directory };
	if (!grown[s->n_entries].name)
		return -ENOMEM;
	s->n_entries++;
	return 0;
}

static int list_directory(struct search *s, size_t i) {
	_cleanup_strv_ char **names = NULL;
	const char *why;
	struct stat st;
	int r;

	s->fds[i] = file_open_in(s->root, directories[i], O_PATH | O_DIRECTORY);
	if (s->fds[i] == -ENOENT)
		return 0;
	if (s->fds[i] < 0)
		return refuse_error(s, directories[i], "", s->fds[i]);
	if (fstat(s->fds[i], &st) < 0)
		return refuse_error(s, directories[i], "", -errno);
	why = check_writers(&st);
	if (why)
		return refuse(s, directories[i], "", why);
	r = file_list(s->fds[i], CERTS_ENTRIES_MAX, &names);
	if (r < 0)
		return refuse_error(s, directories[i], "", r);
	for (char **name = names; r == 0 && *name; name++)
		r = add_entry(s, *name, i);
	return r;
}

static int compare_entries(const void *a, const void *b) {
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* certs.3, where there is no /dev/null below the root. */
static bool is_dangling_mask(const struct search *s, const struct entry *e) {
	char target[TARGET_MAX];
	ssize_t n = readlinkat(s->fds[e->directory], e->name, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(target, "/dev/null") == 0;
}

/* certs.3 */
static bool is_mask(const struct stat *st) {
	return (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3)) ||
	       (S_ISREG(st->st_mode) && st->st_size == 0);
}

static int keep(struct search *s, const struct entry *e, struct cert *c) {
	struct certs *found = &s->found;
	struct cert **grown = reallocarray(found->items, found->n + 1,
					   sizeof(struct cert *));

	if (!grown) {
		cert_free(c);
		return -ENOMEM;
	}
	found->items = grown;
	found->items[found->n++] = c;
	found->is_wanted = true;
	return c->weakness
		       ? add_problem(s, directories[e->directory], e->name, c->weakness)
		       : 0;
}

static int read_certificate(struct search *s, const struct entry *e, int path_fd) {
	const char *directory = directories[e->directory], *why = NULL;
	_cleanup_close_ int fd = file_reopen(path_fd, O_RDONLY);
	_cleanup_free_ char *text = NULL;
	struct cert *c = NULL;
	size_t len = 0;
	int r = fd < 0 ? fd : file_read(fd, CERT_SIZE_MAX, &text, &len);

	if (r == -EFBIG)
		return refuse(s, directory, e->name, "it is larger than 64 KiB");
	if (r < 0)
		return refuse_error(s, directory, e->name, r);
	r = cert_parse(text, len, &c, &why);
	if (r == -EBADMSG)
		return refuse(s, directory, e->name, why);
	return r < 0 ? r : keep(s, e, c);
}

static int read_entry(struct search *s, const struct entry *e) {
	const char *directory = directories[e->directory], *why;
	_cleanup_free_ char *path = file_join(directory, e->name);
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (!path)
		return -ENOMEM;
	fd = file_open_in(s->root, path, O_PATH);
	if (fd < 0 && is_dangling_mask(s, e))
		return 0;
	if (fd < 0)
		return refuse_error(s, directory, e->name, fd);
	if (fstat(fd, &st) < 0)
		return refuse_error(s, directory, e->name, -errno);
	if (S_ISCHR(st.st_mode) && is_mask(&st))
		return 0;
	if (!S_ISREG(st.st_mode))
		return refuse(s, directory, e->name, "it is no regular file");
	why = check_writers(&st);
	if (why)
		return refuse(s, directory, e->name, why);
	if (is_mask(&st))
		return 0;
	if (s->found.n == CERTS_MAX)
		return refuse(s, directory, e->name, "it is one of more than 256");
	return read_certificate(s, e, fd);
}

/* Finds the entries of all directories, sorted by name. */
static int list_all(struct search *s) {
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		s->fds[i] = -EBADF;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++)
		r = list_directory(s, i);
	if (s->n_entries > 0)
		qsort(s->entries, s->n_entries, sizeof(*s->entries), compare_entries);
	return r;
}

static int digest_entry(const struct search *s, const struct entry *e, struct digest *d) {
	_cleanup_free_ char *path = file_join(directories[e->directory], e->name);
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct stat st = { 0 };

	if (!path)
		return -ENOMEM;
	fd = file_open_in(s->root, path, O_PATH);
	if (is_shortage(fd))
		return fd;
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -errno;
	text = text_format("%d %d %llx:%llx %llu %o %u %lld.%09ld %lld.%09ld",
			   fd < 0 ? fd : 0, fd < 0 && is_dangling_mask(s, e),
			   (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
			   (unsigned long long)st.st_size, (unsigned)st.st_mode,
			   (unsigned)st.st_uid, (long long)st.st_mtim.tv_sec,
			   st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
			   st.st_ctim.tv_nsec);
	digest_add_text(d, path);
	digest_add_text(d, text);
	return text ? 0 : -ENOMEM;
}

int certs_digest(int root, struct digest *d) {
	_cleanup_strv_ char **problems = NULL;
	_cleanup_(search_done) struct search s = { .root = root, .problems = &problems };
	int r = list_all(&s);

	for (size_t i = 0; r == 0 && i < s.n_entries; i++)
		r = digest_entry(&s, &s.entries[i], d);
	for (char **problem = problems; r == 0 && problem && *problem; problem++)
		digest_add_text(d, *problem);
	return r;
}

int certs_read(int root, struct certs *ret, char ***problems) {
	_cleanup_(search_done) struct search s = { .root = root, .problems = problems };
	int r = list_all(&s);

	for (size_t i = 0; r == 0 && i < s.n_entries; i++)
		r = read_entry(&s, &s.entries[i]);
	if (r < 0)
		return r;
	*ret = s.found;
	s.found = (struct certs){ 0 };
	return 0;
}

void certs_done(struct certs *c) {
	for (size_t i = 0; i < c->n; i++)
		cert_free(c->items[i]);
	free(c->items);
	*c = (struct certs){ 0 };
}
