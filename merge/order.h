/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the layers: UAPI.4 Ordering by UAPI.10 versions, with a total tie break. Pure. */
#pragma once

#include "extension.h"

/*
 * Compares two extensions, the older (lower) one first (specs: order.*): class, then the full image
 * name by version_compare(), then its bytes, then the path's bytes. 0 only for the same path.
 */
int order_compare(const struct extension *a, const struct extension *b);

/* Sorts lowest first. */
void order_sort(struct extensions *list);
