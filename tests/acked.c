/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes a directory and notes what was acknowledged, until that fails:
 *     acked change DIR NOTES FROM
 * or looks whether all that was noted is there, and nothing is half done:
 *     acked check DIR NOTES
 * DIR has log, made/, moved/, and in old/ and copied/ files by number, with their number in them. Each round has
 * one number, beginning with FROM. For tests/root/union-write.sh, which kills the server meanwhile.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "merge/base.h"

enum { APPENDED, MADE, MOVED, REMOVED, COPIED, STEPS };

#define TEXT_MAX 64

static int root;

static void name(char text[static TEXT_MAX], const char *directory, unsigned n) {
	snprintf(text, TEXT_MAX, "%s/%u", directory, n);
}

static int put(const char *path, int flags, const char *text) {
	_cleanup_close_ int fd = openat(root, path, O_WRONLY | O_CLOEXEC | flags, 0644);

	return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -1 : 0;
}

static int step(unsigned what, unsigned n) {
	char from[TEXT_MAX], to[TEXT_MAX], text[TEXT_MAX];

	snprintf(text, sizeof(text), "%u\n", n);
	switch (what) {
	case APPENDED:
		return put("log", O_APPEND, text);
	case MADE:
		name(to, "made", n);
		return put(to, O_CREAT | O_EXCL, text);
	case MOVED:
		name(from, "made", n);
		name(to, "moved", n);
		return renameat(root, from, root, to);
	case REMOVED:
		name(from, "old", n);
		return unlinkat(root, from, 0);
	default:
		name(to, "copied", n);
		return put(to, O_APPEND, "more\n");
	}
}

static int change(int notes, unsigned n) {
	for (;; n++)
		for (unsigned what = 0; what < STEPS; what++) {
			const unsigned note[] = { what, n };

			if (step(what, n) < 0)
				return 0;
			if (write(notes, note, sizeof(note)) != sizeof(note))
				return 1;
		}
}

/* --- */

static unsigned n_wrong;

static void wrong(const char *what, unsigned n) {
	if (n_wrong++ < 20)
		printf("%s: %u\n", what, n);
}

static bool holds(const char *directory, unsigned n, const char *text) {
	char path[TEXT_MAX], got[TEXT_MAX] = "";
	_cleanup_close_ int fd = -EBADF;

	name(path, directory, n);
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, got, sizeof(got) - 1) >= 0 && strcmp(got, text) == 0;
}

static bool is_there(const char *directory, unsigned n) {
	char path[TEXT_MAX];

	name(path, directory, n);
	return faccessat(root, path, F_OK, 0) == 0;
}

/* What was not noted may have been done or not, but nothing in between. */
static void check_round(unsigned n, const bool done[STEPS]) {
	char text[TEXT_MAX], more[TEXT_MAX];

	snprintf(text, sizeof(text), "%u\n", n);
	snprintf(more, sizeof(more), "%u\nmore\n", n);
	if (done[MOVED] && !holds("moved", n, text))
		wrong("not where it was moved", n);
	if (done[MADE] && !done[MOVED] && !holds("made", n, text) &&
	    !holds("moved", n, text))
		wrong("not what was made", n);
	if (done[REMOVED] && is_there("old", n))
		wrong("is there again", n);
	if (!done[REMOVED] && is_there("old", n) && !holds("old", n, text))
		wrong("not what was below", n);
	if (!holds("copied", n, more) && (done[COPIED] || !holds("copied", n, text)))
		wrong("half copied", n);
}

/* The lines of the log, in their order; returns how many of the noted ones are missing. */
static void check_log(const bool *noted, unsigned max) {
	_cleanup_close_ int fd = openat(root, "log", O_RDONLY | O_CLOEXEC);
	FILE *log = fd < 0 ? NULL : fdopen(dup(fd), "re");
	bool *found = calloc(max + 1, sizeof(*found));
	unsigned n;

	while (log && fscanf(log, "%u", &n) == 1)
		if (n <= max)
			found[n] = true;
	for (n = 0; n <= max; n++)
		if (noted[n] && !found[n])
			wrong("not in the log", n);
	if (log)
		fclose(log);
	free(found);
}

#define ROUNDS 100000

static int check(int notes) {
	static bool done[ROUNDS][STEPS], logged[ROUNDS];
	unsigned note[2], max = 0;

	while (read(notes, note, sizeof(note)) == sizeof(note) && note[1] < ROUNDS) {
		done[note[1]][note[0]] = true;
		if (note[1] > max)
			max = note[1];
	}
	for (unsigned n = 1; n <= max; n++) {
		logged[n] = done[n][APPENDED];
		check_round(n, done[n]);
	}
	check_log(logged, max);
	printf("%u rounds, %u wrong\n", max, n_wrong);
	return n_wrong > 0;
}

int main(int argc, char **argv) {
	bool changes = argc == 5 && strcmp(argv[1], "change") == 0;
	int notes;

	if (!changes && (argc != 4 || strcmp(argv[1], "check") != 0))
		return 2;
	root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	notes = open(argv[3], changes ? O_WRONLY | O_APPEND : O_RDONLY, 0);
	if (root < 0 || notes < 0)
		return 2;
	return changes ? change(notes, (unsigned)atoi(argv[4])) : check(notes);
}
