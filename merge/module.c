/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel modules that are needed and absent. */
#include "module.h"

#include <libkmod.h>

#include "base.h"

int module_load(const char *name) {
	struct kmod_ctx *context = kmod_new(NULL, NULL);
	struct kmod_list *list = NULL, *item;
	int r;

	if (!context)
		return -ENOMEM;
	kmod_set_log_priority(context,
			      0); /* what goes wrong is said by whoever needed it */
	r = kmod_module_new_from_lookup(context, name, &list);
	if (r == 0 && !list)
		r = -ENOENT;
	kmod_list_foreach(item, list) {
		struct kmod_module *module = kmod_module_get_module(item);

		if (r == 0)
			r = kmod_module_probe_insert_module(module,
							    KMOD_PROBE_APPLY_BLACKLIST,
							    NULL, NULL, NULL, NULL);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
	kmod_unref(context);
	return r > 0 ? -EPERM : r; /* positive: the blacklist holds it back */
}
