#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was written becomes an extension, and what is seen stays what it was (specs: written.8 to written.12).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

H=$T/host E=$R/etc
mkdir "$H" && mount --bind "$R" "$H"
store=$H/var/lib/extensions.mutable
make_conf_tree "$C/conf" conf
make_tree "$X/tool" tool
mkdir -p "$R/etc/d" "$R/etc/whole" "$R/etc/plain" && echo host >"$R/etc/d/gone" && echo host >"$R/etc/whole/file"
echo host >"$R/etc/plain/file" && ln -s old "$R/etc/link" && echo host >"$R/etc/kind"

# All that a process sees below /etc, but the extension's own release file.
look_at() {
	(cd "$E" && find . ! -path './extension-release.d*' ! -path './.extmerge*' ! -path . -printf '%p %y %m %U %G %s %l %T@\n' | sort &&
		find . -type f ! -path './extension-release.d*' -exec sha256sum {} + | sort -k2 &&
		getfattr -d -m user.note named 2>/dev/null)
}

# What differs from $before now.
changed() {
	diff <(echo "$before") <(echo "$(look_at)") # the shell cuts empty lines at the end of both
}

em commit site
like "where nothing can be written there is nothing to commit" "$rc $err" "^1 .*Cannot commit 'site': nothing is merged that can be written.*hint: .*--mutable"
em merge --mutable=/etc:yes --mutable=/opt:yes
em commit site
like "written.8: an extension has one class" "$rc $err" '^2 .*an extension has one class'
em refresh --mutable=/opt:no
em commit site
like "nothing was written" "$rc $err" "^1 .*nothing was written that an extension could carry"
is "and nothing is left behind" "$(ls -A "$C") $(touch "$E/writable" && rm "$E/writable" && echo writable)" "conf writable"

# --- written.8 ---
mkdir -p "$E/new/deep" && echo new >"$E/new/deep/file" && chmod 640 "$E/new/deep/file" && chown 3:4 "$E/new" && touch -d '2001-02-03 04:05:06.789' "$E/new/deep/file" "$E/new/deep"
echo named >"$E/named" && setfattr -n user.note -v x "$E/named" && chmod 4755 "$E/named"
echo edited >"$E/host.conf" && echo edited >"$E/conf.conf" && ln -sfn new "$E/link" && chmod 700 "$E/plain"
ln -s nowhere "$E/dangling" && mkdir "$E/empty"
truncate -s 3M "$E/big" && echo end >>"$E/big"
before=$(look_at)
em commit site --json=short
is "it is made" "$rc $err $(jq -c '[.schema, .changed, (.changes | map([.change, .name]))]' <<<"$out")" \
	'0 /var/lib/confexts/site  made of what was written: 11 entries ["extmerge.change/1",true,[["add","site"],["keep","conf"],["keep","tool"]]]'
is "what is seen is what it was" "$(changed)" ""
is "it lies in the layer" "$(cat "$C/site/etc/host.conf" "$C/site/etc/new/deep/file") $(layers etc)" "edited
new site conf"
is "and nowhere else" "$(find "$store/etc" -mindepth 1; ls -A "$C" | paste -sd' ')" "conf site"
is "the host's own file is what it was" "$(cat "$H/etc/host.conf")" "host conf"
is "its release file fits any host" "$(grep -v '^#' "$C/site/etc/extension-release.d/extension-release.site") $(verdict site)" "ID=_any fits"
is "diff has nothing more" "$(em diff; tail -n 1 <<<"$out")" "0 added, 0 changed, 0 removed."
echo later >"$E/later"
em refresh
like "there is nothing to do then" "$rc $err" '^0 .*Nothing (has changed|to do)'
em commit site
like "a name is taken once" "$rc $err" "^1 .*There is a confext called 'site' already: /var/lib/confexts/site"
for name in .hidden a/b '' $'a\nb'; do
	em commit "$name"
	is "'${name@Q}' is no name" "$rc" 2
done
is "what was written since is still there" "$(cat "$E/later" "$store/etc/later" | paste -sd' ')" "later later"
em commit site2_1.0
is "another one, with a version" "$rc $(layers etc) $(cat "$E/later")" "0 site2 site conf later"

# --- written.9: what an extension cannot carry stays, and is seen as before ---
em unmerge
rm -rf "$C"/site* "${store:?}"/*
em merge --mutable=/etc:yes
rm "$E/d/gone" && rm -r "$E/whole" && mkdir "$E/whole" && echo fresh >"$E/whole/fresh" && rm "$E/kind" && mkdir "$E/kind" && echo x >"$E/kind/x"
mkfifo "$E/fifo" && rm "$E/os-release" && echo ID=other >"$E/os-release" && echo carried >"$E/carried"
before=$(look_at)
em commit site --strict
like "--strict wants all of it" "$rc $err" '^3 .*/etc/whole stays where it was written: .*Cannot commit all: an extension cannot carry 5 of it'
is "and changes nothing" "$(ls -A "$C") $(changed)" "conf "
em commit site
is "without, it is made" "$rc $(layers etc) $(find "$C/site/etc" -type f ! -path '*extension-release*' -printf '%f\n')" "0 site conf carried"
is "each is named, with the reason" "$(sed -n 's/.*warning: \(.*\) stays where it was written: \(.*\)/\1 \2/p' <<<"$err" | sort)" \
	"/etc/d/gone it is removed, and an extension can hide nothing
/etc/fifo it is neither a file nor a directory nor a symlink
/etc/kind a layer cannot exchange directories with other things
/etc/os-release no extension may bring it
/etc/whole it hides what lies below it, and an extension can hide nothing"
is "what is seen is what it was" "$(changed)" ""
is "what stays is all that is written now" "$(em diff --json=short; jq -r '.hierarchies[].changes[].path' <<<"$out" | paste -sd' ')" \
	"/etc/d/gone /etc/fifo /etc/kind /etc/kind/x /etc/os-release /etc/whole /etc/whole/file /etc/whole/fresh"
em commit more
like "and cannot be carried a second time" "$rc $err" '^1 .*nothing was written that an extension could carry'
is "nor is anything lost by it" "$(changed)" ""

# --- the host on top ---
em refresh --base=/etc:top
echo "edited again" >"$E/host.conf" && echo new >"$E/top"
before=$(look_at)
em commit top
is "with the host on top, what is the host's stays" "$rc $(grep -c '/etc/host.conf stays .*the host.s own files lie above' <<<"$err") $(changed)" "0 1 "
em unmerge
rm -rf "$C/site" "$C/top" "${store:?}"/*

# --- written.11: it must be seen ---
make_conf_tree "$C/zzz" zzz
em merge --mutable=/etc:yes
echo edited >"$E/zzz.conf"
before=$(look_at)
em commit site
like "an extension that would lie under another is refused" "$rc $err" '^1 .*another extension would lie above its /etc/zzz\.conf.*After= in \[Extension site\]'
is "and nothing has changed" "$(ls -A "$C" | paste -sd' ') $(changed) $(layers etc)" "conf zzz  zzz conf"
is "which can be written on" "$(echo more >>"$E/zzz.conf" && cat "$E/zzz.conf")" "edited
more"
echo edited >"$E/zzz.conf"
mkdir -p "$H/etc/extmerge.conf.d" && printf '[Extension site]\nAfter=zzz\n' >"$H/etc/extmerge.conf.d/1.conf"
em commit site
is "where it may lie above, it is made" "$rc $(layers etc) $(cat "$E/zzz.conf")" "0 site zzz conf edited"
printf '[Extmerge]\nTrust=signed\n' >"$H/etc/extmerge.conf.d/1.conf"
echo new >"$E/new"
em commit other --trust=any --force
is "trust is asked as ever" "$rc $(cat "$E/new")" "0 new"
rm -r "$C/other" "$C/site" "$C/zzz"
em refresh --trust=any
echo new >"$E/new"
em commit other
like "an extension that nobody trusts is not made" "$rc $err $(ls -A "$C") $(cat "$E/new")" "^[14] .*conf new\$"
rm "$H/etc/extmerge.conf.d/1.conf"
em refresh

# --- a file that is open for writing ---
exec 8>>"$E/open"
em commit --wait=0 busy
like "an open file is not cut in two" "$rc $err" "^6 .*Cannot commit 'busy': a file in /etc is open for writing"
echo through >&8
exec 8>&-
is "and can be written on" "$(cat "$E/open") $(echo x >"$E/after" && cat "$E/after")" "through x"
em commit busy
is "when it is closed, it works" "$rc $(cat "$E/open" "$E/after" | paste -sd,)" "0 through,x"
em unmerge
rm -rf "$C/busy" "${store:?}"/*

# --- written.8: who writes meanwhile loses nothing; what was acknowledged is seen, whoever has it then ---
em merge --mutable=/etc:yes
writer() { # NUMBER
	local n=0
	while [ ! -e "$T/stop" ]; do
		if { echo "$1 $n" >"$E/w$1-$n"; } 2>/dev/null; then
			echo "w$1-$n" >>"$T/acknowledged-$1"
			n=$((n + 1))
		fi
		sleep 0.002
	done
}
for i in 1 2 3 4; do writer $i & done
commits=0 codes=''
for i in $(seq 12); do
	em commit "load$i"
	codes+=" $rc"
	[ "$rc" != 0 ] || commits=$((commits + 1))
done
touch "$T/stop"
wait
like "commits under load end well, or find a file open" "$codes" '^( [016])+$'
ok "and some end well" [ "$commits" -gt 0 ]
missing=0 total=0
while read -r file; do
	total=$((total + 1))
	[ -s "$E/$file" ] || missing=$((missing + 1))
done < <(cat "$T"/acknowledged-*)
is "of $total files that were written, $commits times committed, none is missing" "$missing" 0
em unmerge
rm -rf "$C"/load* "${store:?}"/*

# --- memory, sysexts, images ---
em merge --mutable=/usr:ephemeral
mkdir -p "$R/usr/bin" && echo built >"$R/usr/bin/built" && chmod 755 "$R/usr/bin/built"
em commit built --class=sysext
is "what is in memory is kept by it" "$rc $(layers usr) $(cat "$X/built/usr/bin/built")" "0 tool built built"
em unmerge
em merge
is "over all merges" "$(cat "$R/usr/bin/built")" built
em refresh --mutable=/usr:yes
echo packed >"$R/usr/bin/packed"
if "$EXTMERGE" pack --help >/dev/null 2>&1 && em commit packed --class=sysext --format=erofs; then
	is "an image is made by pack" "$rc $(ls "$X" | paste -sd' ') $(cat "$R/usr/bin/packed")" "0 built packed.raw tool packed"
	is "with a hash tree" "$(em status --json=short; jq -r '.hierarchies[] | select(.path == "/usr") | .layers[] | select(.name == "packed") | .trust' <<<"$out")" verity
	is "and nothing is left of it" "$(find "$X" "$store/usr" -mindepth 1 -maxdepth 1 -name '.*' | grep -vc extmerge-work) $(find "$store/usr" -mindepth 1 | wc -l)" "0 0"
	mkdir -p "$R/srv" && mv "$X" "$R/srv" && ln -s /srv/extensions "$X"
	echo linked >"$R/usr/bin/linked"
	em commit linked --class=sysext --format=erofs
	is "a link to the directory is one below the root" "$rc $(ls "$R/srv/extensions/linked.raw") $(cat "$R/usr/bin/linked")" \
		"0 $R/srv/extensions/linked.raw linked"
	rm -f "$X/linked.raw" && rm "$X" && mv "$R/srv/extensions" "$X" && em refresh
else
	skip "an image" "$(grep error <<<"$err" | head -n 1)"
fi
em commit bad --class=sysext --format=ext4
is "a format that there is not is refused" "$rc $(test -e "$X/bad.raw"; echo $?)" "1 1"
em unmerge
rm -rf "${store:?}"/* "$X"/{built,packed.raw}

# --- written.12: whenever it is killed, all is seen, and the next run makes it whole ---
if ! command -v strace >/dev/null; then
	skip "killed" "there is no strace"
	finish
fi
calls=move_mount,umount2,renameat2,mount_setattr,mkdirat,unlinkat,fsmount,fchmod,utimensat,setns,openat,fsync,syncfs,write
start_again() {
	em unmerge
	rm -rf "${store:?}/etc" "$C/site"
	em merge --mutable=/etc:yes
	mkdir "$E/new" && echo new >"$E/new/file" && echo edited >"$E/host.conf" && rm "$E/d/gone" && touch "$E/fresh"
	before=$(look_at)
}
whole() {
	local between=0
	[ -z "$(changed)" ] || changed
	{ echo between >"$E/fresh" && between=1; } 2>/dev/null
	em refresh
	[ "$rc" = 0 ] || echo "refresh: $rc $err"
	[ $between = 1 ] || [ -z "$(changed)" ] || changed
	[ $between = 0 ] || [ "$(cat "$E/fresh")" = between ] || echo "what was written in between is lost"
	echo again >"$E/again" || echo "cannot be written"
	em refresh
	[ "$(cat "$E/again")" = again ] || echo "what was written is lost"
	[ -z "$(find "$store" "$C" -maxdepth 1 -name '.*extmerge-new' -o -name '.*extmerge-commit')" ] || echo "something is left"
}
start_again
strace -o "$T/calls" -e trace="$calls" "$EXTMERGE" --root="$R" commit site 2>/dev/null
n=0 complaints='' olds=0
while read -r call nth; do
	start_again
	strace -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=$nth" "$EXTMERGE" --root="$R" commit site >/dev/null 2>&1 &
	wait $! 2>/dev/null
	[ -e "$C/site" ] || olds=$((olds + 1))
	complaints+=$(whole | sed "s/^/$call $nth: /;s/\$/\n/")
	n=$((n + 1))
done < <(sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' "$T/calls" | awk '{ ++n[$1] } n[$1] % ($1 == "openat" ? 25 : 1) == 0 { print $1, n[$1] }')
is "killed at $n calls" "$complaints" ""

# --- written.8: a user's directory is copied where he cannot come to it, or a file that is made there is a link when it gets its mode ---
for call in symlinkat mknodat; do
	start_again
	ln -s x "$E/new/link" && mkfifo "$E/new/fifo"
	strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=SIGKILL "$EXTMERGE" --root="$R" commit site >/dev/null 2>&1 &
	wait $! 2>/dev/null
	is "what is made is root's alone until it is whole: $call" \
		"$(find "$store" "$C" -maxdepth 1 \( -name '.*extmerge-new' -o -name '.*extmerge-commit' \) -printf '%m\n')" 700
	em refresh
done
ok "some before it was there, some after" [ "$olds" -gt 5 ]
ok "that is, not all" [ "$olds" -lt "$n" ]
em unmerge
finish
