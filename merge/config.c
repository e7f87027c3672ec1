/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration files: extmerge.conf and extmerge.conf.d. */
#include "config.h"

#include <fcntl.h>
#include <libeconf.h>
#include <string.h>
#include <sys/mman.h>

#include "cascade.h"
#include "conftext.h"
#include "confvalue.h"
#include "file.h"
#include "hierarchyname.h"
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

static int add_error(struct reader *r, unsigned line, char *sentence) {
	return confvalue_complain(&r->config->errors, r->path, line, sentence);
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

/* Asked for by name, as the library's list of keys leaves some out (HACKING, Configuration). */
static int take_value(struct reader *r, const struct confvalue *v) {
	const struct conftext_entry *e = v->entry;
	_cleanup_free_ char *text = NULL;
	enum settings_key key;
	econf_err error;
	int found = confvalue_find_key(v, &key);

	if (found <= 0)
		return found;
	error = econf_getStringValue(r->parsed, e->section, e->key, &text);
	if (error == ECONF_NOMEM)
		return -ENOMEM;
	if (error != ECONF_SUCCESS)
		return add_error(r, e->line,
				 text_format("libeconf does not find %s=: %s", e->key,
					     econf_errString(error) ?: ""));
	return confvalue_set(v, key, text ?: "");
}

/* config.6: what speaks of less says more, wherever in the file it stands. */
static int take_entries(struct reader *r, unsigned rank) {
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->outline.n; i++) {
		const struct confvalue v = { r->config, r->path, &r->outline.items[i] };

		if (confvalue_rank(&v) == rank)
			e = take_value(r, &v);
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
		return confvalue_complain(&c->errors, file->path, 0, strdup(f->why));
	return read_file(c, f, file->path);
}

static int take_files(struct config *c, struct cascade *found) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < found->n; i++)
		r = take_file(c, &found->items[i]);
	return r;
}

struct config_hierarchy *config_add_hierarchy(struct config *c, const char *name) {
	struct config_hierarchy *h = config_find_hierarchy(c, name);

	if (h)
		return h;
	h = reallocarray(c->hierarchies, c->n_hierarchies + 1, sizeof(*h));
	if (!h)
		return NULL;
	c->hierarchies = h;
	h += c->n_hierarchies;
	*h = (struct config_hierarchy){ .name = strdup(name),
					.class = hierarchy_name_class(name) };
	h->is_ours = !h->class;
	c->n_hierarchies += h->name != NULL;
	return h->name ? h : NULL;
}

static int add_hierarchies(struct config *c) {
	for (size_t i = 0; i < CLASS_COUNT; i++)
		for (const char *const *name = classes[i].hierarchies; *name; name++)
			if (!config_add_hierarchy(c, *name))
				return -ENOMEM;
	return 0;
}

/* hierarchy.1: of what no class has, somebody has to say whose it is, or that it is nobody's any more. */
static int settle_hierarchy(struct config *c, struct config_hierarchy *h) {
	int r;

	if (h->is_ours && h->settings.origins[SETTINGS_CLASS].source == SETTINGS_DEFAULT)
		return confvalue_complain(
			&c->errors, h->path, h->line,
			text_format("there is no Class= for /%s, which is no hierarchy of "
				    "a class",
				    h->name));
	if (h->is_ours)
		h->class = h->settings.class;
	if (!h->class)
		return 0;
	r = settings_inherit(&h->settings, &c->of[h->class->id], h->class);
	return r < 0 ? r : strv_append(&c->names[h->class->id], h->name);
}

static int settle_hierarchies(struct config *c) {
	int r = 0;

	if (c->n_hierarchies > HIERARCHIES_MAX)
		return confvalue_complain(&c->errors, c->hierarchies[HIERARCHIES_MAX].path,
					  c->hierarchies[HIERARCHIES_MAX].line,
					  text_format("there are more than %d hierarchies",
						      HIERARCHIES_MAX));
	for (size_t i = 0; r == 0 && i < c->n_hierarchies; i++)
		r = settle_hierarchy(c, &c->hierarchies[i]);
	return r;
}

/* config.3: drop-ins say more than the main file, and count where that is masked. */
int config_read(int root, struct config *ret) {
	_cleanup_(cascade_done) struct cascade main_file = { 0 }, drop_ins = { 0 };
	int r;

	*ret = (struct config){ 0 };
	r = add_hierarchies(ret);
	if (r == 0)
		r = cascade_find(root, directories, NAME, &main_file);
	if (r == 0)
		r = cascade_list(root, drop_in_directories, ".conf", &drop_ins);
	if (r == 0)
		r = take_files(ret, &main_file);
	if (r == 0)
		r = take_files(ret, &drop_ins);
	if (r == 0)
		r = settle_hierarchies(ret);
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
	for (size_t i = 0; i < CLASS_COUNT; i++) {
		settings_done(&c->of[i]);
		strv_free(c->names[i]);
	}
	for (size_t i = 0; i < c->n_hierarchies; i++) {
		free(c->hierarchies[i].name);
		settings_done(&c->hierarchies[i].settings);
	}
	free(c->hierarchies);
	for (size_t i = 0; i < c->n_extensions; i++) {
		free(c->extensions[i].name);
		settings_done(&c->extensions[i].settings);
	}
	free(c->extensions);
	strv_free(c->errors);
	strv_free(c->warnings);
	*c = (struct config){ 0 };
}
