/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has to run after a change, noted in /run. */
#include "due.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "process.h"
#include "strv.h"
#include "text.h"
#include "unitlist.h"

#define PLACE "/run/extmerge"
#define NOTES PLACE "/due"
#define NOTES_MAX 1000
#define TEXT_MAX (1024 * 1024)

/* --- the text: a word and a value on each line --- */

static int add_line(char **text, const char *word, const char *value) {
	char *longer = text_format("%s%s %s\n", *text ?: "", word, value);

	free(*text);
	*text = longer;
	return longer ? 0 : -ENOMEM;
}

static int add_lines(char **text, const char *word, char *const *values) {
	int r = 0;

	for (; r == 0 && values && *values; values++)
		r = add_line(text, word, *values);
	return r;
}

int due_format(const struct hook_calls *c, char **ret) {
	_cleanup_free_ char *words = trigger_words(c->triggers), *text = NULL;
	int r = words ? add_line(&text, "triggers", words) : -ENOMEM;

	if (r == 0 && c->has_come)
		r = add_line(&text, "come", "yes");
	for (size_t t = 0; r == 0 && t < TRIGGER_COUNT; t++)
		r = add_lines(&text, trigger_word((enum trigger)t), c->names[t]);
	if (r == 0)
		r = add_lines(&text, "restart", c->restart);
	if (r == 0)
		r = add_lines(&text, "reload", c->reload);
	if (r == 0)
		*ret = TAKE_PTR(text);
	return r;
}

static int take_name(const char *word, const char *value, struct hook_calls *c) {
	for (size_t t = 0; t < TRIGGER_COUNT; t++)
		if (strcmp(word, trigger_word((enum trigger)t)) == 0 &&
		    trigger_is_name(value) && !strv_contains(c->names[t], value))
			return strv_append(&c->names[t], value);
	return 0;
}

static int take_line(const char *word, const char *value, struct hook_calls *c) {
	_cleanup_strv_ char **bad = NULL;

	if (strcmp(word, "triggers") == 0)
		c->triggers |= trigger_from_words(value);
	else if (strcmp(word, "come") == 0)
		c->has_come = true;
	else if (strcmp(word, "restart") == 0)
		return unitlist_add(value, &c->restart, &bad);
	else if (strcmp(word, "reload") == 0)
		return unitlist_add(value, &c->reload, &bad);
	else
		return take_name(word, value, c);
	return 0;
}

int due_parse(const char *text, struct hook_calls *c) {
	_cleanup_free_ char *copy = strdup(text);
	int r = copy ? 0 : -ENOMEM;

	for (char *line = copy, *next; r == 0 && line; line = next) {
		char *value;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		value = strchr(line, ' ');
		if (!value || !next) /* a line that was not written to its end is none */
			continue;
		*value++ = '\0';
		r = take_line(line, value, c);
	}
	return r;
}

/* --- the notes: one for each process, with a name that tells whether it lives --- */

/* Only root may have put something there. */
static int open_notes(void) {
	_cleanup_close_ int fd = open(NOTES,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || (st.st_mode & 022))
		return -EPERM;
	return TAKE_FD(fd);
}

static int make_notes(void) {
	if ((mkdir(PLACE, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(NOTES, 0755) < 0 && errno != EEXIST))
		return -errno;
	return open_notes();
}

void due_note(const struct hook_calls *c) {
	_cleanup_close_ int notes = make_notes(), fd = -EBADF;
	_cleanup_free_ char *name = process_describe(getpid()), *text = NULL;
	size_t len;

	if (notes < 0 || !name || due_format(c, &text) < 0)
		return;
	len = strlen(text);
	fd = openat(notes, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd >= 0 && write(fd, text, len) != (ssize_t)len)
		(void)unlinkat(notes, name, 0);
}

/* The names of processes that live no more; and of nobody. */
static int list_found(int notes, char ***ret) {
	_cleanup_strv_ char **all = NULL;
	int r = file_list(notes, NOTES_MAX, &all);

	for (char **name = all; r == 0 && name && *name; name++)
		if (!process_is_alive(*name))
			r = strv_append(ret, *name);
	return r;
}

int due_find(struct hook_calls *c) {
	_cleanup_close_ int notes = open_notes();
	_cleanup_strv_ char **names = NULL;
	int r = notes < 0 ? 0 : list_found(notes, &names);
	bool is_any = false;

	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_close_ int fd = file_open_exact(notes, *name, O_RDONLY);
		_cleanup_free_ char *text = NULL;
		size_t len;

		if (fd < 0 || file_read(fd, TEXT_MAX, &text, &len) < 0)
			continue;
		is_any = true;
		r = due_parse(text, c);
	}
	return r == -ENOMEM ? r : is_any;
}

static void remove_place(void) {
	(void)rmdir(NOTES);
	(void)rmdir(PLACE); /* where nothing else is in it */
}

void due_forget_found(void) {
	_cleanup_close_ int notes = open_notes();
	_cleanup_strv_ char **names = NULL;

	if (notes >= 0)
		(void)list_found(notes, &names);
	for (char **name = names; name && *name; name++)
		(void)unlinkat(notes, *name, 0);
}

void due_forget(void) {
	_cleanup_close_ int notes = open_notes();
	_cleanup_free_ char *name = process_describe(getpid());

	if (notes >= 0 && name && unlinkat(notes, name, 0) == 0)
		remove_place();
}
