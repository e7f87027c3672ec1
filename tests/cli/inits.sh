#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What OpenRC, runit, sysvinit, s6-rc and mkinitcpio are given: as far as it can be tried without them (specs: boot.7, boot.8).
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

units=$TESTS_DIR/../units
mkdir -p "$T/bin" "$T/units"
for script in openrc/extmerge runit/boot.sh runit/shutdown.sh s6-rc/extmerge/up s6-rc/extmerge/down sysvinit/extmerge mkinitcpio/install mkinitcpio/hook; do
	mkdir -p "$T/units/${script%/*}"
	sed "s|@bindir[@]|$T/bin|g; s|/run/sendsigs|$T&|; s|/etc/sv /etc/runit|$T/none $T/nothing|; s|/{etc,usr/local|$T/host&|" "$units/$script.in" >"$T/units/$script"
done
cat >"$T/bin/extmerge" <<SCRIPT
#!/bin/sh
echo "\$*" >>$T/calls
exit \$(cat $T/status)
SCRIPT
chmod 755 "$T/bin/extmerge"
with() { # STATUS COMMAND...: what extmerge was called with, and how the command ended
	echo "$1" >"$T/status"
	: >"$T/calls"
	shift
	"$@" >"$T/stdout" 2>&1
	rc=$?
	said=$(paste -sd, "$T/calls")
}

if command -v shellcheck >/dev/null; then
	# SC2034: the init reads them.
	is "shellcheck has nothing to say: sh" "$(cd "$T/units" && shellcheck -s sh -e SC2034 openrc/extmerge runit/*.sh sysvinit/extmerge mkinitcpio/hook 2>&1)" ""
	is "shellcheck has nothing to say: bash" "$(cd "$T/units" && shellcheck -s bash -S warning mkinitcpio/install 2>&1)" ""
else
	skip "shellcheck" "it is not there"
fi

# --- OpenRC ---
# The script with what openrc-run has for it; dash, where there is one, knows nothing but POSIX.
openrc() { # FUNCTION
	cat >"$T/openrc-run" <<SCRIPT
for word in after before need keyword; do eval "\$word() { echo \$word \"\\\$*\"; }"; done
ebegin() { :; }
eend() { return "\$1"; }
. $T/units/openrc/extmerge
$1
SCRIPT
	sh "$T/openrc-run"
}
for call in 'start:refresh --boot=late' 'stop:unmerge --boot=early' 'reload:refresh'; do
	with 0 openrc "${call%%:*}"
	is "OpenRC: ${call%%:*}" "$rc $said" "0 ${call#*:}"
	with 1 openrc "${call%%:*}"
	is "and its failure" $rc 1
done
with 0 openrc depend
like "OpenRC: comes after the file systems" "$(cat "$T/stdout")" "after .*localmount"
like "and before those who read what extensions bring" "$(cat "$T/stdout")" "before .*modules sysctl .*dbus"
like "reload is there while it is started" "$(cat "$T/units/openrc/extmerge")" 'extra_started_commands="reload"'

# --- sysvinit, and Debian's runit, which adds words of its own ---
for call in 'start --force-sysv:refresh --boot=late' 'stop:unmerge --boot=early' 'reload:refresh' 'restart:refresh' 'status:status'; do
	for status in 0 1; do
		# shellcheck disable=SC2086
		with $status sh "$T/units/sysvinit/extmerge" ${call%%:*}
		is "sysvinit: ${call%%:*}, where extmerge ends with $status" "$rc $said" "$status ${call#*:}"
	done
done
with 0 sh "$T/units/sysvinit/extmerge" other
is "sysvinit: anything else is a wrong call" "$rc $said" "2 "

# --- runit: both are read by a shell that must go on ---
for call in 'boot:refresh --boot=late' 'shutdown:unmerge --boot=early'; do
	for status in 0 1; do
		with $status sh -e -c ". $T/units/runit/${call%%:*}.sh; echo on"
		is "runit: ${call%%:*}, where extmerge ends with $status" "$rc $said $(tail -n 1 "$T/stdout")" "0 ${call#*:} on"
	done
done

# --- s6-rc: one command line each, in which nothing is quoted or replaced ---
for call in 'up:refresh --boot=late' 'down:unmerge --boot=early'; do
	is "s6-rc: ${call%%:*}" "$(grep -v '^#' "$T/units/s6-rc/extmerge/${call%%:*}")" "$T/bin/extmerge ${call#*:}"
done
is "s6-rc: a oneshot" "$(cat "$units/s6-rc/extmerge/type")" oneshot

# --- mkinitcpio ---
for call in 'earlyhook:refresh --boot=early' 'latehook:refresh --root=/new_root --boot=early' 'cleanuphook:unmerge --boot=early'; do
	for status in 0 1; do
		with $status sh -c ". $T/units/mkinitcpio/hook; run_${call%%:*}"
		is "mkinitcpio: ${call%%:*}, where extmerge ends with $status" "$rc $said" "0 ${call#*:}"
	done
done
build() { # [FUNCTION]: what is added to the initramfs; the function is there, too
	bash -c "
		for word in add_binary add_module add_file add_symlink add_runscript warning $*; do
			eval \"\$word() { echo \$word \\\"\\\$*\\\"; }\"
		done
		. $T/units/mkinitcpio/install && build"
}
printf '{"soname":["libnone.so.9"]}{"soname":["libc.so.6"]}' >>"$T/bin/extmerge"
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$T/host/etc/verity.d" && echo certificate >"$T/host/etc/verity.d/a.crt" && ln -s /dev/null "$T/host/etc/verity.d/b.crt"
said=$(build)
is "mkinitcpio: certificates, and what masks one" "$(grep -F verity.d/ <<<"$said" | paste -sd,)" \
	"add_file $T/host/etc/verity.d/a.crt,add_symlink $T/host/etc/verity.d/b.crt /dev/null"
rm -r "$T/host"
like "mkinitcpio: the program" "$said" "add_binary $T/bin/extmerge"
like "libraries that it names" "$said" "add_binary /[^ ]*/libc.so.6"
like "those that are not there are said" "$said" "warning extmerge: there is no libnone.so.9"
is "modules, where they are none of the kernel itself" "$(sed -n 's/^add_module //p' <<<"$said" | paste -sd' ')" \
	"overlay? erofs? squashfs? loop? dm-verity? fuse?"
is "without systemd, the hook" "$(grep -cx 'add_runscript ' <<<"$said") $(grep -c add_systemd_unit <<<"$said")" "1 0"
said=$(build add_systemd_unit)
is "with systemd, the units, which are wanted" "$(grep -E '^add_(systemd_unit|symlink)' <<<"$said" | cut -d' ' -f1,2 | paste -sd,)" \
	"add_systemd_unit extmerge-initrd.service,add_symlink /usr/lib/systemd/system/initrd.target.wants/extmerge-initrd.service,add_systemd_unit extmerge-sysroot.service,add_symlink /usr/lib/systemd/system/initrd.target.wants/extmerge-sysroot.service"
is "and no hook" "$(grep -c add_runscript <<<"$said")" 0
rm "$T/bin/extmerge"
not_ok "without the program, no initramfs is right" bash -c "add_binary() { [ -e \"\$1\" ]; }; . $T/units/mkinitcpio/install && build"
finish
