#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Relative links that climb to the root are followed where the root is "/": /etc/os-release is one on most systems.
. "${TESTS_DIR:?}/lib.sh"
begin
. "${TESTS_DIR:?}/root/inside.bash"
make_running_root
mkdir -p "$R/srv"
mv "$R/usr/lib/os-release" "$R/srv/release"
ln -sf ../srv/release "$R/etc/os-release"
make_tree "$R/srv/tool" tool tool ID=debian VERSION_ID=12
ln -s ../../../srv/tool "$X/tool"
is "os-release and an extension are found by relative links" "$(chroot "$R" /extmerge -q merge 2>&1; cat "$R/usr/bin/tool")" tool
is "and taken away" "$(chroot "$R" /extmerge -q unmerge 2>&1; ls "$R/usr/bin/tool" 2>/dev/null)" ""
finish
