#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was written is emptied in one step: by a switch, with a failure, and killed on the way (specs: written.5 to written.7).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

H=$T/host E=$R/etc
mkdir "$H" && mount --bind "$R" "$H"
store=$H/var/lib/extensions.mutable
make_conf_tree "$C/conf" conf
make_tree "$X/tool" tool
mkdir "$R/etc/d" && echo host >"$R/etc/d/gone"

write() {
	echo new >"$E/new" && echo edited >"$E/host.conf" && echo edited >"$E/conf.conf" && rm -r "$E/d" && mkdir "$E/d"
}

seen() {
	cat "$E/new" "$E/host.conf" "$E/conf.conf" "$E/d/gone" 2>/dev/null | paste -sd,
}
written="new,edited,edited" fresh="host conf,conf,host"

names() {
	(cd "$store" && find . -mindepth 1 ! -path '*/.*.extmerge-work-*' | sort | paste -sd' ')
}

em discard
like "where nothing is merged there is nothing to do" "$rc $err" '^0 .*Nothing is merged that can be written'
em merge
em discard
like "nor where nothing can be written" "$rc $err" '^0 .*Nothing is merged that can be written'
em discard /etc
like "but who names one is told" "$rc $err" '^1 .*Cannot empty what was written in /etc'
em discard /nix
like "also if it is none" "$rc $err" "^2 .*There is no hierarchy '/nix'"

# --- written.5 ---
em refresh --mutable=/etc:yes --mutable=/opt:yes
write && echo opt >"$R/opt/kept"
is "something is written" "$(seen)" "$written"
exec 9<"$E/new"
em discard --json=short etc
is "it is gone" "$rc $(seen)" "0 $fresh"
is "as JSON says" "$(jq -c '[.schema, .changed, (.steps | map([.hierarchy, .action]))]' <<<"$out")" \
	'["extmerge.change/1",true,[["/etc","replace"]]]'
is "who has it open keeps it" "$(cat <&9)" new
exec 9<&-
is "other hierarchies keep theirs" "$(cat "$R/opt/kept")" opt
is "there is nothing else in the store" "$(names)" "./etc ./opt ./opt/kept"
is "and nothing to tell" "$(em diff --class=confext; tail -n 1 <<<"$out")" "0 added, 0 changed, 0 removed."
is "the new layer looks like the old one" "$(stat -c '%a %u %g' "$store/etc")" "755 0 0"
em refresh
like "there is nothing to do then" "$rc $err" '^0 .*Nothing (has changed|to do)'
echo later >"$E/later"
em refresh --mutable=/opt:no
like "where it stays is told with a tree that is not needed any more" "$err" \
	'/opt  unmerged; what was written stays in /var/lib/extensions\.mutable/opt'
is "what is written later stays" "$rc $(cat "$E/later" "$store/etc/later" | paste -sd' ')" "0 later later"
em unmerge
em merge --mutable=/etc:yes
is "over all merges" "$rc $(seen) $(cat "$E/later")" "0 $fresh later"
em discard
is "all that can be written is meant" "$rc $(names)" "0 ./etc ./opt ./opt/kept"
like "which is said" "$err" '/etc  .*; made anew, as what was written in it is discarded'

# --- what changes at the same time ---
make_conf_tree "$C/more" more
write
em discard
is "extensions come and go with it, as with a refresh" "$rc $(seen) $(cat "$E/more.conf")" "0 $fresh more"
rm -r "$C/more"

# --- memory ---
em refresh --mutable=/etc:ephemeral
write
em discard
is "memory is emptied, too" "$rc $(seen)" "0 $fresh"
echo later >"$E/later"
em refresh --lock-wait=1
is "and is written on" "$rc $(cat "$E/later")" "0 later"
make_conf_tree "$C/more" more
em refresh
is "also over a change" "$rc $(cat "$E/later")" "0 later"
rm -r "$C/more"
em unmerge

# --- what cannot be ---
em merge --mutable=/etc:yes
write
mkdir -p "$H/etc/extmerge.conf.d"
em discard --mutable=/etc:no
like "who would not write any more is told to refresh first" "$rc $err $(seen)" "^1 .*Cannot empty what was written in /etc: .*$written\$"
em unmerge
rm -r "${store:?}/etc" && ln -s /etc "$store/etc"
em merge --mutable=/etc:yes
em discard
like "the host's own directory is not emptied" "$rc $err $(cat "$H/etc/host.conf")" "^1 .*host conf\$"
em unmerge
rm "$store/etc"

# --- written.6: whenever it is killed, it is the old or the new, and the next run makes it whole ---
calls=move_mount,umount2,renameat2,mount_setattr,mkdirat,unlinkat,fsmount,fchmod,fchownat,utimensat,setns
if ! command -v strace >/dev/null; then
	skip "killed" "there is no strace"
	finish
fi
whole() { # MODE
	local before after between=0
	before=$(seen)
	[ "$before" = "$written" ] || [ "$before" = "$fresh" ] || { echo "$before is seen"; return; }
	{ echo between >"$E/between" && between=1; } 2>/dev/null
	em refresh
	after=$(seen)
	[ "$rc" = 0 ] || echo "refresh: $rc $err"
	# Where nobody can write any more, the new one may be just under the old one.
	[ $between = 0 ] || [ "$after" = "$before" ] || echo "$before has become $after"
	[ $between = 0 ] || [ "$(cat "$E/between")" = between ] || echo "what was written in between is lost"
	[ "$after" = "$written" ] || [ "$after" = "$fresh" ] || echo "$after is seen at last"
	echo again >"$E/again" || echo "cannot be written"
	em refresh
	[ "$(cat "$E/again")" = again ] || echo "what was written is lost"
	[ "$1" = ephemeral ] || [ "$(cat "$store/etc/again")" = again ] || echo "it is not in the store"
	[ -z "$(find "$store" -maxdepth 1 -name '.*extmerge-new')" ] || echo "there is $(names)"
	em unmerge
	[ "$1" = ephemeral ] || em merge --mutable=/etc:yes
	[ "$1" = ephemeral ] || [ "$(seen)" = "$after" ] || echo "$after has become $(seen) by a merge"
	em unmerge
	[ "$(mounts_below "$R")" = 0 ] || echo "mounts are left"
}
for mode in yes ephemeral; do
	rm -rf "${store:?}/etc"
	em merge --mutable=/etc:$mode
	write
	strace -o "$T/calls" -e trace="${calls//,/,?}" "$EXTMERGE" --root="$R" discard 2>/dev/null
	em unmerge
	n=0 complaints='' olds=0
	while read -r call nth; do
		rm -rf "${store:?}/etc"
		em merge --mutable=/etc:$mode
		write
		strace -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=$nth" "$EXTMERGE" --root="$R" discard >/dev/null 2>&1 & wait $! 2>/dev/null
		[ "$(seen)" != "$written" ] || olds=$((olds + 1))
		complaints+=$(whole $mode | sed "s/^/$call $nth: /;s/\$/\n/")
		n=$((n + 1))
	done < <(sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' "$T/calls" | awk '{ print $1, ++n[$1] }')
	is "$mode: killed at $n calls" "$complaints" ""
	ok "$mode: some left the old, some the new" [ "$olds" -gt 5 -a "$olds" -lt "$n" ]
done
finish
