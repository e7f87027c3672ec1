/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of the image policy language, read and written. */

#include <string.h>

#include "policy.h"

#define BLANKS " \t\n\r"

static const char *const designators[] = {
	[POLICY_ROOT] = "root",
	[POLICY_USR] = "usr",
	[POLICY_HOME] = "home",
	[POLICY_SRV] = "srv",
	[POLICY_ESP] = "esp",
	[POLICY_XBOOTLDR] = "xbootldr",
	[POLICY_SWAP] = "swap",
	[POLICY_ROOT_VERITY] = "root-verity",
	[POLICY_USR_VERITY] = "usr-verity",
	[POLICY_ROOT_VERITY_SIG] = "root-verity-sig",
	[POLICY_USR_VERITY_SIG] = "usr-verity-sig",
	[POLICY_TMP] = "tmp",
	[POLICY_VAR] = "var",
};

/* The first word that covers what is left to print is printed, so the order is that of the text. */
static const struct {
	const char *name;
	uint32_t flags;
} words[] = {
	{ "open", POLICY_OPEN },
	{ "ignore", POLICY_IGNORE },
	{ "verity", POLICY_VERITY },
	{ "signed", POLICY_SIGNED },
	{ "encrypted", POLICY_ENCRYPTED | POLICY_ENCRYPTED_WITH_INTEGRITY },
	{ "encryptedwithintegrity", POLICY_ENCRYPTED_WITH_INTEGRITY },
	{ "unprotected", POLICY_UNPROTECTED },
	{ "unused", POLICY_UNUSED },
	{ "absent", POLICY_ABSENT },
	{ "read-only-on", POLICY_READ_ONLY_ON },
	{ "read-only-off", POLICY_READ_ONLY_OFF },
	{ "growfs-off", POLICY_GROWFS_OFF },
	{ "growfs-on", POLICY_GROWFS_ON },
	{ "btrfs", POLICY_BTRFS },
	{ "erofs", POLICY_EROFS },
	{ "ext4", POLICY_EXT4 },
	{ "f2fs", POLICY_F2FS },
	{ "squashfs", POLICY_SQUASHFS },
	{ "vfat", POLICY_VFAT },
	{ "xfs", POLICY_XFS },
};

/* Of each set at least one flag holds: where none is given, all are (policy.4). */
static const uint32_t sets[] = { POLICY_OPEN, POLICY_READ_ONLY, POLICY_GROWFS,
				 POLICY_FSTYPES };

/* Texts that are a whole policy (policy.1). */
static const struct {
	const char *text;
	uint32_t fallback;
} symbols[] = {
	{ "*", POLICY_OPEN },
	{ "-", POLICY_IGNORE },
	{ "~", POLICY_ABSENT },
	{ "", POLICY_IGNORE },
};

/* A piece of the text. */
struct piece {
	const char *text;
	size_t len;
};

static bool is_word(struct piece p, const char *word) {
	return strlen(word) == p.len && memcmp(p.text, word, p.len) == 0;
}

static bool is_blank(char c) {
	return c && strchr(BLANKS, c);
}

static struct piece strip(struct piece p) {
	while (p.len > 0 && is_blank(p.text[p.len - 1]))
		p.len--;
	while (p.len > 0 && is_blank(*p.text)) {
		p.text++;
		p.len--;
	}
	return p;
}

/* Cuts the text before the first `separator` off `rest`; false where there is no rest. */
static bool cut(struct piece *rest, char separator, struct piece *ret) {
	const char *end;

	if (!rest->text)
		return false;
	end = rest->len > 0 ? memchr(rest->text, separator, rest->len) : NULL;
	*ret = *rest;
	if (!end) {
		rest->text = NULL;
		return true;
	}
	ret->len = (size_t)(end - rest->text);
	rest->len -= ret->len + 1;
	rest->text = end + 1;
	return true;
}

static uint32_t extend(uint32_t flags) {
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (!(flags & sets[i]))
			flags |= sets[i];
	return flags;
}

static uint32_t find_word(struct piece word) {
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (is_word(word, words[i].name))
			return words[i].flags;
	return 0;
}

/* policy.3 and policy.5: "" and "-" are no flags. */
static int parse_flags(struct piece text, uint32_t *ret) {
	uint32_t flags = 0;
	struct piece word;

	text = strip(text);
	if (is_word(text, "") || is_word(text, "-"))
		text.text = NULL;
	while (cut(&text, '+', &word)) {
		uint32_t found = find_word(strip(word));

		if (!found)
			return -EBADRQC;
		flags |= found;
	}
	*ret = extend(flags);
	return 0;
}

static int find_designator(struct piece name) {
	for (int d = 0; d < POLICY_DESIGNATOR_COUNT; d++)
		if (is_word(name, designators[d]))
			return d;
	return -ENOENT;
}

/* Where the rule for `name` goes ("" is the fallback); NULL and a negative errno in *ret_error. */
static uint32_t *claim_rule(struct policy *p, bool *has_fallback, struct piece name,
			    int *ret_error) {
	int d = find_designator(name);
	bool *taken = name.len == 0 ? has_fallback : d < 0 ? NULL : &p->has_rule[d];

	if (!taken || *taken) {
		*ret_error = taken ? -ENOTUNIQ : -EBADSLT;
		return NULL;
	}
	*taken = true;
	return name.len == 0 ? &p->fallback : &p->rule[d];
}

/* policy.2 */
static int parse_rule(struct policy *p, bool *has_fallback, struct piece text) {
	struct piece name;
	uint32_t *rule;
	int r;

	cut(&text, '=', &name);
	if (!text.text)
		return -EINVAL;
	rule = claim_rule(p, has_fallback, strip(name), &r);
	return rule ? parse_flags(text, rule) : r;
}

static const char *explain(int error) {
	switch (error) {
	case -ENOTUNIQ:
		return "two rules for one partition";
	case -EBADSLT:
		return "unknown partition";
	case -EBADRQC:
		return "unknown flag";
	case -E2BIG:
		return "longer than 4096 bytes";
	default:
		return "not of the form PARTITION=FLAG+FLAG:...";
	}
}

static bool parse_symbol(struct piece text, struct policy *p) {
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		if (is_word(text, symbols[i].text)) {
			p->fallback = extend(symbols[i].fallback);
			return true;
		}
	return false;
}

static int parse(struct piece text, struct policy *p) {
	bool has_fallback = false;
	struct piece rule;

	if (text.len > POLICY_TEXT_MAX)
		return -E2BIG;
	if (parse_symbol(text, p))
		return 0;
	while (cut(&text, ':', &rule)) {
		int r = parse_rule(p, &has_fallback, rule);

		if (r < 0)
			return r;
	}
	return 0;
}

int policy_parse(const char *text, size_t len, struct policy *ret, const char **ret_why) {
	struct policy p = { .fallback = extend(POLICY_IGNORE) };
	int r = parse((struct piece){ text ?: "", len }, &p);

	if (r == 0)
		*ret = p;
	else
		*ret_why = explain(r);
	return r;
}

int policy_designator_from(const char *name, size_t len) {
	return find_designator((struct piece){ name, len });
}

const char *policy_designator_name(enum policy_designator d) {
	return designators[d];
}

/* --- printing --- */

/* policy.9: a set in which everything is allowed, but for that of the uses, needs no word. */
static uint32_t reduce(uint32_t flags) {
	for (size_t i = 1; i < ARRAY_SIZE(sets); i++)
		if ((flags & sets[i]) == sets[i])
			flags &= ~sets[i];
	return flags;
}

static void print_rule(FILE *f, const char *name, uint32_t flags) {
	char separator = '=';

	fputs(name, f);
	flags = reduce(flags);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if ((flags & words[i].flags) != words[i].flags)
			continue;
		/* These two stand for exactly the uses that are allowed. */
		if (i < 2 && (flags & POLICY_OPEN) != words[i].flags)
			continue;
		fprintf(f, "%c%s", separator, words[i].name);
		flags &= ~words[i].flags;
		separator = '+';
	}
}

/* Drops each rule without which the policy means the same. */
static struct policy simplify(struct policy p) {
	for (int d = 0; d < POLICY_DESIGNATOR_COUNT; d++) {
		struct policy without = p;

		without.has_rule[d] = false;
		if (policy_equal(&without, &p))
			p = without;
	}
	return p;
}

static bool print_symbol(FILE *f, const struct policy *p) {
	for (int d = 0; d < POLICY_DESIGNATOR_COUNT; d++)
		if (p->has_rule[d])
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		if (p->fallback == extend(symbols[i].fallback)) {
			fputs(symbols[i].text, f);
			return true;
		}
	return false;
}

static void print(FILE *f, const struct policy *p) {
	const char *colon = "";

	if (print_symbol(f, p))
		return;
	for (int d = 0; d < POLICY_DESIGNATOR_COUNT; d++) {
		if (!p->has_rule[d])
			continue;
		fputs(colon, f);
		print_rule(f, designators[d], p->rule[d]);
		colon = ":";
	}
	if (p->fallback != extend(POLICY_IGNORE)) {
		fputs(colon, f);
		print_rule(f, "", p->fallback);
	}
}

char *policy_format(const struct policy *p) {
	struct policy simple = simplify(*p);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	print(f, &simple);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
