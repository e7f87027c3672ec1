#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is loaded at every start: libraries that few runs need are not (merge/library.h).
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

# libmount is needed by every run; these by few.
loaded=$(LD_TRACE_LOADED_OBJECTS=1 "$EXTMERGE" 2>/dev/null)
like "libmount is loaded at every start" "$loaded" libmount
for library in libcrypto libkmod libsmartcols libeconf libcryptsetup libfuse3; do
	is "$library is not" "$(grep -c "$library" <<<"$loaded")" 0
done
finish
