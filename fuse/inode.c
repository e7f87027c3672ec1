/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device's place in the upper bits, the number in the lower 48; what does not fit is mixed. */
#include "inode.h"

#define NUMBER_BITS 48
#define MIXED ((uint64_t)1 << 63)

void inode_devices_done(struct inode_devices *d) {
	free(d->numbers);
	*d = (struct inode_devices){ .numbers = NULL };
}

static int add(struct inode_devices *d, dev_t device) {
	if (d->n == INODE_DEVICES_MAX)
		return -EOVERFLOW;
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 8;
		dev_t *numbers = reallocarray(d->numbers, room, sizeof(*numbers));

		if (!numbers)
			return -ENOMEM;
		d->numbers = numbers;
		d->room = room;
	}
	d->numbers[d->n++] = device;
	return 0;
}

/* A permutation of 64 bits (the last steps of MurmurHash3), so that few of 63 bits meet. */
static uint64_t mix(uint64_t x) {
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

int inode_number(struct inode_devices *d, dev_t device, uint64_t number, uint64_t *ret) {
	size_t i = 0;
	int r = 0;

	while (i < d->n && d->numbers[i] != device)
		i++;
	if (i == d->n)
		r = add(d, device);
	if (r < 0)
		return r;
	if (number >> NUMBER_BITS == 0)
		*ret = number | (uint64_t)i << NUMBER_BITS;
	else
		*ret = MIXED | mix(number + i * UINT64_C(0x9e3779b97f4a7c15));
	if (*ret == 0)
		*ret = MIXED;
	return 0;
}
