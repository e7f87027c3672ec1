/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration files: extmerge.conf and extmerge.conf.d. */
#include "config.h"

#include <fcntl.h>
#include <libeconf.h>
#include <string.h>
#include <sys/mman.h>

#include "cascade.h"
#include "conftext.h"
#include "file.h"
#include "kernel.h"
#include "library.h"
#include "strv.h"
#include "text.h"

LIBRARY(econf, "libeconf.so.0", "recommended", "reads extmerge.conf where there is one");

#define econf_readFile LIBRARY_CALL(econf, econf_readFile)
#define econf_getStringValue LIBRARY_CALL(econf, econf_getStringValue)
#define econf_freeFile LIBRARY_CALL(econf, econf_freeFile)
#define econf_errString LIBRARY_CALL(econf, econf_errString)

/* config.1: best first. */
#define NAME "extmerge.conf"
static const char *const directories[] = { "etc", "run", "usr/local/lib", "usr/lib",
					   NULL };
static const char *const drop_in_directories[] = { "etc/" NAME ".d", "run/" NAME ".d",
						   "usr/local/lib/" NAME ".d",
						   "usr/lib/" NAME ".d", NULL };

/* One file while it is read. */
struct reader {
	struct config *config;
	const char *path;
	struct conftext outline;
	econf_file *parsed;
};

static void reader_done(struct reader *r) {
	conftext_done(&r->outline);
	if (r->parsed)
		econf_freeFile(r->parsed);
}

/* Appends "PATH:LINE: SENTENCE", which it frees; without a line for 0. */
static int add_sentence(char ***to, const char *path, unsigned line, char *sentence) {
	_cleanup_free_ char *owned = sentence, *text = NULL;

	if (!sentence)
		return -ENOMEM;
	text = line ? text_format("%s:%u: %s", path, line, sentence)
		    : text_format("%s: %s", path, sentence);
	return text ? strv_append(to, text) : -ENOMEM;
}

static int add_error(struct reader *r, unsigned line, char *sentence) {
	return add_sentence(&r->config->errors, r->path, line, sentence);
}

static int add_warning(struct reader *r, unsigned line, char *sentence) {
	return add_sentence(&r->config->warnings, r->path, line, sentence);
}

/* ", did you mean 'Trust'?", or nothing. NULL where memory ran out. */
static char *suggest(const char *word, const char *const *words) {
	const char *nearest = text_nearest(word, words);

	return nearest ? text_format("; did you mean '%s'?", nearest) : strdup("");
}

/*
 * The library takes a path, and reads what is there by then: it gets a copy of the very bytes that were checked, from
 * a file that nobody else has.
 */
static int copy_to_memory(const char *text, size_t len) {
	int fd = memfd_create(NAME, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	size_t done = 0;

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create(NAME, MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	return fd;
}

static int parse(struct reader *r, const char *text, size_t len) {
	_cleanup_close_ int fd = copy_to_memory(text, len);
	char path[FILE_FD_PATH_MAX];
	econf_err e;

	if (fd < 0)
		return fd;
	if (!library_demand(&econf))
		return -ENOSYS;
	file_fd_path(fd, path);
	e = econf_readFile(&r->parsed, path, "=", "#");
	if (e == ECONF_NOMEM)
		return -ENOMEM;
	if (e != ECONF_SUCCESS || !r->parsed)
		return add_error(r, 0,
				 text_format("libeconf cannot parse it: %s",
					     econf_errString(e) ?: "no such function"));
	return 0;
}

/* config.7: a value that is not allowed is an error, whatever it would have meant. */
static int set_value(struct reader *r, const struct conftext_entry *e,
		     enum settings_key key, const char *text) {
	const struct settings_origin origin = { SETTINGS_FILE, r->path, e->line };
	bool is_general = strcmp(e->section, SETTINGS_SECTION) == 0;
	const char *why = NULL;

	for (size_t c = 0; c < CLASS_COUNT; c++) {
		if (!is_general && strcmp(classes[c].name, e->section) != 0)
			continue;
		if (settings_set(&r->config->of[c], key, text, &origin, &why) < 0)
			return add_error(r, e->line,
					 text_format("%s=%s is not %s%s%s", e->key, text,
						     settings_key_allowed(key),
						     why ? ": " : "", why ?: ""));
	}
	return 0;
}

/* Asked for by name, as the library's list of keys leaves some out (HACKING, Configuration). */
static int take_value(struct reader *r, const struct conftext_entry *e,
		      enum settings_key key) {
	_cleanup_free_ char *text = NULL;
	econf_err error = econf_getStringValue(r->parsed, e->section, e->key, &text);

	if (error == ECONF_NOMEM)
		return -ENOMEM;
	if (error != ECONF_SUCCESS)
		return add_error(r, e->line,
				 text_format("libeconf does not find %s=: %s", e->key,
					     econf_errString(error) ?: ""));
	return set_value(r, e, key, text ?: "");
}

/* config.8 */
static int warn_unknown(struct reader *r, const struct conftext_entry *e) {
	_cleanup_free_ char *nearest = NULL;

	if (!e->section)
		return add_warning(r, e->line,
				   text_format("%s= is ignored, as it stands in no "
					       "section; that would be [" SETTINGS_SECTION
					       "]",
					       e->key));
	if (strv_contains((char *const *)settings_sections, e->section)) {
		nearest = suggest(e->key, settings_keys);
		return add_warning(r, e->line,
				   nearest ? text_format("%s= is ignored, as there is no "
							 "such key%s",
							 e->key, nearest)
					   : NULL);
	}
	nearest = suggest(e->section, settings_sections);
	return add_warning(
		r, e->line,
		nearest ? text_format("%s= is ignored, as there is no section [%s]%s",
				      e->key, e->section, nearest)
			: NULL);
}

/* config.6: in one file the class's own section says more, wherever it stands. */
static int take_entries(struct reader *r, bool is_general) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->outline.n; i++) {
		const struct conftext_entry *entry = &r->outline.items[i];
		int key = settings_key_from(entry->key);
		bool is_here = entry->section &&
			       strcmp(entry->section, SETTINGS_SECTION) == 0;

		if (is_here != is_general)
			continue;
		if (key < 0 || !entry->section ||
		    !strv_contains((char *const *)settings_sections, entry->section))
			e = warn_unknown(r, entry);
		else
			e = take_value(r, entry, (enum settings_key)key);
	}
	return e;
}

static int read_text(struct reader *r, const char *text, size_t len) {
	const char *why;
	unsigned line;
	int e = conftext_parse(text, len, &r->outline, &line, &why);

	if (e == -EBADMSG)
		return add_error(r, line, strdup(why));
	if (e == 0 && r->outline.n > 0)
		e = parse(r, text, len);
	if (e < 0 || !r->parsed)
		return e;
	e = take_entries(r, true);
	return e == 0 ? take_entries(r, false) : e;
}

static int read_file(struct config *c, const struct cascade_file *f, const char *path) {
	_cleanup_(reader_done) struct reader r = { .config = c, .path = path };
	_cleanup_close_ int fd = file_reopen(f->fd, O_RDONLY);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int e = fd < 0 ? fd : file_read(fd, CONFTEXT_SIZE_MAX, &text, &len);

	if (e == -EFBIG)
		return add_error(&r, 0, strdup("it is larger than 64 KiB"));
	if (e < 0 && !file_is_shortage(e)) {
		c->is_denied |= e == -EACCES;
		return add_error(&r, 0,
				 text_format("it cannot be read: %s", strerror(-e)));
	}
	return e < 0 ? e : read_text(&r, text, len);
}

static int take_file(struct config *c, struct cascade_file *f) {
	struct config_file *grown = reallocarray(c->files, c->n_files + 1, sizeof(*grown));
	struct config_file *file;

	if (!grown)
		return -ENOMEM;
	c->files = grown;
	file = &grown[c->n_files++];
	*file = (struct config_file){ TAKE_PTR(f->path), f->is_mask };
	if (f->is_mask)
		return 0;
	c->is_denied |= f->error == -EACCES;
	if (f->why)
		return add_sentence(&c->errors, file->path, 0, strdup(f->why));
	return read_file(c, f, file->path);
}

static int take_files(struct config *c, struct cascade *found) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < found->n; i++)
		r = take_file(c, &found->items[i]);
	return r;
}

/* config.3: drop-ins say more than the main file, and count where that is masked. */
int config_read(int root, struct config *ret) {
	_cleanup_(cascade_done) struct cascade main_file = { 0 }, drop_ins = { 0 };
	int r;

	*ret = (struct config){ 0 };
	r = cascade_find(root, directories, NAME, &main_file);
	if (r == 0)
		r = cascade_list(root, drop_in_directories, ".conf", &drop_ins);
	if (r == 0)
		r = take_files(ret, &main_file);
	if (r == 0)
		r = take_files(ret, &drop_ins);
	if (r < 0 || !ret->errors)
		return r;
	return ret->is_denied ? -EACCES : -EBADMSG;
}

void config_done(struct config *c) {
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i].path);
	free(c->files);
	strv_free(c->errors);
	strv_free(c->warnings);
	*c = (struct config){ 0 };
}
