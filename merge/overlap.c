/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the layers below have at a path: an index of names. */
#include "overlap.h"

#include <string.h>

/* Nodes in one array, names in one text, and an open-addressing table of node numbers over both. */
struct node {
	uint32_t parent, name; /* `name` is an offset into names */
	uint16_t layer;
	uint8_t type;
};

/* What a node was before a put that may be taken back. */
struct undo {
	uint32_t node;
	uint16_t layer;
	uint8_t type;
};

struct overlap {
	struct node *nodes;
	uint32_t n_nodes, room;
	char *names;
	uint32_t names_len, names_room;
	uint32_t *table; /* node number + 1, 0 for free; a power of two, at most half full */
	uint32_t table_size;
	struct undo *undo;
	size_t n_undo, undo_room;
};

/* FNV-1a over the parent's number and the name. */
static uint32_t hash_entry(uint32_t parent, const char *name) {
	uint32_t h = 2166136261u;

	for (unsigned i = 0; i < 4; i++)
		h = (h ^ (parent >> i * 8 & 0xff)) * 16777619u;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h ^ h >> 15;
}

/* The place in the table where the entry is, or where it would go. */
static uint32_t *find_slot(const struct overlap *o, uint32_t parent, const char *name) {
	uint32_t mask = o->table_size - 1, at = hash_entry(parent, name) & mask;

	for (;; at = (at + 1) & mask) {
		const struct node *n;

		if (o->table[at] == 0)
			return &o->table[at];
		n = &o->nodes[o->table[at] - 1];
		if (n->parent == parent && strcmp(o->names + n->name, name) == 0)
			return &o->table[at];
	}
}

static int grow_table(struct overlap *o) {
	uint32_t size = o->table_size ? o->table_size * 2 : 1024, *old = o->table;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	o->table = table;
	o->table_size = size;
	for (uint32_t i = 1; i < o->n_nodes; i++) /* the root has no entry */
		*find_slot(o, o->nodes[i].parent, o->names + o->nodes[i].name) = i + 1;
	free(old);
	return 0;
}

static int grow_nodes(struct overlap *o) {
	uint32_t room = o->room ? o->room * 2 : 512;
	struct node *nodes = reallocarray(o->nodes, room, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	o->nodes = nodes;
	o->room = room;
	return 0;
}

static int grow_names(struct overlap *o, size_t len) {
	uint32_t room = (o->names_room + (uint32_t)len) * 2 + 4096;
	char *names = realloc(o->names, room);

	if (!names)
		return -ENOMEM;
	o->names = names;
	o->names_room = room;
	return 0;
}

static int64_t append(struct overlap *o, uint32_t parent, const char *name,
		      enum overlap_type type, unsigned layer) {
	size_t len = strlen(name) + 1;
	int r = 0;

	if (o->n_nodes >= OVERLAP_NODES_MAX || len > UINT32_MAX / 4 - o->names_len)
		return -EOVERFLOW;
	if (o->n_nodes == o->room)
		r = grow_nodes(o);
	if (r == 0 && len > o->names_room - o->names_len)
		r = grow_names(o, len);
	if (r == 0 && o->n_nodes * 2 >= o->table_size)
		r = grow_table(o);
	if (r < 0)
		return r;
	memcpy(o->names + o->names_len, name, len);
	o->nodes[o->n_nodes] = (struct node){ .parent = parent,
					      .name = o->names_len,
					      .layer = (uint16_t)layer,
					      .type = (uint8_t)type };
	o->names_len += (uint32_t)len;
	return o->n_nodes++;
}

int overlap_new(struct overlap **ret) {
	_cleanup_(overlap_freep) struct overlap *o = calloc(1, sizeof(*o));
	int64_t r;

	if (!o)
		return -ENOMEM;
	r = append(o, 0, "", OVERLAP_DIRECTORY, 0);
	if (r < 0)
		return (int)r;
	*ret = TAKE_PTR(o);
	return 0;
}

int64_t overlap_find(const struct overlap *o, uint32_t parent, const char *name,
		     struct overlap_node *ret) {
	uint32_t found = *find_slot(o, parent, name);

	if (found == 0 || o->nodes[found - 1].type == OVERLAP_ABSENT)
		return -ENOENT;
	*ret = (struct overlap_node){ .type = o->nodes[found - 1].type,
				      .layer = o->nodes[found - 1].layer };
	return found - 1;
}

/* Notes what the node is now. Nodes that revert() brings back to absent stay as tombstones. */
static int note_undo(struct overlap *o, uint32_t node) {
	if (o->n_undo == o->undo_room) {
		size_t room = o->undo_room * 2 + 256;
		struct undo *grown = reallocarray(o->undo, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		o->undo = grown;
		o->undo_room = room;
	}
	o->undo[o->n_undo++] = (struct undo){ .node = node,
					      .layer = o->nodes[node].layer,
					      .type = o->nodes[node].type };
	return 0;
}

int64_t overlap_put(struct overlap *o, uint32_t parent, const char *name,
		    enum overlap_type type, unsigned layer) {
	uint32_t found = *find_slot(o, parent, name), node;
	int r;

	if (found == 0) {
		int64_t appended = append(o, parent, name, OVERLAP_ABSENT, 0);

		if (appended < 0)
			return appended;
		found = (uint32_t)appended + 1;
		*find_slot(o, parent, name) = found;
	}
	node = found - 1;
	r = note_undo(o, node);
	if (r < 0)
		return r;
	o->nodes[node].type = (uint8_t)type;
	o->nodes[node].layer = (uint16_t)layer;
	return node;
}

void overlap_commit(struct overlap *o) {
	o->n_undo = 0;
}

void overlap_revert(struct overlap *o) {
	while (o->n_undo > 0) {
		const struct undo *u = &o->undo[--o->n_undo];

		o->nodes[u->node].type = u->type;
		o->nodes[u->node].layer = u->layer;
	}
}

enum overlap_effect overlap_judge(enum overlap_type above, enum overlap_type below) {
	if (above == OVERLAP_ABSENT || below == OVERLAP_ABSENT)
		return OVERLAP_ADDS;
	if ((above == OVERLAP_DIRECTORY) != (below == OVERLAP_DIRECTORY))
		return OVERLAP_CONFLICTS;
	return above == OVERLAP_DIRECTORY ? OVERLAP_ADDS : OVERLAP_HIDES;
}

void overlap_free(struct overlap *o) {
	if (!o)
		return;
	free(o->nodes);
	free(o->names);
	free(o->table);
	free(o->undo);
	free(o);
}
