/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system's log, where a unit or a boot script runs us: journald by its native protocol, or syslog; and the service
 * manager's line of status (specs: log.*). Datagrams to documented sockets; no library.
 */
#pragma once

#include "base.h"

/* Where the sockets are. */
struct journal_places {
	const char *journald, *syslog;
};
extern const struct journal_places journal_places_default;

/* syslog(3) */
enum journal_priority {
	JOURNAL_ERROR = 3,
	JOURNAL_WARNING = 4,
	JOURNAL_NOTICE = 5,
	JOURNAL_INFO = 6,
	JOURNAL_DEBUG = 7,
};

/* One field of an entry; a NULL value is left out. */
struct journal_field {
	const char *key, *value;
};

/* The datagram of an entry, which the caller owns. 0 or -ENOMEM. */
int journal_format(const struct journal_field *fields, size_t n, char **ret,
		   size_t *ret_length);

/*
 * Connects, where log.1 says so: to journald if stderr is its stream, in place of stderr; else to syslog if `is_boot`,
 * beside stderr. Talk (log.h) goes there from now on. That nothing is there to connect to is no error.
 */
void journal_start(const struct journal_places *places, bool is_boot);

/* Whether entries with fields are wanted: journald listens, and has read what was sent (log.5). */
bool journal_is_on(void);

/* Sends an entry; the identifier is added. What cannot be sent is lost, as there is nobody to tell. */
void journal_send(const struct journal_field *fields, size_t n);

/* Tells the service manager how it is, if it has asked for it ($NOTIFY_SOCKET). */
void journal_status(const char *text);

void journal_stop(void);
