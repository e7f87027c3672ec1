/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge run: a command that sees extensions which nobody else sees; needs no privilege. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../configure.h"
#include "../enclave.h"
#include "../image.h"
#include "../log.h"
#include "../order.h"
#include "../report.h"
#include "../text.h"
#include "../transition.h"
#include "change.h"
#include "verbs.h"

/* As shells have it. */
#define EXIT_NO_COMMAND 127
#define EXIT_NOT_EXECUTABLE 126

static enum exit_code check_call(const struct options *o) {
	if (!o->with == !o->service) {
		log_error(
			"'run' takes either --service=NAME, or --with=IMAGE at least once");
		return EXIT_USAGE;
	}
	if (strcmp(o->root, "/") != 0) {
		log_error("'run' takes no --root=: the command runs on this host");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static enum exit_code enter(bool is_fed) {
	int r = enclave_enter(is_fed);

	if (r == 0)
		return EXIT_DONE;
	log_error("Cannot make a namespace for the command: %s", strerror(-r));
	log_hint(r == -EPERM || r == -EACCES
			 ? "this host keeps user namespaces from ordinary users "
			   "(kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, a container's filter); root needs none"
			 : "user.max_user_namespaces limits them");
	return EXIT_PRIVILEGE;
}

/* The class for which a directory has a release file; an image's is that of its suffix, or the one that was asked for. */
static const struct class *class_of(const struct options *o, const char *path) {
	_cleanup_free_ char *confext = text_format("%s/etc/extension-release.d", path);
	bool is_confext = o->classes[CLASS_SYSEXT] == o->classes[CLASS_CONFEXT]
				  ? confext && access(confext, F_OK) == 0
				  : o->classes[CLASS_CONFEXT];

	return &classes[is_confext ? CLASS_CONFEXT : CLASS_SYSEXT];
}

static const struct extension *find_namesake(const struct extensions *list,
					     const struct extension *e) {
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->class == e->class &&
		    strcmp(list->items[i]->name.name, e->name.name) == 0)
			return list->items[i];
	return NULL;
}

static enum exit_code take(struct route *r, const char *path) {
	const struct extension *other;
	struct extension *e = NULL;
	int error = image_open(path, class_of(r->options, path), &e);

	if (error < 0) {
		log_error("Cannot open '%s': %s", path, strerror(-error));
		return EXIT_FAILED;
	}
	other = find_namesake(&r->extensions, e);
	if (other) {
		log_error("Cannot merge both '%s' and '%s': they have one name",
			  other->path, path);
		extension_free(e);
		return EXIT_USAGE;
	}
	error = extensions_add(&r->extensions, e);
	return error < 0 ? route_fail(error, "take the extensions") : EXIT_DONE;
}

/* command.4: who names an extension wants all of it, or to know why not. */
static enum exit_code refuse_skipped(const struct route *r) {
	if (route_count_skipped(r) == 0)
		return EXIT_DONE;
	report_skipped(r);
	log_error("Cannot run the command: not all of what was asked for can be merged");
	return route_is_all_refused(r) ? EXIT_REFUSED : EXIT_SKIPPED;
}

/* command.2: in a user namespace, root's files are nobody's: what the host asks is read before. */
static enum exit_code read_demands(struct route *r) {
	enum exit_code code;
	const char *why = NULL;
	int e;

	r->base = fcntl(r->root, F_DUPFD_CLOEXEC, 3);
	if (r->base < 0)
		return route_fail(-errno, "open the root");
	code = configure(r);
	if (code != EXIT_DONE)
		return code;
	e = host_read(r->base, &r->host, &why);
	if (e < 0) {
		log_error("Cannot tell what this host is: %s", why ?: strerror(-e));
		return EXIT_FAILED;
	}
	e = trust_read(&r->trust, r->base);
	close_fdp(&r->base);
	r->base = -EBADF;
	return e < 0 ? route_fail(e, "read the certificates") : EXIT_DONE;
}

static enum exit_code merge(struct route *r) {
	enum exit_code code = route_enter(r);
	int e;

	/* Opened after entering: in another namespace its mounts could not be used. */
	for (char **path = r->options->with; code == EXIT_DONE && *path; path++)
		code = take(r, *path);
	if (code == EXIT_DONE && (e = order_sort(&r->extensions, r->orders)) < 0)
		code = route_fail(e, "order the extensions");
	if (code == EXIT_DONE)
		code = route_examine(r);
	if (code == EXIT_DONE)
		code = refuse_skipped(r);
	return code == EXIT_DONE ? transition_run(r) : code;
}

static enum exit_code prepare(const struct options *o) {
	struct route r;
	enum exit_code code = route_open(&r, o);

	if (code == EXIT_DONE)
		code = read_demands(&r);
	if (code == EXIT_DONE)
		code = enter(false);
	if (code == EXIT_DONE)
		code = route_open_on_top(&r);
	if (code == EXIT_DONE)
		code = merge(&r);
	route_done(&r);
	return code;
}

/* service.3: a refresh in a namespace that begins as a copy of the host's. */
static enum exit_code prepare_service(const struct options *o) {
	struct route r = ROUTE_NONE;
	enum exit_code code;

	if (geteuid() != 0) {
		log_error("Cannot give a service its extensions: root is needed");
		return EXIT_PRIVILEGE;
	}
	code = enter(true);
	if (code == EXIT_DONE)
		code = route_open_locked(&r, o);
	if (code == EXIT_DONE)
		code = route_shield(&r);
	if (code == EXIT_DONE)
		code = change_run(&r);
	route_done(&r);
	return code;
}

/* command.1: files that a service keeps from others by its umask must not be readable by all. */
static void give_back(const struct options *o) {
	umask(o->umask);
	(void)setrlimit(RLIMIT_NOFILE, &o->fd_limit);
}

static enum exit_code run(const struct options *o) {
	enum exit_code code = check_call(o);
	int error;

	if (code == EXIT_DONE)
		code = o->service ? prepare_service(o) : prepare(o);
	if (code != EXIT_DONE)
		return code;
	give_back(o);
	execvp(o->operands[0], o->operands);
	error = errno;
	log_error("Cannot execute '%s': %s", o->operands[0], strerror(error));
	return (enum exit_code)(error == ENOENT ? EXIT_NO_COMMAND : EXIT_NOT_EXECUTABLE);
}

const struct verb verb_run = {
	.name = "run",
	.operands = "COMMAND",
	.help = "Run a command that alone sees some extensions",
	.min = 1,
	.max = INT_MAX,
	.run = run,
};
