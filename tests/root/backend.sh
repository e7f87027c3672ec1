#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The back end that FUSE is: chosen, named, changed, killed and ended (switch.14, switch.15). All that other tests say of
# merged trees holds there as well: they are run with STACK=fuse, see tests/Makemodule.am.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
readers=${TESTS_BUILD_DIR:?}/readers
[ -c /dev/fuse ] || { skip "the back end FUSE" "there is no /dev/fuse"; finish; }

make_tree "$X/one" one 1
mkdir -p "$X/one/opt"
echo 1 >"$X/one/opt/one"
make_tree "$T/two" two 1
make_image squashfs "$T/two" "$X/two.raw"
make_conf_tree "$C/conf" conf 1
mkdir -p "$R/usr/share/sub"
mount -t tmpfs sub "$R/usr/share/sub"
echo sub >"$R/usr/share/sub/file"
rm -r "$R/opt"
before=$(mounts_below "$R")

shown() {
	(cd "$R" && cat usr/bin/{host-tool,one,two} opt/one etc/{host.conf,conf.conf} usr/share/sub/file 2>&1 | paste -sd' ')
}
all="host tool 1 1 1 host conf 1 sub"
of_status() { # JQ-FILTER
	em status --json=short
	jq -r "$1" <<<"$out"
}
backends() {
	of_status '[.hierarchies[] | "\(.backend)\(if .backend_why then ": " + .backend_why else "" end)"] | join(" ")'
}
# The processes that serve our trees, as far as they live: nobody asks for the status of those that are init's here.
servers() {
	local pid name

	for pid in $(pgrep -f '^@extmerge-fuse union .* extmerge:'); do
		read -r name <"/proc/$pid/comm" && [ "$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat")" != Z ] &&
			grep -qxF "$pid" "$T/pids" && echo "$pid"
	done 2>/dev/null | wc -l
}
: >"$T/pids"
note_servers() {
	of_status '.hierarchies[].server // empty' >>"$T/pids"
}
no_servers() {
	await servers_are 0 && return
	echo "there are $(servers) servers"
	return 1
}
servers_are() { # N
	[ "$(servers)" = "$1" ]
}

# --- the choice ---
em plan --json=short
is "auto: the plan says that it will be overlayfs" "$(jq -c '[.steps[] | .backend, .backend_why]' <<<"$out")" \
	'["overlay",null,"overlay",null,"overlay",null]'
em plan --backend=fuse
like "or FUSE, as asked for" "$out" '/usr  merge +by fuse, as asked for'
em merge --backend=fuse
is "merged by FUSE" "$rc $(shown)" "0 $all"
is "status knows it" "$(backends)" "fuse fuse fuse"
note_servers
em status
like "and says so to people" "$out" 'generation 1 since .*, by fuse\..*/usr  .* merged +by fuse, as asked for'
like "also how the servers give out data (union.17)" "$out" '/usr  .* merged +by fuse, as asked for, data (passthrough|cached)'
is "which is what each says itself" "$(of_status '[.hierarchies[].io] | join(" ")')" \
	"$(getfattr --absolute-names --only-values -n trusted.extmerge.io "$R/etc" "$R/usr" "$R/opt" | sed -E 's/(d|h)(c|p)/\1 \2/g')"
em refresh --backend=fuse --class=confext --mutable=ephemeral
is "what is written is read by the server" "$rc $(of_status '.hierarchies[] | select(.path == "/etc").io')" "0 cached"
em refresh --backend=fuse --class=confext --mutable=no
note_servers
is "the mount table shows whose it is" "$(findmnt -n -v -o FSTYPE,SOURCE "$R/usr" | tr -s ' ')" "fuse.extmerge-fuse extmerge:sysext:usr:1"
is "and how" "$(findmnt -n -o OPTIONS "$R/usr" | grep -oE '^ro|nodev|nosuid|noexec' | paste -sd' ') / $(
	findmnt -n -o OPTIONS "$R/etc" | grep -oE '^ro|nodev|nosuid|noexec' | sort | paste -sd' ')" "ro nodev / nodev noexec nosuid ro"
is "three servers are at work" "$(servers)" 3
em refresh --backend=fuse
like "the same again does nothing" "$err" "Nothing has changed"
printf '[sysext]\nBackend=fuse\n' >"$R/run/extmerge.conf"
em plan --json=short
is "a file chooses for one class, and the others are as before" \
	"$rc $(jq -c '[.steps[] | [.hierarchy, .action, .backend]]' <<<"$out")" \
	'10 [["/etc","replace","overlay"],["/usr","keep","fuse"],["/opt","keep","fuse"]]'
em refresh
is "so is the refresh" "$rc $(backends)" "0 overlay fuse fuse"
rm "$R/run/extmerge.conf"
em config --json --backend=fuse
is "the command line is shown" "$(jq -r '[.settings[] | select(.key == "Backend") | .value + " " + .source] | unique[]' <<<"$out")" "fuse command-line"
em refresh --backend=overlayfs
is "another word is refused" "$rc $(shown)" "2 $all"
like "with those that there are" "$err" "auto, overlay or fuse"

# --- from one to the other ---
"$readers" 2 "$R/usr/bin/one" "$R/usr/bin/two" "$R/usr/bin/host-tool" >"$T/counts" &
pid=$!
await runs $pid readers
wrong=
for i in {1..40}; do
	em refresh --backend=overlay
	note_servers
	[ "$rc $(backends)" = "0 overlay overlay overlay" ] || wrong+="round $i: $rc $(backends) $err "
	em refresh --backend=fuse
	note_servers
	[ "$rc $(backends)" = "0 fuse fuse fuse" ] || wrong+="round $i: $rc $(backends) $err "
done
kill $pid
wait $pid
read -r opens missed <"$T/counts"
is "from overlayfs to FUSE and back, again and again" "$wrong" ""
is "and none of $opens opens missed" "$missed" 0
ok "the old servers have ended" test "$(servers)" -le 4 # one may be ending still
is "one mount on each hierarchy" "$(mounts_below "$R")" $((before + 4))
em refresh
is "auto goes back to overlayfs" "$rc $(backends) $(shown)" "0 overlay overlay overlay $all"
ok "and all servers have ended" no_servers

# --- what a server keeps ---
truncate -s 4M "$T/disk" && mkfs.ext4 -q "$T/disk" && mkdir "$T/mnt" && mount -o loop "$T/disk" "$T/mnt"
em refresh --backend=fuse
note_servers
loops=$(loops_below "$T")
umount "$T/mnt"
ok "what was mounted when a server began can be unmounted" await loops_are "$T" $((loops - 1))

# --- a server dies ---
exec 9<"$R/usr/bin/one"
victim=$(of_status '.hierarchies[] | select(.path == "/usr").server')
kill -KILL "$victim"
await ended "$victim"
is "what it showed gives an error at once" "$(timeout 10 cat "$R/usr/bin/nothing" 2>&1 | sed 's/.*: //'; timeout 10 find "$R/usr/lib" 2>&1 >/dev/null | sed 's/.*: //')" \
	$'Transport endpoint is not connected\nTransport endpoint is not connected'
is "the host's mounts below it are still seen" "$(timeout 10 cat "$R/usr/share/sub/file")" sub
is "status says so" "$(of_status '[.hierarchies[] | "\(.state) \(.dead) \(.generation)"] | join(", ")' | sed -E 's/[0-9]+/N/g')" \
	"merged false N, merged true N, merged false N"
em status
like "also to people" "$out" '/usr +dead +its server has died, and reads fail: extmerge refresh mends it'
is "it changes nothing" "$rc" 0
em plan --backend=fuse
is "plan wants to replace it" "$rc $(grep -oE '^/(usr|opt|etc)  [a-z]+' <<<"$out" | paste -sd' ')" \
	"10 /etc  keep /usr  replace /opt  keep"
like "and says why" "$out" $'  \\* mend .*\n/usr  replace, as its server had died.*, [0-9]+ to mend, '
generation=$(of_status '[.hierarchies[].generation] | max')
em refresh --backend=fuse
like "refresh says that it mends it" "$rc$err" $'^0  \\* mend .*\n/usr  .* layers? over .*, without a gap; made anew, as its server had died'
not_ok "and that nothing was added" grep -q ' add ' <<<"$err"
note_servers
is "it does, host's mounts and all" "$rc $(shown)" "0 $all"
is "the generation goes on" "$(of_status '.hierarchies[] | select(.path == "/usr").generation')" $((generation + 1))
is "the others were left alone" "$(of_status '[.hierarchies[] | select(.generation > '"$generation"') | .path] | join(" ")')" /usr
is "there are as many mounts as before" "$(mounts_below "$R")" $((before + 4))
exec 9<&-
victims=$(of_status '.hierarchies[].server')
kill -KILL $victims
for victim in $victims; do await ended "$victim"; done
em status
like "all of them dead" "$out" '/etc +dead.*/usr +dead.*/opt +dead'
em why /usr/bin/one
em list
is "list works" "$rc" 0
em unmerge
is "unmerge takes them away" "$rc $(mounts_below "$R") $(cat "$R/usr/bin/host-tool" "$R/usr/share/sub/file" | paste -sd' ')" "0 $before host tool sub"
not_ok "also the directory that was made for it" test -e "$R/opt"

# --- an end, and none ---
em merge --backend=fuse
note_servers
is "merged again" "$rc $(servers)" "0 3"
em unmerge
is "unmerge" "$rc $(mounts_below "$R")" "0 $before"
ok "ends the servers" no_servers
mkdir "$T/bin"
cp "$EXTMERGE" "$T/bin/"
cp "$(type -P false)" "$T/bin/extmerge-fuse"
own=$EXTMERGE EXTMERGE=$T/bin/extmerge
em merge --backend=fuse
is "a server that ends before it begins: an error" "$rc $(mounts_below "$R")" "1 $before"
like "that says so" "$err" "Cannot build the new /etc: extmerge-fuse ended without a word"
not_ok "and no directory is made" test -e "$R/opt"
EXTMERGE=$own

# --- others' mounts ---
rm -rf "${X:?}"/*
mkdir -p "$R/opt"
exec 8<>/dev/fuse
mount -i -t fuse.extmerge-fuse -o fd=8,rootmode=40000,user_id=65534,group_id=0,allow_other extmerge:sysext:opt:9 "$R/opt"
exec 8>&-
is "what an ordinary user could have mounted is not taken for ours" "$(timeout 20 "$EXTMERGE" --root="$R" status --json=short |
	jq -r '.hierarchies[] | select(.path == "/opt") | "\(.state) \(.generation)"')" "not-merged 0"
umount "$R/opt"
umount "$R/usr/share/sub"
finish
