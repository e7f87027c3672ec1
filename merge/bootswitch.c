/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel's command line says about a boot. */
#include "bootswitch.h"

#include <fcntl.h>
#include <string.h>

#include "file.h"

#define BLANKS " \t\n"
#define COMMAND_LINE_MAX ((size_t)64 * 1024)

/* The next word, and its length; double quotes keep blanks together, as for the kernel. NULL at the end. */
static const char *next_word(const char **at, size_t *ret_length) {
	const char *start = *at + strspn(*at, BLANKS), *end = start;
	bool is_quoted = false;

	for (; *end && (is_quoted || !strchr(BLANKS, *end)); end++)
		if (*end == '"')
			is_quoted = !is_quoted;
	*at = end;
	*ret_length = (size_t)(end - start);
	return end > start ? start : NULL;
}

static bool is_no(const char *value, size_t length) {
	static const char *const words[] = { "0", "no", "off", "false", "n", "f" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == length && strncmp(words[i], value, length) == 0)
			return true;
	return false;
}

bool bootswitch_is_off(const char *command_line, const char *name, bool is_initrd) {
	const char *word;
	bool is_off = false;
	size_t length;

	while ((word = next_word(&command_line, &length))) {
		const bool is_rd = length > 3 && strncmp(word, "rd.", 3) == 0;
		size_t n = strlen(name);

		if (is_rd != is_initrd)
			continue;
		word += is_rd ? 3 : 0;
		length -= is_rd ? 3 : 0;
		if (length > n && strncmp(word, name, n) == 0 && word[n] == '=')
			is_off = is_no(word + n + 1, length - n - 1);
	}
	return is_off;
}

/* systemd(1), KERNEL COMMAND LINE */
bool bootswitch_is_default(const char *command_line) {
	static const char *const others[] = { "rescue", "emergency", "single", "s",
					      "S",	"1",	     "2",      "3",
					      "4",	"5",	     "-b" };
	const char *word;
	size_t length;

	while ((word = next_word(&command_line, &length))) {
		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			if (strlen(others[i]) == length &&
			    strncmp(others[i], word, length) == 0)
				return false;
		if (length > 13 && strncmp(word, "systemd.unit=", 13) == 0)
			return false;
	}
	return true;
}

char *bootswitch_read(void) {
	_cleanup_close_ int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t length;

	if (fd < 0 || file_read(fd, COMMAND_LINE_MAX, &text, &length) < 0)
		return strdup("");
	return text;
}
