# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the shell tests have in common: a private mount namespace, a small root, sample extensions, and TAP.
#
# A test begins with
#     . "${TESTS_DIR:?}/lib.sh"
#     begin            (or: begin shared, begin slave, begin unprivileged)
# and ends with
#     finish
#
# $T is a tmpfs that is gone afterwards, $R the root in it, $X its var/lib/extensions, $C its
# var/lib/confexts. $DISK is an empty directory on a real disk, for what cannot be on a tmpfs.
set -u
: "${EXTMERGE:?the program to test}"

n_results=0

result() { # ok|"not ok" NAME
	n_results=$((n_results + 1))
	echo "$1 $n_results - $2"
	[ "$1" = ok ]
}

# The test passes if the command does. What it prints is shown only if it fails.
ok() { # NAME COMMAND...
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		result ok "$name"
	else
		result "not ok" "$name"
		printf '# failed: %s\n' "$*"
		printf '%s\n' "$output" | sed 's/^/#   /'
		return 1
	fi
}

not_ok() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		result "not ok" "$name"
		printf '# should have failed: %s\n' "$*"
		return 1
	fi
	result ok "$name"
}

is() { # NAME ACTUAL EXPECTED
	if [ "$2" = "$3" ]; then
		result ok "$1"
	else
		result "not ok" "$1"
		printf '# expected: %s\n# actual:   %s\n' "$3" "$2" | sed '1!s/^\([^#]\)/#   \1/'
		return 1
	fi
}

like() { # NAME ACTUAL EXTENDED-REGEX
	if [[ $2 =~ $3 ]]; then
		result ok "$1"
	else
		result "not ok" "$1"
		printf '# should match: %s\n' "$3"
		printf '%s\n' "$2" | sed 's/^/#   /'
		return 1
	fi
}

skip() { # NAME REASON
	n_results=$((n_results + 1))
	echo "ok $n_results - $1 # SKIP $2"
}

finish() {
	echo "1..$n_results"
	exit 0
}

# Runs extmerge on the root: $out, $err and $rc are what it said.
em() { # VERB...
	out=$("$EXTMERGE" --root="$R" "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}

# The verdict word of an extension, by its name, or all of them where one name is there more than once.
verdict() { # NAME
	"$EXTMERGE" --root="$R" list --json=short 2>/dev/null |
		jq -r --arg n "$1" '.extensions[] | select(.name == $n) | .reason.code // "fits"' | paste -sd' '
}

# The names of the layers merged into a hierarchy, top first.
layers() { # usr|opt|etc
	"$EXTMERGE" --root="$R" status --json=short 2>/dev/null |
		jq -r --arg p "/$1" '.hierarchies[] | select(.path == $p) | .layers[].name' | paste -sd' '
}

# How many mounts are below the root: what is left behind is seen here.
mounts_below() { # PATH
	awk -v p="$1" 'index($5, p "/") == 1 || $5 == p' /proc/self/mountinfo | wc -l
}

# Loop devices that have a file below the path.
loops_below() { # PATH
	local n=0 file
	for file in /sys/block/loop*/loop/backing_file; do
		[ -e "$file" ] || continue
		case $(cat "$file" 2>/dev/null) in "$1"/*) n=$((n + 1)) ;; esac
	done
	echo $n
}

# A host: os-release, some files in each hierarchy, empty search directories.
make_root() { # DIRECTORY
	mkdir -p "$1"/{usr/bin,usr/lib/modules,usr/share/doc,etc/ssl,opt,run,var/lib/extensions,var/lib/confexts,tmp}
	printf 'ID=debian\nVERSION_ID=12\nID_LIKE=linux\n' >"$1/usr/lib/os-release"
	ln -s ../usr/lib/os-release "$1/etc/os-release"
	echo "host tool" >"$1/usr/bin/host-tool"
	echo "host conf" >"$1/etc/host.conf"
	echo "host opt" >"$1/opt/host-opt"
}

# The tree of a sysext: usr/bin/NAME with the text, and a release file.
make_tree() { # DIRECTORY NAME [TEXT [RELEASE-LINE...]]
	local directory=$1 name=$2 text=${3-$2}
	shift 2
	[ $# -eq 0 ] || shift
	[ $# -gt 0 ] || set -- ID=_any
	mkdir -p "$directory/usr/bin" "$directory/usr/lib/extension-release.d"
	printf '%s\n' "$@" >"$directory/usr/lib/extension-release.d/extension-release.$name"
	echo "$text" >"$directory/usr/bin/$name"
}

# The same for a confext: etc/NAME.conf.
make_conf_tree() { # DIRECTORY NAME [TEXT]
	mkdir -p "$1/etc/extension-release.d"
	echo "ID=_any" >"$1/etc/extension-release.d/extension-release.$2"
	echo "${3-$2}" >"$1/etc/$2.conf"
}

# An image file of a tree, which replaces an older one of that name in one step.
make_image() { # FORMAT TREE IMAGE
	local new=$3.new
	rm -f "$new"
	case $1 in
	erofs) mkfs.erofs --quiet "$new" "$2" >/dev/null 2>&1 || mkfs.erofs "$new" "$2" >/dev/null ;;
	squashfs) mksquashfs "$2" "$new" -quiet -no-progress -noappend >/dev/null ;;
	ext4) truncate -s 4M "$new" && mkfs.ext4 -q -d "$2" "$new" ;;
	btrfs) truncate -s 128M "$new" && mkfs.btrfs -q -r "$2" "$new" >/dev/null ;;
	*) return 1 ;;
	esac && mv -f "$new" "$3"
}

# A GPT disk image with one partition of the type that holds the file.
make_disk() { # PARTITION-FILE IMAGE [TYPE [SECTOR-SIZE]]
	local sectors size=${4-512} type=${3-root-x86-64}
	case $type in
	root-x86-64) type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 ;;
	usr-x86-64) type=8484680C-9521-48C6-9C11-B0720656F69E ;;
	esac
	sectors=$((($(stat -c %s "$1") + size - 1) / size))
	rm -f "$2.new"
	truncate -s $((2 * 1024 * 1024 + sectors * size)) "$2.new"
	printf 'label: gpt\nstart=%d, size=%d, type=%s\n' $((1024 * 1024 / size)) "$sectors" "$type" |
		sfdisk -q --sector-size "$size" "$2.new" >/dev/null 2>&1 || return 1
	dd if="$1" of="$2.new" bs=1M seek=1 conv=notrunc status=none && mv -f "$2.new" "$2"
}

lib_clean() {
	[ -z "${DISK-}" ] || rm -rf --one-file-system "$DISK"
	rmdir "$T" 2>/dev/null || true
}

begin() { # [private|shared|slave|unprivileged]
	local mode=${1-private} self

	if [ "$mode" != unprivileged ] && [ "$(id -u)" != 0 ]; then
		echo "1..0 # SKIP needs root"
		echo "needs root"
		exit 77
	fi
	if [ -z "${LIB_INSIDE-}" ]; then
		self=$(readlink -f "$0")
		T=$(mktemp -d "${TMPDIR:-/tmp}/extmerge-test.XXXXXX") || exit 1
		DISK=$(mktemp -d "/var/tmp/extmerge-test.XXXXXX") || exit 1
		export T DISK LIB_INSIDE=1
		trap lib_clean EXIT
		if [ "$mode" = unprivileged ]; then
			bash "$self"
			status=$?
			rm -rf "$T"
		else
			unshare -m --propagation private bash "$self"
			status=$?
		fi
		exit "$status"
	fi
	R=$T/root X=$R/var/lib/extensions C=$R/var/lib/confexts
	if [ "$mode" != unprivileged ]; then
		mount -t tmpfs -o mode=755 extmerge-test "$T"
		[ "$mode" = private ] || mount --make-rshared "$T"
		[ "$mode" != slave ] || mount --make-rslave "$T"
	fi
	make_root "$R"
}
