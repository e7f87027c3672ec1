/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Libraries that are loaded when they are needed. */
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>

#include "log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *load(struct library *l) {
	if (l->handle || l->is_missing)
		return l->handle;
	l->handle = dlopen(l->name, RTLD_NOW | RTLD_LOCAL);
	l->is_missing = !l->handle;
	return l->handle;
}

bool library_load(struct library *l) {
	bool is_there;

	pthread_mutex_lock(&lock);
	is_there = load(l) != NULL;
	pthread_mutex_unlock(&lock);
	return is_there;
}

static void say_missing(struct library *l) {
	if (!l->is_said)
		log_error("%s is needed, and cannot be loaded", l->name);
	l->is_said = true;
}

bool library_demand(struct library *l) {
	bool is_there;

	pthread_mutex_lock(&lock);
	is_there = load(l) != NULL;
	if (!is_there)
		say_missing(l);
	pthread_mutex_unlock(&lock);
	return is_there;
}

/* Stands for each function that is missing. No ABI of Linux minds arguments that nobody looks at. */
static void *nothing(void) {
	return NULL;
}

static void *look_up(struct library *l, const char *function) {
	void *address = NULL;

	pthread_mutex_lock(&lock);
	if (load(l))
		address = dlsym(l->handle, function);
	if (!l->handle)
		say_missing(l);
	else if (!address)
		log_error("%s has no %s()", l->name, function);
	pthread_mutex_unlock(&lock);
	return address ?: (void *)nothing;
}

void *library_find(struct library *l, const char *function, void **known) {
	void *address = __atomic_load_n(known, __ATOMIC_ACQUIRE);

	if (!address) {
		address = look_up(l, function);
		__atomic_store_n(known, address, __ATOMIC_RELEASE);
	}
	return address;
}
