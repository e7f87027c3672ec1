/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services that have extensions of their own. */
#include "service.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "file.h"
#include "kernel.h"
#include "mount.h"
#include "stack.h"
#include "strv.h"
#include "text.h"

bool service_name_is_valid(const char *name) {
	size_t len = strlen(name);

	if (len == 0 || len > SERVICE_NAME_MAX || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name; name++)
		if (!isascii(*name) || (!isalnum(*name) && !strchr(":_.@-", *name)))
			return false;
	return true;
}

const char *service_of_source(const char *source) {
	const char *at = strchr(source, '@');

	return at ? at + 1 : "";
}

/* --- namespaces --- */

static int open_of(pid_t pid, const char *what, int flags) {
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? errno == ENOENT ? -ESRCH : -errno : fd;
}

static bool is_same(int a, const char *b) {
	struct stat x, y;

	return fstat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* The namespace of users that the mount namespace belongs to is ours. */
static bool is_of_our_users(int namespace) {
	_cleanup_close_ int users = ioctl(namespace, NS_GET_USERNS);

	return users >= 0 && is_same(users, "/proc/self/ns/user");
}

/* --- which there are --- */

static int stat_namespace(pid_t pid, struct stat *ret) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return stat(path, ret) < 0 ? -errno : 0;
}

/* The first tree of a service's. */
static int match_tree(const struct mount_info *i, void *data) {
	const char *name = service_of_source(i->source);
	char **ret = data;

	if (!stack_is_ours(i) || !service_name_is_valid(name))
		return 0;
	*ret = strdup(name);
	return *ret ? 1 : -ENOMEM;
}

int service_read_name(pid_t pid, char **ret) {
	_cleanup_(mounts_freep) struct mounts *m = NULL;
	int r = mounts_read_of(pid, &m);

	*ret = NULL;
	if (r == 0)
		r = mounts_each(m, match_tree, ret);
	return r < 0 ? r : 0;
}

static bool is_known(const struct services *s, const struct stat *st) {
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].device == st->st_dev && s->items[i].inode == st->st_ino)
			return true;
	return false;
}

static int add(struct services *s, const struct service *item) {
	struct service *grown = reallocarray(s->items, s->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->items = grown;
	s->items[s->n++] = *item;
	return 0;
}

static void service_done(struct service *s) {
	free(s->name);
	close_fdp(&s->namespace);
}

/* service.6: who has made a user namespace chooses what is mounted there, and under which name. */
static bool is_others(pid_t pid) {
	_cleanup_close_ int namespace = open_of(pid, "ns/mnt", O_RDONLY);

	return namespace >= 0 && !is_of_our_users(namespace);
}

/*
 * What is to be known of the namespace of a process, whose number may be another's at any moment, and which may be one
 * of extmerge that only looks in: false, if so.
 */
static bool read_service(struct service *s) {
	_cleanup_free_ char *name = NULL;
	struct stat st;

	if (!is_others(s->pid) && service_read_name(s->pid, &name) < 0)
		return false;
	if (name)
		s->namespace = service_open(s->pid, name, false, &s->why);
	if (s->namespace == -ESRCH || s->namespace == -ESTALE ||
	    (s->namespace >= 0 ? fstat(s->namespace, &st) : stat_namespace(s->pid, &st)) <
		    0 ||
	    st.st_dev != s->device || st.st_ino != s->inode)
		return false;
	s->name = TAKE_PTR(name);
	return true;
}

/* Namespaces without a service are remembered as well, without a name: each is looked into once. */
static int look_at(struct services *s, pid_t pid) {
	struct service item = { .pid = pid, .namespace = -EBADF };
	struct stat st;
	int r = 0;

	if (stat_namespace(pid, &st) < 0 || is_known(s, &st))
		return 0;
	item.device = st.st_dev;
	item.inode = st.st_ino;
	if (read_service(&item))
		r = item.namespace == -EMFILE || item.namespace == -ENFILE
			    ? item.namespace
			    : add(s, &item);
	else
		r = 1;
	if (r != 0)
		service_done(&item);
	return r < 0 ? r : 0;
}

static void drop_nameless(struct services *s) {
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].name)
			s->items[n++] = s->items[i];
	s->n = n;
}

static int compare(const void *a, const void *b) {
	const struct service *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ?: (x->pid > y->pid) - (x->pid < y->pid);
}

int services_find(struct services *ret) {
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	struct services s = { 0 };
	int r = proc < 0 ? -errno : file_list(proc, SIZE_MAX, &names);

	for (char **name = names; r >= 0 && name && *name; name++)
		if (isdigit(**name))
			r = look_at(&s, (pid_t)atoi(*name));
	drop_nameless(&s);
	if (r < 0) {
		services_done(&s);
		return r;
	}
	if (s.n > 0)
		qsort(s.items, s.n, sizeof(*s.items), compare);
	*ret = s;
	return 0;
}

void services_done(struct services *s) {
	for (size_t i = 0; i < s->n; i++)
		service_done(&s->items[i]);
	free(s->items);
	*s = (struct services){ 0 };
}

/* --- one of them --- */

static const char *refuse(int namespace, int root) {
	if (is_same(namespace, "/proc/self/ns/mnt"))
		return "it is in the host's own mount namespace, and has none of its own";
	if (!is_of_our_users(namespace))
		return "its mount namespace belongs to another user namespace";
	if (!is_same(root, "/"))
		return "it has a root directory of its own (RootDirectory=, RootImage=, chroot)";
	return NULL;
}

/* Its number may have come to somebody else since its name was read. */
static int check_name(pid_t pid, const char *name, bool may_be_first,
		      const char **ret_why) {
	_cleanup_free_ char *seen = NULL;
	int r = service_read_name(pid, &seen);

	if (r < 0 || (!seen && may_be_first) || (seen && strcmp(seen, name) == 0))
		return r;
	*ret_why = seen ? "it sees the extensions of another service"
			: "it sees no extensions of a service";
	return -ESTALE;
}

int service_open(pid_t pid, const char *name, bool may_be_first, const char **ret_why) {
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
			    namespace = -EBADF, root = -EBADF;
	int r;

	*ret_why = NULL;
	if (pidfd < 0)
		return -errno;
	r = namespace = open_of(pid, "ns/mnt", O_RDONLY);
	if (r >= 0)
		r = root = open_of(pid, "root", O_PATH | O_DIRECTORY);
	if (r >= 0) {
		*ret_why = refuse(namespace, root);
		r = *ret_why ? -EINVAL : check_name(pid, name, may_be_first, ret_why);
	}
	/* What was opened and read by its number was its own if it lives still. */
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0) {
		*ret_why = NULL;
		return -errno;
	}
	return r < 0 ? r : TAKE_FD(namespace);
}

int service_read_record(pid_t pid, const char *hierarchy, struct record **ret) {
	_cleanup_close_ int root = open_of(pid, "root", O_PATH | O_DIRECTORY);
	_cleanup_close_ int fd =
		root < 0 ? root : file_open_in(root, hierarchy, O_PATH | O_DIRECTORY);

	return fd < 0 ? fd : stack_read_record(fd, ret);
}
