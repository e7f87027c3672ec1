#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is written to must be root's alone and no part of a layer; what is kept, shown and bounded (specs: mutable.2 to
# mutable.15).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

store=$R/var/lib/extensions.mutable D=$store/etc
make_conf_tree "$C/conf" conf
mkdir -p "$store"

# --- refusals: nothing is merged, with a reason that names the directory ---
refused() { # NAME REGEX
	local verb
	for verb in plan merge; do
		em $verb --class=confext --mutable=auto
		like "$verb: $1 is refused" "$rc $err" "^1 .*Cannot make /etc writable: $2"
	done
	is "$1: nothing is merged or left" "$(mounts_below "$R/etc") $(find "$R" -name '*extmerge-work*')" "0 "
	rm -rf "$D" "$R/srv" && chmod 755 "$store" && chown 0 "$store"
}

mkdir -m 775 "$D"
refused "a directory that a group may write (mutable.6)" "/var/lib/extensions.mutable/etc belongs to user 0 and has mode 0775"
mkdir -m 757 "$D"
refused "a directory that everybody may write" "/var/lib/extensions.mutable/etc belongs to user 0 and has mode 0757"
mkdir "$D" && chown 1000 "$D"
refused "a directory of somebody else" "/var/lib/extensions.mutable/etc belongs to user 1000"
mkdir "$D" && chmod 777 "$store"
refused "a store that everybody may write" "a directory above .*mode 0777"
mkdir "$D" && chown 1000 "$store"
refused "a store of somebody else" "a directory above .*belongs to user 1000"
mkdir -p "$R/srv/up" && chmod 1777 "$R/srv" && ln -s /srv/up "$D"
refused "a link into a directory that everybody may write" "a directory above /srv/up .*mode 1777"
mkdir -m 700 "$D"
refused "a directory that does not look like the hierarchy (mutable.7)" "/var/lib/extensions.mutable/etc has mode 0700.*, and /etc has 0755"
mkdir "$D" && chgrp 5 "$D"
refused "nor one of another group" "/var/lib/extensions.mutable/etc has mode 0755, owner 0 and group 5"
echo >"$D"
refused "a file" "/var/lib/extensions.mutable/etc is no directory"
ln -s /var/lib/confexts/conf/etc "$D"
refused "a layer (mutable.5)" "/var/lib/confexts/conf/etc is a layer: conf"
mkdir "$C/conf/etc/in" && ln -s /var/lib/confexts/conf/etc/in "$D"
refused "what lies in a layer" "/var/lib/confexts/conf/etc/in lies inside of a layer: conf"
ln -s /var/lib "$D"
refused "what has a layer inside" "/var/lib has inside of it a layer"
mkdir "$R/usr/local" && ln -s /usr/local "$D"
refused "what lies in the host's part of another hierarchy" "/usr/local lies inside of a layer: usr"
rmdir "$R/usr/local"
mount --bind "$R/etc" "$R/etc" && ln -s /etc "$D"
em merge --class=confext --mutable=auto
like "the host's own directory as a mount point is refused (mutable.4)" "$rc $err" "^1 .*/etc is a mount point"
umount "$R/etc" && rm "$D"
em merge --mutable=/nix:yes
like "a hierarchy that there is not is a wrong call (config.9)" "$rc $err" "^2 .*no hierarchy '/nix'"
em merge --mutable=/etc:true
like "a mode that there is not as well" "$rc $err" "^2 .*--mutable is no, auto"
em merge --base=/etc
is "a place that is not said as well" "$rc" 2

# --- mutable.2: kept, and told otherwise ---
mode() { # What status says of /etc
	em status --json=short
	jq -r '.hierarchies[] | select(.path == "/etc") | "\(.mutable) \(.writable) \(.upper)"' <<<"$out"
}
change() {
	make_conf_tree "$C/changing" changing "$1"
}
change 1
mkdir "$D"
em merge --class=confext --mutable=/etc:auto
is "merged" "$rc $(mode)" "0 auto true /var/lib/extensions.mutable/etc"
change 2
em refresh --class=confext
is "a refresh keeps the mode" "$rc $(mode)" "0 auto true /var/lib/extensions.mutable/etc"
mkdir -p "$R/run/extmerge.conf.d"
printf '[Hierarchy /etc]\nMutable=no\n' >"$R/run/extmerge.conf.d/1.conf"
em refresh --class=confext
is "whatever a file says" "$rc $(mode)" "0 auto true /var/lib/extensions.mutable/etc"
em config --json=short
is "config says why" "$(jq -r '.settings[] | select(.hierarchy == "/etc" and .key == "Mutable") | "\(.value) \(.source)"' <<<"$out")" "auto kept"
em refresh --class=confext --mutable=ephemeral
is "the command line says otherwise" "$rc $(mode)" "0 ephemeral true null"
echo memory >"$R/etc/in-memory"
change 3
em refresh --class=confext
is "what is in memory stays over a refresh" "$rc $(mode) $(cat "$R/etc/in-memory") $(cat "$R/etc/changing.conf")" "0 ephemeral true null memory 3"
em refresh --class=confext --mutable=/etc:ephemeral-import
is "also into the other mode of that kind" "$rc $(cat "$R/etc/in-memory")" "0 memory"
em refresh --class=confext --mutable=no
is "read-only again" "$rc $(mode) $(cat "$R/etc/in-memory" 2>/dev/null)" "0 no false null "
em unmerge
em merge --class=confext
is "after unmerge the file counts" "$rc $(mode)" "0 no false null"
printf '[Hierarchy /etc]\nMutable=auto\n' >"$R/run/extmerge.conf.d/1.conf"
em refresh --class=confext
is "and what it says by now" "$rc $(mode)" "0 auto true /var/lib/extensions.mutable/etc"
em plan --class=confext
is "then nothing is pending" "$rc" 0
mv "$D" "$D.old" && mkdir "$D"
em plan --class=confext
is "another directory in its place is a change (record.2)" "$rc" 10
rm -r "$D" && mv "$D.old" "$D" && rm "$R/run/extmerge.conf.d/1.conf"
em unmerge

# --- EphemeralSize= ---
printf '[Extmerge]\nEphemeralSize=1M\nMutable=ephemeral\n' >"$R/run/extmerge.conf.d/1.conf"
em merge --class=confext
not_ok "memory is bounded (mutable.9)" dd if=/dev/zero of="$R/etc/big" bs=64k count=17 status=none
is "at the size that was asked for" "$(stat -c %s "$R/etc/big" | awk '{ print ($1 > 700000 && $1 <= 1048576) }')" 1
is "and is for root alone" "$(stat -c '%a %u' "$R/etc/.extmerge/memory")" "700 0"
rm "$R/run/extmerge.conf.d/1.conf"
em unmerge

# --- what is shown (mutable.15) ---
em plan --class=confext --mutable=auto
like "plan shows the mode" "$out" "/etc  merge   writable \(auto\): /var/lib/extensions.mutable/etc"
em merge --class=confext --mutable=auto
like "so does the run" "$err" "/etc  2 layers over the host's own, writable, without a gap"
echo mine >"$R/etc/conf.conf"
em why /etc/conf.conf
like "why shows what was written as the uppermost" "$out" "^/etc/conf\.conf  <- what was written there  \(/var/lib/extensions.mutable/etc\)
  hides  conf "
em status
like "status shows it" "$out" "/etc .*merged +writable \(auto\): /var/lib/extensions.mutable/etc"

# --- mounts below, which are there in the next tree as well (mutable.14) ---
em unmerge
mkdir -p "$R/etc/a/b/m" && mount -t tmpfs x "$R/etc/a/b/m" && echo mounted >"$R/etc/a/b/m/file"
em merge --class=confext --mutable=auto
for i in 1 2 3; do
	echo "$i" >"$R/etc/a/b/new$i"
	change "m$i"
	em refresh --class=confext
	is "refresh $i: mounts stay, and what is written beside them" \
		"$rc $(cat "$R/etc/a/b/m/file") $(cat "$R"/etc/a/b/new* | paste -sd' ')" "0 mounted $(seq -s' ' "$i")"
done
em unmerge
is "after unmerge they are still there" "$(cat "$R/etc/a/b/m/file")" mounted
umount "$R/etc/a/b/m"

# --- without privilege ---
chmod 755 "$store"
em merge --class=confext --mutable=auto
is "nobody comes to what is written from behind (mutable.6)" "$rc $(stat -c %a "$store" "$D" | paste -sd' ')" "0 700 755"
if setpriv --reuid=1000 --regid=1000 --clear-groups true 2>/dev/null; then
	cp "$EXTMERGE" "$T/extmerge"
	out=$(setpriv --reuid=1000 --regid=1000 --clear-groups "$T/extmerge" --root="$R" status --json=short)
	is "anybody can see what is merged (mutable.9)" "$(jq -r '.hierarchies[] | select(.path == "/etc") | .mutable, .layers[].name' <<<"$out" | paste -sd' ')" "auto conf changing"
	out=$(setpriv --reuid=1000 --regid=1000 --clear-groups "$T/extmerge" --root="$R" plan --class=confext 2>&1)
	is "and that there is nothing to do" "$? $(tail -n 1 <<<"$out")" "0 Nothing to do."
else
	skip "without privilege" "there is no setpriv"
fi
not_ok "the record cannot be written" touch "$R/etc/.extmerge/x"
em unmerge
is "nothing is left" "$(mounts_below "$R/etc") $(find "$R" -name '*extmerge*' | grep -v "extmerge\.\(conf\|lock\)" | paste -sd' ')" "0 "
finish
