/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What extmerge asks device-mapper itself. */
#include "devmapper.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "node.h"

#define MISC_MAJOR 10
#define MISC_NAME "device-mapper"
#define REPLY_SIZE (16 * 1024) /* bytes, to begin with: some hundred devices */
#define REPLY_SIZE_MAX (16 * 1024 * 1024)
#define LOCK_TRIES 100
#define LOCK_PAUSE_NS 10000000

/* The control device's number, by the kernel's list: it is there only while device-mapper is. */
static int control_number(dev_t *ret) {
	_cleanup_fclose_ FILE *misc = fopen("/proc/misc", "re");
	unsigned number;
	char name[64];

	if (!misc)
		return -errno;
	while (fscanf(misc, "%u %63s", &number, name) == 2)
		if (strcmp(name, MISC_NAME) == 0) {
			*ret = makedev(MISC_MAJOR, number);
			return 0;
		}
	return -ENODEV;
}

int devmapper_open(int nodes) {
	dev_t device = 0;
	int r = control_number(&device);

	if (r < 0)
		return r;
	return node_open("/dev/" DM_DIR "/" DM_CONTROL_NODE, S_IFCHR, device, O_RDWR,
			 nodes);
}

/* Sends a command whose answer has no end that is known before; the caller owns *ret. */
static int ask_list(int control, unsigned long command, struct dm_ioctl **ret) {
	for (uint32_t size = REPLY_SIZE; size <= REPLY_SIZE_MAX; size *= 4) {
		_cleanup_free_ struct dm_ioctl *q = calloc(1, size);

		if (!q)
			return -ENOMEM;
		/* No later minor version than this is asked for: what is used is as old as deferred removal. */
		*q = (struct dm_ioctl){ .version = { DM_VERSION_MAJOR },
					.data_size = size,
					.data_start = sizeof(*q) };
		if (ioctl(control, command, q) < 0)
			return -errno;
		if (!(q->flags & DM_BUFFER_FULL_FLAG)) {
			*ret = TAKE_PTR(q);
			return 0;
		}
	}
	return -E2BIG;
}

/* Sends a command about one device; `q` brings its flags, and takes the answer. */
static int ask_device(int control, unsigned long command, const char *name,
		      struct dm_ioctl *q) {
	q->version[0] = DM_VERSION_MAJOR;
	q->data_size = q->data_start = sizeof(*q);
	snprintf(q->name, sizeof(q->name), "%s", name);
	return ioctl(control, command, q) < 0 ? -errno : 0;
}

int devmapper_has_target(int control, const char *type) {
	_cleanup_free_ struct dm_ioctl *q = NULL;
	uint32_t at;
	int r = ask_list(control, DM_LIST_VERSIONS, &q);

	if (r < 0)
		return r;
	at = q->data_start;
	while (at + sizeof(struct dm_target_versions) < q->data_size) {
		const struct dm_target_versions *v = (const void *)((char *)q + at);

		if (strcmp(v->name, type) == 0)
			return 0;
		if (v->next == 0)
			break;
		at += v->next;
	}
	return -ENODEV;
}

/*
 * On the control device's inode, which all runs of a machine share: whoever makes a device holds it shared,
 * who removes what was left behind needs it alone, and a process that is killed holds it no more. Where others
 * keep it for a second, the device is made without: if it is then taken for a remnant, making it fails.
 */
void devmapper_lock(int control) {
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES && flock(control, LOCK_SH | LOCK_NB) < 0; i++)
		nanosleep(&pause, NULL);
}

void devmapper_unlock(int control) {
	flock(control, LOCK_UN);
}

int devmapper_number(int control, const char *name, dev_t *ret) {
	struct dm_ioctl q = { 0 };
	int r = ask_device(control, DM_DEV_STATUS, name, &q);

	if (r < 0)
		return r;
	if (!(q.flags & DM_ACTIVE_PRESENT_FLAG) || !(q.flags & DM_READONLY_FLAG))
		return -ENXIO;
	*ret = makedev(q.dev >> 8 & 0xfff, (q.dev & 0xff) | (q.dev >> 12 & 0xfff00));
	return 0;
}

int devmapper_remove(int control, const char *name) {
	struct dm_ioctl q = { .flags = DM_DEFERRED_REMOVE };

	return ask_device(control, DM_DEV_REMOVE, name, &q);
}

static int remove_ours(int control) {
	_cleanup_free_ struct dm_ioctl *q = NULL;
	uint32_t at;
	int r = ask_list(control, DM_LIST_DEVICES, &q), failed = 0;

	if (r < 0)
		return r;
	at = q->data_start;
	while (at + sizeof(struct dm_name_list) < q->data_size) {
		const struct dm_name_list *l = (const void *)((char *)q + at);

		if (l->dev == 0)
			break; /* the one entry of an empty list */
		if (strncmp(l->name, DEVMAPPER_PREFIX, strlen(DEVMAPPER_PREFIX)) == 0)
			failed = devmapper_remove(control, l->name);
		if (failed < 0 && failed != -ENXIO)
			r = failed; /* and on with the others */
		if (l->next == 0)
			break;
		at += l->next;
	}
	return r;
}

int devmapper_heal(int nodes) {
	_cleanup_close_ int control = devmapper_open(nodes);

	if (control < 0)
		return control == -ENODEV ? 0 : control;
	if (flock(control, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : -errno;
	return remove_ours(control);
}
