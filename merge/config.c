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

/* The hierarchy that a section calls "/usr". */
static struct config_hierarchy *find_hierarchy(struct config *c, const char *path) {
	return *path == '/' ? config_find_hierarchy(c, path + 1) : NULL;
}

static int refuse_value(struct reader *r, const struct conftext_entry *e,
			enum settings_key key, const char *text, const char *why) {
	return add_error(r, e->line,
			 text_format("%s=%s is not %s%s%s", e->key, text,
				     settings_key_allowed(key), why ? ": " : "",
				     why ?: ""));
}

/* config.13 */
static int set_hierarchy(struct reader *r, const struct conftext_entry *e,
			 const struct settings_section *s,
			 const struct settings_origin *origin, enum settings_key key,
			 const char *text) {
	struct config_hierarchy *h = find_hierarchy(r->config, s->name);
	const char *why = NULL;

	if (settings_set(&h->settings, key, text, origin, &why) < 0)
		return refuse_value(r, e, key, text, why);
	if (h->settings.class && h->settings.class != h->class)
		return add_error(r, e->line,
				 text_format("%s=%s cannot be: %s is of class %s", e->key,
					     text, s->name, h->class->name));
	return 0;
}

/* config.7: a value that is not allowed is an error, whatever it would have meant. */
static int set_value(struct reader *r, const struct conftext_entry *e,
		     const struct settings_section *s, enum settings_key key,
		     const char *text) {
	const struct settings_origin origin = {
		.source = SETTINGS_FILE,
		.path = r->path,
		.line = e->line,
		.rank = (unsigned)r->config->n_files * SETTINGS_RANKS +
			settings_section_rank(s),
	};
	const char *why = NULL;

	if (s->scope == SETTINGS_OF_HIERARCHY)
		return set_hierarchy(r, e, s, &origin, key, text);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		if ((!s->class || s->class == &classes[c]) &&
		    settings_set(&r->config->of[c], key, text, &origin, &why) < 0)
			return refuse_value(r, e, key, text, why);
	return 0;
}

/* Asked for by name, as the library's list of keys leaves some out (HACKING, Configuration). */
static int take_value(struct reader *r, const struct conftext_entry *e,
		      const struct settings_section *s, enum settings_key key) {
	_cleanup_free_ char *text = NULL;
	econf_err error = econf_getStringValue(r->parsed, e->section, e->key, &text);

	if (error == ECONF_NOMEM)
		return -ENOMEM;
	if (error != ECONF_SUCCESS)
		return add_error(r, e->line,
				 text_format("libeconf does not find %s=: %s", e->key,
					     econf_errString(error) ?: ""));
	return set_value(r, e, s, key, text ?: "");
}

static int warn_section(struct reader *r, const struct conftext_entry *e) {
	_cleanup_free_ char *nearest = NULL, *word = NULL;

	if (!e->section)
		return add_warning(r, e->line,
				   text_format("%s= is ignored, as it stands in no "
					       "section; that would be [" SETTINGS_SECTION
					       "]",
					       e->key));
	if (strcmp(e->section, SETTINGS_HIERARCHY) == 0)
		return add_warning(r, e->line,
				   text_format("%s= is ignored, as [%s] does not say which",
					       e->key, e->section));
	word = strndup(e->section, strcspn(e->section, " "));
	nearest = word ? suggest(word, settings_sections) : NULL;
	return add_warning(
		r, e->line,
		nearest ? text_format("%s= is ignored, as there is no section [%s]%s",
				      e->key, e->section, nearest)
			: NULL);
}

static int warn_hierarchy(struct reader *r, const struct conftext_entry *e,
			  const char *name) {
	const char *names[ARRAY_SIZE(r->config->hierarchies) + 1] = { NULL }, *nearest;

	for (size_t i = 0; i < r->config->n_hierarchies; i++)
		names[i] = r->config->hierarchies[i].name;
	nearest = text_nearest(name + (*name == '/'), names);
	return add_warning(r, e->line,
			   text_format("%s= is ignored, as there is no hierarchy %s%s%s%s",
				       e->key, name, nearest ? "; did you mean '/" : "",
				       nearest ?: "", nearest ? "'?" : ""));
}

static int warn_key(struct reader *r, const struct conftext_entry *e,
		    enum settings_scope scope) {
	const char *keys[SETTINGS_KEY_COUNT + 1];
	_cleanup_free_ char *nearest = NULL;

	if (settings_key_from(e->key) >= 0)
		return add_warning(r, e->line,
				   text_format("%s= is ignored, as it is no key of [%s]",
					       e->key, e->section));
	settings_keys_of(scope, keys);
	nearest = suggest(e->key, keys);
	return add_warning(
		r, e->line,
		nearest ? text_format("%s= is ignored, as there is no such key%s", e->key,
				      nearest)
			: NULL);
}

/* config.8: what is not known is said, and nothing else. */
static int take_entry(struct reader *r, const struct conftext_entry *e,
		      const struct settings_section *s) {
	int key = settings_key_from(e->key);

	if (s->scope == SETTINGS_OF_HIERARCHY && !find_hierarchy(r->config, s->name))
		return warn_hierarchy(r, e, s->name);
	if (key < 0 || !settings_key_is_of((enum settings_key)key, s->scope))
		return warn_key(r, e, s->scope);
	return take_value(r, e, s, (enum settings_key)key);
}

/* config.6: what speaks of less says more, wherever in the file it stands; 0 is what speaks of nothing known. */
static int take_entries(struct reader *r, unsigned rank) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->outline.n; i++) {
		const struct conftext_entry *entry = &r->outline.items[i];
		struct settings_section s;
		bool is_known = entry->section &&
				settings_section_from(entry->section, &s) == 0;

		if ((is_known ? settings_section_rank(&s) : 0) != rank)
			continue;
		e = is_known ? take_entry(r, entry, &s) : warn_section(r, entry);
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
	for (unsigned rank = 0; e == 0 && rank <= SETTINGS_RANKS; rank++)
		e = take_entries(r, rank);
	return e;
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

static void add_hierarchies(struct config *c) {
	for (size_t i = 0; i < CLASS_COUNT; i++)
		for (const char *const *name = classes[i].hierarchies; *name; name++)
			c->hierarchies[c->n_hierarchies++] = (struct config_hierarchy){
				.class = &classes[i], .name = *name
			};
}

static int inherit(struct config *c) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_hierarchies; i++) {
		struct config_hierarchy *h = &c->hierarchies[i];

		r = settings_inherit(&h->settings, &c->of[h->class->id], h->class);
	}
	return r;
}

/* config.3: drop-ins say more than the main file, and count where that is masked. */
int config_read(int root, struct config *ret) {
	_cleanup_(cascade_done) struct cascade main_file = { 0 }, drop_ins = { 0 };
	int r;

	*ret = (struct config){ 0 };
	add_hierarchies(ret);
	r = cascade_find(root, directories, NAME, &main_file);
	if (r == 0)
		r = cascade_list(root, drop_in_directories, ".conf", &drop_ins);
	if (r == 0)
		r = take_files(ret, &main_file);
	if (r == 0)
		r = take_files(ret, &drop_ins);
	if (r == 0)
		r = inherit(ret);
	if (r < 0 || !ret->errors)
		return r;
	return ret->is_denied ? -EACCES : -EBADMSG;
}

struct config_hierarchy *config_find_hierarchy(struct config *c, const char *name) {
	for (size_t i = 0; i < c->n_hierarchies; i++)
		if (strcmp(c->hierarchies[i].name, name) == 0)
			return &c->hierarchies[i];
	return NULL;
}

void config_done(struct config *c) {
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i].path);
	free(c->files);
	strv_free(c->errors);
	strv_free(c->warnings);
	*c = (struct config){ 0 };
}
