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
nothing_left() {
	local try

	for try in $(seq 100); do
		count
		[ $((${#devices[@]} + ${#loops[@]} + ${#nodes[@]})) != 0 ] || return 0
		sleep 0.05
	done
	echo "after $try looks: ${devices[*]} ${loops[*]} ${nodes[*]}"
	return 1
}
