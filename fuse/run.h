/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the program does, by the arguments behind its subcommand. Each returns the exit status. */
#pragma once

struct union_request;

enum { EXIT_USAGE = 2 };

/* The server of images, as request.h says. */
int run_image(int argc, char **argv);

/* The server of a union, as union-request.h says. */
int run_union(int argc, char **argv);

/* The same for one that is writable. */
int run_overlay(const struct union_request *q);

/* What mount(8) asks of a helper: [SOURCE] DIR [-sfnv] [-t TYPE] [-o OPTIONS]... */
int run_mount(int argc, char **argv);
