#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# As many layers as overlayfs takes, and 100,000 files: the same tree, and little memory (union.1, union.14).
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir layers layers/{0..500} o u

server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}

# 500 layers of all that overlayfs knows, which meet in a few hundred directories; the lowest has 100,000 files as well.
"$tools/wild" 13 500 layers || exit 1
mkdir layers/499/many
for ((i = 0; i < 400; i++)); do
	echo "layers/499/many/d$((i % 20))/e$i"
done >directories
xargs mkdir -p <directories
sed 's|$|/f|' directories | awk '{ for (i = 0; i < 250; i++) print $0 i }' | xargs touch
lower=$(seq -s : 0 499)

umount_both() {
	umount -q o
	umount -q u
}

ok "500 layers: mounted" sh -c "cd layers && timeout 60 '$union' '$T/u' -o lowerdir=$lower"
if (cd layers && mount -t overlay none "$T/o" -o "ro,redirect_dir=nofollow,metacopy=off,lowerdir=$lower") 2>/dev/null; then
	ok "500 layers and 100,000 files: the same tree as overlayfs" timeout 500 "$tools/alike" o u
else
	skip "500 layers: the same tree as overlayfs" "overlayfs cannot be mounted here"
fi
fds=$(find "/proc/$(server)/fd" -mindepth 1 | wc -l)
ok "no more fds than 266 and the layers ($fds)" [ "$fds" -le 766 ]
umount_both
like "501 layers are refused" "$(cd layers && timeout 60 "$union" "$T/u" -o "lowerdir=$lower:500" 2>&1)" "too many layers"
not_ok "as overlayfs does" sh -c "cd layers && mount -t overlay none '$T/o' -o ro,lowerdir=$lower:500 2>/dev/null"

# Locked memory and all, after a walk of 50,000 files that looks at each.
(cd layers && timeout 60 "$union" "$T/u" -o lowerdir=498:499)
is "a walk of 50,000 files" "$(find u/many/d[0-9] -type f -size -1 | wc -l)" "50000"
memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$(server)/status")
if [ "$(grep -c __asan_init "$union")" -gt 0 ]; then
	skip "memory after it" "a sanitizer takes more"
else
	ok "leaves at most 8 MiB in memory ($memory KiB)" [ "$memory" -le 8192 ]
fi
umount_both
finish
