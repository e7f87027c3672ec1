# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# Protected images of every kind, made without extmerge; sourced after lib.sh, begin and need_signing.
#
# $BACKEND is what keeps hash trees in force: fuse (where the test runs), or dm (in guests that have device-mapper).
: "${BACKEND:=fuse}"

# Whether the back end is there; otherwise the test is skipped and ends.
need_backend() { # NAME
	local program=${EXTMERGE%/*}/extmerge-fuse
	case $BACKEND in
	fuse) [ -c /dev/fuse ] && [ -x "$program" ] || { skip "$1" "there is no /dev/fuse, or no $program"; finish; } ;;
	dm) [ -e /sys/class/misc/device-mapper ] || modprobe -qn dm_verity || { skip "$1" "there is no device-mapper"; finish; } ;;
	esac
}

# The file system $T/data of an extension that brings usr/bin/NAME and 300 kB that cannot be guessed.
make_data() { # NAME [FORMAT]
	rm -rf "$T/content"
	make_tree "$T/content" "$1"
	head -c 300000 /dev/urandom >"$T/content/usr/bin/$1.data"
	make_image "${2-erofs}" "$T/content" "$T/data"
}

# A disk image with hash tree and signature; the parts stay in $T/data, $T/tree, $T/hash, $T/p7s.
make_protected() { # IMAGE-PATH KEY|none [FORMAT]
	local name=${1##*/}
	make_data "${name%%[_.]*}" "${3-erofs}" && make_signed "$1" "$2"
}

# A bare file system with its sidecars.
make_beside() { # IMAGE-PATH KEY|none [FORMAT]
	local stem=${1%.raw} name=${1##*/}
	make_data "${name%%[_.]*}" "${3-erofs}" || return 1
	veritysetup format --root-hash-file="$stem.roothash" "$T/data" "$stem.verity" >/dev/null || return 1
	[ "$2" = none ] || sign_hash "$(cat "$stem.roothash")" "$2" "$stem.roothash.p7s" || return 1
	mv "$T/data" "$1"
}

# Where the partition begins and how long it is, in bytes, as the table says.
part_start() { # IMAGE INDEX
	echo $(($(od -An -tu8 -j $((1024 + 128 * $2 + 32)) -N 8 "$1") * 512))
}
part_size() { # IMAGE INDEX
	echo $((($(od -An -tu8 -j $((1024 + 128 * $2 + 40)) -N 8 "$1") + 1) * 512 - $(part_start "$1" "$2")))
}

# Puts a file in place of the beginning of a partition; what is behind it becomes zero.
put_part() { # IMAGE INDEX FILE
	local start size
	start=$(part_start "$1" "$2") size=$(part_size "$1" "$2")
	dd if=/dev/zero of="$1" bs=512 seek=$((start / 512)) count=$((size / 512)) conv=notrunc status=none
	dd if="$3" of="$1" bs=512 seek=$((start / 512)) conv=notrunc status=none
}

# Puts a text in place of the signature partition.
put_json() { # IMAGE TEXT
	printf %s "$2" >"$T/json" && put_part "$1" 2 "$T/json"
}

# What list says about each extension, as "NAME CODE", or "NAME =PROTECTION" for those that fit.
judgements() { # OPTION...
	em list --json=short --verity="$BACKEND" "$@"
	jq -r '.extensions[] | .name + " " + (.reason.code // "=" + .trust)' <<<"$out" | sort
}

# Every call by which bytes of an image could come to a driver or a server. strace would stay with a server that
# it has seen starting, so it is sent away.
traced() { # OPTION...
	local tracer
	rm -f "$T/rc"
	strace -I 1 -f -o "$T/trace" -e trace=fsopen,fsconfig,mount,open_tree,ioctl,execve,execveat \
		bash -c '"$@" >/dev/null 2>&1; echo $? >'"$T/rc" - "$EXTMERGE" --root="$R" refresh --verity="$BACKEND" "$@" 2>/dev/null &
	tracer=$!
	while [ ! -s "$T/rc" ]; do sleep 0.05; done
	kill $tracer
	wait $tracer 2>/dev/null
	rc=$(cat "$T/rc")
}
drivers() { # prints how often each was asked for
	grep -cE 'fsopen\("(erofs|squashfs|ext4|btrfs|fuse)"|LOOP_CONFIGURE|DM_DEV_CREATE|0xc138fd03|execveat\(' "$T/trace"
}
