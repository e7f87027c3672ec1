/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts requests of one client, and has more patience each time that yielding to it was soon over. */
#include "follow.h"

#include <string.h>

#define PAUSE_NS 1000000 /* a longer one may have been our own waiting for a CPU */
#define LOOK_FIRST 32	 /* requests */
#define LOOK_SOON 8
#define LOOK_SELDOM 128 /* one look takes as long as half a request */
#define LOOK_LOST 16384
#define PATIENCE_FIRST 32
#define PATIENCE_LAST 16384
#define WORTH_IT 1024 /* requests */
#define FIELD_STATE 3 /* of "stat", the first behind the name, see proc(5) */
#define FIELD_PROCESSOR 39

void follow_begin(struct follow *f) {
	*f = (struct follow){ .next_look = LOOK_FIRST,
			      .cpu = FOLLOW_ANYWHERE,
			      .patience = PATIENCE_FIRST };
}

/* Whoever yields waits there for all others, so what does not last must not be tried too often. */
static void stop_yielding(struct follow *f) {
	if (!f->yields)
		return;
	f->yields = false;
	if (f->run >= f->yielded + WORTH_IT)
		f->patience = PATIENCE_FIRST;
	else if (f->patience < PATIENCE_LAST)
		f->patience *= 4;
}

static enum follow_step begin_client(struct follow *f, uint32_t client) {
	enum follow_step step = f->cpu == FOLLOW_ANYWHERE ? FOLLOW_GO_ON : FOLLOW_LEAVE;

	stop_yielding(f);
	f->client = client;
	f->run = 0;
	f->next_look = LOOK_FIRST;
	f->cpu = FOLLOW_ANYWHERE;
	return step;
}

/* After a pause the client may be elsewhere; and while we yield, the pause may have been ours. */
static enum follow_step go_on_later(const struct follow *f) {
	if (f->yields)
		return FOLLOW_DOUBT;
	return f->cpu == FOLLOW_ANYWHERE ? FOLLOW_GO_ON : FOLLOW_LOOK;
}

enum follow_step follow_request(struct follow *f, uint32_t client, uint64_t idle) {
	if (client == 0)
		return FOLLOW_GO_ON;
	if (client != f->client || client == FOLLOW_APART)
		return begin_client(f, client);
	f->run++;
	if (idle > PAUSE_NS)
		return go_on_later(f);
	return f->run < f->next_look ? FOLLOW_GO_ON : FOLLOW_LOOK;
}

void follow_waited(struct follow *f, uint64_t waited) {
	if (waited > PAUSE_NS)
		stop_yielding(f);
}

bool follow_seen(struct follow *f, int cpu) {
	bool moves = cpu != f->cpu;

	if (moves && !f->yields && f->cpu != FOLLOW_ANYWHERE && f->run >= f->patience) {
		f->yields = true;
		f->yielded = f->run;
	}
	f->cpu = cpu;
	f->next_look = f->run + (moves ? LOOK_SOON : LOOK_SELDOM);
	return moves;
}

void follow_lost(struct follow *f) {
	begin_client(f, f->client);
	f->next_look = LOOK_LOST;
}

int follow_read_cpu(const char *text, size_t n) {
	const char *end = text + n, *p = memrchr(text, ')', n); /* names may have more */
	int cpu = 0;

	for (int field = FIELD_STATE; p && field <= FIELD_PROCESSOR; field++)
		p = memchr(p + 1, ' ', (size_t)(end - p - 1));
	if (!p || ++p == end || *p < '0' || *p > '9')
		return -EINVAL;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (cpu > (INT32_MAX - 9) / 10)
			return -EINVAL;
		cpu = 10 * cpu + (*p - '0');
	}
	return cpu;
}
