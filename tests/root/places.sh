#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where a root can be, what is mounted in it, and who else mounts there.
. "${TESTS_DIR:?}/lib.sh"
begin

make_tree "$X/one" one 1
mkdir -p "$X/one/opt"
echo 1 >"$X/one/opt/one"
make_conf_tree "$C/conf" conf 1

next=1
change() {
	next=$((next + 1))
	cp -a "$X/one" "$X/.one"
	echo $next >"$X/.one/usr/bin/one"
	echo $next >"$X/.one/opt/one"
	rm -r "$X/one"
	mv "$X/.one" "$X/one"
}

# What the hierarchies show: "1 1 1 host tool host conf".
shown() {
	cat "$R"/{usr/bin/one,opt/one,etc/conf.conf,usr/bin/host-tool,etc/host.conf} 2>&1 | paste -sd' '
}
table() { # ROOT: the mount points below it, sorted
	awk -v p="$1/" 'index($5, p) == 1 { print substr($5, length(p) + 1) }' /proc/self/mountinfo |
		sort | paste -sd' '
}

# --- mounts of the host below a hierarchy ---
mkdir -p "$R"/usr/share/{sub,sub-2,with\ space} "$R/usr/local"
mount -t tmpfs sub "$R/usr/share/sub"
mkdir "$R/usr/share/sub/nested"
mount -t tmpfs nested "$R/usr/share/sub/nested"
mount -t tmpfs sub-2 "$R/usr/share/sub-2"
mount -t tmpfs space "$R/usr/share/with space"
touch "$R/usr/share/a-file"
echo "other" >"$T/other"
mount --bind "$T/other" "$R/usr/share/a-file"
for m in sub sub/nested sub-2 "with space"; do
	echo "$m" >"$R/usr/share/$m/file"
done
submounts() {
	(cd "$R/usr/share" && cat sub/file sub/nested/file sub-2/file "with space/file" a-file 2>&1 | paste -sd' ')
}
all="sub sub/nested sub-2 with space other"
originals=$(table "$R")
is "the host's mounts, before" "$(submounts)" "$all"
em merge
is "merged" "$rc $(shown)" "0 1 1 1 host tool host conf"
is "the host's mounts are seen in the merged tree" "$(submounts)" "$all"
is "each of them is there once" "$(table "$R" | tr ' ' '\n' | sort | uniq -c | awk '$1 > 2' | wc -l)" 0
once() { # the host's own and the merged tree's
	awk -v p="$R/usr/share/" 'index($5, p) == 1' /proc/self/mountinfo | wc -l
}
is "as many as the host has, twice" "$(once)" 10
change
em refresh
is "refreshed" "$rc $(shown)" "0 2 2 1 host tool host conf"
is "the host's mounts are seen after a refresh" "$(submounts)" "$all"
is "and are as many" "$(once)" 10

# --- a mount that comes later, on the merged tree ---
mount -t tmpfs later "$R/usr/local"
echo later >"$R/usr/local/file"
change
em refresh
is "a mount on the merged tree survives a refresh" "$rc $(cat "$R/usr/local/file")" "0 later"
em unmerge
is "and unmerge" "$rc $(cat "$R/usr/local/file")" "0 later"
umount "$R/usr/local"
is "the host's mounts are what they were" "$(table "$R") $(submounts)" "$originals $all"
umount "$R"/usr/share/{a-file,with\ space,sub-2,sub/nested,sub}
is "nothing is mounted" "$(table "$R")" ""

# --- a mount goes where it was, and not where a link leads by now (switch.10) ---
mkdir "$X/one/opt/data" "$T/below" "$T/elsewhere"
change
em merge
mount -t tmpfs data "$R/opt/data"
rmdir "$X/one/opt/data" && ln -s "$T/elsewhere" "$X/one/opt/data"
change
em refresh
like "a link in the new tree is no place for it" "$rc $err" "^1 .*Cannot build the new /opt: the mount at 'data' has no place in the merged tree"
is "and what is there stays" "$(findmnt -n -o SOURCE "$R/opt/data")" data
mount --bind "$R" "$T/below" && ln -s ../etc "$T/below/opt/data" && umount "$T/below"
em unmerge
is "nor is one in the host's own directory" "$rc $(table "$R") $(cat "$R/etc/host.conf")" "0  host conf"
rm "$R/opt/data" "$X/one/opt/data" && rmdir "$T/below" "$T/elsewhere"

# --- an ordinary user's FUSE mount, into which not even root may look, and what it covers ---
mkdir -p "$R/opt/user/below" && mount -t tmpfs covered "$R/opt/user/below"
if exec 9<>/dev/fuse && mount -i -t fuse -o fd=9,rootmode=40000,user_id=4321,group_id=0 user "$R/opt/user"; then
	change
	em merge
	is "a user's mount: merge" "$rc $(shown) $(findmnt -n -o SOURCE "$R/opt/user" | sort -u)" "0 $next $next 1 host tool host conf user"
	change
	em refresh
	is "refresh" "$rc $(shown) $(findmnt -n -o SOURCE "$R/opt/user" | sort -u)" "0 $next $next 1 host tool host conf user"
	em unmerge
	is "unmerge" "$rc $(findmnt -n -o SOURCE "$R/opt/user")" "0 user"
	umount "$R/opt/user"
	exec 9>&-
else
	skip "a user's FUSE mount" "there is no FUSE"
fi
umount "$R/opt/user/below" && rm -r "$R/opt/user"

# --- readers in a slave namespace ---
mount --make-rshared "$T"
unshare -m --propagation slave sleep 1000 &
slave=$!
await runs $slave sleep
in_slave() {
	nsenter -t $slave -m "$@"
}
for verb in merge refresh; do
	change
	em $verb
	is "shared: a slave namespace sees the $verb" \
		"$rc $(in_slave cat "$R/usr/bin/one") $(in_slave awk -v p="$R/usr" '$5 == p' /proc/self/mountinfo | wc -l)" \
		"0 $next 1"
done
out=$(in_slave "$EXTMERGE" --root="$R" status --json=short | jq -r '[.hierarchies[] | .layers | length] | join(" ")')
is "status in the slave namespace knows it" "$out" "1 1 1"
unshare -m "$EXTMERGE" --root="$R" status --json=short | jq -e '.generation > 0 and (.pending | not)' >/dev/null
is "status in a private copy knows it" $? 0
em unmerge
is "and the unmerge" "$(in_slave awk -v p="$R/" 'index($5, p) == 1' /proc/self/mountinfo | wc -l)" 0
kill $slave
mount --make-rprivate "$T"

# --- roots ---
in_chroot() {
	chroot "$R" /run/extmerge --backend="$STACK" "$@" 2>&1
}
[ "$STACK" = auto ] || mv "$R/usr/lib/extmerge.conf" "$T" # there is no libeconf in it
mkdir -p "$R/proc" "$R/dev"
cp "$EXTMERGE" "$R/run/extmerge"
programs=("$EXTMERGE")
if [ "$STACK" = fuse ]; then
	programs+=("$EXTMERGE-fuse")
	server=$(grep -aoE '/[[:alnum:]/._-]+/extmerge-fuse' "$EXTMERGE" | head -n 1) # where it would be installed
	mkdir -p "$R${server%/*}"
	cp "$EXTMERGE-fuse" "$R$server"
	touch "$R"/dev/{fuse,null}
	mount --bind /dev/fuse "$R/dev/fuse"
	mount --bind /dev/null "$R/dev/null"
fi
for library in $(ldd "${programs[@]}" | awk '$2 == "=>" { print $3 } NF == 2 && $1 ~ /^\// { print $1 }'); do
	mkdir -p "$R${library%/*}"
	cp "$library" "$R$library"
done
mount --rbind /proc "$R/proc"
change
out=$(in_chroot merge)
is "in a chroot whose root is no mount point: merge" "$? $(shown)" "0 $next $next 1 host tool host conf"
change
out=$(in_chroot refresh)
is "refresh" "$? $(shown)" "0 $next $next 1 host tool host conf"
umount -l "$R/proc"
out=$(in_chroot refresh)
is "without /proc: an error" $? 1
like "that names it" "$out" "/proc"
is "and nothing changes" "$(shown)" "$next $next 1 host tool host conf"
mount --rbind /proc "$R/proc"
out=$(in_chroot unmerge)
is "unmerge" "$? $(table "$R" | tr ' ' '\n' | grep -vE '^(proc|dev)' | paste -sd' ')" "0 "
umount -l "$R/proc"
[ "$STACK" != fuse ] || { umount "$R"/dev/{fuse,null}; rm "$R$server"; }
rm -r "${R:?}"/{run/extmerge,lib,lib64,dev}
[ "$STACK" = auto ] || mv "$T/extmerge.conf" "$R/usr/lib"

mkdir "$T/a root"
cp -a "$R" "$T/a root/of mine"
old=$R R="$T/a root/of mine"
em merge
is "a root with spaces: merge" "$rc $(shown)" "0 $next $next 1 host tool host conf"
echo spaced >"$R/var/lib/extensions/one/usr/bin/one"
em refresh
is "refresh" "$rc $(shown)" "0 spaced $next 1 host tool host conf"
em unmerge
is "unmerge" "$rc $(grep -c 'root.*of' /proc/self/mountinfo)" "0 0"
R=$old

# --- /opt ---
rm -r "$R/opt"
em merge
is "the host has no /opt: it is made" "$rc $(shown)" "0 $next $next 1 host tool host conf"
is "and looks as any" "$(stat -c '%a %u' "$R/opt")" "755 0"
change
em refresh
is "after a refresh as well" "$rc $(cat "$R/opt/one") $(stat -c %a "$R/opt")" "0 $next 755"
em unmerge
not_ok "and unmerge removes it" test -e "$R/opt"
em merge
mkdir "$T/bare"
mount --bind "$R" "$T/bare"
echo mine >"$T/bare/opt/mine"
umount "$T/bare"
em unmerge
is "but not if something is in it by now" "$(ls "$R/opt")" mine
rm -r "$R/opt"
mkdir -p "$R/var/opt"
echo "host opt" >"$R/var/opt/host-opt"
ln -s var/opt "$R/opt"
em merge
is "/opt is a symlink" "$rc $(cat "$R/opt/one" "$R/var/opt/host-opt" | paste -sd' ') $(readlink "$R/opt")" \
	"0 $next host opt var/opt"
change
em refresh
is "a refresh through it" "$rc $(cat "$R/opt/one") $(table "$R")" "0 $next etc usr var/opt"
em unmerge
is "unmerge through it" "$rc $(table "$R")" "0 "
rm "$R/opt"

# --- the looks of the hierarchy's root ---
chmod 2751 "$R/etc"
chown 3:4 "$R/etc"
setfattr -n user.mine -v value "$R/etc" 2>/dev/null
touch -d 2001-02-03 "$R/etc"
looks() {
	stat -c '%a %u %g %Y' "$R/etc"
	getfattr --only-values -n user.mine "$R/etc" 2>/dev/null
}
before=$(looks)
em merge
is "mode, owner, time and attributes of /etc are kept" "$(looks)" "$before"
em unmerge
chmod 755 "$R/etc"
chown 0:0 "$R/etc"

# --- two of our trees on each other, as a kill between the two calls of a switch leaves them ---
em merge
change
(strace -f -b execve -qq -o /dev/null -e trace=move_mount,umount2 -e inject=umount2:signal=SIGKILL:when=4 \
	"$EXTMERGE" --root="$R" -q refresh) 2>/dev/null
is "a refresh is killed between the two calls" "$? $(awk -v p="$R/usr" '$5 == p' /proc/self/mountinfo | wc -l)" "137 2"
em status
like "status says so" "$out" "2 trees lie on each other"
em refresh
like "the next refresh says so" "$err" "interrupted"
is "and heals" "$rc $(shown) $(table "$R")" "0 $next $next 1 host tool host conf etc opt usr"
em unmerge

# --- others' mounts ---
em merge
mount -t tmpfs foreign "$R/usr"
echo foreign >"$R/usr/foreign"
change
em refresh
is "a foreign mount on top: refresh fails" "$rc" 1
like "and names it" "$err" "tmpfs 'foreign'"
is "and leaves it and the other hierarchies" "$(ls "$R/usr") $(table "$R")" "foreign etc opt usr usr"
em unmerge
is "unmerge fails as well" "$rc $(ls "$R/usr") $(table "$R")" "1 foreign etc opt usr usr"
em status
like "status names it" "$out" "tmpfs 'foreign' is mounted on top"
umount "$R/usr"
em refresh
is "without it a refresh works" "$rc $(shown)" "0 $next $next 1 host tool host conf"
em unmerge

mkdir -p "$T/peer/bin"
mount -t overlay -o "lowerdir=$T/peer:$R/usr" sysext "$R/usr"
em refresh
is "merged by systemd-sysext: refresh fails" "$rc" 1
like "and names it" "$err" "systemd-sysext"
is "and leaves it" "$(awk -v p="$R/usr" '$5 == p { print $(NF - 1) }' /proc/self/mountinfo)" sysext
em status
like "status names it" "$out" "foreign"
umount "$R/usr"

for marker in .systemd-sysext .extmerge; do
	mkdir -p "$X/one/usr/$marker" "$R/usr/$marker"
	echo fake >"$X/one/usr/$marker/dev"
done
em status
like "marker files mean nothing: nothing is merged" "$out" "Nothing is merged"
em merge
is "and one can merge" "$rc $(shown)" "0 $next $next 1 host tool host conf"
change
em refresh
is "and refresh" "$rc $(shown)" "0 $next $next 1 host tool host conf"
em unmerge
is "and unmerge" "$rc $(table "$R")" "0 "

# --- a root that is an overlay ---
old=$R
lay() { # NAME LOWER
	mkdir -p "$T/$1"/{upper,work,root,empty}
	mount -t overlay -o "lowerdir=$2,upperdir=$T/$1/upper,workdir=$T/$1/work" "$1" "$T/$1/root"
	R=$T/$1/root
}
lay live "$old"
em merge
is "the root is an overlay: merge" "$rc $(shown)" "0 $next $next 1 host tool host conf"
echo live >"$R/var/lib/extensions/one/usr/bin/one"
em refresh
is "refresh" "$rc $(cat "$R/usr/bin/one")" "0 live"
em unmerge
is "unmerge" "$rc $(table "$R")" "0 "
lay deeper "$R"
em merge --backend=overlay
is "on an overlay on an overlay, by overlayfs: an error" "$rc $(table "$R")" "1 "
like "that names the cause" "$err" "stacked overlays"
not_ok "and no directory is made" test -e "$R/opt"
umount "$T/deeper/root" "$T/live/root"
finish
