/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All blocks of a tree on all CPUs: threads take chunk after chunk, in ascending order. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "hashtree.h"

/* Fits the cache of one CPU; smaller ones were slower (tests/bench/verify.sh), larger ones no faster. */
#define CHUNK_SIZE ((size_t)512 * 1024)
#define THREADS_MAX 256

/* What all threads share. */
struct work {
	struct hashtree *tree;
	struct hashtree_source source;
	uint32_t block_size;
	uint64_t total;
	pthread_mutex_t lock; /* for what follows */
	uint64_t next, done;  /* data blocks */
	uint64_t first_wrong; /* where the lowest chunk that failed starts */
	int error;
	struct hashtree_fault fault;
};

/* The blocks [*start, *end) for one thread; false where there is nothing left to do. */
static bool take_chunk(struct work *w, uint64_t *start, uint64_t *end) {
	bool go;

	pthread_mutex_lock(&w->lock);
	go = w->error == 0 && w->next < w->total;
	if (go) {
		*start = w->next;
		*end = *start + CHUNK_SIZE / w->block_size;
		if (*end > w->total)
			*end = w->total;
		w->next = *end;
	}
	pthread_mutex_unlock(&w->lock);
	return go;
}

/*
 * All chunks below one that failed have been taken, and those who took them come to their end: so the
 * lowest fault is the first of the image, in whatever order they arrive.
 */
static void give_result(struct work *w, uint64_t start, uint64_t end, int r,
			const struct hashtree_fault *fault) {
	pthread_mutex_lock(&w->lock);
	if (r == 0) {
		w->done += end - start;
	} else if (w->error == 0 || start < w->first_wrong) {
		w->error = r;
		w->first_wrong = start;
		w->fault = *fault;
	}
	pthread_mutex_unlock(&w->lock);
}

static int check_chunk(const struct work *w, struct hashtree_reader *rd, uint8_t *buffer,
		       uint64_t start, uint64_t end, struct hashtree_fault *ret_fault) {
	int r;

	*ret_fault = (struct hashtree_fault){ .area = HASHTREE_DATA,
					      .block = start,
					      .offset = start * w->block_size };
	r = w->source.read(w->source.userdata, HASHTREE_DATA, start * w->block_size,
			   buffer, (end - start) * w->block_size);
	for (uint64_t i = start; r == 0 && i < end; i++)
		r = hashtree_check(rd, i, buffer + (i - start) * w->block_size, ret_fault);
	return r;
}

/* `sweep` is given to the caller's own thread only. */
static int report(struct work *w, const struct hashtree_sweep *sweep) {
	uint64_t done;

	if (!sweep || !sweep->progress)
		return 0;
	pthread_mutex_lock(&w->lock);
	done = w->done;
	pthread_mutex_unlock(&w->lock);
	return sweep->progress(sweep->userdata, done, w->total);
}

static int work_on(struct work *w, const struct hashtree_sweep *sweep) {
	_cleanup_(hashtree_reader_freep) struct hashtree_reader *rd = NULL;
	_cleanup_free_ uint8_t *buffer = malloc(CHUNK_SIZE);
	uint64_t start, end;
	int r;

	if (!buffer)
		return -ENOMEM;
	r = hashtree_reader_new(w->tree, &rd);
	while (r == 0 && take_chunk(w, &start, &end)) {
		struct hashtree_fault fault;

		give_result(w, start, end, check_chunk(w, rd, buffer, start, end, &fault),
			    &fault);
		r = report(w, sweep);
	}
	return r;
}

/* A helper that finds no memory leaves its share to the others. */
static void *help(void *work) {
	work_on(work, NULL);
	return NULL;
}

static unsigned count_cpus(void) {
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);

	return n > 0 ? (unsigned)n : 1;
}

/* Starts up to n threads, in which no signal handler will run; returns how many there are. */
static unsigned start_helpers(struct work *w, pthread_t *threads, unsigned n) {
	sigset_t all, old;
	unsigned i;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (i = 0; i < n && pthread_create(&threads[i], NULL, help, w) == 0; i++)
		;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return i;
}

static int run(struct work *w, const struct hashtree_sweep *sweep, unsigned n) {
	pthread_t threads[THREADS_MAX];
	unsigned started = start_helpers(w, threads, n - 1);
	int r;

	r = work_on(w, sweep);
	if (r < 0) {
		pthread_mutex_lock(&w->lock);
		w->next = w->total;
		pthread_mutex_unlock(&w->lock);
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return r < 0 ? r : w->error;
}

int hashtree_verify_all(struct hashtree *t, const struct hashtree_sweep *sweep,
			struct hashtree_fault *ret_fault) {
	const struct superblock *sb = hashtree_superblock(t);
	unsigned n = sweep->threads > 0 ? sweep->threads : count_cpus();
	struct work w = {
		.tree = t,
		.source = *hashtree_source(t),
		.block_size = sb->data_block_size,
		.total = sb->data_blocks,
	};
	int r;

	pthread_mutex_init(&w.lock, NULL);
	r = run(&w, sweep, n < THREADS_MAX ? n : THREADS_MAX);
	if (r == 0)
		r = report(&w, sweep);
	pthread_mutex_destroy(&w.lock);
	if (w.error < 0)
		*ret_fault = w.fault;
	return r;
}
