# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of dm-verity in guests share: an image, what puts it in force, and the look at what is left.
activate=$TESTS_BUILD_DIR/vm/activate # tests/vm/activate.c
shopt -s nullglob

# $T/data and $T/tree, and $T/tool.raw, the disk image of both, with the root hash $root and $T/p7s, its signature.
make_tool() {
	need_signing "dm-verity"
	mkdir "$T/nodes"
	new_key friend
	make_tree "$T/tree.d" tool
	head -c 100000 /dev/urandom >"$T/tree.d/usr/bin/data"
	mksquashfs "$T/tree.d" "$T/data" -quiet -no-progress -noappend >/dev/null
	make_signed "$T/tool.raw" friend
	root=$(cat "$T/hash")
}

# The value of --image for $T/tool.raw or a copy of it.
disk() { # IMAGE
	sfdisk -J "$1" | jq -r --arg i "$1" --arg root "$root" '[.partitiontable.partitions[0, 1] |
		$i, .start * 512, .size * 512] + [$root] | join(",")'
}

put_in_force() { # IMAGE-OPTION COMMAND...
	local image=$1
	shift
	out=$("$activate" --image="$image" "$T/nodes" "$@" 2>"$T/stderr")
	rc=$?
}

# Sets devices, loops and nodes to what is there; all are removed a moment after their last user is gone.
count() {
	devices=(/sys/block/dm-*) loops=(/sys/block/loop*/loop/backing_file)
	nodes=("$T"/nodes*/mapper/extmerge-* /dev/mapper/extmerge-*)
}

# "DEVICES LOOPS NODES", once there are so many devices and two loop devices for each, or after five seconds.
there_are() { # DEVICES
	local try

	for try in $(seq 100); do
		count
		[ "${#devices[@]} ${#loops[@]} ${#nodes[@]}" != "$1 $((2 * $1)) 0" ] || break
		sleep 0.05
	done
	echo "${#devices[@]} ${#loops[@]} ${#nodes[@]}"
}
nothing_left() {
	[ "$(there_are 0)" = "0 0 0" ] || { count; echo "after five seconds: ${devices[*]} ${loops[*]} ${nodes[*]}"; return 1; }
}

# A key that the root trusts, and signed extensions in it: usr/bin/NAME with "NAME VERSION", and data.
trust_friend() {
	new_key friend
	mkdir -p "$R/etc/verity.d"
	cp "$T/friend.crt" "$R/etc/verity.d/"
}
make_extension() { # NAME VERSION [ALGORITHM]
	rm -rf "$T/tree.d"
	make_tree "$T/tree.d" "$1" "$1 $2"
	head -c 150000 /dev/urandom >"$T/tree.d/usr/bin/$1.data"
	make_image squashfs "$T/tree.d" "$T/data"
	make_signed "$T/new" friend "${3-sha256}" && mv "$T/new" "$X/$1.raw"
}
