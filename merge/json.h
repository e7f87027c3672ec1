/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs found, as JSON on stdout (specs: json.*): one object, with a schema, only ever extended. */
#pragma once

#include "route.h"

/* A growing object; NULL members and lack of memory are remembered and told at the end. */
struct json_object;

/* {"schema": "extmerge.NAME/1"}; NULL where memory ran out. */
struct json_object *json_new(const char *name);

/* Adds a text, or null for NULL. Bytes that are no UTF-8 are written as \xHH. */
void json_add_text(struct json_object *o, const char *key, const char *text);
void json_add_number(struct json_object *o, const char *key, int64_t number);
void json_add_bool(struct json_object *o, const char *key, bool value);

/* Adds a new array or object and returns it. */
struct json_object *json_add_array(struct json_object *o, const char *key);
struct json_object *json_add_object(struct json_object *o, const char *key);
struct json_object *json_append_object(struct json_object *array);

/* "2026-11-22T10:42:01Z", or null for 0. */
void json_add_time(struct json_object *o, const char *key, int64_t seconds);

/* Prints, frees, and says so on stderr if memory ran out on the way. */
void json_print(struct json_object *o, enum options_json format);

/* What several verbs show: extensions (all, or those called `name`) with verdicts, and problems; */
void json_add_extensions(struct json_object *o, const struct route *r, const char *name);
/* hierarchies with their layers; and the plan. */
void json_add_state(struct json_object *o, const struct route *r);
void json_add_plan(struct json_object *o, const struct route *r);
/* what was run after a change. */
void json_add_hooks(struct json_object *o, const struct route *r);
