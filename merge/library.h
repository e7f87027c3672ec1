/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Libraries that most runs do without, loaded when a function of theirs is first called: to load and relocate
 * libcrypto and libkmod takes longer than the merge of a few extensions.
 *
 *     LIBRARY(kmod, "libkmod.so.2", "recommended", "loads kernel modules");
 *     #define kmod_unref LIBRARY_CALL(kmod, kmod_unref)
 *
 * Below that, kmod_unref() is called as ever, and the compiler knows it from the library's header. Where the
 * library cannot be loaded, that is said once on stderr, and all its functions return 0 or NULL.
 */
#pragma once

#include "base.h"

struct library {
	const char *name; /* as the linker would find it: the soname */
	void *handle;	  /* never closed */
	bool is_missing, is_said;
};

/*
 * Defines the library `id`, and says in the program's notes that it may be loaded, so that packagers and makers of an
 * initramfs see it (https://uapi-group.org/specifications/specs/elf_dlopen_metadata/): `priority` is
 * "required", "recommended" or "suggested".
 */
#define LIBRARY(id, soname, priority, description)                                      \
	LIBRARY_NOTE(id,                                                                \
		     "[{\"feature\":\"" #id "\",\"description\":\"" description         \
		     "\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]"); \
	struct library id = { .name = soname }

#define LIBRARY_NOTE(id, text)                                                     \
	static const struct {                                                      \
		uint32_t name_size, text_size, type;                               \
		char name[4];                                                      \
		_Alignas(4) char json[sizeof(text)];                               \
	} id##_note __attribute__((used, section(".note.dlopen"), aligned(4))) = { \
		4, sizeof(text), 0x407c0c0a, "FDO", text                           \
	}

/* Whether the library is there; loads it, and says nothing: the caller can do without, or has words of its own. */
bool library_load(struct library *l);

/* The same for who cannot do without: what is missing is said once, on stderr. */
bool library_demand(struct library *l);

/*
 * The address of the function, which is remembered in *known, NULL at first. Where there is none, the address
 * of a function that returns 0. May be called by several threads.
 */
void *library_find(struct library *l, const char *function, void **known);

#define LIBRARY_CALL(library, name)                                                 \
	(*({                                                                        \
		static void *known_;                                                \
		(typeof(&name))library_find(&library, LIBRARY_TEXT(name), &known_); \
	}))

#define LIBRARY_TEXT(x) LIBRARY_TEXT_(x)
#define LIBRARY_TEXT_(x) #x
