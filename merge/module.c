/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel modules that are needed and absent. libkmod is loaded for that, as hardly any run needs one. */
#include "module.h"

#include <libkmod.h>

#include "library.h"

LIBRARY(kmod, "libkmod.so.2", "recommended", "loads kernel modules that are needed");

#define kmod_new LIBRARY_CALL(kmod, kmod_new)
#define kmod_unref LIBRARY_CALL(kmod, kmod_unref)
#define kmod_set_log_priority LIBRARY_CALL(kmod, kmod_set_log_priority)
#define kmod_module_new_from_lookup LIBRARY_CALL(kmod, kmod_module_new_from_lookup)
#define kmod_list_next LIBRARY_CALL(kmod, kmod_list_next)
#define kmod_module_get_module LIBRARY_CALL(kmod, kmod_module_get_module)
#define kmod_module_unref LIBRARY_CALL(kmod, kmod_module_unref)
#define kmod_module_unref_list LIBRARY_CALL(kmod, kmod_module_unref_list)
#define kmod_module_probe_insert_module \
	LIBRARY_CALL(kmod, kmod_module_probe_insert_module)

int module_load(const char *name) {
	struct kmod_ctx *context = library_load(&kmod) ? kmod_new(NULL, NULL) : NULL;
	struct kmod_list *list = NULL, *item;
	int r;

	if (!context)
		return kmod.is_missing ? -ENOSYS : -ENOMEM;
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
