# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # size and pages are used by who sources this
# What the tests of the verified file share: an image with its tree, a command that has it, and a look at its servers.
PATH=$PATH:/usr/sbin:/sbin
attach=${TESTS_BUILD_DIR:?}/attach server=${TESTS_BUILD_DIR}/../extmerge-fuse

[ -x "$server" ] || { skip "verified files" "built without FUSE"; finish; }
[ -c /dev/fuse ] || { skip "verified files" "there is no /dev/fuse"; finish; }
for tool in veritysetup mkfs.erofs mksquashfs; do
	command -v $tool >/dev/null || { skip "verified files" "there is no $tool"; finish; }
done

# Sanitizers need more memory and more system calls than the server leaves itself.
sanitized() {
	grep -q '^SANITIZER_FLAGS = .*-fsanitize' "$TESTS_BUILD_DIR/../Makefile"
}

# $I/data, a copy $I/good, $I/tree and $hash: the salt is random, so the hash is this run's, and its servers are found by it.
I=$DISK/image
make_verity() { # FILE
	mkdir -p "$I" && cp "$1" "$I/data" && cp "$1" "$I/good" &&
		veritysetup format --root-hash-file="$I/hash" "$I/data" "$I/tree" >/dev/null || return 1
	hash=$(cat "$I/hash") size=$(stat -c %s "$I/data")
	pages=$((size / 4096))
}

servers() { # [HASH]
	pgrep -f "^@extmerge-fuse image --root=${1-$hash}"
}

# The kernel ends a connection a moment after the last close.
no_servers() { # [HASH]
	await not_served "$@" && return
	echo "there are servers: $(servers "$@")"
	return 1
}
not_served() { # [HASH]
	! servers "$@" >/dev/null
}

with() { # [OPTION...] -- COMMAND...: with the verified file at fd 9
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	"$attach" --server="$server" --log="$T/log" "${options[@]}" "$I/data" "$I/tree" "$hash" "$@"
}

judge() { # [COMMAND]: "RIGHT WRONG MISSING" pages, after the command
	with -- bash -c "${1-}
		'${TESTS_BUILD_DIR}/judge' /proc/self/fd/9 '$I/good'"
}

# A tree with a file of 3 MB, and its images in both formats: $T/content, $T/erofs, $T/squashfs.
make_contents() {
	make_tree "$T/content" tool
	head -c 3000000 /dev/urandom >"$T/content/usr/random"
	make_image erofs "$T/content" "$T/erofs" && make_image squashfs "$T/content" "$T/squashfs"
	mkdir "$T/m"
}
