#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compares the lists in the Makefiles with the files that are there: a file that is missing from a
# list is missing from the tarball. And the map of the rooms in HACKING.md. Prints the differences; exit status 1 if there are any.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C

kinds=(-name '*.[ch]' -o -name '*.sh' -o -name '*.bash' -o -name '*.tsv' -o -name '*.csv' -o -name '*.md' -o -name '*.scd' -o -path 'tests/vm/*init' -o -path 'units/*' ! -name Makemodule.am)
folders=()
for folder in merge verity fuse units specs tests man build-aux; do
	[ ! -d "$folder" ] || folders+=("$folder")
done

# Words that begin with a folder; "tests/unit/X" means tests/unit/X.c, other programs of tests (names without a dot) and
# the finished manual page are no sources. Nor is what is made of a file "X.in".
listed() {
	cat Makefile.am ./*/Makemodule.am | sed 's/[[:space:]]#.*//; /^#/d' | tr -sc 'A-Za-z0-9_./@-' '\n' |
		grep -E '^(merge|verity|fuse|units|specs|tests|man|build-aux)/[A-Za-z0-9_./@-]+$' |
		grep -vE '/Makemodule\.am$|^tests/fuzz/fuzz-|^tests/fuzz/corpus$|^man/.*\.[58]$|^tests/run$' |
		sed -E 's|^(tests/unit/[^.]*)$|\1.c|; /^tests\/([^.]*|root\/deny\.so)$/{ /init$/!d; }' | sort -u |
		awk '{ words[$0] } END { for (word in words) if (!(word ".in" in words)) print word }' | sort
}

present() {
	find "${folders[@]}" -type f '(' "${kinds[@]}" ')' | sort -u
}

# Modules in the map: "merge/name". Of X-part the map has X-part or X.
mapped() {
	awk '/^\| `(merge|verity|fuse)\/` \| modules \|$/ { room = substr($2, 2, length($2) - 2); next }
		/^$/ { room = "" }
		room { n = split($0, cell, "|"); while (match(cell[3], /`[a-z0-9-]+`/)) {
			print room substr(cell[3], RSTART + 1, RLENGTH - 2); cell[3] = substr(cell[3], RSTART + RLENGTH) } }' HACKING.md | sort -u
}

modules() {
	find merge verity fuse -maxdepth 1 -name '*.[ch]' | sed 's/\.[ch]$//' | sort -u
}

off_the_map() {
	local map module part
	map=$(mapped)
	while read -r module; do
		part=$module
		until grep -qxF "$part" <<<"$map"; do
			[[ $part == *-* ]] || { echo "not in the map of HACKING.md: $module"; break; }
			part=${part%-*}
		done
	done < <(modules)
	comm -23 <(echo "$map") <(modules) | sed 's/^/in the map of HACKING.md, and nowhere else: /'
}

differences=$(comm -3 <(listed) <(present) | sed -E 's/^\t(.*)/not listed: \1/; t; s/^/missing:    /'
	off_the_map)
[ -n "$differences" ] || exit 0
echo "$differences"
exit 1
