/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash trees put in force: by device-mapper, or by a verified file. */
#include "guard.h"

#include <string.h>

#include "../fuse/attach.h"
#include "../verity/activate.h"
#include "file.h"
#include "module.h"
#include "process.h"
#include "text.h"

static const char *const words[] = {
	[GUARD_AUTO] = "auto",
	[GUARD_DM] = "dm",
	[GUARD_FUSE] = "fuse",
};

int guard_choice_from(const char *text, enum guard_choice *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = (enum guard_choice)i;
			return 0;
		}
	return -EINVAL;
}

const char *guard_choice_text(enum guard_choice c) {
	return words[c];
}

static const char *const corruption_words[] = {
	[CRYPTSETUP_EIO] = "error",
	[CRYPTSETUP_RESTART] = "restart",
	[CRYPTSETUP_PANIC] = "panic",
};

int guard_corruption_from(const char *text, enum cryptsetup_corruption *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(corruption_words); i++)
		if (strcmp(text, corruption_words[i]) == 0) {
			*ret = (enum cryptsetup_corruption)i;
			return 0;
		}
	return -EINVAL;
}

const char *guard_corruption_text(enum cryptsetup_corruption c) {
	return corruption_words[c];
}

/* Whether this way of doing it is not there, for no image of the run. */
static bool is_missing(int error) {
	return error == -ENODEV || error == -ENOSYS || error == -EPERM ||
	       error == -EACCES || error == -ENOENT || error == -EOPNOTSUPP ||
	       error == -ETIMEDOUT;
}

/* Whether another way may do for this image: this one is missing, or it failed with this one. */
static bool is_other_way_open(int error) {
	return is_missing(error) || error == -EMEDIUMTYPE || error == -EPROTO;
}

/* What is missing is so for the whole run; what an image is refused for is its own. */
static int fail(int *missing, char **missing_why, int error, const char *why,
		char **ret_why) {
	if (!why && !is_other_way_open(error))
		return error; /* which says enough */
	*ret_why = strdup(why ?: strerror(-error));
	if (!*ret_why)
		return -ENOMEM;
	if (!is_missing(error) || *missing < 0)
		return error;
	*missing_why = strdup(*ret_why);
	if (!*missing_why)
		return -ENOMEM;
	return *missing = error;
}

/* --- device-mapper --- */

static const char *explain_dm(int error) {
	return error == -ENODEV	  ? "this kernel has no dm-verity"
	       : error == -ENOSYS ? "extmerge was built without libcryptsetup"
				  : strerror(-error);
}

static int probe_dm(const struct workshop *w) {
	int r = activate_probe(w->scratch);

	if (r == -ENODEV && module_load("dm_mod") == 0 && module_load("dm_verity") == 0)
		r = activate_probe(w->scratch);
	return r;
}

static int activate(const struct guard *g, const struct verity_target *t,
		    const struct workshop *w, struct guarded *ret, const char **ret_why) {
	const struct activate_options o = { .nodes = w->scratch,
					    .on_corruption = g->on_corruption };
	struct activate_info info;
	int fd, r = activate_verity(t, &o, &fd, &info, ret_why);

	if (r == -ENODEV && module_load("loop") == 0)
		r = activate_verity(t, &o, &fd, &info, ret_why);
	if (r == 0)
		*ret = (struct guarded){ .fd = fd,
					 .is_device = true,
					 .is_kernel_checked = info.is_kernel_checked };
	return r;
}

/* Once in a run. */
static int find_dm(struct guard *g, const struct workshop *w) {
	_cleanup_free_ char *why = NULL;
	int r = g->has_probed ? g->no_dm : probe_dm(w);

	if (r < 0 && !g->has_probed)
		r = fail(&g->no_dm, &g->why_no_dm, r, explain_dm(r), &why);
	g->has_probed = true;
	return r;
}

/* The parameter is there where signatures are (CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG). */
bool guard_asks_kernel(struct guard *g, const struct workshop *w) {
	return g->choice != GUARD_FUSE && find_dm(g, w) == 0 &&
	       access("/sys/module/dm_verity/parameters/require_signatures", F_OK) == 0;
}

static int attach_dm(struct guard *g, const struct verity_target *t,
		     const struct workshop *w, struct guarded *ret, char **ret_why) {
	const char *why = NULL;
	int r = find_dm(g, w);

	if (r < 0)
		return fail(&g->no_dm, &g->why_no_dm, r, g->why_no_dm, ret_why);
	r = activate(g, t, w, ret, &why);
	return r < 0 ? fail(&g->no_dm, &g->why_no_dm, r, why ?: explain_dm(r), ret_why)
		     : 0;
}

/* --- verified file --- */

static int serve(const struct guard *g, const struct verity_target *t, const char *name,
		 struct guarded *ret, char why[static ATTACH_WHY_MAX]) {
	pid_t server = 0;
	const struct attach_options o = { .name = name,
					  .shared = g->server,
					  .ret_server = &server };
	_cleanup_close_ int fd = attach_image(t, &o, why);
	char *text;

	if (fd == -ENODEV && module_load("fuse") == 0)
		fd = attach_image(t, &o, why);
	if (fd < 0)
		return fd;
	text = process_describe(server);
	if (!text)
		return -ENOMEM;
	*ret = (struct guarded){ .fd = TAKE_FD(fd), .server = text };
	return 0;
}

static int attach_file(struct guard *g, const struct verity_target *t, const char *name,
		       struct guarded *ret, char **ret_why) {
	char why[ATTACH_WHY_MAX] = "";
	int r = g->no_file;

	if (r < 0)
		return fail(&g->no_file, &g->why_no_file, r, g->why_no_file, ret_why);
	if (g->on_corruption != CRYPTSETUP_EIO)
		return fail(
			&g->no_file, &g->why_no_file, -EOPNOTSUPP,
			"a verified file cannot restart the machine, as --on-corruption= asks for",
			ret_why);
	if (!g->server)
		g->server = attach_server_new();
	r = serve(g, t, name, ret, why);
	return r < 0 ? fail(&g->no_file, &g->why_no_file, r, *why ? why : NULL, ret_why)
		     : 0;
}

/* --- both --- */

/* What hindered, of all that was tried. */
static int refuse(const char *why_no_dm, const char *why_no_file, char **ret_why) {
	*ret_why = text_format("%s%s%s", why_no_dm ?: "",
			       why_no_dm && why_no_file ? "; " : "", why_no_file ?: "");
	return *ret_why ? -ENODEV : -ENOMEM;
}

static int measure(struct guarded *g) {
	off_t size = lseek(g->fd, 0, SEEK_END);

	g->size = (uint64_t)size;
	return size < 0 ? -errno : 0;
}

int guard_attach(struct guard *g, const struct verity_target *t, const char *name,
		 const struct workshop *w, struct guarded *ret, char **ret_why) {
	_cleanup_free_ char *why_no_dm = NULL, *why_no_file = NULL;
	int r = -ENODEV;

	*ret_why = NULL;
	if (g->choice != GUARD_FUSE)
		r = attach_dm(g, t, w, ret, &why_no_dm);
	if (is_other_way_open(r) && g->choice != GUARD_DM)
		r = attach_file(g, t, name, ret, &why_no_file);
	if (r == 0)
		return measure(ret);
	if (is_other_way_open(r))
		return refuse(why_no_dm, why_no_file, ret_why);
	*ret_why = why_no_file ? TAKE_PTR(why_no_file) : TAKE_PTR(why_no_dm);
	return r;
}

void guard_done(struct guard *g) {
	attach_server_free(g->server);
	free(g->why_no_dm);
	free(g->why_no_file);
}
