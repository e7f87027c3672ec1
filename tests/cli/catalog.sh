#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The catalog explains every event that the program logs, and no other; and it names only fields that they have (specs: log.3).
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

top=${SPECS_DIR:?}/..
catalog=$top/units/extmerge.catalog
ids=$(grep -oE '"[0-9a-f]{32}"' "$top/merge/event.c" | tr -d '"' | sort)

is "there is an id for each event" "$(wc -w <<<"$ids") $(uniq -d <<<"$ids")" "6 "
is "the catalog has them all" "$(sed -n 's/^-- //p' "$catalog" | sort)" "$ids"
is "so has the specification" "$(grep -oE '`[0-9a-f]{32}`' "$SPECS_DIR/log.md" | tr -d '\`' | sort)" "$ids"
is "every entry says what it is, by whom, and where to read on" \
	"$(grep -c '^Subject: ' "$catalog") $(grep -c '^Defined-By: extmerge$' "$catalog") $(grep -c '^Documentation: ' "$catalog")" "6 6 6"
fields=$(grep -ohE 'EXTMERGE_[A-Z_]+' "$top/merge/event.c" | sort -u)
is "fields in it are logged" "$(comm -13 <(echo "$fields") <(grep -oE '@[A-Z_]+@' "$catalog" | tr -d @ | sort -u))" ""
finish
