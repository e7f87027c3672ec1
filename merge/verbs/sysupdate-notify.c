/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge sysupdate-notify: systemd-sysupdate has finished an update, and says so to a socket that is our stdin. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../log.h"
#include "../varlink.h"
#include "verbs.h"

#define METHOD "io.systemd.SysUpdate.Notify.OnCompletedUpdate"

/* boot.9: who may tell root what to do is root. What is no socket is the caller's own. */
static bool is_from_root(void) {
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return errno == ENOTSOCK;
	return peer.uid == 0;
}

/* Up to the NUL at the end of a call, which is not counted. */
static int read_call(char *buffer, size_t size, size_t *ret) {
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(STDIN_FILENO, buffer + len, size - len);
		const char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		end = memchr(buffer + len, '\0', (size_t)n);
		len += (size_t)n;
		if (end) {
			*ret = (size_t)(end - buffer);
			return 0;
		}
	}
	return -E2BIG;
}

/* An answer ends with a NUL. */
static void answer(const struct varlink_call *c, const char *text) {
	if (!c->is_oneway &&
	    (fputs(text, stdout) < 0 || putchar('\0') < 0 || fflush(stdout) < 0))
		log_warning("Cannot answer: %s", strerror(errno));
}

static enum exit_code refresh(const struct options *o, const struct varlink_call *c) {
	struct options quiet = *o;
	char text[100];
	enum exit_code code;

	quiet.json = JSON_OFF; /* stdout is for the answer */
	code = verb_refresh.run(&quiet);
	snprintf(text, sizeof(text),
		 "{\"error\":\"io.extmerge.RefreshFailed\",\"parameters\":{\"exitStatus\":%d}}",
		 (int)code);
	answer(c, code == EXIT_DONE ? "{\"parameters\":{}}" : text);
	return code;
}

static enum exit_code act(const struct options *o, const struct varlink_call *c) {
	if (!is_from_root()) {
		log_error("Cannot take a call from somebody else than root");
		answer(c,
		       "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}");
		return EXIT_PRIVILEGE;
	}
	if (strcmp(c->method, METHOD) == 0)
		return refresh(o, c);
	log_error("There is no method '%s'", c->method);
	answer(c, "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}");
	return EXIT_USAGE;
}

static enum exit_code run(const struct options *o) {
	_cleanup_(varlink_call_done) struct varlink_call c = { 0 };
	_cleanup_free_ char *buffer = malloc(VARLINK_CALL_MAX);
	size_t len = 0;
	int r = buffer ? read_call(buffer, VARLINK_CALL_MAX, &len) : -ENOMEM;

	if (r == 0)
		r = varlink_parse_call(buffer, len, &c);
	if (r < 0) {
		log_error("Cannot read the call: %s",
			  r == -EBADMSG ? "it is none of Varlink" : strerror(-r));
		log_hint("this verb is for extmerge-sysupdate.socket");
		return EXIT_USAGE;
	}
	return act(o, &c);
}

const struct verb verb_sysupdate_notify = {
	.name = "sysupdate-notify",
	.help = "For a unit: refresh when told of an update",
	.run = run,
};
