/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An array of nodes, and balanced trees by name and inode, which no choice of names can make slow. */
#include "nodes.h"

#include <search.h>
#include <string.h>

#define ROOM_FIRST 64
#define ROOM_MAX (UINT32_MAX / 2)

struct kept {
	ino_t inode;
	uint64_t number;
};

static int compare_numbers(uint64_t a, uint64_t b) {
	return a < b ? -1 : a > b;
}

static int compare_names(const void *a, const void *b) {
	const struct node_name *p = a, *q = b;
	int r = compare_numbers(p->parent->id, q->parent->id);

	return r != 0 ? r : strcmp(p->text, q->text);
}

static int compare_nodes(const void *a, const void *b) {
	const struct node *p = a, *q = b;

	return compare_numbers(p->upper_inode, q->upper_inode);
}

static int compare_kept(const void *a, const void *b) {
	const struct kept *p = a, *q = b;

	return compare_numbers(p->inode, q->inode);
}

/* What a tree holds under the key, or NULL. */
static void *find(void *const *tree, const void *key,
		  int (*compare)(const void *, const void *)) {
	void *const *found = tfind(key, tree, compare);

	return found ? *found : NULL;
}

/* --- the array --- */

static int find_free(struct nodes *n) {
	struct node **list;
	uint32_t room;

	for (; n->free < n->n && n->list[n->free]; n->free++)
		;
	if (n->free < n->room)
		return 0;
	room = n->room ? 2 * n->room : ROOM_FIRST;
	list = room > ROOM_MAX ? NULL : reallocarray(n->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	n->list = list;
	n->room = room;
	return 0;
}

struct node *nodes_add(struct nodes *n) {
	struct node *node = calloc(1, sizeof(*node));

	if (!node || find_free(n) < 0) {
		free(node);
		return NULL;
	}
	if (n->free == n->n)
		n->n++;
	n->list[n->free] = node;
	node->id = (uint64_t)n->generation++ << 32 | n->free++;
	node->fd = -EBADF;
	return node;
}

int nodes_init(struct nodes *n) {
	struct node *root;

	*n = (struct nodes){ .free = (uint32_t)NODES_ROOT };
	n->list = calloc(ROOM_FIRST, sizeof(struct node *));
	if (!n->list)
		return -ENOMEM;
	n->room = ROOM_FIRST;
	n->n = n->free;
	root = nodes_add(n);
	if (!root)
		return -ENOMEM;
	root->type = S_IFDIR;
	return 0;
}

struct node *nodes_get(const struct nodes *n, uint64_t id) {
	uint32_t i = (uint32_t)id;

	return i < n->n && n->list[i] && n->list[i]->id == id ? n->list[i] : NULL;
}

void nodes_free(struct nodes *n, struct node *node) {
	uint32_t i = (uint32_t)node->id;

	while (node->names)
		nodes_unname(n, node->names);
	if (nodes_of_inode(n, node->upper_inode) == node)
		tdelete(node, &n->by_inode, compare_nodes);
	n->list[i] = NULL;
	if (i < n->free)
		n->free = i;
	free(node->last);
	free(node);
}

static void free_nothing(void *p) {
	(void)p;
}

void nodes_done(struct nodes *n, void (*leave)(struct node *node, void *data),
		void *data) {
	for (uint32_t i = 0; i < n->n; i++) {
		struct node *node = n->list[i];

		if (!node)
			continue;
		leave(node, data);
		while (node->names) {
			struct node_name *next = node->names->next;

			free(node->names);
			node->names = next;
		}
		free(node->last);
		free(node);
	}
	tdestroy(n->by_name, free_nothing);
	tdestroy(n->by_inode, free_nothing);
	tdestroy(n->kept, free);
	free(n->list);
}

/* --- names --- */

struct node_name *nodes_find(const struct nodes *n, const struct node *parent,
			     const char *text) {
	const struct node_name key = { .parent = (struct node *)parent, .text = text };

	return find(&n->by_name, &key, compare_names);
}

int nodes_name(struct nodes *n, struct node *parent, const char *text, struct node *node) {
	size_t size = strlen(text) + 1;
	struct node_name *name = malloc(sizeof(*name) + size);

	if (!name)
		return -ENOMEM;
	*name = (struct node_name){ parent, node, node->names, (char *)(name + 1) };
	memcpy(name + 1, text, size);
	if (!tsearch(name, &n->by_name, compare_names)) {
		free(name);
		return -ENOMEM;
	}
	node->names = name;
	parent->n_below++;
	return 0;
}

void nodes_unname(struct nodes *n, struct node_name *name) {
	struct node_name **p = &name->node->names;

	while (*p != name)
		p = &(*p)->next;
	*p = name->next;
	name->parent->n_below--;
	tdelete(name, &n->by_name, compare_names);
	free(name);
}

/* --- inodes --- */

struct node *nodes_of_inode(const struct nodes *n, ino_t inode) {
	const struct node key = { .upper_inode = inode };

	return find(&n->by_inode, &key, compare_nodes);
}

/* An inode that was deleted and came again is another file: the newer node counts. */
int nodes_note_upper(struct nodes *n, struct node *node, ino_t inode) {
	struct node *old = nodes_of_inode(n, inode);

	if (old)
		tdelete(old, &n->by_inode, compare_nodes);
	node->upper_inode = inode;
	node->is_upper = true;
	return tsearch(node, &n->by_inode, compare_nodes) ? 0 : -ENOMEM;
}

void nodes_forget_inode(struct nodes *n, struct node *node) {
	if (!node->is_upper)
		return;
	nodes_drop_number(n, node->upper_inode);
	if (nodes_of_inode(n, node->upper_inode) == node)
		tdelete(node, &n->by_inode, compare_nodes);
}

int nodes_keep_number(struct nodes *n, ino_t inode, uint64_t number) {
	struct kept *k = malloc(sizeof(*k)), **there;

	if (!k)
		return -ENOMEM;
	*k = (struct kept){ inode, number };
	there = tsearch(k, &n->kept, compare_kept);
	if (!there || *there != k)
		free(k);
	if (!there)
		return -ENOMEM;
	(*there)->number = number;
	return 0;
}

uint64_t nodes_kept_number(const struct nodes *n, ino_t inode) {
	const struct kept key = { .inode = inode }, *k;

	k = find(&n->kept, &key, compare_kept);
	return k ? k->number : 0;
}

void nodes_drop_number(struct nodes *n, ino_t inode) {
	const struct kept key = { .inode = inode };
	struct kept *k = find(&n->kept, &key, compare_kept);

	if (!k)
		return;
	tdelete(k, &n->kept, compare_kept);
	free(k);
}
