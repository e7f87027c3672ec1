#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing and builds. demo.sh and check.sh source it; on its own it does both:
#
#   build-aux/setup.sh [--tests] [--no-install]
#
#   setup_packages [--tests] [--no-install]   the packages, by the system's package manager
#   setup_build DIR [CONFIGURE OPTION...]      configure and make in DIR; without options an
#                                              existing configuration stays as it is
#   setup_as_owner COMMAND...                  not as root where the tree belongs to a user
#
# Everything that is built is below DIR, but for configure and what belongs to it. A second call
# does nothing that is already done. What the tools say goes to DIR/setup.log.

setup_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# What is needed | how to see that it is there | packages for apt, dnf, zypper, pacman, apk, xbps.
# Run on Debian 12 only; the columns behind apt were written from memory and never tried.
# "-": comes with something else, or does not exist there.
setup_table_build='
cc       need cmd:cc             gcc              gcc                  gcc               gcc              gcc             gcc
libc     need file:/usr/include/stdlib.h       libc6-dev       glibc-devel         glibc-devel        glibc            musl-dev        glibc-devel
linux    need file:/usr/include/linux/mount.h  linux-libc-dev  kernel-headers      linux-glibc-devel  linux-api-headers linux-headers  kernel-libc-headers
make     need cmd:make           make             make                 make              make             make            make
autoconf need cmd:autoreconf     autoconf         autoconf             autoconf          autoconf         autoconf        autoconf
automake need cmd:automake       automake         automake             automake          automake         automake        automake
pkgconf  need cmd:pkg-config     pkg-config       pkgconf-pkg-config   pkgconf-pkg-config pkgconf         pkgconf         pkg-config
mount    need pc:mount           libmount-dev     libmount-devel       libmount-devel    util-linux-libs  util-linux-dev  libmount-devel
crypto   need pc:libcrypto       libssl-dev       openssl-devel        libopenssl-devel  openssl          openssl-dev     openssl-devel
xxhash   need pc:libxxhash       libxxhash-dev    xxhash-devel         xxhash-devel      xxhash           xxhash-dev      xxHash-devel
json     need pc:json-c          libjson-c-dev    json-c-devel         libjson-c-devel   json-c           json-c-dev      json-c-devel
tables   need pc:smartcols       libsmartcols-dev libsmartcols-devel   libsmartcols-devel util-linux-libs util-linux-dev  libsmartcols-devel
econf    need pc:libeconf        libeconf-dev     libeconf-devel       libeconf-devel    libeconf         libeconf-dev    -
kmod     want pc:libkmod         libkmod-dev      kmod-devel           libkmod-devel     kmod             kmod-dev        libkmod-devel
crypt    want pc:libcryptsetup   libcryptsetup-dev cryptsetup-devel    libcryptsetup-devel cryptsetup     cryptsetup-dev  cryptsetup-devel
fuse     want pc:fuse3           libfuse3-dev     fuse3-devel          fuse3-devel       fuse3            fuse3-dev       fuse3-devel
check    want pc:check           check            check-devel          check-devel       check            check-dev       check-devel
scdoc    want cmd:scdoc          scdoc            scdoc                scdoc             scdoc            scdoc           scdoc
erofs    want cmd:mkfs.erofs     erofs-utils      erofs-utils          erofs-utils       erofs-utils      erofs-utils     erofs-utils
squashfs want cmd:mksquashfs     squashfs-tools   squashfs-tools       squashfs          squashfs-tools   squashfs-tools  squashfs-tools
sfdisk   want cmd:sfdisk         fdisk            util-linux-core      util-linux        util-linux       sfdisk          util-linux
losetup  want cmd:losetup        mount            util-linux-core      util-linux        util-linux       losetup         util-linux
unshare  want cmd:unshare        util-linux       util-linux-core      util-linux        util-linux       util-linux-misc util-linux
'
setup_table_tests='
clang    want cmd:clang          clang            clang                clang             clang            clang           clang
fuzzer   want fuzzer:            @clang-rt        compiler-rt          -                 compiler-rt      compiler-rt     compiler-rt
asan     want gcc:libasan.so     -                libasan              -                 -                -               libsanitizer-devel
ubsan    want gcc:libubsan.so    -                libubsan             -                 -                -               libsanitizer-devel
strace   want cmd:strace         strace           strace               strace            strace           strace          strace
stress   want cmd:stress-ng      stress-ng        stress-ng            stress-ng         stress-ng        stress-ng       stress-ng
fmount   want cmd:fusermount3    fuse3            fuse3                fuse3             fuse3            fuse3           fuse3
sqfuse   want cmd:squashfuse_ll  squashfuse       squashfuse           squashfuse        squashfuse       squashfuse      squashfuse
btrfs    want cmd:mkfs.btrfs     btrfs-progs      btrfs-progs          btrfsprogs        btrfs-progs      btrfs-progs     btrfs-progs
ext4     want cmd:mkfs.ext4      e2fsprogs        e2fsprogs            e2fsprogs         e2fsprogs        e2fsprogs       e2fsprogs
vfat     want cmd:mkfs.vfat      dosfstools       dosfstools           dosfstools        dosfstools       dosfstools      dosfstools
xfs      want cmd:mkfs.xfs       xfsprogs         xfsprogs             xfsprogs          xfsprogs         xfsprogs        xfsprogs
attr     want cmd:setfattr       attr             attr                 attr              attr             attr            attr-progs
verity   want cmd:veritysetup    cryptsetup-bin   veritysetup          cryptsetup        cryptsetup       cryptsetup      cryptsetup
procps   want cmd:pgrep          procps           procps-ng            procps            procps-ng       procps-ng       procps-ng
openssl  want cmd:openssl        openssl          openssl              openssl           openssl          openssl         openssl
jq       want cmd:jq             jq               jq                   jq                jq               jq              jq
rsync    want cmd:rsync          rsync            rsync                rsync             rsync            rsync           rsync
qemu     want cmd:qemu-system-x86_64 qemu-system-x86 qemu-system-x86-core qemu-x86        qemu-system-x86  qemu-system-x86_64 qemu
busybox  want cmd:busybox        busybox-static   busybox              busybox-static    busybox          busybox-static  busybox
cpio     want cmd:cpio           cpio             cpio                 cpio              cpio             cpio            cpio
patchelf want cmd:patchelf       patchelf         patchelf             patchelf          patchelf         patchelf        patchelf
depmod   want cmd:depmod         kmod             kmod                 kmod              kmod             kmod            kmod
debian   want cmd:mmdebstrap     mmdebstrap       -                    -                 -                -               -
xz       want cmd:xz             xz-utils         xz                   xz                xz               xz              xz
python   want cmd:python3        python3          python3              python3           python           python3         python3
mandoc   want cmd:mandoc         mandoc           mandoc               mandoc            mandoc           mandoc          mdocml
shlint   want cmd:shellcheck     shellcheck       ShellCheck           ShellCheck        shellcheck       shellcheck      shellcheck
'

setup_say() {
	echo "setup: $*" >&2
}

setup_has() { # HOW:WHAT
	local what=${1#*:} files

	case $1 in
	cmd:*) command -v "$what" >/dev/null ;;
	file:*) [ -e "$what" ] ;;
	pc:*) pkg-config --exists "$what" 2>/dev/null ;;
	gcc:*) [ "$(${CC:-cc} -print-file-name="$what" 2>/dev/null)" != "$what" ] ;;
	fuzzer:)
		command -v clang >/dev/null || return 1
		files=$(find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*.a' 2>/dev/null | head -n 1)
		[ -n "$files" ]
		;;
	esac
}

# Prints the lines of the tables whose thing is not there; with "need", only what cannot be spared.
setup_missing() { # TABLE [need]
	local name grade how packages

	while read -r name grade how packages; do
		[ -n "$name" ] || continue
		[ -z "${2-}" ] || [ "$grade" = "$2" ] || continue
		setup_has "$how" || echo "$name $grade $how $packages"
	done <<<"$1"
}

# Sets setup_column (in the lines of the tables) and setup_install, or fails on an unknown system.
setup_manager() {
	local id='' like='' word

	if [ -r /etc/os-release ]; then
		# shellcheck source=/dev/null
		id=$(. /etc/os-release && echo "${ID-}")
		# shellcheck source=/dev/null
		like=$(. /etc/os-release && echo "${ID_LIKE-}")
	fi
	for word in $id $like; do
		case $word in
		debian | ubuntu)
			setup_column=4
			setup_install=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300
				install -y --no-install-recommends)
			return ;;
		fedora | rhel | centos) setup_column=5 setup_install=(dnf install -y); return ;;
		suse | opensuse | opensuse-tumbleweed | opensuse-leap | sles)
			setup_column=6 setup_install=(zypper --non-interactive install); return ;;
		arch) setup_column=7 setup_install=(pacman -S --needed --noconfirm); return ;;
		alpine) setup_column=8 setup_install=(apk add); return ;;
		void) setup_column=9 setup_install=(xbps-install -Sy); return ;;
		esac
	done
	return 1
}

# The run-time library of clang bears clang's version in its name; apt knows which.
setup_clang_rt() {
	local version

	version=$(apt-cache depends clang 2>/dev/null | grep -o 'clang-[0-9][0-9]*' | head -n 1)
	echo "libclang-rt-${version:+${version#clang-}-}dev"
}

# Prints the packages for the missing lines on stdin, each once.
setup_names() {
	local line package

	while read -r -a line; do
		[ ${#line[@]} -gt 0 ] || continue
		package=${line[setup_column - 1]}
		[ "$package" != @clang-rt ] || package=$(setup_clang_rt)
		[ "$package" = - ] || echo "$package"
	done | sort -u
}

# Whether we can do without what is still missing; names it.
setup_spare() { # TABLE
	local missing

	missing=$(setup_missing "$1" need | cut -d' ' -f3 | tr '\n' ' ')
	if [ -n "$missing" ]; then
		setup_say "cannot build without: $missing"
		return 1
	fi
	missing=$(setup_missing "$1" | cut -d' ' -f3 | tr '\n' ' ')
	[ -z "$missing" ] || setup_say "going on without: $missing"
}

setup_packages() { # [--tests] [--no-install]
	local table=$setup_table_build install=yes missing names name log

	while [ $# -gt 0 ]; do
		case $1 in
		--tests) table+=$setup_table_tests ;;
		--no-install) install=no ;;
		*) setup_say "unknown option $1"; return 2 ;;
		esac
		shift
	done

	missing=$(setup_missing "$table")
	[ -n "$missing" ] || return 0
	if ! setup_manager; then
		setup_say "this system's package manager is not known here"
		setup_spare "$table"
		return
	fi
	mapfile -t names < <(setup_names <<<"$missing")
	if [ ${#names[@]} = 0 ]; then
		setup_spare "$table"
		return
	fi
	if [ "$install" = no ] || [ "$(id -u)" != 0 ]; then
		setup_say "missing packages; as root:"
		echo "  ${setup_install[*]} ${names[*]}" >&2
		if [ "$install" = no ]; then
			return 1
		fi
		setup_spare "$table"
		return
	fi

	log=$(mktemp) || return 1
	if [ "$setup_column" = 4 ]; then
		setup_say "apt-get update"
		apt-get -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 </dev/null
		mapfile -t names < <(setup_names <<<"$missing")
	fi
	setup_say "${setup_install[*]} ${names[*]}"
	if ! "${setup_install[@]}" "${names[@]}" >>"$log" 2>&1 </dev/null; then
		# One package that this release does not have must not keep away the others.
		for name in "${names[@]}"; do
			"${setup_install[@]}" "$name" >>"$log" 2>&1 </dev/null || setup_say "cannot install $name"
		done
		[ -z "$(setup_missing "$table" need)" ] || tail -n 20 "$log" >&2
	fi
	rm -f "$log"
	hash -r
	setup_spare "$table"
}

# A tree that belongs to a user stays the user's, though root runs this: no file of it may become
# root's, or the user could not clean it.
setup_as_owner() {
	local uid gid

	uid=$(stat -c %u "$setup_top")
	gid=$(stat -c %g "$setup_top")
	if [ "$(id -u)" != 0 ] || [ "$uid" = 0 ]; then
		"$@"
	elif setpriv --reuid="$uid" --regid="$gid" --clear-groups test -w "$setup_top/configure.ac" 2>/dev/null; then
		HOME=$setup_top setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"
	else
		"$@"
	fi
}

setup_log() { # LOG COMMAND...
	local log=$1
	shift

	setup_as_owner "$@" >>"$log" 2>&1 </dev/null && return
	setup_say "failed: $*"
	tail -n 40 "$log" >&2
	setup_say "the whole output is in $log"
	return 1
}

# Whether configure is older than what it is made of. The rest is seen by make.
setup_stale() {
	local configure=$setup_top/configure

	[ ! -e "$setup_top/Makefile.in" ] || [ ! -e "$configure" ] ||
		[ "$setup_top/configure.ac" -nt "$configure" ] || [ "$setup_top/m4/flags.m4" -nt "$configure" ]
}

setup_build() { # DIR [CONFIGURE OPTION...]
	local dir=$1 log=$1/setup.log stamp=$1/setup.stamp options
	shift
	options=$*

	setup_as_owner mkdir -p "$dir" || return 1
	dir=$(cd "$dir" && pwd)
	log=$dir/setup.log stamp=$dir/setup.stamp
	setup_as_owner sh -c ": >'$log'" || return 1

	if setup_stale; then
		setup_say "autoreconf"
		(cd "$setup_top" && setup_log "$log" autoreconf --install --force) || return 1
	fi
	if [ ! -e "$dir/Makefile" ] || [ ! -e "$stamp" ] ||
		{ [ -n "$options" ] && [ "$(cat "$stamp")" != "$options" ]; }; then
		setup_say "configure${options:+ $options}"
		rm -f "$stamp"
		(cd "$dir" && setup_log "$log" "$setup_top/configure" --quiet "$@") || return 1
		# Other flags, other objects; make cannot see that.
		[ ! -e "$dir/libextmerge.a" ] || setup_log "$log" make -C "$dir" -s clean || return 1
		setup_as_owner sh -c "echo '$options' >'$stamp'"
	fi
	[ -e "$dir/extmerge" ] || setup_say "make (the output is in ${log#"$PWD/"})"
	setup_log "$log" make -C "$dir" -s -j"$(nproc)"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	setup_packages "$@" && setup_build "$setup_top/_build"
fi
