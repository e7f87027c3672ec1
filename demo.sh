#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Shows extmerge at work: builds it below _build/, then merges, updates and unmerges sample extensions.
#
#   sudo ./demo.sh [--no-install]
#
#   --no-install   only says which packages are missing
#
# All of it happens in a mount namespace of its own, on a small root on a tmpfs: the /usr, /opt and
# /etc of this machine are neither changed nor hidden. Takes less than a minute after the build.
set -u
invoked=$0
cd "$(dirname "$0")" || exit 1

step=0
bold='' plain=''
[ ! -t 1 ] || [ -n "${NO_COLOR-}" ] || [ "${TERM-dumb}" = dumb ] || bold=$'\e[1m' plain=$'\e[0m'

heading() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n\n' "$bold" "$step" "$*" "$plain"
}

tell() {
	printf '%s\n' "$@"
}

# Shows the command as a person would type it, and what it says. extmerge stands for the one that was
# built, with --root= in front: the demo's own root is the only one that it ever touches.
run() { # COMMAND...
	printf '  %s$ %s%s\n' "$bold" "${*//"$R"/}" "$plain"
	if [ "$1" = extmerge ]; then
		shift
		em "$@" 2>&1 | sed "s| --root=$R||g; s|$R||g; s/^/  /"
		return "${PIPESTATUS[0]}"
	fi
	"$@" 2>&1 | sed "s|$R||g; s/^/  /"
	return "${PIPESTATUS[0]}"
}

em() {
	"$EXTMERGE" --root="$R" "$@"
}

# Like run, for a program in the demo's root: its scripts need no chroot.
run_inside() { # PATH
	printf '  %s$ %s%s\n' "$bold" "$1" "$plain"
	sh "$R$1" 2>&1 | sed 's/^/  /'
}

fail() {
	printf '\ndemo.sh: %s\n' "$*" >&2
	exit 1
}

# --- the samples ---

script() { # FILE TEXT
	mkdir -p "$(dirname "$1")"
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$1"
	chmod 755 "$1"
}

# A sysext is a tree with files below usr/, and one file that says which systems it is for.
sysext() { # DIRECTORY NAME RELEASE-LINE...
	mkdir -p "$1/usr/lib/extension-release.d"
	printf '%s\n' "${@:3}" >"$1/usr/lib/extension-release.d/extension-release.$2"
}

make_host() {
	mkdir -p "$R"/{usr/bin,usr/lib,etc,opt,run,var/lib/extensions,var/lib/confexts}
	printf 'ID=demo\nVERSION_ID=12\n' >"$R/usr/lib/os-release"
	ln -s ../usr/lib/os-release "$R/etc/os-release"
	script "$R/usr/bin/host-tool" "host-tool of the host"
	script "$R/usr/bin/editor" "the host's old editor"
	echo "host" >"$R/etc/hostname"
}

make_samples() {
	local e=$R/var/lib/extensions t=$T/build

	sysext "$e/editor" editor ID=_any
	script "$e/editor/usr/bin/editor" "editor, edition 0"
	script "$e/editor/usr/bin/viewer" "viewer of the editor"

	sysext "$t/tracer" tracer ID=demo VERSION_ID=12
	script "$t/tracer/usr/bin/tracer" "tracer from an erofs image"
	sysext "$t/webserver" webserver ID=_any
	script "$t/webserver/usr/bin/webserver" "webserver from a squashfs image"
	mkdir -p "$t/webserver/opt/webserver" && echo "<h1>It works</h1>" >"$t/webserver/opt/webserver/index.html"
	sysext "$t/player" player ID=_any
	script "$t/player/usr/bin/player" "player 1.4 from a GPT disk image"
	script "$t/player/usr/bin/viewer" "viewer of the player"

	if command -v mkfs.erofs >/dev/null; then
		mkfs.erofs "$e/tracer.raw" "$t/tracer" >"$T/log" 2>&1 || fail "mkfs.erofs: $(cat "$T/log")"
	else
		tell "(no mkfs.erofs here: tracer is a directory)"
		script "$t/tracer/usr/bin/tracer" "tracer from a directory"
		cp -r "$t/tracer" "$e/tracer"
	fi
	if command -v mksquashfs >/dev/null && command -v sfdisk >/dev/null; then
		squash "$t/webserver" "$e/webserver.raw"
		squash "$t/player" "$T/player.part"
		disk "$T/player.part" "$e/player_1.4.raw"
	else
		tell "(no mksquashfs or no sfdisk here: webserver and player are directories)"
		script "$t/webserver/usr/bin/webserver" "webserver from a directory"
		script "$t/player/usr/bin/player" "player 1.4 from a directory"
		cp -r "$t/webserver" "$e/webserver"
		cp -r "$t/player" "$e/player_1.4"
	fi

	sysext "$e/oldtool" oldtool ID=demo VERSION_ID=11
	script "$e/oldtool/usr/bin/oldtool" "oldtool"

	e=$R/var/lib/confexts/webserver-conf
	mkdir -p "$e/etc/extension-release.d"
	echo "ID=_any" >"$e/etc/extension-release.d/extension-release.webserver-conf"
	echo "listen 80" >"$e/etc/webserver.conf"
}

squash() { # TREE IMAGE
	mksquashfs "$1" "$2" -quiet -no-progress -noappend >"$T/log" 2>&1 || fail "mksquashfs: $(cat "$T/log")"
}

# A disk image with a partition table and one root partition for this machine.
disk() { # PARTITION IMAGE
	local type
	case $(uname -m) in
	x86_64) type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709 ;;
	aarch64) type=b921b045-1df0-41c3-af44-4c6f280d3fae ;;
	riscv64) type=72ec70a6-cf74-40e6-bd49-4bda08e8f224 ;;
	*) type=0fc63daf-8483-4772-8e79-3d69d8477de4 ;; # a generic one also counts
	esac
	truncate -s 4M "$2"
	echo "start=2048, type=$type" | sfdisk -q --label gpt "$2" >"$T/log" 2>&1 || fail "sfdisk: $(cat "$T/log")"
	dd if="$1" of="$2" bs=1M seek=1 conv=notrunc status=none
}

# --- an image that is signed ---

# 3 MB of it is one file: a byte in the middle of the image is a byte of that.
make_vault() {
	local t=$R/root/vault

	sysext "$t" vault ID=_any
	script "$t/usr/bin/vault" "vault, from a signed image"
	mkdir -p "$t/usr/share/vault" "$R/run/verity.d"
	head -c 3000000 /dev/urandom >"$t/usr/share/vault/data"
	openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=Demo Maker" -days 30 \
		-keyout "$R/root/key.pem" -out "$R/root/cert.pem" >"$T/log" 2>&1 || fail "openssl: $(cat "$T/log")"
}

# What it takes beside extmerge: a key, a file system, and one of two ways to put verity in force.
can_sign() {
	command -v openssl >/dev/null && command -v mkfs.erofs >/dev/null &&
		{ [ -c /dev/fuse ] || [ -c /dev/mapper/control ]; }
}

damage() { # IMAGE BYTE
	run dd if=/dev/urandom of="$1" bs=1 count=8 seek="$2" conv=notrunc status=none
}

show_trust() {
	local image=$R/var/lib/extensions/vault.raw good=$T/build/vault.raw

	heading "Sign an image, and trust its maker. From then on, only what is signed is merged."
	make_vault
	run extmerge pack "$R/root/vault" "$image" --key="$R/root/key.pem" --cert="$R/root/cert.pem" || fail "pack has failed"
	cp "$image" "$good"
	run cp "$R/root/cert.pem" "$R/run/verity.d/maker.crt" || fail "cp has failed"
	run extmerge --quiet refresh || fail "refresh has failed"
	run extmerge list
	run_inside /usr/bin/vault

	heading "Damage it while it is merged. Each block is checked when it is read, and a wrong one is never given out."
	damage "$image" $(($(stat -c %s "$image") / 2))
	run cmp "$R/root/vault/usr/share/vault/data" "$R/usr/share/vault/data" && fail "damaged bytes were given out"
	run_inside /usr/bin/vault
	run extmerge verify "$image" && fail "verify has not seen it"

	heading "Damage it where its file system begins. Then the kernel never gets to see it."
	cp "$good" "$R/root/new.raw"
	damage "$R/root/new.raw" 22528
	run mv "$R/root/new.raw" "$image"
	run extmerge --quiet refresh || fail "refresh has failed"
	run extmerge why vault
	run rm "$R/run/verity.d/maker.crt" "$image"
	run extmerge --quiet refresh || fail "refresh has failed"
}

# --- readers that look for files while something is updated ---

count() { # SECONDS COMMAND...: sets refreshes, opens, missed
	local end=$(($(date +%s%N) + $1 * 1000000000)) pid
	shift
	"$READERS" 4 "$R/usr/bin/host-tool" "$R/usr/bin/tracer" >"$T/counts" &
	pid=$!
	refreshes=0
	while [ "$(date +%s%N)" -lt "$end" ]; do
		refreshes=$((refreshes + 1))
		printf '#!/bin/sh\necho "editor, edition %d"\n' "$refreshes" >"$R/var/lib/extensions/editor/usr/bin/editor"
		"$@" >"$T/log" 2>&1 || break
	done
	kill "$pid"
	wait "$pid" 2>/dev/null
	read -r opens missed <"$T/counts"
}

# Thousands, so that the numbers can be read.
group() {
	sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta' <<<"$1"
}

# The same beside systemd-sysext, where that is there and works: in a copy of the mounts that is shared
# with nobody, with the extensions as directories (not each release takes the images), and with a /run
# of its own, as it writes there.
peer() {
	local name row

	command -v systemd-sysext >/dev/null || return 1
	name="systemd-sysext $(systemd-sysext --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')"
	em -q unmerge && cp -r "$R/var/lib/extensions/editor" "$T/build/editor" &&
		mount -t tmpfs -o mode=755 extmerge-demo "$R/var/lib/extensions" &&
		cp -r "$T/build/editor" "$T/build/tracer" "$R/var/lib/extensions" &&
		mount -t tmpfs -o mode=755 extmerge-demo /run || return 1
	systemd-sysext --root="$R" merge >/dev/null 2>&1
	is_seen || return 1
	count 3 peer_refresh
	is_seen && [ "$(sh "$R/usr/bin/editor")" = "editor, edition $refreshes" ] && [ "$opens" -gt 0 ] || return 1
	row=$(counted "$name")
	systemd-sysext --root="$R" unmerge >/dev/null 2>&1
	em -q refresh || return 1
	count 3 em refresh
	is_seen || return 1
	tell "" "  The same for 3 seconds each beside the $name of this machine, with two extensions," \
		"  both directories:" "" "$(counted "extmerge")" "$row"
}

counted() { # NAME
	printf '  %-18s %6s refreshes %12s lookups made %9s missed' "$1" \
		"$(group "$refreshes")" "$(group "$opens")" "$(group "$missed")"
}

# Without D-Bus newer ones say that they failed, though they have merged.
peer_refresh() {
	systemd-sysext --root="$R" refresh || true
}

is_seen() {
	[ -e "$R/usr/bin/tracer" ] && [ -e "$R/usr/bin/host-tool" ]
}

# --- the show ---

show() {
	mount -t tmpfs -o mode=755 extmerge-demo "$T" || fail "cannot mount a tmpfs"
	R=$T/root
	mkdir -p "$T/build"
	make_host
	make_samples

	tell "extmerge demo: $(em --version), Linux $(uname -r)." \
		"Everything happens in a mount namespace of its own, with a small root on a tmpfs. Paths are" \
		"those of that root: where it says extmerge, the demo runs extmerge --root=$R."

	heading "Which extensions are there? One per name, and each with a verdict."
	run extmerge list

	heading "What would happen? Nothing is changed yet; exit status 10 says that there is something to do."
	run extmerge plan
	tell "  (exit status $?)"

	heading "Do it. All mounts are built aside, then put in place; what does not fit is left out, and why."
	run extmerge refresh || fail "refresh has failed"
	echo
	run_inside /usr/bin/tracer
	run_inside /usr/bin/webserver
	run_inside /usr/bin/player
	run_inside /usr/bin/host-tool
	run cat "$R/etc/webserver.conf"

	heading "What is merged now?"
	run extmerge status

	heading "Update again and again while 4 processes open files: one of the host, one of another extension."
	tell "  editor is changed and refreshed for 5 seconds ..."
	count 5 em refresh
	tell "" "$(counted extmerge)" ""
	run_inside /usr/bin/editor
	[ "$missed" = 0 ] || em status | grep -q 'gap of' || fail "lookups were missed"
	unshare -m --propagation shared bash "$self" --peer 2>/dev/null

	heading "Two more come, and one was damaged on its way. That one is left out, the other is merged."
	if command -v mksquashfs >/dev/null; then
		sysext "$T/build/printer" printer ID=_any
		head -c 300000 /dev/urandom >"$T/build/printer/usr/lib/printer.bin"
		squash "$T/build/printer" "$R/var/lib/extensions/printer.raw"
		run truncate --size=100K "$R/var/lib/extensions/printer.raw"
	else
		head -c 100000 /dev/urandom >"$R/var/lib/extensions/printer.raw"
	fi
	sysext "$R/var/lib/extensions/scanner" scanner ID=_any
	script "$R/var/lib/extensions/scanner/usr/bin/scanner" "scanner"
	run extmerge refresh || fail "refresh has failed"
	echo
	run_inside /usr/bin/scanner
	run_inside /usr/bin/tracer

	heading "Why is that so? Ask by path, which extension has it and what it hides; ask by name."
	run extmerge why /usr/bin/viewer
	run extmerge why /usr/bin/editor
	run extmerge why oldtool
	run extmerge why printer

	if can_sign; then
		show_trust
	else
		tell "" "(no openssl, no mkfs.erofs, or neither /dev/fuse nor device-mapper here: nothing about signatures)"
	fi

	heading "A host without overlayfs: the same trees by FUSE, without a gap on the way there. Then the server of /usr is killed."
	show_fuse

	heading "Take everything away again. The host's own files are what is left."
	run extmerge unmerge || fail "unmerge has failed"
	run ls "$R/usr/bin" "$R/opt" "$R/etc"
	run_inside /usr/bin/editor
	[ "$(grep -c " $R/" /proc/self/mountinfo)" = 0 ] || fail "a mount is left below $R"

	heading "Without privilege: one command of an ordinary user sees an extension on this very machine; nobody else does."
	show_run
}

show_fuse() {
	local server

	[ -c /dev/fuse ] || { tell "(no /dev/fuse here)"; return; }
	run extmerge refresh --backend=fuse || fail "refresh has failed"
	server=$(em status --json=short | tr '{' '\n' | sed -nE 's/.*"path":"\/usr".*"server":([0-9]+).*/\1/p')
	run_inside /usr/bin/editor
	run kill -KILL "$server"
	while [ -e "/proc/$server" ] && ! grep -q '^State:.*Z' "/proc/$server/status"; do sleep 0.1; done
	run ls "$R/usr/bin"
	run extmerge refresh || fail "refresh has not mended it"
	run_inside /usr/bin/editor
}

# As an ordinary user, in a place that he can enter, and with what his own shell would find.
as_user() {
	env -C "$T/user" PATH="$T/user:/usr/bin:/bin" setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

show_run() {
	local words=(extmerge run)

	# Where this machine asks for signatures, the user has to say that he does without.
	! compgen -G '/*/verity.d/*.crt' >/dev/null || words+=(--trust=any)
	words+=(-w greeter -- extmerge-greeter)

	mkdir -p "$T/user" && cp "$EXTMERGE" "$T/user/extmerge"
	sysext "$T/user/greeter" greeter ID=_any
	script "$T/user/greeter/usr/bin/extmerge-greeter" "greeter: hello from an extension"
	chmod 755 "$T" && chmod -R a+rX "$T/user"
	if ! as_user unshare -Um true 2>/dev/null; then
		tell "  (this machine lets ordinary users make no user namespaces; root can use it all the same)"
		as_user() { env -C "$T/user" PATH="$T/user:/usr/bin:/bin" "$@"; }
	fi
	printf '  %s$ %s%s\n' "$bold" "${words[*]}" "$plain"
	as_user "${words[@]}" 2>&1 | sed 's/^/  /'
	[ "${PIPESTATUS[0]}" = 0 ] || fail "extmerge run has failed"
	printf '  %s$ %s%s\n' "$bold" "extmerge-greeter" "$plain"
	as_user sh -c extmerge-greeter 2>&1 | sed 's/^/  /'
}

# --- inside of the namespace, this script runs once more ---

if [ "${1-}" = --peer ]; then
	R=$T/root
	peer
	exit
fi
if [ "${1-}" = --show ]; then
	self=$2
	show
	exit 0
fi

# --- outside: build, start, prove ---

install=()
for option in "$@"; do
	case $option in
	--no-install) install=(--no-install) ;;
	--help | -h) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "demo.sh: unknown option $option (try --help)" >&2; exit 2 ;;
	esac
done
if [ "$(id -u)" != 0 ]; then
	echo "demo.sh: mounting needs root. Please run:  sudo $invoked" >&2
	echo "         It works in a mount namespace of its own; your /usr, /opt and /etc are not touched." >&2
	exit 5
fi

if ! unshare -m --propagation private true 2>/dev/null; then
	echo "demo.sh: this root may not mount (a container without CAP_SYS_ADMIN?), and the demo has to." >&2
	exit 5
fi

trap 'echo; echo "demo.sh: interrupted; nothing is left behind" >&2; exit 130' INT TERM HUP
# shellcheck source=build-aux/setup.sh
. build-aux/setup.sh
setup_packages "${install[@]}" || exit 1
setup_build _build && setup_log _build/setup.log make -C _build -s tests/readers || exit 1

mount_table() {
	sed 's/ (deleted)//' /proc/self/mountinfo
}

started=$SECONDS
table=$(mount_table)
before=$(sha256sum <<<"$table")
T=$(mktemp -d "${TMPDIR:-/tmp}/extmerge-demo.XXXXXX") || exit 1
EXTMERGE=$PWD/_build/extmerge READERS=$PWD/_build/tests/readers
export T EXTMERGE READERS

# With its namespace go all mounts, loop devices and the tmpfs. The directory is empty out here.
trap 'rmdir "$T" 2>/dev/null' EXIT

unshare -m --propagation private bash "$PWD/demo.sh" --show "$PWD/demo.sh"
status=$?
[ "$status" = 0 ] || exit "$status"

step=10
! can_sign || step=13
heading "And this machine? Its mount table, seen from outside of the namespace, before and after:"
after=$(mount_table | sha256sum)
tell "  before  sha256 ${before%% *}" "  after   sha256 ${after%% *}"
if [ "$before" != "$after" ]; then
	tell "" "  They differ. If it was not another program, this is a bug; the difference is:"
	diff <(echo "$table") <(mount_table) | sed 's/^/  /'
	exit 1
fi
tell "  unchanged." "" \
	"That was all, in $((SECONDS - started)) seconds. What next:" "" \
	"  _build/extmerge list           look at the extensions of this machine; changes nothing" \
	"  _build/extmerge --help         all verbs and options; man _build/man/extmerge.8 says more" \
	"  sudo ./check.sh                run every test" \
	"  sudo make -C _build install    install it"
