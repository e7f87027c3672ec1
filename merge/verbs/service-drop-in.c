/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge service-drop-in: what makes a unit of systemd, or another init's service, one with extensions of its own. */
#include <fcntl.h>
#include <string.h>

#include "../file.h"
#include "../initscript.h"
#include "../log.h"
#include "../route.h"
#include "../service.h"
#include "../strv.h"
#include "../text.h"
#include "../unitfile.h"
#include "verbs.h"

#define OWN_NAME "50-extmerge.conf"
#define DROP_INS_MAX 1000

/* systemd.unit(5), UNIT FILE LOAD PATH: the first one says most. */
static const char *const places[] = {
	"etc/systemd/system",	  "run/systemd/system", "usr/local/lib/systemd/system",
	"usr/lib/systemd/system", "lib/systemd/system",
};

static int add_file(int root, const char *path, struct unitfile *u) {
	_cleanup_close_ int fd = file_open_in(root, path,
					      O_RDONLY | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd < 0 ? fd : file_read(fd, UNITFILE_SIZE_MAX, &text, &len);

	return r < 0 ? r : unitfile_add(u, text, len);
}

/* "web" is web.service; "vpn@home" comes of vpn@.service. */
static char *file_of(const char *name) {
	const char *at = strchr(name, '@');

	return at ? text_format("%.*s.service", (int)(at - name) + 1, name)
		  : text_format("%s.service", name);
}

static int add_unit(int root, const char *file, struct unitfile *u) {
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = text_format("%s/%s", places[i], file);

		r = path ? add_file(root, path, u) : -ENOMEM;
	}
	return r;
}

/* Of two drop-ins of one name the one in the better place counts; ours is not read. */
static int list_drop_ins(int root, const char *file, char ***ret_names,
			 char ***ret_paths) {
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *directory = text_format("%s/%s.d", places[i], file);
		_cleanup_close_ int fd = directory ? file_open_in(root, directory,
								  O_PATH | O_DIRECTORY)
						   : -ENOMEM;
		_cleanup_strv_ char **names = NULL;

		if (fd == -ENOENT || fd == -ENOTDIR)
			continue;
		r = fd < 0 ? fd : file_list(fd, DROP_INS_MAX, &names);
		for (char **name = names; r >= 0 && name && *name; name++) {
			_cleanup_free_ char *path = text_format("%s\n%s", *name,
								directory);

			if (strv_contains(*ret_names, *name) ||
			    strcmp(*name, OWN_NAME) == 0 || strlen(*name) < 6 ||
			    strcmp(*name + strlen(*name) - 5, ".conf") != 0)
				continue;
			r = path ? strv_append(ret_names, *name) : -ENOMEM;
			if (r == 0)
				r = strv_append(ret_paths, path);
		}
	}
	return r < 0 ? r : 0;
}

/* Sorted by their names, wherever they lie: that is why the names stand first. */
static int add_drop_ins(int root, const char *file, struct unitfile *u) {
	_cleanup_strv_ char **names = NULL, **paths = NULL;
	int r = list_drop_ins(root, file, &names, &paths);

	if (r == 0 && paths)
		strv_sort(paths);
	for (char **entry = paths; r == 0 && entry && *entry; entry++) {
		char *directory = strchr(*entry, '\n');
		_cleanup_free_ char *path = NULL;

		*directory++ = '\0';
		path = text_format("%s/%s", directory, *entry);
		r = path ? add_file(root, path, u) : -ENOMEM;
	}
	return r;
}

static enum exit_code print(const struct unitfile *u, const char *name, const char *file) {
	_cleanup_free_ char *text = NULL, *why = NULL;
	int r = unitfile_wrap(u, name, BINDIR "/extmerge", &text, &why);

	if (r == -EOPNOTSUPP) {
		log_error("Cannot make a drop-in for '%s': %s", file, why);
		log_hint("write it by hand: SERVICES in extmerge(8) shows how");
		return EXIT_FAILED;
	}
	if (r < 0)
		return route_fail(r, "make the drop-in");
	printf("# /etc/systemd/system/%s.d/" OWN_NAME "\n"
	       "# The service sees the extensions in confexts.d/%s and extensions.d/%s, see extmerge(8).\n"
	       "# Put it there, then: systemctl daemon-reload; systemctl restart %s\n%s",
	       file, name, name, name, text);
	if (u->type && strcmp(u->type, "notify-reload") == 0)
		log_notice("With Type=notify-reload the service is told to reload twice: "
			   "systemd up to 257 does it before the extensions are renewed");
	return EXIT_DONE;
}

static enum exit_code of_systemd(int root, const char *name) {
	_cleanup_(unitfile_done) struct unitfile u = { 0 };
	_cleanup_free_ char *file = file_of(name);
	int r = file ? add_unit(root, file, &u) : -ENOMEM;

	if (r == -ENOENT) {
		log_error("There is no unit '%s'", file);
		log_hint("--init= is for services of OpenRC, runit or s6");
		return EXIT_FAILED;
	}
	if (r == 0)
		r = add_drop_ins(root, file, &u);
	if (r < 0) {
		log_error("Cannot read the unit '%s': %s", file ?: name, strerror(-r));
		return EXIT_FAILED;
	}
	return print(&u, name, file);
}

static int add_script(int root, const char *directory, const char *name,
		      struct initscript *s, bool is_script) {
	_cleanup_free_ char *path = text_format("etc/%s/%s", directory, name);
	_cleanup_close_ int fd = path ? file_open_in(root, path,
						     O_RDONLY | O_NOCTTY | O_NONBLOCK)
				      : -ENOMEM;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd < 0 ? fd : file_read(fd, INITSCRIPT_SIZE_MAX, &text, &len);

	return r < 0 ? r : initscript_add(s, text, len, is_script);
}

/* dropin.6 */
static enum exit_code check_openrc(int root, const char *name, bool *ret_is_whole) {
	_cleanup_(initscript_done) struct initscript s = { 0 };
	int r = add_script(root, "init.d", name, &s, true);

	if (r == -ENOENT) {
		log_error("There is no script '/etc/init.d/%s'", name);
		return EXIT_FAILED;
	}
	if (r == 0)
		r = add_script(root, "conf.d", name, &s, false);
	if (r < 0 && r != -ENOENT) {
		log_error("Cannot read the script of '%s': %s", name, strerror(-r));
		return EXIT_FAILED;
	}
	if (s.obstacle) {
		log_error("Cannot change how '%s' is started: %s", name, s.obstacle);
		log_hint("do it in the script: SERVICES in extmerge(8) shows what");
		return EXIT_FAILED;
	}
	if (!s.has_reload)
		log_warning(
			"The script has no reload(): 'extmerge refresh --service=%s' is up to you",
			name);
	*ret_is_whole = s.is_whole;
	return EXIT_DONE;
}

static enum exit_code of_another(int root, enum init init, const char *name) {
	bool is_whole = false;
	enum exit_code code = init == INIT_OPENRC ? check_openrc(root, name, &is_whole)
						  : EXIT_DONE;
	_cleanup_free_ char *text = NULL;

	if (code != EXIT_DONE)
		return code;
	text = initscript_print(init, name, BINDIR "/extmerge", is_whole);
	if (!text)
		return route_fail(-ENOMEM, "print it");
	fputs(text, stdout);
	return EXIT_DONE;
}

static enum exit_code run(const struct options *o) {
	const char *name = o->operands[0];
	_cleanup_close_ int root = open(o->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0) {
		log_error("Cannot open the root '%s': %s", o->root, strerror(errno));
		return EXIT_USAGE;
	}
	if (!service_name_is_valid(name)) {
		log_error("A service's name has letters, digits and :_.@- only, not '%s'",
			  name);
		return EXIT_USAGE;
	}
	return o->init == INIT_SYSTEMD ? of_systemd(root, name)
				       : of_another(root, o->init, name);
}

const struct verb verb_service_drop_in = {
	.name = "service-drop-in",
	.operands = "NAME",
	.help = "Print what gives a service extensions of its own",
	.min = 1,
	.max = 1,
	.run = run,
};
