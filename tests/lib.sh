# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# What the shell tests have in common: a private mount namespace, a small root, sample extensions, and TAP.
#
# A test begins with
#     . "${TESTS_DIR:?}/lib.sh"
#     begin            (or: begin shared, begin slave, begin unprivileged; begin processes: no others are seen, and they end with the test;
#                       begin_union)
# and ends with
#     finish
#
# $T is a tmpfs that is gone afterwards, $R the root in it, $X its var/lib/extensions, $C its
# var/lib/confexts. STACK=fuse has all trees made by FUSE rather than by overlayfs. $DISK is an empty directory on a real disk, for what cannot be on a tmpfs.
set -u
: "${EXTMERGE:?the program to test}"
: "${STACK:=auto}"

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

# Waits until the command succeeds: on a busy machine no state comes within a given time. It fails after a minute.
await() { # COMMAND...
	local end=$((SECONDS + 60))

	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}

# Whether a process has ended; what is left of it until somebody asks for its status does not count.
ended() { # PID
	! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"
}

# Whether a process runs the program: it has got past fork() and execve().
runs() { # PID NAME
	grep -qxsF "$2" "/proc/$1/comm"
}

# How many mounts are below the root: what is left behind is seen here.
mounts_below() { # PATH
	awk -v p="$1" 'index($5, p "/") == 1 || $5 == p' /proc/self/mountinfo | wc -l
}

# Loop devices that have a file below the path; the path that sysfs has for it is useless, as it was opened in
# a mount namespace that is gone. On a file system of its own every loop device counts, otherwise those of files
# that are still there.
loops_below() { # PATH
	local device inode n=0 own

	device=$(findmnt -n -o MAJ:MIN -T "$1" | tail -n 1 | tr -d ' ')
	own=$(mountpoint -q "$1" || find "$1" -xdev -type f -printf '%i\n')
	while read -r _ inode; do
		! mountpoint -q "$1" && ! grep -qxF "$inode" <<<"$own" || n=$((n + 1))
	done < <(losetup -l -n -O BACK-MAJ:MIN,BACK-INO 2>/dev/null | awk -v d="$device" '$1 == d')
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
	[ "$STACK" = auto ] || printf '[Extmerge]\nBackend=%s\n' "$STACK" >"$1/usr/lib/extmerge.conf"
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

# --- disk images; by hand, as sfdisk of util-linux 2.38 knows only the sectors of the machine's disks ---

put() { # FILE OFFSET HEX-DIGITS
	# shellcheck disable=SC2001 # sed has the &
	printf '%b' "$(sed 's/../\\x&/g' <<<"$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# A number as little-endian hex digits.
little() { # BYTES NUMBER
	local i digits=''

	for ((i = 0; i < $1; i++)); do
		printf -v digits '%s%02x' "$digits" $(($2 >> 8 * i & 255))
	done
	echo "$digits"
}

# A GUID as it is on disk, in hex digits.
guid() { # GUID
	sed -E 's/-//g; s/^(..)(..)(..)(..)(..)(..)(..)(..)/\4\3\2\1\6\5\8\7/' <<<"$1"
}

# root or usr, each also with -verity or -sig, and an architecture behind a dot (.x86-64); or generic.
partition_type() { # WORD
	local columns=(root root-verity root-sig usr usr-verity usr-sig) architecture=${1#*.} i

	[ "$architecture" != "$1" ] || architecture=x86-64
	[ "$1" != generic ] || echo 0fc63daf-8483-4772-8e79-3d69d8477de4
	for i in "${!columns[@]}"; do
		[ "${columns[i]}" != "${1%%.*}" ] ||
			awk -v a="$architecture" -v c=$((i + 2)) '$1 == a { print $c }' "$TESTS_DIR/../specs/gpt-types.tsv"
	done
}

# gzip ends with the checksum that GPT has as well. Makes both right, for 128 entries at sector 2.
seal_disk() { # IMAGE [SECTOR-SIZE]
	local size=${2-512}

	put "$1" $((size + 16)) 00000000
	dd if="$1" bs="$size" skip=2 count=$((16384 / size)) status=none | gzip -1 | tail -c 8 | head -c 4 |
		dd of="$1" bs=1 seek=$((size + 88)) conv=notrunc status=none
	dd if="$1" bs=1 skip="$size" count=92 status=none | gzip -1 | tail -c 8 | head -c 4 |
		dd of="$1" bs=1 seek=$((size + 16)) conv=notrunc status=none
}

# A disk image, without a backup table; each partition begins at a MiB of its own.
make_disk() { # IMAGE SECTOR-SIZE TYPE:FILE[:LABEL[:ATTRIBUTES]]...
	local image=$1 size=$2 part type file label attributes at=1 n=0 sectors new=$1.new
	shift 2

	rm -f "$new"
	for part; do
		IFS=: read -r type file label attributes <<<"$part"
		truncate -s ${at}M "$new"
		cat "$file" >>"$new" || return 1
		sectors=$((($(stat -c %s "$file") + size - 1) / size))
		label=$(printf %s "$label" | iconv -t UTF-16LE | od -An -v -tx1 | tr -d ' \n')
		put "$new" $((2 * size + 128 * n)) "$(guid "$(partition_type "$type")")$(little 16 $((n + 1)))$(
			little 8 $((at * 1048576 / size)))$(little 8 $((at * 1048576 / size + sectors - 1)))$(
			little 8 "${attributes:-0}")$label"
		n=$((n + 1)) at=$((at + 1 + sectors * size / 1048576))
	done
	truncate -s ${at}M "$new"
	sectors=$((at * 1048576 / size))
	put "$new" "$size" "4546492050415254000001005c0000000000000000000000$(little 8 1)$(little 8 $((sectors - 1)))$(
		little 8 $((2 + 16384 / size)))$(little 8 $((sectors - 2 - 16384 / size)))$(
		guid 8f1a2b3c-4d5e-4f60-8172-93a4b5c6d7e8)$(little 8 2)$(little 4 128)$(little 4 128)"
	seal_disk "$new" "$size" && mv -f "$new" "$image"
}

# --- signed images, made without extmerge: by veritysetup, openssl and sfdisk, for x86-64 ---

# Whether they can be made here; otherwise the test is skipped and ends.
need_signing() { # NAME
	local tool
	PATH=$PATH:/usr/sbin:/sbin
	for tool in mksquashfs veritysetup openssl sfdisk jq; do
		command -v "$tool" >/dev/null || { skip "$1" "there is no $tool"; finish; }
	done
	[ "$(uname -m)" = x86_64 ] || { skip "$1" "the images are for x86-64"; finish; }
}

# $T/NAME.key and $T/NAME.crt
new_key() { # NAME
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/$1.key" -out "$T/$1.crt" -subj "/CN=$1" -days 30 2>/dev/null
}

# The same with dates, as YYYYMMDDhhmmssZ.
new_dated_key() { # NAME FROM TO
	openssl req -new -newkey rsa:2048 -nodes -keyout "$T/$1.key" -out "$T/$1.csr" -subj "/CN=$1" 2>/dev/null || return 1
	rm -rf "$T/ca"
	mkdir "$T/ca" && : >"$T/ca/index" && echo 01 >"$T/ca/serial"
	printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
		"$T/ca/index" "$T/ca/serial" "$T/ca" >"$T/ca/conf"
	openssl ca -batch -selfsign -config "$T/ca/conf" -keyfile "$T/$1.key" -in "$T/$1.csr" -out "$T/$1.crt" \
		-startdate "$2" -enddate "$3" -notext 2>/dev/null
}

# The signature, as DER, of a root hash.
sign_hash() { # HASH KEY-NAME FILE
	printf %s "$1" | openssl smime -sign -nocerts -noattr -binary -inkey "$T/$2.key" -signer "$T/$2.crt" \
		-outform der -out "$3" 2>/dev/null
}

# A disk image of the file system $T/data, its hash tree and, if there is a key, its signature.
make_signed() { # IMAGE KEY-NAME|none [ALGORITHM]
	local hash uuids sizes size=0 at=1
	veritysetup format --hash="${3-sha256}" --root-hash-file="$T/hash" "$T/data" "$T/tree" >/dev/null || return 1
	hash=$(cat "$T/hash")
	: >"$T/signature"
	if [ "$2" != none ]; then
		sign_hash "$hash" "$2" "$T/p7s" || return 1
		printf '{"rootHash":"%s","signature":"%s"}' "$hash" "$(base64 -w0 <"$T/p7s")" >"$T/signature"
		truncate -s 16K "$T/signature"
	fi
	uuids=("${hash:0:32}" "${hash: -32}" 0123456789abcdef0123456789abcdef)
	sizes=("$(stat -c %s "$T/data")" "$(stat -c %s "$T/tree")" "$(stat -c %s "$T/signature")")
	truncate -s 0 "$1"
	truncate -s $(((${sizes[0]} + ${sizes[1]} + ${sizes[2]}) / 1048576 * 1048576 + 6 * 1048576)) "$1"
	{
		echo "label: gpt"
		for part in 0:4f68bce3-e8cd-4db1-96e7-fbcaf984b709:data 1:2c7357ed-ebd2-46d9-aec1-23d437ec2bf5:tree \
			2:41092b05-9fc8-4523-994f-2def0408b176:signature; do
			IFS=: read -r n type file <<<"$part"
			[ "${sizes[n]}" != 0 ] || continue
			echo "start=$((at * 2048)), size=$(((${sizes[n]} + 511) / 512)), type=$type, uuid=$(
				sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/' <<<"${uuids[n]}")"
			dd if="$T/$file" of="$1" bs=1M seek=$at conv=notrunc status=none
			at=$((at + 1 + ${sizes[n]} / 1048576))
		done
	} >"$T/script"
	sfdisk -q "$1" <"$T/script" >/dev/null 2>&1
}

# The same by extmerge: a disk image of a tree; its name is that of the tree's release file.
make_packed() { # IMAGE TREE KEY-NAME|none [OPTION...]
	local image=$1 tree=$2 key=$3
	shift 3
	[ "$key" = none ] || set -- "$@" --key="$T/$key.key" --cert="$T/$key.crt"
	"$EXTMERGE" pack --quiet --overwrite "$@" "$tree" "$image" >/dev/null
}

# Whether extmerge can make them here; otherwise the test is skipped and ends.
need_packing() { # NAME
	need_signing "$1"
	make_tree "$T/need" need
	if ! "$EXTMERGE" pack "$T/need" "$T/need.raw" >/dev/null 2>"$T/stderr" &&
		grep -qE 'libcryptsetup|There is no mk' "$T/stderr"; then
		skip "$1" "$(sed -n 's/.*error: \(.*: \)*//p' "$T/stderr")"
		finish
	fi
	rm -rf "$T/need" "$T/need.raw"
}

# Turns one bit of the file round.
flip() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N1 "$1")
	printf '%b' "$(printf '\\x%02x' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# --- bad inputs: each is refused, and what is good beside it is merged ---

# The extension that every such test has.
make_good() {
	make_tree "$X/good" good "still here"
	note_mounts
}

# What is mounted now is not extmerge's.
note_mounts() {
	mounts_before=$(mounts_below "$R")
}

# What list says is kept for judged(), so that a table of cases needs one run.
look() {
	em list --json=short "$@"
	list=$out
}

# The verdict of an extension, and the sentence that explains it.
judged() { # NAME CODE [EXTENDED-REGEX]
	local said

	said=$(jq -r --arg n "$1" '.extensions[] | select(.name == $n) |
		"\(.reason.code // "fits"): \(.reason.text // .forced // .note // "")"' <<<"$list")
	[ -n "$said" ] || said="not listed"
	[ "${said%%:*}" = "$2" ] || { is "$1 is judged" "$said" "$2: ${3-}"; return; }
	like "$1: $2" "$said" "${3-^}"
}

# A refresh succeeds, and the good extension is seen beside whatever else is there.
refresh_beside() { # WHAT [OPTION...]
	local what=$1
	shift
	em refresh "$@"
	is "beside $what the good extension is merged" \
		"$rc $(cat "$R/usr/bin/good" 2>&1) $(cat "$R/usr/bin/host-tool" 2>&1)" "0 still here host tool"
}

# Loop devices go away with the last mount, which the kernel may end a moment after the call.
no_loops() {
	await loops_are "$T" 0 && await loops_are "$DISK" 0 && return
	echo "there are loop devices:"
	losetup -a
	return 1
}
loops_are() { # PATH N
	[ "$(loops_below "$1")" = "$2" ]
}

# Unmerges, and looks for what is left behind.
unmerge_clean() {
	em unmerge
	is "unmerge leaves no mount of $1" "$rc $(mounts_below "$R")" "0 $mounts_before"
	ok "and no loop device" no_loops
}

lib_clean() {
	[ -z "${DISK-}" ] || rm -rf --one-file-system "$DISK"
	rmdir "$T" 2>/dev/null || true
}

begin() { # [private|shared|slave|unprivileged|processes]
	local mode=${1-private} self namespaces=()

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
			[ "$mode" != processes ] || namespaces=(-p --fork --kill-child --mount-proc)
			unshare -m --propagation private "${namespaces[@]}" bash "$self"
			status=$?
		fi
		exit "$status"
	fi
	R=$T/root X=$R/var/lib/extensions C=$R/var/lib/confexts
	if [ "$mode" != unprivileged ]; then
		mount -t tmpfs -o mode=755 extmerge-test "$T"
		[[ $mode = @(private|processes) ]] || mount --make-rshared "$T"
		[ "$mode" != slave ] || mount --make-rslave "$T"
	fi
	make_root "$R"
}

# The same for a test of the union, $union, with the test's programs in $tools: in $T, which is another tmpfs, without a root.
begin_union() {
	begin private
	tools=${TESTS_BUILD_DIR:?}
	union=$(dirname "$(readlink -f "$EXTMERGE")")/extmerge-fuse
	[ -x "$union" ] || { skip "everything" "this extmerge was built without FUSE"; finish; }
	[ -c /dev/fuse ] || { skip "everything" "there is no /dev/fuse"; finish; }
	mount -t tmpfs -o mode=755 extmerge-test "$T"
	cd "$T" || exit 1
}
