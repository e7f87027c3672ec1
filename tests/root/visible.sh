#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Success means visible (switch.5): where the new tree does not show a layer or the host, all that was switched goes
# back (switch.4). What is missing is made missing by deny.c, for the check alone.
. "${TESTS_DIR:?}/lib.sh"
begin
shim=${TESTS_BUILD_DIR:?}/root/deny.so
[ -e "$shim" ] || { skip "what is built is what is seen" "there is no $shim"; finish; }

content() {
	(cd "$R" && cat usr/bin/{host-tool,tool} etc/{host.conf,conf.conf} opt/tool 2>&1 | paste -sd' ')
}

# Images, not directories: those the old tree would show as they are now.
change() { # VERSION
	make_tree "$T/tool" tool "$1"
	mkdir -p "$T/tool/opt"
	echo "$1" >"$T/tool/opt/tool"
	make_image erofs "$T/tool" "$X/tool.raw"
	make_conf_tree "$T/conf" conf "$1"
	make_image erofs "$T/conf" "$C/conf.raw"
}

hiding() { # PATH VERB
	err=$(EXTMERGE_HIDE=$1 LD_PRELOAD=$shim "$EXTMERGE" --root="$R" "$2" 2>&1 >/dev/null)
	rc=$?
}

before=$(mounts_below "$R")
change 1
hiding bin/tool merge
is "a first merge that loses a layer fails" $rc 1
like "and names it" "$err" "files of tool are missing in the new /usr"
is "nothing is merged, also not what was switched before" "$(mounts_below "$R")" "$before"

em merge
one=$(content)
is "without the loss it is merged" "$one" "host tool 1 host conf 1 1"
change 2
while IFS='|' read -r name path text; do
	hiding "$path" refresh
	is "a refresh that loses $name fails" $rc 1
	like "and says so: $name" "$err" "$text"
	is "all hierarchies have gone back: $name" "$(content)" "$one"
	is "with one tree on each: $name" "$(mounts_below "$R")" "$((before + 3))"
done <<TABLE
a layer of the last hierarchy|tool|files of tool are missing in the new /opt
a layer|bin/tool|files of tool are missing in the new /usr
the host|bin/host-tool|of the host is missing in the new tree
TABLE
em refresh
is "without the loss it is switched" "$rc $(content)" "0 host tool 2 host conf 2 2"
em unmerge
is "nothing is left" "$(mounts_below "$R")" "$before"
finish
