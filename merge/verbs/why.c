/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge why: which layer supplies a file and what it hides; why an extension is left out. */
#include <fcntl.h>
#include <string.h>

#include "../file.h"
#include "../json.h"
#include "../log.h"
#include "../route.h"
#include "../text.h"
#include "verbs.h"

#define COMPARE_MAX (64 * 1024 * 1024) /* bytes of two files that are compared */

static void say(const char *indent, const char *text) {
	_cleanup_free_ char *escaped = text_escape(text);

	printf("%s%s\n", indent, escaped ?: "out of memory");
}

/* One layer that has the path. */
struct owner {
	const char *name, *version, *path; /* NULL name: the host, or */
	bool is_written;		   /* what was written or imported, at `path` */
	int fd;				   /* O_PATH of the file in that layer */
	struct stat st;
};

struct owners {
	struct owner *items; /* with room for every layer and the host */
	size_t n;
};

/* The file itself in one layer, without following any link. */
static int open_in_layer(int layer, const char *path) {
	return layer < 0
		       ? -ENOENT
		       : file_open_exact(layer, *path ? path : ".", O_PATH | O_NOFOLLOW);
}

static void add_owner(struct owners *o, int layer, const char *path,
		      const struct extension *x) {
	struct owner *owner = &o->items[o->n];

	*owner = (struct owner){ .fd = open_in_layer(layer, path) };
	if (owner->fd < 0 || fstat(owner->fd, &owner->st) < 0)
		return;
	if (x) {
		owner->name = x->name.name;
		owner->version = x->name.version;
		owner->path = x->path;
	}
	o->n++;
}

/* What was written is that there is nothing: a whiteout. */
static bool is_removal(const struct owner *o) {
	return o->is_written && S_ISCHR(o->st.st_mode) && o->st.st_rdev == 0;
}

/* What was written or imported lies above all. */
static void add_written(struct owners *o, const struct upper *u, const char *path) {
	size_t n = o->n;

	add_owner(o, u->directory, path, NULL);
	if (o->n == n)
		return;
	o->items[n].is_written = true;
	o->items[n].path = u->path;
}

static int find_owners(const struct hierarchy *h, const char *path, struct owners *ret) {
	bool is_top = hierarchy_base_is_top(h);

	ret->items = calloc(h->n_layers + 2, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	if (h->upper && !h->upper->is_host)
		add_written(ret, h->upper, path);
	if (is_top)
		add_owner(ret, h->base, path, NULL);
	for (size_t i = h->n_layers; i > 0; i--)
		add_owner(ret, h->layers[i - 1].fd, path, h->layers[i - 1].extension);
	if (!is_top)
		add_owner(ret, h->base, path, NULL);
	return 0;
}

static void owners_done(struct owners *o) {
	for (size_t i = 0; i < o->n; i++)
		close_fdp(&o->items[i].fd);
	free(o->items);
}

static bool has_same_bytes(int a, int b, uint64_t size) {
	char left[16384], right[sizeof(left)];

	for (uint64_t at = 0; at < size; at += sizeof(left)) {
		ssize_t n = file_read_at(a, left, sizeof(left), at);

		if (n < 0 || file_read_at(b, right, sizeof(right), at) != n ||
		    memcmp(left, right, (size_t)n) != 0)
			return false;
	}
	return true;
}

/* How the hidden file compares with the one that is seen. */
static const char *compare(const struct owner *seen, const struct owner *hidden) {
	_cleanup_close_ int a = -EBADF, b = -EBADF;

	if (S_ISDIR(seen->st.st_mode) && S_ISDIR(hidden->st.st_mode))
		return "merged with it";
	if (is_removal(seen))
		return "removed";
	if ((seen->st.st_mode & S_IFMT) != (hidden->st.st_mode & S_IFMT))
		return "of another type";
	if (!S_ISREG(seen->st.st_mode))
		return "of the same type";
	if (seen->st.st_size != hidden->st.st_size)
		return "different content";
	if (seen->st.st_size > COMPARE_MAX)
		return "same size, too large to compare";
	a = file_reopen(seen->fd, O_RDONLY);
	b = file_reopen(hidden->fd, O_RDONLY);
	if (a < 0 || b < 0)
		return "cannot be compared";
	return has_same_bytes(a, b, (uint64_t)seen->st.st_size) ? "same content"
								: "different content";
}

static char *describe_owner(const struct owner *o) {
	if (o->is_written)
		return text_format("%s  (%s)",
				   is_removal(o) ? "nothing: it was removed"
						 : "what was written there",
				   o->path);
	if (!o->name)
		return strdup("the host's own");
	return text_format("%s%s%s  (%s)", o->name, o->version ? " " : "",
			   o->version ?: "", o->path);
}

static void print_owners(const char *path, const struct owners *owners, bool is_merged) {
	for (size_t i = 0; i < owners->n; i++) {
		_cleanup_free_ char *owner = describe_owner(&owners->items[i]),
				    *text = NULL;
		const struct owner *seen = &owners->items[0], *o = &owners->items[i];

		if (i == 0)
			text = text_format("%s  <- %s", path, owner ?: "");
		else
			text = text_format("%s  %s: %s",
					   S_ISDIR(o->st.st_mode) &&
							   S_ISDIR(seen->st.st_mode)
						   ? "also "
						   : "hides",
					   owner ?: "", compare(seen, o));
		say(i == 0 ? "" : "  ", text ?: "out of memory");
	}
	if (!is_merged)
		say("  ", "this is what a refresh would make; it is not merged so yet");
}

static void print_owners_json(const char *path, const struct owners *owners,
			      bool is_merged, enum options_json format) {
	struct json_object *o = json_new("why"), *array;

	json_add_text(o, "path", path);
	json_add_bool(o, "merged", is_merged);
	array = json_add_array(o, "layers");
	for (size_t i = 0; i < owners->n; i++) {
		struct json_object *item = json_append_object(array);

		json_add_text(item, "name", owners->items[i].name);
		json_add_text(item, "version", owners->items[i].version);
		json_add_text(item, "path", owners->items[i].path);
		json_add_bool(item, "host",
			      !owners->items[i].name && !owners->items[i].is_written);
		json_add_bool(item, "written", owners->items[i].is_written);
		json_add_text(item, "compared",
			      i ? compare(&owners->items[0], &owners->items[i]) : NULL);
	}
	json_print(o, format);
}

/*
 * The path with the links above its last part resolved, so that /bin/x is found as /usr/bin/x: below the
 * root that the links mean, which is not ours under --root.
 */
static char *resolve(const struct route *r, const char *path) {
	_cleanup_free_ char *copy = strdup(path), *in_root = NULL;
	char *slash = copy ? strrchr(copy, '/') : NULL;
	char root[4096], directory[4096], link[FILE_FD_PATH_MAX];
	_cleanup_close_ int fd = -EBADF;
	ssize_t n, prefix;

	if (!slash)
		return NULL;
	*slash = '\0';
	fd = file_open_in(r->base, *copy ? copy : ".", O_PATH | O_DIRECTORY);
	if (fd < 0)
		return strdup(path);
	file_fd_path(r->base, link);
	prefix = readlink(link, root, sizeof(root) - 1);
	file_fd_path(fd, link);
	n = readlink(link, directory, sizeof(directory) - 1);
	if (n < 0 || prefix < 0 || n < prefix)
		return strdup(path);
	directory[n] = '\0';
	return file_join(directory + (prefix > 1 ? prefix : 0), slash + 1);
}

/* The hierarchy that the path is in, and the rest of the path. */
static const struct hierarchy *find_hierarchy(const struct route *r, const char *path,
					      size_t *ret_index, const char **ret_rest) {
	path += strspn(path, "/");
	for (size_t i = 0; i < r->n_hierarchies; i++) {
		size_t len = strlen(r->hierarchies[i].name);

		if (strncmp(path, r->hierarchies[i].name, len) != 0 ||
		    (path[len] != '/' && path[len] != '\0'))
			continue;
		*ret_index = i;
		*ret_rest = path + len + strspn(path + len, "/");
		return &r->hierarchies[i];
	}
	return NULL;
}

static enum exit_code print_path(const struct route *r, const char *path, size_t index,
				 const struct owners *owners) {
	enum plan_action action = r->plan.steps[index].action;
	bool is_merged = action == PLAN_KEEP || action == PLAN_NOTHING;

	if (owners->n == 0) {
		log_error("Nobody has '%s': neither an extension that fits nor the host",
			  path);
		return EXIT_FAILED;
	}
	if (r->options->json != JSON_OFF)
		print_owners_json(path, owners, is_merged, r->options->json);
	else
		print_owners(path, owners, is_merged);
	return EXIT_DONE;
}

static enum exit_code explain_path(const struct route *r, const char *operand) {
	_cleanup_free_ char *path = resolve(r, operand);
	_cleanup_(owners_done) struct owners owners = { .n = 0 };
	const struct hierarchy *h;
	const char *rest;
	size_t index;

	h = path ? find_hierarchy(r, path, &index, &rest) : NULL;
	if (!h) {
		log_error("'%s' is in no hierarchy that extensions are merged into",
			  operand);
		return EXIT_FAILED;
	}
	if (find_owners(h, rest, &owners) < 0) {
		log_error("Cannot look for '%s': out of memory", path);
		return EXIT_FAILED;
	}
	return print_path(r, path, index, &owners);
}

static void print_layers_of(const struct route *r, const char *name) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct record *record = r->state.hierarchies[i].record;
		const struct record_layer *l = record ? record_find_layer(record, name)
						      : NULL;
		_cleanup_free_ char *text = NULL;

		if (!l)
			continue;
		text = text_format("merged into /%s%s%s, generation %llu",
				   record->hierarchy, l->version ? " as version " : "",
				   l->version ?: "",
				   (unsigned long long)record->generation);
		say("  ", text ?: "out of memory");
	}
}

static void print_extension(const struct route *r, const struct extension *x) {
	_cleanup_free_ char *hint = verdict_advice(x->verdict.code, x->name.name ?: "");
	_cleanup_free_ char *text = NULL;

	if (extension_fits(x))
		text = text_format("%s  fits%s%s", x->path,
				   x->forced.text ? ", forced: " : "",
				   x->forced.text ?: "");
	else
		text = text_format("%s  %s: %s", x->path, verdict_word(x->verdict.code),
				   x->verdict.text);
	say("", text ?: "out of memory");
	if (hint)
		say("  hint: ", hint);
	if (extension_fits(x))
		print_layers_of(r, x->name.name);
}

static enum exit_code explain_name(const struct route *r, const char *name) {
	size_t found = 0;

	for (size_t i = 0; i < r->extensions.n; i++) {
		const struct extension *x = extensions_shown(&r->extensions, i);

		if (!extension_is_called(x, name))
			continue;
		found++;
		if (r->options->json == JSON_OFF)
			print_extension(r, x);
	}
	if (found == 0) {
		log_error("There is no extension called '%s'", name);
		log_hint("extmerge list shows all; a path starts with '/'");
		return EXIT_FAILED;
	}
	if (r->options->json != JSON_OFF) {
		struct json_object *o = json_new("why");

		json_add_extensions(o, r, name);
		json_print(o, r->options->json);
	}
	return EXIT_DONE;
}

static enum exit_code explain(const struct route *r, const char *operand) {
	return operand[0] == '/' ? explain_path(r, operand) : explain_name(r, operand);
}

static enum exit_code run(const struct options *o) {
	struct route r;
	enum exit_code code = route_survey(&r, o);

	if (code == EXIT_DONE)
		code = explain(&r, o->operands[0]);
	route_done(&r);
	return code;
}

const struct verb verb_why = {
	.name = "why",
	.operands = "PATH|NAME",
	.help = "Show where a file comes from, or why one is left out",
	.min = 1,
	.max = 1,
	.run = run,
};
