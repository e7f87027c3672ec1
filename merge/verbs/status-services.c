/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge status: the services that have extensions of their own, and their stacks. */
#include "status-services.h"

#include <string.h>

#include "../log.h"
#include "../service.h"
#include "../table.h"
#include "../text.h"

enum { COLUMN_SERVICE, COLUMN_PID, COLUMN_HIERARCHY, COLUMN_LAYERS };

static const struct table_column columns[] = {
	{ "SERVICE", 0 }, { "PID", 0 }, { "HIERARCHY", 0 }, { "LAYERS", 0 }, { NULL, 0 },
};

/* Called for each tree that carries the service's name. */
typedef void (*see)(void *data, const struct service *s, const struct record *r);

/* Other people's namespaces are not to be seen, and another root has no processes. */
static bool find(const struct options *o, struct services *ret) {
	*ret = (struct services){ 0 };
	return strcmp(o->root, "/") == 0 && geteuid() == 0 && services_find(ret) == 0;
}

static void look_at(const struct options *o, const struct service *s, see f, void *data) {
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (const char *const *name = classes[c].hierarchies;
		     o->classes[c] && *name; name++) {
			_cleanup_(record_freep) struct record *r = NULL;

			if (service_read_record(s->pid, *name, &r) == 0 && r->service &&
			    strcmp(r->service, s->name) == 0)
				f(data, s, r);
		}
}

static void print_one(void *data, const struct service *s, const struct record *r) {
	struct table_line *line = table_add(data, NULL);
	_cleanup_free_ char *hierarchy = text_format("/%s", r->hierarchy);
	_cleanup_free_ char *pid = text_format("%d", (int)s->pid);
	_cleanup_free_ char *layers = strdup("");

	for (size_t i = 0; layers && i < r->n_layers; i++) {
		char *longer = text_format("%s%s%s", layers, i ? ", " : "",
					   r->layers[i].name);

		free(layers);
		layers = longer;
	}
	table_set(line, COLUMN_SERVICE, s->name);
	table_set(line, COLUMN_PID, pid);
	table_set(line, COLUMN_HIERARCHY, hierarchy);
	table_set(line, COLUMN_LAYERS, layers);
}

void status_print_services(const struct options *o) {
	struct table *table = NULL;
	struct services s;

	if (!find(o, &s))
		return;
	if (s.n > 0)
		table = table_new(o, columns);
	for (size_t i = 0; table && i < s.n; i++)
		look_at(o, &s.items[i], print_one, table);
	if (table)
		table_print(table);
	services_done(&s);
}

static void add_one(void *data, const struct service *s, const struct record *r) {
	struct json_object *item = json_append_object(data), *layers;
	_cleanup_free_ char *path = text_format("/%s", r->hierarchy);

	json_add_text(item, "name", s->name);
	json_add_number(item, "pid", s->pid);
	json_add_text(item, "path", path);
	json_add_number(item, "generation", (int64_t)r->generation);
	json_add_time(item, "since", r->since);
	layers = json_add_array(item, "layers");
	for (size_t i = 0; i < r->n_layers; i++) {
		struct json_object *layer = json_append_object(layers);

		json_add_text(layer, "name", r->layers[i].name);
		json_add_text(layer, "version", r->layers[i].version);
		json_add_text(layer, "path", r->layers[i].path);
		json_add_text(layer, "trust", r->layers[i].trust);
	}
}

void status_add_services(struct json_object *o, const struct options *options) {
	struct json_object *array = json_add_array(o, "services");
	struct services s;

	if (!find(options, &s))
		return;
	for (size_t i = 0; i < s.n; i++)
		look_at(options, &s.items[i], add_one, array);
	services_done(&s);
}
