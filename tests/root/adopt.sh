#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge adopt: what the real systemd-sysext has merged is taken over without a gap, or stays as it is (specs: adopt.*).
# shellcheck disable=SC2154 # out, err, rc, R, X, C: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin shared
readers=${TESTS_BUILD_DIR:?}/readers
mount -t tmpfs run /run && mkdir -p /run/systemd && mount --make-rshared /run

# That of the machine knows sysexts only (252), that of sid confexts as well.
sid=$("$TESTS_DIR/sid.sh") || sid=''
peer() { # machine|sid sysext|confext VERB
	local libraries=$sid/usr/lib/x86_64-linux-gnu

	case $1 in
	machine) systemd-sysext --root="$R" "$3" ;;
	sid)
		"$sid/usr/lib64/ld-linux-x86-64.so.2" --argv0 "systemd-$2" --library-path "$libraries:$libraries/systemd" \
			"$sid/usr/bin/systemd-sysext" --root="$R" "$3"
		;;
	esac >"$T/peer" 2>&1
}
tops() { # the sources of what is mounted on /usr, /etc and /opt, lowest first
	awk -v r="$R" '$5 == r "/usr" || $5 == r "/etc" || $5 == r "/opt" { print $(NF - 1) }' /proc/self/mountinfo | paste -sd' '
}

mkdir -p "$R/usr/share/below" "$T/below" && echo below >"$T/below/file"
mount --bind "$T/below" "$R/usr/share/below"
make_tree "$X/one" one
make_tree "$X/two" two
make_conf_tree "$C/conf" conf
before=$(mounts_below "$R")
em adopt
is "where they have merged nothing, nothing is done" "$rc $(tops)" "0 "
like "which is said" "$err" "Nothing of systemd-sysext"

take_over() { # machine|sid CLASS...
	local who=$1 class files opens missed
	shift
	for class in "$@"; do
		peer "$who" "$class" merge || { skip "$who: adopt" "systemd-$class cannot merge here: $(tail -n 1 "$T/peer")"; return; }
	done
	is "$who: $* merged" "$(cat "$R/usr/bin/one" "$R/usr/bin/two")" "one
two"
	em refresh
	like "$who: a refresh refuses, and says what would do" "$rc $err" "^1 .*systemd-[a-z]* has merged it.*extmerge adopt"
	files=("$R/usr/bin/one" "$R/usr/bin/two" "$R/usr/bin/host-tool" "$R/etc/host.conf")
	[ "$*" = sysext ] || files+=("$R/etc/conf.conf")
	"$readers" 2 "${files[@]}" >"$T/counts" &
	pid=$!
	await runs $pid readers
	em adopt
	is "$who: adopt succeeds" $rc 0
	kill $pid
	wait $pid
	read -r opens missed <"$T/counts"
	is "$who: none of $opens opens missed" "$missed" 0
	is "$who: there is one tree of ours on each" "$(tops | tr -s ' ' '\n' | sort | paste -sd' ')" "extmerge:confext:etc:1 extmerge:sysext:usr:1"
	is "$who: which shows all that was there" "$(cat "$R"/usr/bin/{one,two,host-tool} "$R/etc/conf.conf" "$R/usr/share/below/file" | paste -sd' ')" \
		"one two host tool conf below"
	not_ok "$who: and nothing of theirs" test -e "$R/usr/.systemd-sysext"
	em status --json
	is "$who: without a gap" "$(jq -c '[.hierarchies[] | select(.state == "merged").gap_us]' <<<"$out")" "[0,0]"
	em refresh
	like "$who: a refresh has nothing to do" "$err" "Nothing has changed"
	for class in "$@"; do
		peer "$who" "$class" unmerge
	done
	is "$who: they find nothing to unmerge" "$(tops | wc -w) $(cat "$R/usr/bin/one")" "2 one"
	em adopt
	like "$who: nor is there more to take over" "$rc $err" "^0 .*Nothing of systemd-sysext"
	em unmerge
	is "$who: unmerge leaves the host's own" "$rc $(tops) $(mounts_below "$R") $(ls "$R/usr/bin" | paste -sd' ')" "0  $before host-tool"
}
if command -v systemd-sysext >/dev/null; then take_over machine sysext; else skip "machine: adopt" "there is no systemd-sysext"; fi
if [ -n "$sid" ]; then take_over sid sysext confext; else skip "sid: adopt" "there is no tree of sid"; fi

# --- what is refused; a tree as they make it shows that as well ---
overlay() { # [NAME...]: theirs, with these names in it
	mkdir -p "$T/meta/.systemd-sysext" "$T/peers"
	rm -f "$T/meta/.systemd-sysext/extensions"
	[ $# = 0 ] || printf '%s\n' "$@" >"$T/meta/.systemd-sysext/extensions"
	mount -t overlay -o "${overlay_options:-ro},lowerdir=$T/meta:$X/two/usr:$X/one/usr:$R/usr" sysext "$R/usr"
}
refused() { # NAME REGEX
	em adopt
	like "$1 is refused by name" "$rc $err" "^1 .*$2"
	is "and theirs stays" "$(tops) $(cat "$R/usr/bin/one")" "sysext one"
	umount "$R/usr"
}
overlay one gone
refused "an extension that is not there any more" "'gone' is in it, and there is no such extension"
overlay one two
echo ID=other >"$X/two/usr/lib/extension-release.d/extension-release.two"
refused "one that does not fit" "'two' is in it, and would not be: wrong-id"
echo ID=_any >"$X/two/usr/lib/extension-release.d/extension-release.two"
overlay
refused "a tree that does not say what is in it" "does not say which extensions"
overlay ../one
refused "one whose names are none" "does not say which extensions"
mkdir -p "$T/upper" "$T/work"
overlay_options="upperdir=$T/upper,workdir=$T/work" overlay one
refused "one that is written" "it is written to"
overlay one
overlay one
em adopt
like "one on another is refused" "$rc $err" "^1 .*several of their trees"
is "and both stay" "$(tops)" "sysext sysext"
umount "$R/usr" && umount "$R/usr"

# --- at every call that matters an error, or the end: theirs is seen, or ours, never neither ---
hit() { # CALL:WHAT N: strace says nothing of it, as it ends like the program
	strace -qq -o "$T/strace" -e trace="${1%%:*}" -e inject="$1:when=$2" "$EXTMERGE" --root="$R" adopt
	rc=$?
	grep -qE 'INJECTED|killed by SIGKILL' "$T/strace"
}
if command -v strace >/dev/null; then
	wrong='' hits=0 left=0
	for call in move_mount:error=EIO umount2:error=EIO move_mount:signal=KILL umount2:signal=KILL; do
		for n in {1..40}; do
			overlay one two
			hit $call $n >/dev/null 2>&1 || break
			hits=$((hits + 1))
			# Ours comes beneath theirs: while that is there it is what is seen.
			by=ours
			[[ " $(tops) " != *" sysext "* ]] || by=theirs
			[ $by = ours ] || left=$((left + 1))
			seen=$(cat "$R"/usr/bin/{one,two,host-tool} 2>&1 | paste -sd' ')
			[ "$seen" = "one two host tool" ] || wrong+="$call $n: $by: $seen; "
			[[ $call != *error* || $rc = 0 || $by = theirs ]] || wrong+="$call $n: $rc, but it is $by; "
			em adopt || wrong+="$call $n: the next adopt: $err; "
			[[ "$(tops | tr -s ' ' '\n' | sort | paste -sd' ')" = "extmerge:confext:etc:"?" extmerge:sysext:usr:"? ]] || wrong+="$call $n: then $(tops); "
			em unmerge
		done
		em unmerge
	done
	is "$hits errors and kills, $left of them leave theirs: always one of the two" "$wrong" ""
else
	skip "errors and kills" "there is no strace"
fi
overlay one two
em adopt
mount -t overlay -o "ro,lowerdir=$T/meta:$X/two/usr:$X/one/usr:$R/usr" sysext "$R/usr"
em adopt
is "where theirs lies on ours, as after a kill, ours is seen" "$rc $(tops) $(cat "$R/usr/bin/two")" "0 extmerge:confext:etc:1 extmerge:sysext:usr:1 two"
em unmerge
overlay one two
mkdir -p "$R/opt"
em adopt --class=confext
like "the other class is none of its business" "$rc $err" "^0 .*Nothing of systemd-sysext"
umount "$R/usr"
is "nothing is left" "$(mounts_below "$R")" "$before"
finish
