# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
# Runs the test that sources it, after lib.sh, in a user-mode-linux guest: the kernel of sid as a process, with this
# machine's tree, the build in it, as its root, under a tmpfs. There is device-mapper, and a test may do what it likes.
#
#     . "${TESTS_DIR:?}/lib.sh"
#     . "${TESTS_DIR:?}/vm/uml.bash"
#     in_guest [TOOL...]
#     begin
#
# What stands before in_guest runs on the machine too. No module is loaded in the guest. $GUEST is a directory
# of the machine that both can write. $GUEST_EXPORTS names variables to pass on, $GUEST_PACKAGES what install_package is to
# find. A guest that restarts begins again; $GUEST_REBOOTS says how often it did. One that is to end in a panic
# writes to $GUEST/panic what the kernel will say (grep -E). $GUEST_INIT is another init for it: then the test runs twice, with
# $GUEST_STAGE "prepare" before that init is started, and "booted" by the init, which is to run bash /guest-booted.
. "${TESTS_DIR:?}/vm/lib.bash"

# Kept in the cache: the kernel with its modules, and the C library it needs, which is newer than most machines'.
get_uml() { # DIRECTORY
	local new=$1.new lib

	apt_of_suite sid update >"$work/apt.log" 2>&1 || return 1
	unpack_packages sid "$new" user-mode-linux libc6 || return 1
	lib=$1/usr/lib/x86_64-linux-gnu
	patchelf --set-interpreter "$lib/ld-linux-x86-64.so.2" --set-rpath "$lib" "$new/usr/bin/linux.uml" || return 1
	mv "$new" "$1"
}

# The last line of the guest's output is "exit STATUS".
boot_uml() (
	local quoted

	cp "$TESTS_DIR/vm/uml-init" "$work/init" && chmod 755 "$work/init"
	{
		printf 'export EXTMERGE_CACHE=%q\n' "$cache"
		printf 'test=%q modules=%q/usr/lib/uml/modules\n' "$(readlink -f "$0")" "$cache/uml"
		for quoted in EXTMERGE TESTS_DIR TESTS_BUILD_DIR SPECS_DIR LC_ALL PATH GUEST_INIT ${GUEST_EXPORTS-}; do
			printf 'export %s=%q\n' "$quoted" "${!quoted-}"
		done
	} >"$work/env"
	: >"$work/output"
	: >"$work/boots"
	ulimit -c 0
	timeout "${GUEST_SECONDS:-300}" "$cache/uml/usr/bin/linux.uml" mem=512M root=/dev/root rootfstype=hostfs \
		rootflags=/ ro quiet panic=-1 seccomp=auto init="$work/init" GUEST="$work" con=null con0=null,fd:1 \
		</dev/null >"$work/console" 2>&1
)

# Programs that this machine may lack: packages of its own suite, unpacked in the cache.
get_packages() { # PACKAGE...
	local suite package

	suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	for package in "$@"; do
		[ ! -d "$cache/$package-$suite" ] || continue
		[ -d "$work/apt-$suite" ] || apt_of_suite "$suite" update >"$work/apt.log" 2>&1 || return 1
		rm -rf "$work/packages-$suite"
		unpack_packages "$suite" "$cache/$package-$suite.new" "$package" &&
			mv "$cache/$package-$suite.new" "$cache/$package-$suite" || return 1
	done
}

# In the guest: puts such a package into the root.
install_package() { # PACKAGE
	tar -C "$cache/$1-$(. /etc/os-release && echo "${VERSION_CODENAME-}")" -c . | tar -C / --keep-directory-symlink -x
}

in_guest() { # TOOL...
	local status

	[ -z "${GUEST-}" ] || return 0
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	need_tools patchelf apt-get dpkg-deb modprobe "$@"
	make_work
	[ -d "$cache/uml" ] || get_uml "$cache/uml" || give_up "user-mode-linux cannot be had here: no network?"
	# shellcheck disable=SC2086
	get_packages ${GUEST_PACKAGES-} || give_up "not to be had here, no network?: $GUEST_PACKAGES"
	boot_uml 2>/dev/null # where it is said that a guest was aborted
	take_results "$work/output"
	status=$(sed -n 's/^exit //p' "$work/output")
	if [ "$status" = 77 ]; then
		give_up "$(grep -v '^exit' "$work/output" | tail -n 1)"
	fi
	if [ -s "$work/panic" ]; then
		ok "the guest's kernel stopped, as it should" grep -qEf "$work/panic" "$work/console" && finish
	else
		ok "the guest came to its end" [ "$status" = 0 ] && finish
	fi
	tail -n 30 "$work/console" | sed 's/^/# /'
	finish
}
