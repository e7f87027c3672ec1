/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sched_setaffinity(), and the kernel's word for who does not count: SCHED_IDLE. */
#include "affinity.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "../merge/kernel.h"
#include "../merge/virtualfs.h"

#define NICE_LOWEST (-20)
#define STAT_SIZE 1024 /* bytes; 52 numbers and a name of 64 bytes are less */
#define WAITS_SIZE 64  /* three numbers */
#define WAITS_OF \
	16 /* requests: to have the client work before us is no waiting, but counts as such */
#define THREAD_PATH_MAX 64

/* Nothing of the system itself (Linux 5.8), and nothing that could be written. */
static int mount_processes(void) {
	return virtualfs_mount("proc", "subset", "pid",
			       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
				       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOSYMFOLLOW);
}

/*
 * Whether who has become SCHED_IDLE may become normal again, which takes the same right as a lower nice value does. In a
 * user namespace a capability does not say so.
 */
static bool may_return(void) {
	int nice = getpriority(PRIO_PROCESS, 0);

	return nice > NICE_LOWEST && setpriority(PRIO_PROCESS, 0, nice - 1) == 0 &&
	       setpriority(PRIO_PROCESS, 0, nice) == 0;
}

int affinity_prepare(void) {
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return -errno;
	if (CPU_COUNT(&cpus) == 1 || sched_getscheduler(0) != SCHED_OTHER)
		return -EOPNOTSUPP;
	return may_return() ? mount_processes() : -EPERM;
}

void affinity_begin(struct affinity *a, int proc) {
	*a = (struct affinity){ .proc = proc, .stat = -EBADF, .waits = -EBADF };
	follow_begin(&a->follow);
}

void affinity_end(struct affinity *a) {
	close_fdp(&a->stat);
	close_fdp(&a->waits);
}

static int open_beneath(const struct affinity *a, const char *path) {
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd = sys_openat2(a->proc, path, &how);

	return fd < 0 ? -errno : fd;
}

/* The file of a client that is followed stays open, so that a look is one call. */
static int open_stat(struct affinity *a) {
	char path[THREAD_PATH_MAX];

	if (a->stat >= 0 && a->client == a->follow.client)
		return a->stat;
	close_fdp(&a->stat);
	a->client = a->follow.client;
	snprintf(path, sizeof(path), "%u/task/%u/stat", a->client, a->client);
	return a->stat = open_beneath(a, path);
}

/* By the name that this thread has there, which may be in another process namespace than its own. */
static int open_waits(const struct affinity *a) {
	char path[THREAD_PATH_MAX + sizeof("/schedstat")];
	ssize_t n = readlinkat(a->proc, "thread-self", path, THREAD_PATH_MAX);

	if (n < 0 || n == THREAD_PATH_MAX)
		return n < 0 ? -errno : -ENAMETOOLONG;
	strcpy(path + n, "/schedstat");
	return open_beneath(a, path);
}

/*
 * How long this thread has been ready to run and not run, since it was asked last, in nanoseconds. A kernel that does not
 * count that is taken for one on which it was long.
 */
static uint64_t waited(struct affinity *a) {
	uint64_t before = a->waited;
	char text[WAITS_SIZE], *second, *end;
	ssize_t n;

	if (a->waits < 0)
		a->waits = open_waits(a);
	n = a->waits < 0 ? -1 : pread(a->waits, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return UINT64_MAX;
	text[n] = '\0';
	if (strtoull(text, &second, 10) == 0) /* of running; not counted */
		return UINT64_MAX;
	a->waited = strtoull(second, &end, 10);
	return end > second ? a->waited - before : UINT64_MAX;
}

static void yield(struct affinity *a, bool yields) {
	const struct sched_param none = { .sched_priority = 0 };

	if (yields == a->yields ||
	    sched_setscheduler(0, yields ? SCHED_IDLE : SCHED_OTHER, &none) < 0)
		return;
	a->yields = yields;
	if (yields)
		waited(a);
}

/* CPUs that have gone since are not missed; where all have gone, the kernel has seen to it. */
static void leave(struct affinity *a) {
	yield(a, false);
	if (sched_setaffinity(0, sizeof(a->any), &a->any) < 0)
		return;
}

/* On which CPU the client is, where we may be as well. */
static int look(struct affinity *a) {
	char text[STAT_SIZE];
	int fd = open_stat(a), cpu;
	ssize_t n = fd < 0 ? fd : pread(fd, text, sizeof(text), 0);

	if (n <= 0)
		return -ESRCH;
	if (a->follow.cpu == FOLLOW_ANYWHERE &&
	    sched_getaffinity(0, sizeof(a->any), &a->any) < 0)
		return -errno;
	cpu = follow_read_cpu(text, (size_t)n);
	return cpu < CPU_SETSIZE && (cpu < 0 || CPU_ISSET(cpu, &a->any)) ? cpu : -ERANGE;
}

static int move(struct affinity *a, int cpu) {
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) < 0 ? -errno : 0;
}

static void follow(struct affinity *a) {
	bool was_kept = a->follow.cpu != FOLLOW_ANYWHERE;
	int cpu = look(a), r = cpu < 0 ? cpu : 0;

	if (r == 0 && follow_seen(&a->follow, cpu))
		r = move(a, cpu);
	if (r < 0)
		follow_lost(&a->follow);
	if (r < 0 && was_kept)
		leave(a);
	else
		yield(a, a->follow.yields);
}

static uint64_t now_ns(void) {
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

void affinity_answered(struct affinity *a) {
	if (a->proc >= 0)
		a->answered = now_ns();
}

void affinity_request(struct affinity *a, uint32_t client) {
	if (a->proc < 0)
		return;
	switch (follow_request(&a->follow, client, now_ns() - a->answered)) {
	case FOLLOW_DOUBT:
		follow_waited(&a->follow, waited(a));
		follow(a);
		break;
	case FOLLOW_LOOK:
		follow(a);
		break;
	case FOLLOW_LEAVE:
		leave(a);
		break;
	case FOLLOW_GO_ON:
		break;
	}
	if (a->yields && a->follow.run % WAITS_OF == 0)
		waited(a);
}
