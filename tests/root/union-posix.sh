#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What POSIX and Linux' manual pages promise of files (tests/posix.c), on files of the upper layer, of a lower one, and of
# both: whatever overlayfs keeps of it the writable union keeps (overlay.16), on a tmpfs and on ext4.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
posix=$tools/posix

mount_overlay() {
	mount -t overlay none overlay -o "index=off,redirect_dir=nofollow,metacopy=off,xino=off,lowerdir=lower,upperdir=upper_overlay,workdir=work_overlay"
}
mount_union() {
	timeout 30 "$union" "$PWD/union" -o "lowerdir=lower,upperdir=upper_union,workdir=work_union"
}

# What is so in the first report and not in the second, but for fallocate(2) with FALLOC_FL_COLLAPSE_RANGE or
# FALLOC_FL_INSERT_RANGE, which the kernel does not hand on to FUSE (overlay.15).
missing() { # REPORT REPORT
	awk '{ is = sub(/^ok /, ""); if (!is && !sub(/^not ok /, "")) next }
		NR == FNR { if (is) was[$0]; next }
		is { delete was[$0] }
		END { for (line in was) if (line !~ /^[a-z]+\/pieces /) print line }' "$1" "$2" | sort
}
count() { # REPORT
	grep -c '^ok ' "$1"
}

compare() { # DIRECTORY
	cd "$1" || exit 1
	mkdir -p lower same upper_{overlay,union} work_{overlay,union} overlay union
	ok "$1: the layers are made" "$posix" make lower upper_overlay
	"$posix" make same upper_union && rm -r same
	if ! mount_overlay; then
		skip "$1: as many as overlayfs" "overlayfs cannot be mounted here"
		return
	fi
	mount_union || exit 1
	timeout 300 "$posix" run overlay >overlay.log 2>&1
	timeout 300 "$posix" run union >union.log 2>&1
	echo "# $1: of $(grep -cE '^(not )?ok' overlay.log) overlayfs has $(count overlay.log), the union $(count union.log)"
	ok "$1: overlayfs has most of them" [ "$(count overlay.log)" -gt 2900 ]
	is "$1: what overlayfs has the union has" "$(missing overlay.log union.log)" ""
	umount -l overlay
	umount -l union
	cd ..
}

cd "$T" || exit 1
mkdir tmpfs ext4
compare tmpfs
truncate -s 256M disk && mkfs.ext4 -q -O ^has_journal disk && mount -o loop disk ext4
if mountpoint -q ext4; then
	compare ext4
else
	skip "the same on ext4" "it cannot be made or mounted here"
fi
finish
