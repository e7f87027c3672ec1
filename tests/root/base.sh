#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The host on top: its own files win, all others of the extensions appear, and it is as it was afterwards (specs:
# mutable.20, mutable.21).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

# All there is to say of the host's own tree: owner, mode, times, attributes, content.
describe() {
	(
		cd "$R/etc" || exit
		find . -printf '%p %y %m %U:%G %n %s %T@ %C@ %l\n' | sort
		find . -type f -exec sha256sum {} + | sort -k2
		getfattr -Rhd -m - . 2>/dev/null
	)
}

differences() {
	local after
	after=$(describe)
	diff <(echo "$before") <(echo "$after") | wc -l
}

# 300 files of two confexts; 100 of them were edited on the host, among them some in directories.
make_conf_tree "$C/a" a
make_conf_tree "$C/b" b
mkdir -p "$C"/{a,b}/etc/{sub/deep,own} "$R/etc/sub/deep"
for i in $(seq 300); do
	case $((i % 3)) in
	0) path=sub/deep/$i.conf ;;
	1) path=sub/$i.conf ;;
	2) path=$i.conf ;;
	esac
	echo "extension $i" >"$C/a/etc/$path"
	[ $((i % 2)) = 0 ] || echo "b $i" >"$C/b/etc/$path"
	[ "$i" -gt 100 ] || echo "local $i" >"$R/etc/$path"
done
ln -s host.conf "$R/etc/link" && ln -s elsewhere "$C/a/etc/link"
chmod 600 "$R/etc/sub/1.conf" && chown 1:2 "$R/etc/sub/1.conf" && touch -d 2001-01-01 "$R/etc/sub/1.conf" "$R/etc/sub"
setfattr -n user.mine -v yes "$R/etc/sub/1.conf" 2>/dev/null
setfattr -n trusted.mine -v yes "$R/etc/sub/deep" 2>/dev/null
before=$(describe)

em merge --class=confext --base=top
is "both are merged" "$rc $(layers etc)" "0 b a"
is "100 locally edited files win" "$(grep -rl ^local "$R/etc" | wc -l)" 100
is "all others appear" "$(grep -rlE '^(extension|b) [0-9]' "$R/etc" | wc -l)" 200
is "of two confexts the upper one's" "$(cat "$R/etc/101.conf" "$R/etc/sub/102.conf" "$R/etc/sub/deep/102.conf" 2>/dev/null)" "b 101
extension 102"
is "links too" "$(readlink "$R/etc/link")" host.conf
is "mode and owner are the host's" "$(stat -c '%a %u:%g' "$R/etc/sub/1.conf")" "600 1:2"
em status --json=short
is "status counts what is hidden by the host" \
	"$(jq -c '.hierarchies[] | select(.path == "/etc") | [.base, (.layers[] | .name, .hidden_by_host, .hides.host, .hides.extensions)]' <<<"$out")" \
	'["top","b",50,0,100,"a",101,0,0]'
em status
like "and says who wins" "$out" "the host's own files win"
like "and how much is hidden" "$out" "files hidden by the host: 101"
em why /etc/2.conf
like "why shows the host first" "$out" "^/etc/2\.conf +<- the host's own
 +hides +a +\(.*\): different content"
em plan
is "nothing is pending" "$rc" 0

# --- kept, and told otherwise (mutable.2) ---
echo changed >"$C/a/etc/300.conf"
em refresh
is "a refresh keeps it" "$rc $(cat "$R/etc/2.conf") $(layers etc)" "0 local 2 b a"
em refresh --base=/etc:bottom
is "and can be told otherwise" "$rc $(cat "$R/etc/2.conf") $(cat "$R/etc/300.conf" "$R/etc/sub/deep/300.conf" 2>/dev/null)" "0 extension 2 changed
extension 300"
em unmerge
is "after unmerge /etc is what it was: 0 differences" "$(differences)" 0

# --- the configuration says so for one hierarchy, and an extension has no say ---
make_tree "$X/tool" tool
echo "from tool" >"$X/tool/usr/bin/host-tool"
mkdir -p "$R/run/extmerge.conf.d"
printf '[Hierarchy /etc]\nBase=top\n' >"$R/run/extmerge.conf.d/1.conf"
em merge
is "one hierarchy of two" "$rc $(cat "$R/etc/2.conf") $(cat "$R/usr/bin/host-tool")" "0 local 2 from tool"
rm "$R/run/extmerge.conf.d/1.conf"
em refresh
is "what a file said is not kept without it" "$rc $(cat "$R/etc/2.conf")" "0 extension 2"
em unmerge

# --- mutable.21 ---
refused() { # NAME REGEX
	em list --json=short --base=top
	like "$1 is refused" "$(jq -r --arg n "$1" '.extensions[] | select(.name == $n) | "\(.reason.code): \(.reason.text)"' <<<"$out")" "^type-conflict: $2"
}
for name in over-file over-link over-directory; do
	make_conf_tree "$C/$name" $name
done
mkdir "$C/over-file/etc/host.conf" "$C/over-link/etc/link"
echo x >"$C/over-directory/etc/ssl"
refused over-file "/etc/host.conf is a directory here, but a file of the host, which lies above"
refused over-link "/etc/link is a directory here, but a symlink of the host, which lies above"
refused over-directory "/etc/ssl is a file here, but a directory of the host, which lies above"
em merge --class=confext --base=top
is "beside them the others are merged" "$rc $(layers etc)" "0 b a"
em unmerge
is "0 differences" "$(differences)" 0
is "nothing is left" "$(mounts_below "$R")" 0
finish
