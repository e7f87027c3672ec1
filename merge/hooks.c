/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done after a change. */
#include "hooks-parts.h"

#include <string.h>
#include <sys/stat.h>

#include "accounts.h"
#include "bootswitch.h"
#include "command.h"
#include "config.h"
#include "due.h"
#include "file.h"
#include "hookplan.h"
#include "ldcache.h"
#include "log.h"
#include "release.h"
#include "route.h"
#include "strv.h"
#include "text.h"
#include "unitlist.h"

#define HOOK_MILLISECONDS 60000

static enum manager find_manager(void) {
	static const struct {
		const char *path;
		enum manager manager;
	} table[] = {
		{ "/run/systemd/system", MANAGER_SYSTEMD },
		{ "/run/openrc", MANAGER_OPENRC },
		{ "/run/runit", MANAGER_RUNIT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (access(table[i].path, F_OK) == 0)
			return table[i].manager;
	return MANAGER_NONE;
}

/* systemd.unit(5), UNIT FILE LOAD PATH: also what generators, or portable services, have put there. */
static bool is_unit_file(const char *name) {
	static const char *const places[] = {
		"/etc/systemd/system.control", "/run/systemd/system.control",
		"/run/systemd/transient",      "/run/systemd/generator.early",
		"/etc/systemd/system",	       "/etc/systemd/system.attached",
		"/run/systemd/system",	       "/run/systemd/system.attached",
		"/run/systemd/generator",      "/usr/local/lib/systemd/system",
		"/usr/lib/systemd/system",     "/lib/systemd/system",
		"/run/systemd/generator.late",
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = text_format("%s/%s", places[i], name);

		if (!path || access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* An instance has a file of its own, or that of its template. What cannot be told is not stopped. */
static bool unit_has_file(const char *unit) {
	const char *at = strchr(unit, '@'), *type = strrchr(unit, '.');
	_cleanup_free_ char *template = NULL;

	if (is_unit_file(unit))
		return true;
	if (!at || type < at)
		return false;
	template = text_format("%.*s%s", (int)(at - unit) + 1, unit, type);
	return !template || is_unit_file(template);
}

/* What is no unit any more is stopped; what is to be restarted need not be reloaded. */
static int sort_units(struct hook_calls *c, bool has_unit_files) {
	_cleanup_strv_ char **restart = TAKE_PTR(c->restart),
			    **reload = TAKE_PTR(c->reload);
	int r = 0;

	for (char **u = restart; r == 0 && u && *u; u++)
		r = strv_append(has_unit_files && !unit_has_file(*u) ? &c->stop
								     : &c->restart,
				*u);
	for (char **u = reload; r == 0 && u && *u; u++)
		if (!strv_contains(restart, *u))
			r = strv_append(has_unit_files && !unit_has_file(*u) ? &c->stop
									     : &c->reload,
					*u);
	return r;
}

/* What is known only when the changes have been applied. */
static int complete(struct route *r, enum manager m, struct hook_calls *c) {
	int e = sort_units(c, m == MANAGER_SYSTEMD);

	if (r->hooks.has_accounts) {
		strv_free(c->names[TRIGGER_USERS]);
		c->names[TRIGGER_USERS] = NULL;
	}
	if (e == 0 && r->options->boot != BOOT_NO) {
		_cleanup_free_ char *line = bootswitch_read();

		c->starts_default = line && bootswitch_is_default(line);
	}
	return e;
}

/* Takes over `why`; NULL where it went well. */
static void note(struct route *r, const char *name, const char *program, char *why) {
	struct hooks *h = &r->hooks;
	struct hook_result *grown = reallocarray(h->items, h->n + 1, sizeof(*grown));

	if (!why)
		log_detail("hook '%s': %s", name, program ?: "done");
	if (!grown) {
		free(why);
		return;
	}
	h->items = grown;
	h->items[h->n++] = (struct hook_result){ name, program, why };
}

/* Whether it failed. */
static bool run_command(struct route *r, const struct hook_command *c, const char *path,
			bool is_last_word) {
	struct command_result result = { .end = COMMAND_FAILED };
	int e = command_run(path, c->arguments, -EBADF, HOOK_MILLISECONDS, &result);
	const bool has_failed = e < 0 || result.end != COMMAND_DONE;

	if (!has_failed)
		note(r, c->name, path, NULL);
	else if (is_last_word)
		note(r, c->name, path,
		     e < 0 ? strdup(strerror(-e)) : command_complaint(&result));
	command_result_done(&result);
	return has_failed;
}

static void run_commands(struct route *r, const struct hook_commands *commands) {
	bool was_absent = false, has_failed = false;

	for (size_t i = 0; i < commands->n; i++) {
		const struct hook_command *c = &commands->items[i];
		const bool has_second = i + 1 < commands->n &&
					c[1].condition == HOOK_IF_FAILED;
		const char *path;

		if ((c->condition == HOOK_IF_ABSENT && !was_absent) ||
		    (c->condition == HOOK_IF_FAILED && !has_failed))
			continue;
		path = c->needs && access(c->needs, F_OK) < 0 ? NULL
							      : command_find(c->paths);
		was_absent = !path;
		has_failed = path && run_command(r, c, path, !has_second);
	}
}

/* Whether anything that is merged now brings libraries. */
static bool has_libraries(const struct route *r) {
	for (size_t i = 0; i < r->state.n; i++) {
		const struct plan_step *s = i < r->plan.n_steps ? &r->plan.steps[i]
								: NULL;
		const struct record *now = r->state.hierarchies[i].record;

		if (s && s->action != PLAN_NOTHING)
			now = s->wanted;
		for (size_t n = 0; now && n < now->n_layers; n++)
			if (trigger_from_words(now->layers[n].triggers) &
			    TRIGGER_BIT(TRIGGER_LIBRARIES))
				return true;
	}
	return false;
}

static bool is_etc_bared(const struct route *r) {
	for (size_t i = 0; i < r->plan.n_steps; i++)
		if (r->plan.steps[i].action == PLAN_UNMERGE &&
		    strcmp(r->plan.steps[i].hierarchy, "etc") == 0)
			return true;
	return false;
}

/* hook.5 */
static void run_ldcache(struct route *r, bool is_touched) {
	const int seen = ldcache_is_ours();
	char *why = NULL;
	int e = 0;

	if (!has_libraries(r)) {
		if (seen != 1)
			return;
		e = ldcache_remove();
	} else if (is_touched || is_etc_bared(r)) {
		e = ldcache_make(HOOK_MILLISECONDS, &why);
		if (e == -ENOENT)
			return;
	} else {
		return;
	}
	if (e < 0 && !why)
		why = strdup(
			e == -EBUSY ? "somebody has mounted something at /etc/ld.so.cache"
				    : strerror(-e));
	note(r, trigger_word(TRIGGER_LIBRARIES), NULL, e < 0 ? why ?: strdup("") : NULL);
}

/* Whether /etc is about to be merged so that nobody can write it. */
static bool locks_etc(const struct route *r) {
	for (size_t i = 0; i < r->plan.n_steps; i++) {
		const struct plan_step *s = &r->plan.steps[i];
		enum mutable_mode mode = MUTABLE_NO;

		if ((s->action != PLAN_MERGE && s->action != PLAN_REPLACE) ||
		    strcmp(s->hierarchy, "etc") != 0)
			continue;
		if (s->wanted->mutable)
			(void)mutable_mode_from(s->wanted->mutable, &mode);
		return !mutable_keeps(mode) && !mutable_forgets(mode);
	}
	return false;
}

/* The accounts of the extensions that came or changed. */
static int collect_accounts(struct route *r, struct accounts *a) {
	bool is_wanted[CLASS_COUNT];
	int e = 0;

	hooks_read_settings(r, is_wanted);
	for (size_t c = 0; e == 0 && c < r->plan.n_changes; c++) {
		const struct plan_change *change = &r->plan.changes[c];

		if (change->kind == PLAN_SAME || !change->wanted ||
		    !is_wanted[change->class->id])
			continue;
		for (size_t i = 0; e == 0 && i < r->n_hierarchies; i++) {
			const struct hierarchy *h = &r->hierarchies[i];

			for (size_t n = 0; e == 0 && n < h->n_layers; n++)
				if (h->class == change->class &&
				    strcmp(h->layers[n].extension->name.name,
					   change->wanted->name) == 0)
					e = accounts_add(a, h->layers[n].fd, h->name,
							 r->base);
		}
	}
	return e;
}

void hooks_prepare(struct route *r) {
	_cleanup_(accounts_done) struct accounts accounts = ACCOUNTS_NONE;
	struct command_result result = { .end = COMMAND_FAILED };
	const char *program = accounts_program();
	char *why = NULL;
	int e;

	if (!program || !r->workshop.inside || !hooks_are_for(r) || !locks_etc(r))
		return;
	e = collect_accounts(r, &accounts);
	if (e == 0 && !accounts.is_any)
		return;
	if (e == 0)
		e = accounts_make(&accounts, HOOK_MILLISECONDS, &result);
	if (e < 0)
		why = strdup(strerror(-e));
	else if (result.end != COMMAND_DONE)
		why = command_complaint(&result);
	note(r, trigger_word(TRIGGER_USERS), program, why);
	command_result_done(&result);
	r->hooks.has_accounts = true;
}

void hooks_run(struct route *r) {
	struct hook_calls *calls = &r->hooks.calls;
	struct hook_commands commands = { 0 };
	const enum manager manager = find_manager();
	int e;

	if ((!plan_has_work(&r->plan) && !r->hooks.is_left) || !hooks_are_for(r))
		return;
	close_fdp(&r->lock);
	r->lock = -EBADF;
	/* Where nothing was switched this is still the workshop, in which nothing is merged. */
	e = workshop_leave(&r->workshop);
	if (e == 0)
		e = complete(r, manager, calls);
	if (e == 0)
		e = hookplan_make(calls, manager, r->options->boot, &commands);
	if (e == 0) {
		run_ldcache(r, calls->triggers & TRIGGER_BIT(TRIGGER_LIBRARIES));
		run_commands(r, &commands);
		due_forget();
	} else {
		log_warning("Cannot run hooks: %s", strerror(-e));
	}
	hook_commands_done(&commands);
}

void hooks_done(struct hooks *h) {
	for (size_t i = 0; i < h->n; i++)
		free(h->items[i].why);
	free(h->items);
	hook_calls_done(&h->calls);
	hook_calls_done(&h->left);
}
