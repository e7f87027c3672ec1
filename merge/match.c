/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules by which an extension fits a host, in the order of specs/match.md. */
#include "match.h"

#include <string.h>

#include "text.h"

#define SHOWN_MAX 64 /* bytes of an untrusted value in a sentence */
#define ELLIPSIS "\342\200\246"
#define ANY "_any"

/* What a rule looks at, and where it says no. */
struct match {
	const struct class *class;
	const struct match_host *host;
	const struct release *extension;
	struct verdict *verdict;
};

/* An untrusted value, short enough for a sentence. */
struct shown {
	char text[SHOWN_MAX + sizeof(ELLIPSIS)];
};

static struct shown show(const char *value) {
	struct shown s = { 0 };
	size_t n = strnlen(value, SHOWN_MAX + 1);

	if (n <= SHOWN_MAX) {
		memcpy(s.text, value, n);
		return s;
	}
	/* Not in the middle of a character: its bytes after the first are 10xxxxxx. */
	for (n = SHOWN_MAX; n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80; n--)
		;
	memcpy(s.text, value, n);
	memcpy(s.text + n, ELLIPSIS, sizeof(ELLIPSIS));
	return s;
}

/* The value of `key`, or NULL where it is absent or empty (specs: match.2). */
static const char *get(const struct release *r, const char *key) {
	const char *value = release_get(r, key);

	return value && *value ? value : NULL;
}

/* Says no with both sides in the sentence; NULL means that a side has no such value. */
static int refuse(const struct match *m, enum verdict_code code, const char *key,
		  const char *value, const char *host) {
	struct shown h = show(host ?: "none");

	if (!value)
		return verdict_set(m->verdict, code, "no %s=, host %s", key, h.text);
	return verdict_set(m->verdict, code, "%s=%s, host %s", key, show(value).text,
			   h.text);
}

/* specs: match.3 */
static int check_empty(const struct match *m) {
	if (!release_is_empty(m->extension))
		return 0;
	return verdict_set(m->verdict, VERDICT_NO_RELEASE,
			   "the release file has no assignment");
}

/* specs: match.4 */
static int check_scope(const struct match *m) {
	const char *key = m->class->scope_key, *scope = release_get(m->extension, key);

	if (text_has_word(scope ?: "system portable", m->host->scope))
		return 0;
	if (!scope)
		return verdict_set(m->verdict, VERDICT_WRONG_SCOPE,
				   "no %s=, which means \"system portable\", host %s",
				   key, m->host->scope);
	return verdict_set(m->verdict, VERDICT_WRONG_SCOPE, "%s=\"%s\", host %s", key,
			   show(scope).text, m->host->scope);
}

/* specs: match.5 */
static int check_architecture(const struct match *m) {
	const char *value = get(m->extension, "ARCHITECTURE");
	const char *host = m->host->architecture;

	if (!value || strcmp(value, ANY) == 0 || (host && strcmp(value, host) == 0))
		return 0;
	return refuse(m, VERDICT_OTHER_ARCHITECTURE, "ARCHITECTURE", value,
		      host ?: "unknown");
}

/* specs: match.6 */
static int check_id(const struct match *m) {
	const char *value = get(m->extension, "ID");
	const char *host = get(m->host->release, "ID") ?: "linux"; /* os-release(5) */
	const char *like = get(m->host->release, "ID_LIKE") ?: "";

	if (value && (strcmp(value, ANY) == 0 || strcmp(value, host) == 0 ||
		      text_has_word(like, value)))
		return 0;
	return refuse(m, VERDICT_WRONG_ID, "ID", value, host);
}

/* specs: match.7 to match.9 */
static int check_version(const struct match *m) {
	const char *level = get(m->extension, m->class->level_key);
	const char *host_level = get(m->host->release, m->class->level_key);
	const char *version = get(m->extension, "VERSION_ID");
	const char *host_version = get(m->host->release, "VERSION_ID");

	if (strcmp(get(m->extension, "ID") ?: "", ANY) == 0 ||
	    (!host_level && !host_version))
		return 0;
	if (level && host_level && strcmp(level, host_level) == 0)
		return 0;
	if (level && host_level)
		return refuse(m, VERDICT_WRONG_LEVEL, m->class->level_key, level,
			      host_level);
	if (version && host_version && strcmp(version, host_version) == 0)
		return 0;
	return refuse(m, VERDICT_WRONG_VERSION, "VERSION_ID", version, host_version);
}

int match_release(const struct class *class, const struct match_host *host,
		  const struct release *extension, struct verdict *v) {
	static int (*const rules[])(const struct match *) = {
		check_empty, check_scope, check_architecture, check_id, check_version,
	};
	const struct match m = { class, host, extension, v };
	int r = 0;

	/* verdict_set() keeps the first reason: the later rules need not be skipped. */
	for (size_t i = 0; i < ARRAY_SIZE(rules) && r == 0; i++)
		r = rules[i](&m);
	return r;
}

/* Whether `suffix` is `full` up to its first '_' or '+'. */
static bool is_stem(const char *suffix, const char *full) {
	size_t n = strcspn(full, "_+");

	return n > 0 && strlen(suffix) == n && memcmp(suffix, full, n) == 0;
}

ssize_t match_choose(const struct match_candidate *candidates, size_t n, const char *full,
		     const char *name) {
	ssize_t found = -ENOENT;

	for (size_t i = 0; i < n; i++)
		if (strcmp(candidates[i].suffix, full) == 0)
			return (ssize_t)i;

	for (size_t i = 0; i < n; i++) {
		const struct match_candidate *c = &candidates[i];

		if (strcmp(c->suffix, name) != 0 && !is_stem(c->suffix, full) &&
		    !c->relaxed)
			continue;
		if (found >= 0)
			return -ENOTUNIQ;
		found = (ssize_t)i;
	}
	return found;
}
