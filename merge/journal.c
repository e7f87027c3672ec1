/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's log, where a unit or a boot script runs us. */
#include "journal.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "log.h"
#include "text.h"

#define IDENTIFIER "extmerge"
#define FACILITY_DAEMON 3
/* One value of a field; a longer one is cut, so that an entry always is one datagram. */
#define VALUE_MAX ((size_t)4096)
/* log.5: how long a log that does not read may hold us. */
#define SEND_SECONDS 1

const struct journal_places journal_places_default = {
	.journald = "/run/systemd/journal/socket",
	.syslog = "/dev/log",
};

/* Whether we have them; there is one log for the process, as there is one stderr. */
static int journald = -EBADF, syslog_socket = -EBADF;

static int connect_to(const char *path) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = SEND_SECONDS };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t length = strlen(path);

	if (fd < 0)
		return -errno;
	if (length == 0 || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	if (*path == '@') /* the abstract namespace */
		address.sun_path[0] = '\0';
	length += offsetof(struct sockaddr_un, sun_path) + (*path != '@');
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, (socklen_t)length) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* Whoever has not read for so long is not waited for again. */
static void send_all(int *fd, const struct iovec *parts, size_t n) {
	const struct msghdr message = { .msg_iov = (struct iovec *)parts,
					.msg_iovlen = n };

	if (sendmsg(*fd, &message, MSG_NOSIGNAL) >= 0 || errno != EAGAIN)
		return;
	close_fdp(fd);
	*fd = -EBADF;
}

/* log.2: a value with line feeds goes with its length, as bytes. */
static void write_field(FILE *f, const struct journal_field *field) {
	size_t length = strnlen(field->value, VALUE_MAX);
	unsigned char size[8];

	if (!memchr(field->value, '\n', length)) {
		fprintf(f, "%s=%.*s\n", field->key, (int)length, field->value);
		return;
	}
	for (size_t i = 0; i < sizeof(size); i++)
		size[i] = (unsigned char)((uint64_t)length >> 8 * i);
	fprintf(f, "%s\n", field->key);
	fwrite(size, sizeof(size), 1, f);
	fwrite(field->value, length, 1, f);
	fputc('\n', f);
}

int journal_format(const struct journal_field *fields, size_t n, char **ret,
		   size_t *ret_length) {
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_length);

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (fields[i].value)
			write_field(f, &fields[i]);
	if (fclose(f) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

void journal_send(const struct journal_field *fields, size_t n) {
	const struct journal_field identifier = { "SYSLOG_IDENTIFIER", IDENTIFIER };
	_cleanup_free_ char *head = NULL, *body = NULL;
	size_t head_length, body_length;
	struct iovec parts[2];

	if (journald < 0 || journal_format(&identifier, 1, &head, &head_length) < 0 ||
	    journal_format(fields, n, &body, &body_length) < 0)
		return;
	parts[0] = (struct iovec){ head, head_length };
	parts[1] = (struct iovec){ body, body_length };
	send_all(&journald, parts, ARRAY_SIZE(parts));
}

static bool talk_to_journald(int priority, const char *text) {
	char number[4];
	const struct journal_field fields[] = { { "MESSAGE", text },
						{ "PRIORITY", number } };

	snprintf(number, sizeof(number), "%d", priority & 7);
	journal_send(fields, ARRAY_SIZE(fields));
	return journald >= 0;
}

static bool talk_to_syslog(int priority, const char *text) {
	_cleanup_free_ char *line = text_format("<%d>" IDENTIFIER "[%d]: %s",
						FACILITY_DAEMON << 3 | (priority & 7),
						(int)getpid(), text);

	if (line && syslog_socket >= 0)
		send_all(&syslog_socket,
			 &(struct iovec){ line, strnlen(line, VALUE_MAX) }, 1);
	return false; /* a console may show stderr as well */
}

/* systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream that stdout or stderr is. */
static bool is_stream_of_journald(void) {
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	int end = 0;

	return text && sscanf(text, "%llu:%llu%n", &device, &inode, &end) == 2 &&
	       text[end] == '\0' && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

void journal_start(const struct journal_places *places, bool is_boot) {
	if (is_stream_of_journald())
		journald = connect_to(places->journald);
	if (journald >= 0)
		log_set_sink(talk_to_journald);
	else if (is_boot)
		syslog_socket = connect_to(places->syslog);
	if (syslog_socket >= 0)
		log_set_sink(talk_to_syslog);
}

bool journal_is_on(void) {
	return journald >= 0;
}

void journal_status(const char *text) {
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_close_ int fd = path ? connect_to(path) : -EBADF;
	_cleanup_free_ char *line = fd < 0 ? NULL : text_escape(text);
	_cleanup_free_ char *message = line ? text_format("STATUS=%s", line) : NULL;

	if (message)
		(void)send(fd, message, strlen(message), MSG_NOSIGNAL);
}

void journal_stop(void) {
	log_set_sink(NULL);
	close_fdp(&journald);
	close_fdp(&syslog_socket);
	journald = syslog_socket = -EBADF;
}
