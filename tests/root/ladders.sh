#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each rung of the ladders, on this kernel, by denying the better ones (deny.c): the result is the same.
. "${TESTS_DIR:?}/lib.sh"
begin
export ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0
shim=${TESTS_BUILD_DIR:?}/root/deny.so
[ -e "$shim" ] || { echo "1..0 # SKIP no $shim"; exit 77; }

# The root lies on a disk: there erofs can be mounted from a file.
R=$DISK/root X=$R/var/lib/extensions C=$R/var/lib/confexts
make_root "$R"
rm -r "$R/opt"
make_tree "$T/erofs" erofs 1
make_image erofs "$T/erofs" "$X/erofs.raw"
make_tree "$T/squashfs" squashfs 1
make_image squashfs "$T/squashfs" "$X/squashfs.raw"
make_conf_tree "$C/conf" conf 1
mkdir -p "$R/usr/share/sub"
mount -t tmpfs sub "$R/usr/share/sub"
echo sub >"$R/usr/share/sub/file"
before=$(mounts_below "$R")

denying() { # WORDS VERB...
	local words=$1
	shift
	out=$(EXTMERGE_DENY=$words LD_PRELOAD=$shim "$EXTMERGE" --root="$R" "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}

of_status() { # JQ-FILTER
	"$EXTMERGE" --root="$R" status --json=short | jq -r "$1"
}

content() {
	(cd "$R" && cat usr/bin/{host-tool,erofs,squashfs,changing} etc/{host.conf,conf.conf} \
		opt/changing usr/share/sub/file 2>&1 | paste -sd' ')
}

change() { # VERSION
	rm -rf "$X/changing"
	make_tree "$X/changing" changing "$1"
	mkdir "$X/changing/opt"
	echo "opt $1" >"$X/changing/opt/changing"
}

ladder() { # NAME WORDS RUNG has-gap|no-gap EROFS-LOOPS
	local gaps rung=$3

	[ "$STACK" != fuse ] || rung=fd # by any kernel
	change 1
	denying "$2" merge || echo "# $err"
	is "$1: merge" "$rc $(content)" "0 host tool 1 1 1 host conf 1 opt 1 sub"
	is "$1: the rung is in the record" \
		"$(of_status '[.hierarchies[] | .layers_by] | unique | join(" ")')" "$rung"
	is "$1: nothing had to be exchanged" "$(of_status '[.hierarchies[].gap_us] | add')" 0
	ok "$1: as many loop devices as needed" await loops_are "$R" "$5" # they go some time after their last user
	change 2
	denying "$2" refresh || echo "# $err"
	is "$1: a changed refresh" "$rc $(content)" "0 host tool 1 1 2 host conf 1 opt 2 sub"
	gaps=$(of_status '[.hierarchies[] | select(.path != "/etc").gap_us > 0] | unique | join(" ")')
	is "$1: /usr and /opt were switched with a gap" "$gaps" \
		"$([ "$4" = has-gap ] && echo true || echo false)"
	em status
	is "$1: status says so in words" \
		"$(grep -c "left a gap" <<<"$out")" "$([ "$4" = has-gap ] && echo 2 || echo 0)"
	denying "$2" refresh
	like "$1: a refresh with nothing new does nothing" "$err" "Nothing has changed"
	is "$1: one mount in each hierarchy, and the submount" "$(mounts_below "$R")" 5
	denying "$2" unmerge
	is "$1: unmerge" "$rc $(mounts_below "$R") $(ls -d "$R/opt" 2>&1)" \
		"0 $before ls: cannot access '$R/opt': No such file or directory"
}

ladder "this kernel" "" fd no-gap 1
ladder "before 6.13" fd path no-gap 1
ladder "before 6.8" fd,path,unique classic no-gap 1
ladder "before 6.5" fd,path,unique,beneath,erofs,xattr classic has-gap 2
ladder "without beneath alone" beneath fd has-gap 1
ladder "without user attributes" xattr fd no-gap 1
ladder "without erofs from files" erofs fd no-gap 2

# Written hierarchies: the upper layer and its work directory by each rung (mutable.8, mutable.11).
written() { # NAME WORDS RUNG MODE
	local rung=$3

	[ "$STACK" != fuse ] || rung=fd
	change 1
	denying "$2" merge --mutable=/usr:"$4" || echo "# $err"
	is "$1, $4: merge" "$rc $(content)" "0 host tool 1 1 1 host conf 1 opt 1 sub"
	is "$1, $4: the rung is in the record" "$(of_status '.hierarchies[] | select(.path == "/usr") | .layers_by')" "$rung"
	echo kept >"$R/usr/bin/kept" && echo mine >"$R/usr/bin/changing"
	change 2
	denying "$2" refresh || echo "# $err"
	is "$1, $4: what is written stays over a refresh" \
		"$rc $(cat "$R/usr/bin/kept") $(content)" "0 kept host tool 1 1 mine host conf 1 opt 2 sub"
	ok "$1, $4: and the new tree can be written" touch "$R/usr/bin/later"
	denying "$2" unmerge
	is "$1, $4: unmerge" "$rc $(mounts_below "$R") $(find "$R" -xdev -name '*extmerge-work*')" "0 $before "
	rm -rf "$R/var/lib/extensions.mutable"
}
for mode in yes ephemeral; do
	written "this kernel" "" fd $mode
	written "before 6.13" fd path $mode
	written "before 6.5" fd,path,unique,beneath,erofs,xattr classic $mode
done

change 1
denying fsopen merge
is "before 5.2 there is an error" "$rc $(mounts_below "$R")" "5 $before"
like "that says what is missing" "$err" "Function not implemented"

# mount(2) takes one page of options.
rm -r "$X/changing"
for ((i = 0; i < 300; i++)); do
	make_tree "$X/many$i" "many$i"
done
denying fd,path,unique,beneath,erofs,xattr merge
is "300 layers by mount(2)" "$rc $(cat "$R"/usr/bin/many* | wc -l)" "0 300"
is "300 layers: the record is readable" \
	"$(of_status '.hierarchies[] | select(.path == "/usr") | .layers_by, (.layers | length)' | paste -sd' ')" \
	"$([ "$STACK" = fuse ] && echo fd || echo classic) 302"
make_tree "$X/many7" many7 changed
denying fd,path,unique,beneath,erofs,xattr refresh
is "300 layers: a changed refresh" "$rc $(cat "$R/usr/bin/many7")" "0 changed"
em unmerge
is "300 layers: unmerge, by the kernel as it is" "$rc $(mounts_below "$R")" "0 $before"
umount "$R/usr/share/sub"
finish
