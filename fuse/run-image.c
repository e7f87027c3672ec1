/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge-fuse image: the process that serves images, each in threads of its own. */
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "parcel.h"
#include "process.h"
#include "request.h"
#include "run.h"
#include "serve.h"

#define STACK_SIZE ((size_t)256 * 1024)

/* Counts the images that are served; the process ends after the last one. */
struct house {
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned images;
	bool takes_more;
};

/* One of them, and all that goes with its last user. */
struct image {
	struct house *house;
	struct request request;
	int fuse, log, report;
	bool is_first, is_at_work;
	struct complaints *complaints;
	struct verified *file;
	struct serve *serve;
	struct parcel parcel; /* of one that came later */
};

static void image_free(struct image *i) {
	if (!i)
		return;
	serve_free(i->serve);
	verified_free(i->file);
	complaints_free(i->complaints);
	close_fdp(&i->fuse);
	close_fdp(&i->log);
	close_fdp(&i->request.target.data_fd);
	close_fdp(&i->request.target.hash_fd);
	free(i);
}
DEFINE_CLEANUP(struct image, image_free)

static struct image *image_new(struct house *h, int report) {
	struct image *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->house = h;
	i->report = report;
	i->fuse = i->log = -EBADF;
	i->request.target.data_fd = i->request.target.hash_fd = -EBADF;
	return i;
}

static int image_fail(const struct image *i, int error, const char *what,
		      const char *why) {
	return process_fail(i->report, error, what, why);
}

/* vfile.10: by now extmerge has read the superblock too, so what is refused here has changed since. */
static int prepare(struct image *i) {
	const struct request *q = &i->request;
	const char *what = "cannot read the image", *why = NULL;
	int r = verified_new(&q->target, q->cache_bytes, &i->file, &why);

	if (r == 0)
		r = complaints_new(q->name, i->log, &i->complaints);
	if (r == 0) {
		what = "cannot begin to serve";
		r = serve_new(TAKE_FD(i->fuse), i->file, i->complaints, q->threads,
			      &i->serve);
	}
	if (r < 0)
		image_fail(i, r, what, why ?: strerror(-r));
	return r;
}

/* The filter of the first one counts for all threads that come later. */
static int on_ready(void *image) {
	struct image *i = image;

	if (i->is_first)
		return process_ready(i->house->takes_more ? CONFINE_IMAGES
							  : CONFINE_IMAGE);
	if (write(i->report, "", 1) < 0)
		return -errno;
	i->is_at_work = true;
	return 0;
}

static void leave(struct house *h) {
	pthread_mutex_lock(&h->lock);
	h->images--;
	pthread_cond_signal(&h->left);
	pthread_mutex_unlock(&h->lock);
}

/* Whoever asked for it may have gone: then so has the mount, and with it the last user. */
static void *serve_image(void *image) {
	_cleanup_(image_freep) struct image *i = image;
	struct house *h = i->house;
	int r = serve_run(i->serve, on_ready, i);

	if (r < 0 && (i->is_first || i->is_at_work))
		_exit(EXIT_FAILURE); /* other threads may still be at work */
	if (r < 0) {
		image_fail(i, r, "cannot begin to serve", strerror(-r));
		(void)TAKE_PTR(i); /* those of its threads that have begun still use it */
	}
	leave(h);
	return NULL;
}

static int start(struct image *i, void *(*run)(void *image)) {
	struct house *h = i->house;
	pthread_attr_t attributes;
	pthread_t thread;
	int r = -pthread_attr_init(&attributes);

	if (r < 0)
		return r;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&h->lock);
	r = -pthread_create(&thread, &attributes, run, i);
	if (r == 0)
		h->images++;
	pthread_mutex_unlock(&h->lock);
	pthread_attr_destroy(&attributes);
	return r;
}

/* --- further images --- */

/* The same fds as the first one's, but for the pipe. */
static int unpack(struct image *i, const char **ret_why) {
	struct parcel *p = &i->parcel;

	*ret_why = "wrong fds";
	if (p->n_fds != REQUEST_MORE_FDS)
		return -EINVAL;
	if (request_parse(p->argc, p->argv, &i->request, ret_why) < 0)
		return -EINVAL;
	i->fuse = TAKE_FD(p->fds[0]);
	i->request.target.data_fd = TAKE_FD(p->fds[1]);
	i->request.target.hash_fd = TAKE_FD(p->fds[2]);
	i->log = TAKE_FD(p->fds[3]);
	return 0;
}

static void *serve_further(void *image) {
	struct image *i = image;
	struct house *h = i->house;

	if (prepare(i) == 0)
		return serve_image(i);
	image_free(i);
	leave(h);
	return NULL;
}

static int take(struct house *h) {
	_cleanup_(image_freep) struct image *i = image_new(h, REQUEST_FD_MORE);
	const char *why = NULL;
	int r = i ? parcel_receive(REQUEST_FD_MORE, &i->parcel) : -ENOMEM;

	if (r <= 0)
		return r;
	r = unpack(i, &why);
	parcel_done(&i->parcel);
	if (r == 0)
		r = start(i, serve_further);
	if (r == 0)
		(void)TAKE_PTR(i);
	else
		image_fail(i, r, "cannot take the image", why ?: strerror(-r));
	return 1;
}

/*
 * vfile.17: until extmerge is done, or something is wrong with what it says, which is no reason to end for those who
 * read already. From then on it can do no more than who serves one image.
 */
static void take_all(struct house *h) {
	while (take(h) > 0)
		;
	close(REQUEST_FD_MORE);
	confine_calls(CONFINE_IMAGE);
}

/* --- the process --- */

static int serve(struct image *first) {
	struct house *h = first->house;
	const char *what = NULL;
	int r = prepare(first);

	if (r < 0)
		return EXIT_FAILURE;
	/* Not before: what hashes is a library that is loaded when the first reader is made. */
	r = process_confine(0, &what);
	if (r == 0) {
		what = "cannot begin to serve";
		r = start(first, serve_image);
	}
	if (r < 0)
		return image_fail(first, r, what, strerror(-r));
	if (h->takes_more)
		take_all(h);
	pthread_mutex_lock(&h->lock);
	while (h->images > 0)
		pthread_cond_wait(&h->left, &h->lock);
	pthread_mutex_unlock(&h->lock);
	return EXIT_SUCCESS;
}

/* Whether we were started as request.h says, and not by hand. */
static bool is_started_by_extmerge(void) {
	struct stat fuse, data, hash, ready, log;

	return fstat(REQUEST_FD_FUSE, &fuse) == 0 && S_ISCHR(fuse.st_mode) &&
	       fstat(REQUEST_FD_DATA, &data) == 0 && fstat(REQUEST_FD_HASH, &hash) == 0 &&
	       fstat(REQUEST_FD_READY, &ready) == 0 && S_ISFIFO(ready.st_mode) &&
	       fstat(REQUEST_FD_LOG, &log) == 0;
}

int run_image(int argc, char **argv) {
	static struct house h = { .lock = PTHREAD_MUTEX_INITIALIZER,
				  .left = PTHREAD_COND_INITIALIZER };
	struct image *first;
	const char *why = NULL;

	if (!is_started_by_extmerge()) {
		fprintf(stderr,
			"extmerge-fuse: 'image' is started by extmerge, which hands it an "
			"image and a mount\n"
			"  hint: 'extmerge merge' does that where it is needed; see "
			"extmerge-fuse(8)\n");
		return EXIT_USAGE;
	}
	process_ignore_signals();
	first = image_new(&h, REQUEST_FD_READY);
	if (!first)
		return process_fail(REQUEST_FD_READY, -ENOMEM, "cannot begin to serve",
				    strerror(ENOMEM));
	if (request_parse(argc, argv, &first->request, &why) < 0)
		return image_fail(first, -EINVAL, "wrong arguments", why);
	first->is_first = true;
	first->fuse = REQUEST_FD_FUSE;
	first->log = REQUEST_FD_LOG;
	h.takes_more = first->request.takes_more;
	return serve(first);
}
