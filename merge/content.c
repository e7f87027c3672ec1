/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Examining a directory that is to become an image. */
#include "content.h"

#include <fcntl.h>
#include <string.h>

#include "examine.h"
#include "file.h"
#include "image.h"
#include "source.h"
#include "tree.h"

static bool has_release(const struct class *class, int fd) {
	_cleanup_(file_entries_done) struct file_entries entries = { 0 };
	_cleanup_close_ int directory = file_open_in(fd, class->release_dir,
						     O_RDONLY | O_DIRECTORY);

	return directory >= 0 && file_list_opened(directory, 1024, &entries) == 0 &&
	       entries.n > 0;
}

const struct class *content_class(const char *entry, const struct class *wished, int fd) {
	const struct class *found = image_class_of_name(entry, wished);

	for (size_t i = 0; !wished && !found && i < CLASS_COUNT; i++)
		if (has_release(&classes[i], fd) &&
		    !has_release(&classes[CLASS_COUNT - 1 - i], fd))
			found = &classes[i];
	return found;
}

static bool is_hierarchy(const struct class *class, const char *name) {
	for (size_t i = 0; class->hierarchies[i]; i++)
		if (strcmp(class->hierarchies[i], name) == 0)
			return true;
	return false;
}

/* pack.5: what a walk by us does not enter, the program that makes the image would. */
static int look_at(const struct tree_entry *e, void *data) {
	struct content *c = data;
	struct extension *x = c->extension;

	if (e->st.st_mtim.tv_sec > c->newest)
		c->newest = e->st.st_mtim.tv_sec;
	if (S_ISDIR(e->st.st_mode) && e->fd < 0 && extension_fits(x))
		return verdict_set(
			&x->verdict, VERDICT_UNSUPPORTED,
			"/%s is a mount point, whose content would be packed without a look at it",
			e->path);
	if (e->depth == 1 && !is_hierarchy(x->class, e->name))
		return strv_append(&c->unseen, e->name);
	return 0;
}

static int walk(struct content *c) {
	const struct tree_visitor visitor = { .enter = look_at, .data = c };
	int r = tree_walk(c->directory, &tree_limits_default, &visitor);

	if (r == 0 || file_is_shortage(r) || !extension_fits(c->extension))
		return r;
	return verdict_set(&c->extension->verdict,
			   r == -E2BIG || r == -ELOOP || r == -ETIME ? VERDICT_TOO_LARGE
								     : VERDICT_UNREADABLE,
			   "its tree cannot be read: %s", strerror(-r));
}

/* pack.3: a host compares its own with it, so there must be something to compare. */
static int check_id(struct extension *e) {
	const char *id = e->release ? release_get(e->release, "ID") : NULL;

	if (id && *id)
		return 0;
	return verdict_set(&e->verdict, VERDICT_WRONG_ID,
			   "its release file has no ID=, so it would fit no host");
}

static int examine_on_nothing(struct extension *e) {
	const struct examine_options options = { .source.assess.host = NULL };
	struct hierarchy hierarchies[CLASS_HIERARCHIES_MAX] = { 0 },
			 *all[CLASS_HIERARCHIES_MAX];
	size_t n = 0;
	int r = 0;

	for (; r == 0 && e->class->hierarchies[n]; n++) {
		all[n] = &hierarchies[n];
		r = hierarchy_open(all[n], e->class, e->class->hierarchies[n], -EBADF);
	}
	if (r == 0)
		r = examine(e, &options, all, n);
	while (n-- > 0)
		hierarchy_done(&hierarchies[n]);
	if (r == 0 && extension_fits(e))
		r = check_id(e);
	return r;
}

/* An extension that is called as the image will be, and is the directory. */
static int describe(const char *path, int fd, const char *entry, struct extension *e) {
	const char *why = NULL;
	struct stat st;
	int r;

	e->path = strdup(path);
	if (!e->path)
		return -ENOMEM;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = name_parse(entry, NAME_FILE, e->class->suffix, &e->name, &why);
	if (r == -EINVAL || r == -ENOENT)
		r = image_refuse_name(e, entry, why ?: "is not called NAME.raw");
	return r < 0 ? r : image_take(e, fd, &st);
}

int content_examine(const char *path, int fd, const char *entry,
		    const struct class *class, struct content *ret) {
	_cleanup_(content_done) struct content c = CONTENT_NONE;
	int r;

	c.extension = extension_new(class);
	if (!c.extension)
		return -ENOMEM;
	c.directory = file_reopen(fd, O_RDONLY | O_DIRECTORY);
	if (c.directory < 0)
		return c.directory;
	r = describe(path, fd, entry, c.extension);
	if (r == 0 && extension_fits(c.extension))
		r = examine_on_nothing(c.extension);
	if (r == 0 && extension_fits(c.extension))
		r = walk(&c);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct content)CONTENT_NONE;
	return 0;
}

void content_done(struct content *c) {
	extension_free(c->extension);
	strv_free(c->unseen);
	close_fdp(&c->directory);
	*c = (struct content)CONTENT_NONE;
}
