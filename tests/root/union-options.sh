#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A union is mounted by mount(8) as overlayfs is: with its words, mount(8)'s own, and remounted; and as the manual page says.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir layers{,/0,/1} upper work u
echo 0 >layers/0/a && echo 1 >layers/1/b
lower=lowerdir=layers/0:layers/1
written=$lower,upperdir=upper,workdir=work

# mount(8) looks for its helpers in a list of directories that it was built with.
cp -r --preserve=mode /usr/sbin/mount* . 2>/dev/null
mkdir sbin && ln -s "$union" sbin/mount.fuse.extmerge-fuse
mount -t tmpfs extmerge-test /usr/sbin || exit 1
cp -P sbin/* mount* /usr/sbin/ 2>/dev/null
no_server() {
	! pgrep -f "^@extmerge-fuse union .* -- $T/u\$" >/dev/null
}
mounted() { # OPTIONS
	umount -q u
	await no_server && timeout 30 mount -t fuse.extmerge-fuse source "$T/u" -o "$1"
}
options() {
	findmnt -n -o OPTIONS u | sed 's/,user_id=.*//'
}

# --- what is accepted (union.1, overlay.1) ---

ok "mount -t fuse.extmerge-fuse" mounted "$lower"
is "the mount table says what it is" "$(findmnt -n -v -o SOURCE,FSTYPE u | tr -s ' ') $(ls u | paste -sd' ')" "source fuse.extmerge-fuse a b"
for words in ro defaults,_netdev,nofail,x-systemd.requires=/,X-mount.mkdir,comment=x,user,exec,suid,dev uhelper=x,helper=y,lazytime,silent \
	redirect_dir=nofollow,metacopy=off,index=off,nfs_export=off,xino=auto,verity=off,override_creds \
	volatile,uuid=on,userxattr,default_permissions; do
	mounted "$words,$lower"
	is "accepted: $words" "$? $(options) $(cat u/a u/b | paste -sd' ')" "0 ro,relatime 0 1"
done
mounted "$written,volatile,fsync=strict"
is "also by a writable one" "$? $(options) $(echo x >u/new && cat upper/new)" "0 rw,relatime x"
ok "which is no volatile one for those who come later" [ ! -e work/work/incompat ]
mounted "nosuid,nodev,noexec,noatime,nodiratime,nosymfollow,$lower"
is "attributes of the mount" "$? $(options)" "0 ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow"

# --- what is refused (union.1) ---

umount u
nl=$'\n'
refused() { # OPTION REASON
	like "refused: $1" "$(mounted "$1,$written" 2>&1; mountpoint -q u && echo mounted)" "extmerge-fuse: '$1': [^$nl]*$2"
}
refused redirect_dir=on "redirects are neither followed nor made"
refused redirect_dir=follow "redirects are neither followed nor made"
refused metacopy=on "a file is copied with its data"
refused index=on "each is copied for itself"
refused nfs_export=on "no index"
refused verity=require "never looked for in another layer"
refused xino=maybe "on, off or auto"
refused nooverride_creds "rights of the server"
refused sync "only fsync"
refused strictatime "reading changes no times"
refused no-such-word "no such option"
like "refused: layers twice" "$(mounted "$lower,lowerdir=layers/0" 2>&1)" "there are layers already"
like "refused: nothing at all" "$("$union" 2>&1; echo $?)" "a directory is missing.*2$"
like "refused: no layers" "$("$union" "$T/u" 2>&1; echo $?)" "lowerdir is missing.*2$"
not_ok "and nothing was mounted" mountpoint -q u

# --- mount -o remount (union.24) ---

mounted "$written,nodev"
ok "remount,ro" mount -o remount,ro "$T/u"
is "is read-only, with its other attributes" "$(options) $(touch u/x 2>&1)" "ro,nodev,relatime touch: cannot touch 'u/x': Read-only file system"
like "so is the file system, for other mounts" "$(findmnt -n -o FS-OPTIONS u)" "^ro,"
ok "remount,rw" mount -o remount,rw,noatime "$T/u"
is "is writable again" "$(options) $(echo y >u/x && cat upper/x)" "rw,nodev,noatime y"
echo z >u/open && exec 8>>u/open
like "what is open for writing is waited for" "$(mount -o remount,ro "$T/u" 2>&1; options)" "busy.*rw,nodev,noatime"
exec 8>&-
mounted "$written,ro"
ok "one that was mounted with ro" mount -o remount,rw "$T/u"
is "can become writable" "$(echo z >u/y && cat upper/y)" "z"
mounted "$lower,nosuid"
like "one without upperdir cannot" "$(mount -o remount,rw "$T/u" 2>&1; options)" "Read-only file system.*ro,nosuid,relatime"
ok "but get attributes" mount -o remount,noexec "$T/u"
is "beside those it has" "$(options)" "ro,nosuid,noexec,relatime"
like "what is no union is refused" "$("$union" "$T" -o remount,ro 2>&1; touch mine && echo writable)" "it is no union.*writable"
umount u

# --- the examples of the manual page ---

page=$TESTS_DIR/../man/extmerge-fuse.8.scd
examples=$(sed -n '/^# EXAMPLES$/,/^# /p' "$page" | sed -n '/^```$/,/^```$/p' | grep -v '^```$')
like "the manual page has examples" "$examples" "extmerge-fuse /opt .*extmerge-fuse /usr "
# This machine may have what is tested in /var or /opt, so that others take their places.
examples=$(sed "s#/var/opt-changes#$T/changes#g; s#/opt#$T/opt#g" <<<"$examples")
mkdir bin && ln -s "$union" bin/extmerge-fuse
mkdir -p opt/{tools,drivers}/usr/share/extmerge-test
echo tool >opt/tools/usr/share/extmerge-test/tool
ok "all of them work" env PATH="$T/bin:$PATH" sh -ec "$examples"
is "the second shows its layers and the host's" "$(cat /usr/share/extmerge-test/tool; findmnt -n -o FSTYPE /usr)" "tool
fuse.extmerge-fuse"
echo kept >opt/new
is "the first is written to" "$(cat changes/upper/new)" "kept"
umount -l /usr "$T/opt"
is "and they are gone again" "$(ls opt | paste -sd' ') $([ -e /usr/share/extmerge-test ] || echo gone)" "drivers tools gone"
finish
