#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The configuration decides what is merged, is an input of it, and no extension has a say in it (specs: config.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

# What is merged is read-only: the host's own files are written below it.
H=$T/host
mkdir "$H" && mount --bind "$R" "$H"

say() { # PATH LINE...
	local path=$H/$1
	shift
	mkdir -p "${path%/*}" && printf '%s\n' "$@" >"$path"
}

trust_of() { # CLASS
	em config --json=short
	jq -r --arg c "$1" '.settings[] | select(.class == $c and .key == "Trust") | .value + " " + .source' <<<"$out"
}

make_tree "$X/tool" tool
make_conf_tree "$C/conf" conf

# --- config.1: what is merged has no say ---
mkdir -p "$C/conf/etc/extmerge.conf.d" "$X/tool/usr/lib"
printf '[Extmerge]\nTrust=signed\n' >"$C/conf/etc/extmerge.conf"
printf '[Extmerge]\nTrust=nonsense\n' >"$C/conf/etc/extmerge.conf.d/99.conf"
printf '[Extmerge]\nTrust=verity\n' >"$X/tool/usr/lib/extmerge.conf"
em refresh
is "extensions that bring a configuration are merged" "$rc $(layers usr) $(layers etc)" "0 tool conf"
ok "their files are seen" grep -q nonsense "$R/etc/extmerge.conf.d/99.conf"
is "and are not what is in force" "$(trust_of sysext), $(trust_of confext)" "auto default, auto default"
em refresh
like "so that nothing changes" "$rc $err" '^0 .*Nothing has changed'
em unmerge
rm -r "$C/conf/etc/extmerge.conf.d" "$C/conf/etc/extmerge.conf" "$X/tool/usr/lib/extmerge.conf"

# --- config.12: values count, not files ---
mount_of() { # usr|etc
	em status --json=short
	jq -r --arg p "/$1" '.hierarchies[] | select(.path == $p) | "\(.generation) \(.mount_id)"' <<<"$out"
}

say usr/lib/extmerge.conf '# nothing yet'
em refresh
is "both are merged" "$rc $(layers usr) $(layers etc)" "0 tool conf"
usr=$(mount_of usr)
say usr/lib/extmerge.conf.d/1.conf '[Extmerge]' 'Trust=auto' '[Extmerge.later]' 'Trust=signed'
em refresh
like "a file that says what is so already changes nothing" "$rc $err" '^0 .*Nothing has changed'

# --- config.6 ---
say usr/lib/extmerge.conf.d/2.conf '[confext]' 'Trust=signed'
em plan
is "plan sees a class's own demand" "$rc $(verdict tool) $(verdict conf)" "10 fits unsigned"
em refresh
like "refresh refuses the one" "$err" 'conf.*unsigned|unsigned.*conf'
is "and takes it away" "$rc $(layers etc)" "0 "
is "the other class stays as it was" "$(layers usr) $(mount_of usr)" "tool $usr"
em refresh --trust=any
is "config.9: the command line says more" "$rc $(layers etc)" "0 conf"
em refresh
is "for one run" "$rc $(layers etc)" "0 "
mkdir "$R/run/extmerge.conf.d" && ln -s /dev/null "$R/run/extmerge.conf.d/2.conf"
em refresh
is "a mask takes the demand away" "$rc $(layers etc)" "0 conf"

# --- trust.1: nobody vouches for what lies on the ESP ---
make_tree "$T/boot" boot boot ID=_any SYSEXT_SCOPE=initrd
mkdir -p "$H/.extra/sysext" && touch "$H/etc/initrd-release"
if make_image squashfs "$T/boot" "$H/.extra/sysext/boot.raw" 2>/dev/null; then
	is "what is not signed is refused there" "$(verdict boot)" unsigned
	say etc/extmerge.conf '[Extmerge]' 'ImagePolicy=root=open'
	is "also under a policy of the configuration that allows it" "$(verdict boot)" unsigned
	em list --image-policy=root=open --json=short
	is "not for who asks for this run" "$(jq -r '.extensions[] | select(.name == "boot") | .state' <<<"$out")" fits
	sed -i s/open/absent/ "$H/etc/extmerge.conf"
	is "where it forbids more, it does" "$(verdict boot)" policy-refused
else
	skip "images from the ESP" "there is no mksquashfs"
fi
rm -r "$H/.extra" "$H/etc/initrd-release" "$H/etc/extmerge.conf"

# --- config.7 ---
say etc/extmerge.conf '[Extmerge]' 'Trust=maybe'
library=$(ldconfig -p 2>/dev/null | awk '$1 == "libeconf.so.0" { print $NF; exit }')
if [ -e "$library" ]; then
	say etc/extmerge.conf '[Extmerge]' 'Trust=any'
	mount --bind /dev/null "$library"
	em plan
	like "without libeconf nothing is done where there is a configuration" "$rc$out $err" '^5 .*libeconf.*Cannot read the configuration'
	: >"$H/etc/extmerge.conf" && rm "$H/usr/lib/extmerge.conf.d/"*
	em plan
	is "and all is as ever where there is none" "$rc" 0
	umount "$library"
	say etc/extmerge.conf '[Extmerge]' 'Trust=maybe'
else
	skip "without libeconf" "it is not found"
fi
before="$(mount_of usr) $(mount_of etc)"
for verb in refresh plan; do
	em $verb
	like "$verb is refused" "$rc$out $err" "^2 .*/etc/extmerge\.conf:2: Trust=maybe is not auto, signed, verity or any"
done
is "what is merged stays" "$(mount_of usr) $(mount_of etc)" "$before"
em status
is "and is shown" "$rc $(jq -r '.hierarchies | length' <<<"$("$EXTMERGE" --root="$R" status --json=short 2>/dev/null)")" "0 3"
em unmerge
is "unmerge asks nobody" "$rc $(mounts_below "$R/usr") $(mounts_below "$R/etc")" "0 0 0"
finish
