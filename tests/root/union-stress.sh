#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The writable union under load, and a comparison at the end (overlay.5, overlay.12, overlay.16): files that are changed at random
# (tests/model.c), and stress-ng's stressors of file systems. STRESS= is for how many seconds each of the two; for long runs 300.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
STRESS=${STRESS:-4}
started=$EPOCHSECONDS
mkdir -p layers/{0,1} upper work u o left
list=layers/0:layers/1
mount_union() {
	timeout 30 "$union" "$T/u" -o "lowerdir=$list,upperdir=upper,workdir=work"
}
mount_overlay() {
	mount -t overlay none o -o "index=off,redirect_dir=nofollow,metacopy=off,xino=off,lowerdir=$list,upperdir=upper,workdir=work"
}
server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}
await_end() {
	local try

	for try in {1..1200}; do
		server >/dev/null || return 0
		sleep 0.05
	done
	echo "after $try looks it still runs"
	return 1
}

# --- files that are known ---
files=(layers/0/a layers/1/b upper/c layers/1/d)
for file in "${files[@]}"; do head -c 200000 /dev/urandom >"$file"; done
head -c 100000 /dev/urandom >upper/d
mkdir -p layers/1/deep/er && truncate -s 300000 layers/1/deep/er/e && echo end >>layers/1/deep/er/e
truncate -s 250000 layers/1/deep/er/e
mount_union || exit 1
touch u/f
names=(a b c d deep/er/e f) seed=${SEED:-$RANDOM} pids=() said=
echo "# seed $seed"
for i in "${!names[@]}"; do
	timeout $((STRESS + 120)) "$tools/model" $((seed + i)) "$STRESS" "u/${names[i]}" "left/$i" >"said_$i" 2>&1 &
	pids+=($!)
done
wrong=
for pid in "${pids[@]}"; do wait "$pid" || wrong+=" $?"; done
said=$(cat said_*)
is "${#names[@]} files under $(awk '{ n += $2 } END { print n }' said_*) changes have what they should" "$wrong$(grep -v steps <<<"$said")" ""
compare() { # DIRECTORY
	for i in "${!names[@]}"; do cmp "left/$i" "$1/${names[i]}" || return 1; done
}
ok "and so they have seen from another process" compare u
umount u
ok "its server ends" await_end
ok "the upper directory has it all" compare upper
is "and nothing is left in the work directory" "$(ls -A work/work)" ""
mount_union || exit 1
ok "another server shows it all" compare u

# --- stress-ng ---
if ! command -v stress-ng >/dev/null; then
	skip "stress-ng" "it is not there"
	finish
fi
wanted=" access chdir chmod chown dentry dir dirdeep fallocate fcntl filename flock fpunch fsize fstat getdent hdd inotify lease link locka
	lockf lockofd metamix mknod msync open rename revio seek sendfile symlink touch truncate unlink utime xattr "
mkdir layers/1/kept # seen by nobody before the next server
umount u
await_end
for i in {1..100}; do echo "$i" >layers/1/kept/$i; done
mount_union || exit 1
mkdir u/stress
options=() n=0
for stressor in $(stress-ng --stressors); do # those that this version has
	[[ $wanted == *[[:space:]]"$stressor"[[:space:]]* ]] || continue
	options+=("--$stressor" 1) n=$((n + 1))
done
timeout $((STRESS + 240)) stress-ng --temp-path u/stress --timeout "$STRESS" --verify --oomable "${options[@]}" --fallocate-bytes 4M \
	--hdd-bytes 4M --revio-bytes 4M --seek-size 4M --sendfile-size 4M >stress.log 2>&1
is "stress-ng: $n stressors" "$? $(grep -vE ' info: ' stress.log)" "0 "
ok "the server has outlived them" server
rm -rf u/stress
is "nothing of them is left" "$(ls -A u | paste -sd' ')" "a b c d deep f kept"
ok "and the files are what they were" compare u
is "also those that nobody touched" "$(cat u/kept/{1..100} | md5sum)" "$(seq 100 | md5sum)"
is "the server holds no more fds than it may" "$(find "/proc/$(server)/fd" -mindepth 1 | wc -l | awk '{ print ($1 < 300) }')" 1
umount u
ok "its server ends" await_end
is "the upper directory has no more" "$(find upper -mindepth 1 | sort | paste -sd' ')" "upper/a upper/b upper/c upper/d upper/deep upper/deep/er upper/deep/er/e upper/f"
if mount_overlay; then
	mount -t tmpfs other left/ 2>/dev/null # a place for the other upper directory
	mkdir left/{upper,work} && cp -a upper/. left/upper
	timeout 30 "$union" "$T/u" -o "lowerdir=$list,upperdir=left/upper,workdir=left/work"
	ok "overlayfs shows the same tree" timeout 100 "$tools/alike" o u "$started"
else
	skip "overlayfs shows the same tree" "overlayfs cannot be mounted here"
fi
finish
