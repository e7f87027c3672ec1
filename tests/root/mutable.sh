#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every mode of a hierarchy on every kind of directory, judged by what a process reads and writes (specs: mutable.1 to
# mutable.10): below --root, and below / in a root of its own.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

store=$R/var/lib/extensions.mutable D=$store/etc
make_conf_tree "$C/conf" conf
B=$T/bare # the root below what is merged
mkdir "$B" && mount --bind "$R" "$B"

below_root() { # VERB...
	"$EXTMERGE" --root="$R" "$@"
}
in_chroot() { # VERB...
	chroot "$R" /run/extmerge "$@"
}

# The program and its libraries. For who is in there the root is no mount point.
make_chroot() {
	local library
	mkdir -p "$R/proc"
	cp "$EXTMERGE" "$R/run/extmerge"
	for library in $(ldd "$EXTMERGE" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }'); do
		mkdir -p "$R${library%/*}"
		cp "$library" "$R$library"
	done
	mount --rbind /proc "$R/proc"
}

# The directory as the case wants it; what is in it is called old.
make_directory() { # KIND
	local target=$D
	mkdir -p "$store"
	case $1 in
	absent) return ;;
	directory) mkdir "$D" ;;
	mount) mkdir "$D" && mount -t tmpfs -o mode=755 x "$D" ;;
	link) mkdir -p "$R/srv/up" && ln -s /srv/up "$D" && target=$R/srv/up ;;
	host) ln -s /etc "$D" && target=$B/etc ;;
	dangling) ln -s /srv/none "$D" && return ;;
	esac
	echo old >"$target/old"
	if [ "$1" = mount ]; then
		mkdir "$target/upper" && echo old >"$target/upper/old"
	fi
}

clean_directory() { # KIND
	[ "$1" != mount ] || umount "$D"
	rm -rf "$store" "$R/srv" "$B/etc/"{old,new,conf.conf} # the last one is a whiteout
	echo "host conf" >"$B/etc/host.conf"
}

# Where what was written has come to, below the store or elsewhere.
written_to() {
	local at
	for at in "$R/srv/up" "$D/upper" "$D" "$B/etc"; do
		[ "$(cat "$at/new" 2>/dev/null)" != new ] || { echo "${at#"$T"/}"; return; }
	done
	echo -
}

# What is seen: the layer, the host, the directory's content; then what can be done, and where that ends up.
see() {
	local seen
	seen=$(cat "$R/etc/conf.conf" "$R/etc/host.conf" "$R/etc/old" 2>/dev/null | paste -sd,)
	if { echo new >"$R/etc/new" && echo more >>"$R/etc/host.conf" && rm "$R/etc/conf.conf"; } 2>/dev/null; then
		seen+=" writes $(cat "$R/etc/new" "$R/etc/host.conf" "$R/etc/conf.conf" 2>/dev/null | paste -sd,)"
		seen+=" $(written_to)"
	else
		seen+=" reads"
	fi
	echo "$seen"
}

after() {
	cat "$R/etc/"{conf.conf,host.conf,old,new} 2>/dev/null | paste -sd,
}

left_over() {
	find "$R" -xdev -name '*extmerge-work*'
	find "$R" -xdev -name .extmerge
}

# What unmerge says of it (mutable.22); the host's own directory needs no word.
kept() { # SEEN
	local at=${1##*,more_root}
	[[ $1 != *,more_root* ]] || echo "; what was written stays in $at"
}

try_case() { # RUN MODE KIND SEEN AFTER
	local name="$2, $3, ${1//_/ }, $backend" before
	make_directory "$3"
	before=$(mounts_below "$R")
	out=$($1 merge --backend=$backend --class=confext --mutable="/etc:$2" 2>&1)
	[ "$4" != refused ] || { is "$name is refused" "$? $(mounts_below "$R")" "1 $before"; clean_directory "$3"; return; }
	is "$name" "$? $(see)" "0 ${4//_/ }" || echo "# $out"
	out=$($1 refresh --backend=$backend --class=confext 2>&1)
	like "$name: a refresh changes nothing" "$? $out" "^0 .*Nothing has changed"
	out=$($1 unmerge 2>&1)
	is "$name: after unmerge" "$? $(after)" "0 ${5//_/ }" || echo "# $out"
	is "$name: what was written is where it says" "${out##*/etc  unmerged}" "$(kept "$4")"
	is "$name: nothing is left" "$(mounts_below "$R") $(left_over)" "$before " || umount -l "$R/etc"
	clean_directory "$3"
}

table() { # RUN
	while read -r mode kind seen afterwards; do
		[ -z "$mode" ] || try_case "$1" "$mode" "$kind" "$seen" "$afterwards"
	done <<-TABLE
		no absent conf,host_conf_reads host_conf
		no directory conf,host_conf_reads host_conf
		no mount conf,host_conf_reads host_conf
		no link conf,host_conf_reads host_conf
		no host conf,host_conf,old_reads host_conf,old
		no dangling conf,host_conf_reads host_conf
		auto absent conf,host_conf_reads host_conf
		auto directory conf,host_conf,old_writes_new,host_conf,more_root/var/lib/extensions.mutable/etc host_conf
		auto mount conf,host_conf,old_writes_new,host_conf,more_root/var/lib/extensions.mutable/etc/upper host_conf
		auto link conf,host_conf,old_writes_new,host_conf,more_root/srv/up host_conf
		auto host conf,host_conf,old_writes_new,host_conf,more_bare/etc host_conf,more,old,new
		auto dangling conf,host_conf_reads host_conf
		yes absent conf,host_conf_writes_new,host_conf,more_root/var/lib/extensions.mutable/etc host_conf
		yes directory conf,host_conf,old_writes_new,host_conf,more_root/var/lib/extensions.mutable/etc host_conf
		yes mount conf,host_conf,old_writes_new,host_conf,more_root/var/lib/extensions.mutable/etc/upper host_conf
		yes link conf,host_conf,old_writes_new,host_conf,more_root/srv/up host_conf
		yes host conf,host_conf,old_writes_new,host_conf,more_bare/etc host_conf,more,old,new
		yes dangling conf,host_conf_reads host_conf
		import absent conf,host_conf_reads host_conf
		import directory conf,host_conf,old_reads host_conf
		import mount conf,host_conf,old_reads host_conf
		import link conf,host_conf,old_reads host_conf
		import host conf,host_conf,old_reads host_conf,old
		import dangling conf,host_conf_reads host_conf
		ephemeral absent conf,host_conf_writes_new,host_conf,more_- host_conf
		ephemeral directory conf,host_conf_writes_new,host_conf,more_- host_conf
		ephemeral mount conf,host_conf_writes_new,host_conf,more_- host_conf
		ephemeral link conf,host_conf_writes_new,host_conf,more_- host_conf
		ephemeral host conf,host_conf,old_writes_new,host_conf,more_- host_conf,old
		ephemeral dangling conf,host_conf_writes_new,host_conf,more_- host_conf
		ephemeral-import absent conf,host_conf_writes_new,host_conf,more_- host_conf
		ephemeral-import directory conf,host_conf,old_writes_new,host_conf,more_- host_conf
		ephemeral-import mount conf,host_conf,old_writes_new,host_conf,more_- host_conf
		ephemeral-import link conf,host_conf,old_writes_new,host_conf,more_- host_conf
		ephemeral-import host conf,host_conf,old_writes_new,host_conf,more_- host_conf,old
		ephemeral-import dangling conf,host_conf_writes_new,host_conf,more_- host_conf
	TABLE
}

backend=overlay
table below_root
make_chroot
table in_chroot
umount -l "$R/proc"
backend=fuse
if em merge --backend=fuse --class=confext && em unmerge; then
	table below_root
else
	skip "the same by FUSE" "it cannot be had: ${err%%$'\n'*}"
fi
finish
