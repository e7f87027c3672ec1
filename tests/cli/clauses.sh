#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every clause that the code or a test cites is on a page of specs/, once.
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

pages=("${SPECS_DIR:?}"/*.md)
top=$SPECS_DIR/..
defined=$(grep -ohE '^[-|] \*\*[a-z]+\.[a-z0-9]+\*\*' "${pages[@]}" | grep -oE '[a-z]+\.[a-z0-9]+')
areas=$(cut -d. -f1 <<<"$defined" | sort -u | paste -sd'|')

is "no clause is there twice" "$(sort <<<"$defined" | uniq -d)" ""

# "layer.1 to layer.5" and "specs: layer.*" are the page as a whole. An area's name is also that of a header
# ("layer.h") and of variables ("record.n"): names count where "specs:" or a parenthesis introduces them.
cited() {
	grep -rhoE "\b($areas)\.[0-9]+\b" --include='*.[ch]' --include='*.sh' \
		"$top/merge" "$top/verity" "$top/fuse" "$top/tests" "${pages[@]}"
	grep -rhoE "(specs:|\(|\*|//|#|,) ?($areas)\.[a-z]{2,}\b" --include='*.[ch]' --include='*.md' \
		"$top/merge" "$top/verity" "$top/fuse" "$top/tests" "${pages[@]}" | grep -oE "($areas)\.[a-z]+"
}
is "every clause that is cited is there" \
	"$(comm -13 <(sort -u <<<"$defined") <(cited | grep -vE '\.(md|tsv|json|raw|conf)$' | sort -u))" ""

like "the pages are found" "$defined" "layer.1"
like "citations are found" "$(cited)" "discover.writers"
finish
