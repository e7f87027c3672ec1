#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is loaded at every start: libraries that few runs need are not (merge/library.h). And what the program is made of.
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

# libmount is needed by every run; these by few.
loaded=$(LD_TRACE_LOADED_OBJECTS=1 "$EXTMERGE" 2>/dev/null)
like "libmount is loaded at every start" "$loaded" libmount
for library in libcrypto libkmod libsmartcols libeconf libcryptsetup libfuse3; do
	is "$library is not" "$(grep -c "$library" <<<"$loaded")" 0
done

# Of two functions of one name in an archive the linker takes either, as the order of its files has it.
archive=${TESTS_BUILD_DIR:-}/../libextmerge.a
if command -v nm >/dev/null && [ -e "$archive" ]; then
	symbols=$(nm -A --defined-only "$archive" 2>/dev/null | awk '$2 ~ /^[TDBR]$/ { print $3 }')
	like "there are functions" $'\n'"$symbols"$'\n' $'\nstrv_append\n'
	is "and none of one name twice" "$(sort <<<"$symbols" | uniq -d)" ""
else
	skip "functions of one name" "there is no nm, or no libextmerge.a"
fi
finish
