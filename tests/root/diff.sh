#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was written in a merged tree is told, and over whose files (specs: written.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

H=$T/host
mkdir "$H" && mount --bind "$R" "$H"

# "+ path over what": all changes, in their order
changes() { # [OPTION...]
	em diff --json=short "$@"
	jq -r '.hierarchies[].changes[] | {added: "+", changed: "~", removed: "-"}[.change] + " " + .path + " " + .type
		+ " " + (.over // "-") + " " + (.what | join(",")) + (if .hides_below then " hides" else "" end)' <<<"$out" | sed 's/ *$//'
}

mkdir -p "$R/etc/d/sub" "$R/etc/whole/deep" "$R/etc/ssl/certs"
for file in content mode owner xattr touched removed type link-target d/sub/gone whole/one whole/two whole/deep/three; do
	echo "host $file" >"$R/etc/$file"
done
ln -s a "$R/etc/symlink"
make_conf_tree "$C/low" low
make_conf_tree "$C/zhigh" zhigh
for at in low zhigh; do
	mkdir -p "$C/$at/etc/x"
	echo $at >"$C/$at/etc/x/both"
	echo $at >"$C/$at/etc/x/$at-only"
done
make_tree "$X/tool" tool

em diff
is "nothing is merged, nothing is written" "$rc $out" "0 Nothing is merged that can be written."
em merge
em diff --json=short
is "what is read-only is not listed" "$rc $(jq -c '[.schema, .hierarchies]' <<<"$out")" '0 ["extmerge.diff/1",[]]'
em refresh --mutable=/etc:yes
is "a fresh upper layer has nothing" "$rc$(changes)" 0

# --- written.2: what a person does, and what is told of it ---
E=$R/etc
echo new >"$E/new" && mkdir -p "$E/newdir/sub" && echo x >"$E/newdir/sub/file" && ln -s x "$E/newlink" && mkfifo "$E/newfifo"
echo "more" >>"$E/content" && chmod 600 "$E/mode" && chown 5 "$E/owner" && setfattr -n user.note -v x "$E/xattr"
touch "$E/touched" && rm "$E/removed" && rm "$E/type" && mkdir "$E/type" && echo x >"$E/type/child"
ln -sfn b "$E/symlink"
rm "$E/d/sub/gone" && chmod 700 "$E/d"
rm -r "$E/whole" && mkdir "$E/whole" && echo "other" >"$E/whole/one" && echo "host whole/two" >"$E/whole/two" && echo fresh >"$E/whole/fresh"
echo edited >"$E/x/both" && rm "$E/x/low-only" && echo edited >"$E/x/zhigh-only"
echo "same size" >"$E/low.conf" && printf 'low\n' >"$E/low.conf" # written, and as it was
expected='~ /etc/content file host content
~ /etc/d directory host mode
- /etc/d/sub/gone file host
~ /etc/mode file host mode
+ /etc/new file -
+ /etc/newdir directory -
+ /etc/newdir/sub directory -
+ /etc/newdir/sub/file file -
+ /etc/newfifo fifo -
+ /etc/newlink symlink -
~ /etc/owner file host owner
- /etc/removed file host
~ /etc/symlink symlink host content
~ /etc/type directory host type
+ /etc/type/child file -
~ /etc/whole directory host  hides
- /etc/whole/deep directory host
+ /etc/whole/fresh file -
~ /etc/whole/one file host content
~ /etc/x/both file zhigh content
- /etc/x/low-only file low
~ /etc/x/zhigh-only file zhigh content
~ /etc/xattr file host attributes'
is "every change is told, with the layer it was made over" "$(changes)" "$expected"
is "for the class" "$(changes --class=sysext)" ""
em diff
is "a table for people" "$rc $(tail -n 1 <<<"$out")" "0 8 added, 11 changed, 4 removed."
like "with the layer" "$out" 'changed */etc/x/both *file *7B? *zhigh *content'
em why /etc/x/low-only
like "why says that a file was removed, and whose it was" "$out" "/etc/x/low-only  <- nothing: it was removed .*hides  low .*removed"
em diff --no-legend
is "without headings" "$(grep -cE 'CHANGE|added,' <<<"$out")" 0
like "what was written is named by its path" "$(em diff --json=short; jq -r '.hierarchies[0] | .path + " " + .mutable + " " + .upper' <<<"$out")" \
	'^/etc yes /var/lib/extensions\.mutable/etc$'
em refresh
is "a refresh changes nothing of it" "$rc $(changes | md5sum)" "0 $(md5sum <<<"$expected")"

# --- written.4 ---
make_conf_tree "$C/zzz" zzz
em diff
like "who has changed the extensions is told so" "$rc $err" '^0 .*The extensions of /etc have changed since'
rm -r "$C/zzz"

# --- the host on top, an import, memory ---
em unmerge
rm -rf "$H/var/lib/extensions.mutable"
echo "host low" >"$H/etc/low.conf"
em refresh --mutable=/etc:yes --base=/etc:top
echo edited >"$E/low.conf" && echo edited >"$E/zhigh.conf"
is "with the host on top it is the host's" "$(changes)" '~ /etc/low.conf file host content
~ /etc/zhigh.conf file zhigh content'
em unmerge
rm "$H/etc/low.conf"
em refresh --mutable=/etc:ephemeral-import --base=/etc:bottom
echo memory >"$E/zhigh.conf" && rm "$E/low.conf"
is "over what is imported" "$(changes)" '- /etc/low.conf file import
~ /etc/zhigh.conf file import content'
em unmerge
em diff --json=short
is "what was in memory is gone" "$(jq -c .hierarchies <<<"$out")" "[]"
rm -rf "$H/var/lib/extensions.mutable"

# --- what cannot be told ---
mkdir "$H/var/lib/extensions.mutable" && ln -s /etc "$H/var/lib/extensions.mutable/etc"
em refresh --mutable=/etc:yes
em diff
like "the host's own directory" "$rc $err" "^1 .*goes to the host's own directory"
em unmerge
rm "$H/var/lib/extensions.mutable/etc"
em refresh --mutable=/etc:yes
mv "$H/var/lib/extensions.mutable/etc" "$H/var/lib/extensions.mutable/moved"
em diff
like "a directory that is gone" "$rc $err" '^1 .*Cannot find what was written in /etc'
mkdir "$H/var/lib/extensions.mutable/etc"
em diff
like "or is another one" "$rc $err" '^1 .*is not the directory that it was merged with'
rmdir "$H/var/lib/extensions.mutable/etc" && mv "$H/var/lib/extensions.mutable/moved" "$H/var/lib/extensions.mutable/etc"
em diff
is "or is back" "$rc" 0
em unmerge
finish
