/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extmerge-fuse: the server of what the kernel cannot mount by itself. */

#include <string.h>

#include "../merge/base.h"
#include "run.h"

static int run_help(int argc, char **argv) {
	printf("Usage: extmerge-fuse [SOURCE] DIR -o lowerdir=A:B:C[,OPTION...]\n"
	       "       extmerge-fuse image|union ARGUMENT...\n"
	       "Serves file systems that the kernel cannot mount by itself.\n"
	       "\n"
	       "Mounts on DIR the union of directories, the first on top, as overlayfs\n"
	       "would show it; also: mount -t fuse.extmerge-fuse none DIR -o lowerdir=A:B:C\n"
	       "\n"
	       "Subcommands, which extmerge and extmerge-fuse start:\n"
	       "  image      the data of one image as a file, each block checked as it is read\n"
	       "  union      the union of directories\n"
	       "  --help     print this\n"
	       "  --version  print the version\n");
	return EXIT_SUCCESS;
}

static int run_version(int argc, char **argv) {
	printf("extmerge-fuse %s\n", PACKAGE_VERSION);
	return EXIT_SUCCESS;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* with what follows the name */
} subcommands[] = {
	{ "image", run_image }, { "union", run_union },	      { "--help", run_help },
	{ "-h", run_help },	{ "--version", run_version },
};

/* Everything that is no subcommand is what mount(8) would say. */
int main(int argc, char **argv) {
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 2, argv + 2);
	return run_mount(argc - 1, argv + 1);
}
