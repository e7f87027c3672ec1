#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Directories that one layer alone brings, as mounts of their own in a merged tree (switch.17).
# shellcheck disable=SC2154 # what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
readers=${TESTS_BUILD_DIR:?}/readers

[ -x "$(dirname "$(readlink -f "$EXTMERGE")")/extmerge-fuse" ] || { skip "everything" "this extmerge was built without FUSE"; finish; }
[ -c /dev/fuse ] || { skip "everything" "there is no /dev/fuse"; finish; }

many() { # DIRECTORY
	mkdir -p "$1/below/sub" && (cd "$1" && seq 300 | xargs touch) && echo many >"$1/below/file"
}
many "$R/usr/share/host"
many "$R/usr/share/other"
make_tree "$X/one" one
many "$X/one/usr/share/brought"
for format in erofs squashfs; do
	make_tree "$T/two" two $format && many "$T/two/usr/lib/$format"
	make_image $format "$T/two" "$T/two.$format" && rm -r "$T/two"
done
cp "$T/two.erofs" "$X/two.raw"
mount -t tmpfs host "$R/usr/share/other/below/sub" && echo sub >"$R/usr/share/other/below/sub/file"
before=$(mounts_below "$R")
conf() { # SETTING...
	printf '%s\n' '[Extmerge]' Backend=fuse "$@" >"$R/etc/extmerge.conf"
}
grafts() {
	"$EXTMERGE" --root="$R" status --json=short | jq -r '.hierarchies[] | select(.path == "/usr").grafts[]' | sort | paste -sd' '
}
shown() {
	cat "$R"/usr/share/{host,other,brought}/below/file "$R/usr/share/other/below/sub/file" "$R"/usr/bin/{host-tool,one,two} 2>&1 | paste -sd' '
}
all="many many many sub host tool one"

conf
em refresh
is "by default there are none" "$rc $(grafts) $(mounts_below "$R") $(shown)" "0  $((before + 2)) $all erofs"
em refresh --grafts=17
like "more than 16 are refused" "$rc $err" "^2 .*--grafts is a number from 0 to 16"
conf Grafts=many
em refresh
like "so is what is no number" "$rc $err" "many"
conf Grafts=16
em plan
is "another number is a reason to replace the tree" "$rc $(grep -oE '^/usr  [a-z]+' <<<"$out")" "10 /usr  replace"
em refresh
if [ -z "$(grafts)" ]; then
	skip "grafts" "the kernel attaches none here"
	finish
fi
is "now there are those of the host, of a directory, of an image" "$rc $(grafts)" "0 lib/erofs share/brought share/host share/other"
is "each is a mount" "$(mounts_below "$R")" $((before + 2 + 4))
is "all is seen, the host's mount in one of them as well" "$(shown)" "$all erofs"
like "nothing can be written" "$(touch "$R/usr/share/host/new" "$R/usr/share/brought/new" 2>&1 | grep -c 'Read-only')" 2
em status
like "status counts them" "$out" "by fuse, as asked for, with 4 of its directories mounted"
em refresh
like "nothing has changed" "$rc $err" "^0.*Nothing has changed"

# --- one that cannot be attached ---
shim=$TESTS_BUILD_DIR/root/deny.so
cannot() { # VARIABLE=PATH ERROR
	local path=${1#*=}

	em unmerge
	err=$(env LD_PRELOAD="$shim" "$1" "$EXTMERGE" --root="$R" refresh 2>&1 >/dev/null)
	is "$1: merged without that graft" "$? $(shown)" "0 $all erofs"
	is "$1: the others are there" "$(grafts) $(mounts_below "$R")" "lib/erofs share/host share/other $((before + 2 + 3))"
	like "$1: that is said" "$err" "warning: /usr has no graft of $path: $2; the server shows it"
	em status
	like "$1: status says so" "$out" "with 3 of its directories mounted \\(1 could not be\\)"
	is "$1: and why, in JSON" "$("$EXTMERGE" --root="$R" status --json=short | jq -r '.hierarchies[] | select(.path == "/usr").grafts_failed[]')" "$path: $2"
}
if [ -e "$shim" ]; then
	cannot EXTMERGE_GONE=share/brought "No such file or directory"
	cannot EXTMERGE_FULL=share/brought "No space left on device"
	em unmerge
	em refresh
	is "the next tree has it" "$rc $(grafts)" "0 lib/erofs share/brought share/host share/other"
else
	skip "one that cannot be attached" "there is no $shim"
fi

# --- the host mounts something on a graft, and in one ---
mount -t tmpfs later "$R/usr/share/host" && echo later >"$R/usr/share/host/file"
mount -t tmpfs later "$R/usr/share/brought/below" && echo later >"$R/usr/share/brought/below/file"
cp "$T/two.squashfs" "$X/two.raw"
em refresh
is "after a refresh what the host has mounted is seen" "$rc $(cat "$R/usr/share/host/file" "$R/usr/share/brought/below/file" "$R/usr/bin/two" | paste -sd' ')" "0 later later squashfs"
is "the others are those of the new layers" "$(grafts)" "lib/squashfs share/brought share/host share/other"
is "and no mount was taken for the host's" "$(mounts_below "$R")" $((before + 2 + 2 + 4))
umount "$R/usr/share/host" && umount "$R/usr/share/brought/below"
is "below it is what was there" "$(shown)" "$all squashfs"

# --- two have the directory: it is none any more ---
make_tree "$X/three" three && mkdir -p "$X/three/usr/share/other" && echo three >"$X/three/usr/share/other/three"
em refresh
is "what two layers have is merged" "$rc $(cat "$R/usr/share/other/three" "$R/usr/share/other/below/file" "$R/usr/share/other/below/sub/file" | paste -sd' ')" "0 three many sub"
is "and what one of them has in it may be a mount" "$(grafts)" "lib/squashfs share/brought share/host"

# --- under readers ---
"$readers" 2 "$R/usr/share/host/below/file" "$R/usr/share/brought/below/file" "$R/usr/bin/host-tool" >"$T/counts" &
pid=$!
await runs $pid readers
wrong=
for i in {1..30}; do
	cp "$T/two.$([ $((i % 2)) = 0 ] && echo erofs || echo squashfs)" "$X/two.raw.new" && mv "$X/two.raw.new" "$X/two.raw"
	em refresh || wrong+=" $i: $err"
done
kill -TERM $pid && wait $pid
read -r opens missed <"$T/counts"
is "30 refreshes, and no file is missing" "$wrong $missed" " 0"
ok "in many looks" [ "$opens" -gt 1000 ]

# --- never in what is written ---
em refresh --mutable=/usr:ephemeral
is "what is written has none" "$rc $(grafts) $(shown)" "0  $all erofs"
em refresh --mutable=/usr:no
is "and then again" "$rc $(grafts)" "0 lib/erofs share/brought share/host"
conf Grafts=1
em refresh
is "a smaller number" "$rc $(grafts | wc -w)" "0 1"
conf
em refresh
is "none" "$rc $(grafts)" "0 "
conf Grafts=16
em refresh
em unmerge
is "unmerge takes all away" "$rc $(mounts_below "$R")" "0 $before"
finish
