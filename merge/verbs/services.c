/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge refresh --service=NAME, --pid=PID, --all-services. */
#include "services.h"

#include <string.h>
#include <sys/wait.h>

#include "../log.h"
#include "../service.h"
#include "change.h"

/* One namespace to refresh. */
struct target {
	const char *name;
	pid_t pid;
	int namespace;	 /* or a negative errno */
	const char *why; /* not, or NULL */
};

static enum exit_code refuse(const struct target *t) {
	log_error("Cannot refresh the service %s in process %d: %s", t->name, (int)t->pid,
		  t->why ?: strerror(-t->namespace));
	if (t->why)
		log_hint("start it by: extmerge run --service=%s -- COMMAND", t->name);
	return t->namespace == -EPERM || t->namespace == -EACCES ? EXIT_PRIVILEGE
								 : EXIT_FAILED;
}

/* service.5: what the process has opened stays open; what it opens from now on is new. */
static enum exit_code refresh(const struct options *given, const struct target *t) {
	struct options o = *given;
	struct route r = ROUTE_NONE;
	enum exit_code code;

	o.service = t->name;
	code = route_open_service(&r, &o, t->namespace);
	if (code == EXIT_DONE)
		code = change_run(&r);
	route_done(&r);
	return code;
}

/* In a process of its own: if it cannot leave the namespace, or ends there, nothing else is touched. */
static enum exit_code refresh_apart(const struct options *o, const struct target *t) {
	int status;
	pid_t child;

	if (t->namespace < 0)
		return refuse(t);
	log_notice("Service %s, process %d:", t->name, (int)t->pid);
	fflush(NULL);
	child = fork();
	if (child < 0)
		return route_fail(-errno, "start a process");
	if (child == 0) {
		enum exit_code code = refresh(o, t);

		fflush(NULL);
		_exit((int)code);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return route_fail(-errno, "wait for it");
	return WIFEXITED(status) ? (enum exit_code)WEXITSTATUS(status) : EXIT_FAILED;
}

static enum exit_code refresh_process(const struct options *o) {
	struct target t = { .name = o->service, .pid = o->pid };
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int namespace = -EBADF;
	int e = o->service ? 0 : service_read_name(o->pid, &name);

	if (!o->service)
		t.name = name;
	if (e < 0 || !t.name) {
		log_error("Cannot tell which service process %d is of: %s", (int)o->pid,
			  e < 0 ? strerror(-e) : "it sees no extensions of a service");
		if (e == 0)
			log_hint("say --service=NAME as well");
		return EXIT_FAILED;
	}
	t.namespace = namespace = service_open(o->pid, t.name, o->service != NULL, &t.why);
	return refresh_apart(o, &t);
}

static bool is_meant(const struct options *o, const struct service *s) {
	return o->all_services || strcmp(s->name, o->service) == 0;
}

/* JSON is one object: of one namespace. */
static enum exit_code count(const struct options *o, const struct services *s) {
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += is_meant(o, &s->items[i]);
	if (n == 0 && !o->all_services) {
		log_error("Cannot refresh the service %s: no process sees extensions of it",
			  o->service);
		log_hint("it is started by: extmerge run --service=%s -- COMMAND",
			 o->service);
		return EXIT_FAILED;
	}
	if (n > 1 && o->json != JSON_OFF) {
		log_error(
			"Cannot print JSON: there are %zu namespaces of services; say --pid=",
			n);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static enum exit_code refresh_all(const struct options *o) {
	struct services s = { 0 };
	enum exit_code code;
	int e = services_find(&s);

	if (e < 0)
		return route_fail(e, "find the services");
	code = count(o, &s);
	for (size_t i = 0; code != EXIT_USAGE && i < s.n; i++) {
		const struct service *found = &s.items[i];
		const struct target t = { found->name, found->pid, found->namespace,
					  found->why };
		enum exit_code one = is_meant(o, &s.items[i]) ? refresh_apart(o, &t)
							      : EXIT_DONE;

		if (code ==
		    EXIT_DONE) /* the first failure counts, the others are refreshed all the same */
			code = one;
	}
	services_done(&s);
	return code;
}

enum exit_code services_refresh(const struct options *o) {
	if (strcmp(o->root, "/") != 0) {
		log_error(
			"Services are those of this host: --root= does not go with them");
		return EXIT_USAGE;
	}
	if (o->all_services && (o->service || o->pid)) {
		log_error("--all-services goes neither with --service= nor with --pid=");
		return EXIT_USAGE;
	}
	if (geteuid() != 0) {
		log_error("Cannot refresh a service: root is needed");
		return EXIT_PRIVILEGE;
	}
	return o->pid ? refresh_process(o) : refresh_all(o);
}
