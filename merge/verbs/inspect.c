/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge inspect: one image or directory, wherever it is; works without privilege. */
#include <string.h>

#include "../configure.h"
#include "../image.h"
#include "../log.h"
#include "inspecting.h"
#include "verbs.h"

/* Looks inside and matches, in the workshop, over a copy of no hierarchy but the host's own. */
static enum exit_code look_inside(struct route *r, struct subject *s) {
	bool is_directory = s->extension->kind == EXTENSION_DIRECTORY ||
			    s->extension->kind == EXTENSION_SUBVOLUME;
	enum exit_code code;

	if (!extension_fits(s->extension) || (!r->is_privileged && !is_directory))
		return EXIT_DONE;
	r->extensions.items = calloc(1, sizeof(struct extension *));
	if (!r->extensions.items)
		return EXIT_FAILED;
	r->extensions.items[r->extensions.n++] = s->extension;
	s->is_examined = true;
	code = route_examine(r);
	r->extensions.n = 0; /* it stays the subject's */
	return code;
}

static bool is_image(const struct extension *e) {
	return e->kind == EXTENSION_RAW || e->kind == EXTENSION_BLOCK;
}

/* Faults of the image are in the anatomy, and a verdict besides. */
static int read_image(struct route *r, struct subject *s) {
	struct verity_rules rules;
	struct policy policy;
	int e = trust_rules(&r->trust, s->extension, r->base, &policy, &rules);

	if (e == 0)
		e = anatomy_read(s->extension, &r->host, &policy, rules.trusted,
				 &s->anatomy);
	return e < 0 ? e
		     : source_read_layout(s->extension, r->host.architecture,
					  r->host.secondary, &s->layout);
}

/* Who examines says it himself. */
static void warn_of_certificates(const struct route *r, const struct subject *s) {
	for (char **problem = r->trust.problems; !s->is_examined && problem && *problem;
	     problem++)
		log_warning("%s", *problem);
}

static enum exit_code inspect(struct route *r, const struct options *o,
			      struct subject *s) {
	enum exit_code code = route_enter(r);
	const char *why = NULL;
	int e;

	if (code == EXIT_DONE)
		code = configure(r);
	if (code != EXIT_DONE)
		return code;
	/* Opened after entering: in another namespace its mounts could not be used. */
	e = image_open(o->operands[0], &classes[CLASS_SYSEXT], &s->extension);
	if (e == 0)
		e = host_read(r->base, &r->host, &why);
	if (e == 0 && extension_fits(s->extension) && is_image(s->extension))
		e = read_image(r, s);
	if (e < 0) {
		log_error("Cannot inspect '%s': %s", o->operands[0], why ?: strerror(-e));
		return EXIT_FAILED;
	}
	code = look_inside(r, s);
	warn_of_certificates(r, s);
	return code;
}

static enum exit_code run(const struct options *o) {
	struct subject s = { 0 };
	struct route r;
	enum exit_code code = route_open(&r, o);

	if (code == EXIT_DONE)
		code = inspect(&r, o, &s);
	if (code == EXIT_DONE && o->json != JSON_OFF)
		inspecting_print_json(&s, o);
	else if (code == EXIT_DONE)
		inspecting_print_text(&s, o);
	if (code == EXIT_DONE && !extension_fits(s.extension))
		code = EXIT_FAILED;
	anatomy_done(&s.anatomy);
	extension_free(s.extension);
	route_done(&r);
	return code;
}

const struct verb verb_inspect = {
	.name = "inspect",
	.operands = "IMAGE",
	.help = "Show what an image is, and whether it would fit",
	.min = 1,
	.max = 1,
	.run = run,
};
