/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a path holds that may be an extension: its kind, who may write it, its fingerprint. */
#pragma once

#include <sys/stat.h>

#include "../verity/dissect.h"
#include "extension.h"

/* The kind of name (name.h) that an entry of this file type has; `mode` 0 where it is not known. */
enum name_kind image_name_kind(const char *entry, mode_t mode);

/* The class whose suffix stands at the end of the name, before ".raw"; otherwise `class`. */
const struct class *image_class_of_name(const char *entry, const struct class *class);

/* Gives `e` the whole `entry` as its name, and the verdict bad-name. 0 or -ENOMEM. */
int image_refuse_name(struct extension *e, const char *entry, const char *why);

/*
 * Takes what the O_PATH fd refers to: kind, size, and an fd of the extension's own, opened only once its
 * type is known. What is no image becomes a verdict. 0, or a negative errno that is no fault of it.
 */
int image_take(struct extension *e, int fd, const struct stat *st);

/*
 * Whether others than root may write the image or replace a directory above it, where it really lies
 * (specs: discover.writers): writable by everybody is a verdict, another owner a note. *safe, owned
 * by the caller and NULL at first, remembers the last directory that was found to be good.
 */
int image_check_writers(struct extension *e, int fd, const struct stat *st, char **safe);

/*
 * One image or directory that a person named, outside of the search directories: `path` is taken as it
 * is, its class from its suffix or else `class`. Faults become its verdict; the caller owns *ret.
 */
int image_open(const char *path, const struct class *class, struct extension **ret);

/*
 * Opens the directory in which `e` was found, O_PATH, for what lies beside it; `root` is that of its path. Its
 * name there is the end of its path. An fd, or a negative errno.
 */
int image_open_directory(const struct extension *e, int root);
const char *image_file_name(const struct extension *e);

/* The image and how dissect() reads it on a host of these architectures, without a policy. All borrowed. */
struct dissect_image image_describe(const struct extension *e, int directory,
				    const char *native, const char *secondary);

/*
 * Fills in e->fingerprint where it is not known (specs: record.3). Directories are walked, as far as they
 * would be merged. What cannot be walked becomes a verdict. 0 or a negative errno.
 */
int image_fingerprint(struct extension *e);

/*
 * Notes in e->sidecars what lies beside the image, for its fingerprint. *entry is its name, within the sorted
 * names of all that is in `directory`. 0 or -ENOMEM.
 */
int image_note_sidecars(struct extension *e, int directory, char *const *entry);

/* Ends e->digest, which a walk through all layers has filled, and makes the fingerprint of it. */
int image_take_digest(struct extension *e);
