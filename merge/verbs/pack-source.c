/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge pack: what the directory and the options ask for, before anything is made. */
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "../architecture.h"
#include "../log.h"
#include "packing.h"

enum exit_code packing_fail(const struct packing *p, int error, const char *why) {
	log_error("Cannot pack '%s': %s", p->source, why ?: strerror(-error));
	return error == -ENOTSUP ? EXIT_PRIVILEGE : EXIT_FAILED;
}

static enum exit_code refuse(const char *what, const char *hint) {
	log_error("%s", what);
	log_hint("%s", hint);
	return EXIT_USAGE;
}

static const char *entry_of(const char *path) {
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What to do about it here, where somebody is building the image. */
static void hint_at(const struct packing *p, const struct extension *e) {
	switch (e->verdict.code) {
	case VERDICT_NO_RELEASE:
	case VERDICT_NAME_MISMATCH:
	case VERDICT_WRONG_ID:
		log_hint("%s/%s/extension-release.%s has to say for whom it is, such as ID=_any",
			 p->source, e->class->release_dir, e->name.name);
		return;
	case VERDICT_UNSUPPORTED:
		log_hint("Unmount it, or pack a copy of the tree");
		return;
	default:
		if (verdict_hint(e->verdict.code))
			log_hint("%s", verdict_hint(e->verdict.code));
	}
}

static const struct class *wished_class(const struct options *o) {
	const struct class *wished = NULL;

	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (o->classes[i])
			wished = wished ? NULL : &classes[i];
	return wished;
}

static enum exit_code choose_class(const struct packing *p, const struct class **ret) {
	const struct class *wished = wished_class(p->options);
	const struct class *class = content_class(entry_of(p->target), wished,
						  p->directory);

	if (!class) {
		log_error("Cannot tell whether '%s' is a sysext or a confext", p->source);
		log_hint("Add its extension-release file, or say --class=");
		return EXIT_FAILED;
	}
	if (wished && class != wished) {
		log_error("'%s' is the name of a %s, not of a %s", p->target, class->name,
			  wished->name);
		return EXIT_FAILED;
	}
	*ret = class;
	return EXIT_DONE;
}

/* pack.4 */
static void warn_of_unseen(const struct content *c) {
	for (char **name = c->unseen; name && *name; name++)
		log_warning("/%s is packed, but a %s is not merged there", *name,
			    c->extension->class->name);
}

static enum exit_code examine_source(struct packing *p) {
	const struct class *class = NULL;
	const struct extension *e;
	enum exit_code code;
	int r;

	p->directory = open(p->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->directory < 0)
		return packing_fail(p, -errno, NULL);
	code = choose_class(p, &class);
	if (code != EXIT_DONE)
		return code;
	r = content_examine(p->source, p->directory, entry_of(p->target), class,
			    &p->content);
	if (r < 0)
		return packing_fail(p, r, NULL);
	e = p->content.extension;
	if (!extension_fits(e)) {
		log_error("Cannot pack '%s': %s: %s", p->source,
			  verdict_word(e->verdict.code), e->verdict.text);
		hint_at(p, e);
		return EXIT_FAILED;
	}
	warn_of_unseen(&p->content);
	return EXIT_DONE;
}

/* pack.7: the partition types have an architecture, also where the release file leaves it open. */
static enum exit_code choose_architecture(struct packing *p) {
	const char *said = release_get(p->content.extension->release, "ARCHITECTURE");
	const char *wished = p->options->architecture;
	struct utsname name;

	if (said && (!*said || strcmp(said, "_any") == 0))
		said = NULL;
	if (said && wished && strcmp(said, wished) != 0) {
		log_error("--arch=%s, but the release file says ARCHITECTURE=%s", wished,
			  said);
		return EXIT_FAILED;
	}
	if (uname(&name) < 0)
		return packing_fail(p, -errno, NULL);
	p->request.architecture =
		wished ?: said ?: architecture_from_machine(name.machine);
	if (!p->request.architecture)
		return refuse("This machine's architecture has no name",
			      "--arch= says for which one the image is");
	return EXIT_DONE;
}

/* pack.10: SOURCE_DATE_EPOCH is what builds that can be repeated agree on. */
static enum exit_code choose_times(struct packing *p) {
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	long long epoch = 0;

	p->request.fix_times = p->options->reproducible;
	p->request.all_root = p->options->reproducible || geteuid() != 0;
	if (p->options->reproducible && text) {
		errno = 0;
		epoch = strtoll(text, &end, 10);
		if (errno != 0 || *text < '0' || *text > '9' || *end || epoch > UINT32_MAX)
			return refuse(
				"SOURCE_DATE_EPOCH is no number of seconds since 1970",
				"Unset it to have 0");
	}
	p->request.time = p->options->reproducible ? epoch : p->content.newest;
	if (p->request.time < 0 || p->request.time > UINT32_MAX)
		p->request.time = 0;
	return EXIT_DONE;
}

enum exit_code packing_examine(struct packing *p) {
	enum exit_code code = examine_source(p);

	if (code == EXIT_DONE)
		code = choose_architecture(p);
	return code == EXIT_DONE ? choose_times(p) : code;
}
