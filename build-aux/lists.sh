#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compares the lists in the Makefiles with the files that are there: a file that is missing from a
# list is missing from the tarball. Prints the differences; exit status 1 if there are any.
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

differences=$(comm -3 <(listed) <(present) | sed -E 's/^\t(.*)/not listed: \1/; t; s/^/missing:    /')
[ -n "$differences" ] || exit 0
echo "$differences"
exit 1
