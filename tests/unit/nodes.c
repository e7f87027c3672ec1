/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes are found by id, name and inode, and are gone when nobody needs them. */

#include <check.h>
#include <string.h>

#include "fuse/nodes.h"
#include "unit.h"

static void leave(struct node *node, void *data) {
	(void)node;
	++*(unsigned *)data;
}

static struct node *root_of(const struct nodes *n) {
	return nodes_get(n, NODES_ROOT);
}

/* overlay.9 */
START_TEST(ids_are_not_believed) {
	struct nodes n;
	struct node *a, *b;
	unsigned left = 0;
	uint64_t old;

	ck_assert_int_eq(nodes_init(&n), 0);
	ck_assert_ptr_nonnull(root_of(&n));
	ck_assert(!node_is_unused(root_of(&n)));
	for (uint64_t id = 0; id < 100; id++)
		ck_assert(id == NODES_ROOT || !nodes_get(&n, id));
	ck_assert_ptr_null(nodes_get(&n, UINT64_MAX));
	a = nodes_add(&n);
	old = a->id;
	ck_assert_ptr_eq(nodes_get(&n, old), a);
	ck_assert(node_is_unused(a));
	nodes_free(&n, a);
	ck_assert_ptr_null(nodes_get(&n, old));
	b = nodes_add(&n);
	ck_assert_uint_ne(b->id, old);
	ck_assert_ptr_null(nodes_get(&n, old));
	nodes_done(&n, leave, &left);
	ck_assert_uint_eq(left, 2);
}
END_TEST

/* overlay.6 */
START_TEST(names_lead_to_nodes) {
	struct nodes n;
	struct node *dir, *file;
	unsigned left = 0;

	ck_assert_int_eq(nodes_init(&n), 0);
	dir = nodes_add(&n);
	file = nodes_add(&n);
	ck_assert_int_eq(nodes_name(&n, root_of(&n), "dir", dir), 0);
	ck_assert_int_eq(nodes_name(&n, dir, "a", file), 0);
	ck_assert_int_eq(nodes_name(&n, root_of(&n), "a", file), 0);
	ck_assert_ptr_eq(nodes_find(&n, dir, "a")->node, file);
	ck_assert_ptr_eq(nodes_find(&n, root_of(&n), "a")->node, file);
	ck_assert_ptr_null(nodes_find(&n, file, "a"));
	ck_assert_ptr_null(nodes_find(&n, dir, "b"));
	ck_assert_uint_eq(root_of(&n)->n_below, 2);
	ck_assert(!node_is_unused(dir));
	nodes_unname(&n, nodes_find(&n, dir, "a"));
	ck_assert(node_is_unused(dir));
	ck_assert_str_eq(file->names->text, "a");
	ck_assert_ptr_eq(file->names->parent, root_of(&n));
	nodes_free(&n, file);
	ck_assert_ptr_null(nodes_find(&n, root_of(&n), "a"));
	nodes_done(&n, leave, &left);
	ck_assert_uint_eq(left, 2);
}
END_TEST

/* overlay.6: an inode that comes again is another file's. */
START_TEST(inodes_lead_to_nodes) {
	struct nodes n;
	struct node *a, *b;
	unsigned left = 0;

	ck_assert_int_eq(nodes_init(&n), 0);
	a = nodes_add(&n);
	b = nodes_add(&n);
	ck_assert_int_eq(nodes_note_upper(&n, a, 7), 0);
	ck_assert_int_eq(nodes_keep_number(&n, 7, 70), 0);
	ck_assert_ptr_eq(nodes_of_inode(&n, 7), a);
	ck_assert_uint_eq(nodes_kept_number(&n, 7), 70);
	ck_assert_int_eq(nodes_keep_number(&n, 7, 71), 0);
	ck_assert_uint_eq(nodes_kept_number(&n, 7), 71);
	ck_assert_int_eq(nodes_note_upper(&n, b, 7), 0);
	ck_assert_ptr_eq(nodes_of_inode(&n, 7), b);
	nodes_forget_inode(&n, a);
	ck_assert_ptr_eq(nodes_of_inode(&n, 7), b);
	nodes_forget_inode(&n, b);
	ck_assert_ptr_null(nodes_of_inode(&n, 7));
	ck_assert_uint_eq(nodes_kept_number(&n, 7), 0);
	nodes_done(&n, leave, &left);
}
END_TEST

START_TEST(there_may_be_many) {
	struct nodes n;
	unsigned left = 0;
	char name[16];

	ck_assert_int_eq(nodes_init(&n), 0);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ck_assert_int_eq(nodes_name(&n, root_of(&n), name, nodes_add(&n)), 0);
	}
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ck_assert_str_eq(nodes_find(&n, root_of(&n), name)->text, name);
	}
	nodes_done(&n, leave, &left);
	ck_assert_uint_eq(left, 10001);
}
END_TEST

int main(void) {
	const TTest *const tests[] = { ids_are_not_believed, names_lead_to_nodes,
				       inodes_lead_to_nodes, there_may_be_many, NULL };

	return unit_main("nodes", tests);
}
