#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bad names, links, masks, choices and owners (threats 24 to 30 and 59; specs/names.md).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
make_good

# An image of a tree that brings usr/bin/NAME; its text is what was given.
image() { # FILE NAME [TEXT]
	make_tree "$T/tree-$n_images" "$2" "${3-$2}"
	make_image erofs "$T/tree-$n_images" "$T/image" && mv "$T/image" "$1"
	n_images=$((n_images + 1))
}
n_images=0
seen() { cat "$R/usr/bin/$1" 2>/dev/null || echo nothing; }

# --- what is no image, or leads out of the root ---
mkdir -p "$R"/{proc,srv,dev,etc/extensions,run/extensions}
mount --bind /proc "$R/proc"
image "$T/outside.raw" outside
mkfifo "$X/fifo.raw"
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1)' "$X/socket.raw"
mknod "$X/device.raw" c 1 5
ln -s self.raw "$X/self.raw"
ln -s b.raw "$X/a.raw"
ln -s a.raw "$X/b.raw"
ln -s nowhere.raw "$X/dangling.raw"
ln -s "$T/outside.raw" "$X/absolute.raw"
ln -s "../../../../../../../../..$T/outside.raw" "$X/climb.raw"
ln -s "/proc/self/root$T/outside.raw" "$X/magic.raw"
ln -s /proc/self/fd/0 "$X/stdin.raw"
ln -s /proc/self/cwd "$X/cwd"
ln -s "a/b" "$X/fifo.raw.raw"
mkdir "$X/lost+found"
image "$X/.hidden.raw" hidden
image "$X/.#editor.raw" editor
image "$X/other.confext.raw" other
echo text >"$X/notes.txt"
: >"$X/nothing.raw"
look
judged fifo unsupported 'is a FIFO'
judged socket unsupported 'is a socket'
judged device unsupported 'is a character device'
judged self unreadable 'leads nowhere: Too many levels'
judged a unreadable 'leads nowhere: Too many levels'
judged dangling unreadable 'leads nowhere: No such file'
judged absolute unreadable 'leads nowhere'
judged climb unreadable 'leads nowhere'
judged magic unreadable 'leads nowhere'
judged stdin unreadable 'leads nowhere'
judged cwd unreadable 'leads nowhere'
judged fifo.raw unreadable 'leads nowhere'
judged nothing empty 'empty file'
for name in hidden editor other notes lost+found outside; do
	is "$name is none of ours" "$(jq --arg n "$name" '[.extensions[] | select(.name | contains($n))] | length' <<<"$list")" 0
done
refresh_beside "FIFOs, devices and links that lead nowhere"
is "nothing else is merged" "$(layers usr)" good
umount "$R/proc"
unmerge_clean "them"
rm -rf "${X:?}"/*.raw "$X"/.[!.]* "$X/lost+found" "$X/notes.txt" "$X/cwd"

# --- spelling ---
long=$(printf '0%.0s' {1..244})
image "$X/"$'new\nline.raw' newline
image "$X/"$'esc\e]0;title\a\e[31m.raw' esc
image "$X/"$'c1\xc2\x9b.raw' c1
image "$X/"$'byte\xff.raw' byte
image "$X/_1.raw" _
image "$X/+1.raw" +
image "$X/version_1 2.raw" version
image "$X/long_1.$long.raw" long # a file name of 255 bytes
make_tree "$X/$(printf 'd%.0s' {1..255})" dir
make_tree "$X/com,ma" com,ma
make_tree "$X/co:lon" co:lon
make_tree "$X/back\\slash" "back\\slash"
make_tree "$X/per%cent%s%n" per%cent%s%n
make_tree "$X/$'quote'\"" "$'quote'\""
make_tree "$X/sp ace" "sp ace"
make_tree "$X/ümläut" ümläut
mkdir "$X/pick_1.raw.v" && touch "$X/pick_1.raw.v/pick_1.raw"
look
judged 'new\x0aline.raw' bad-name 'control characters'
judged 'esc\x1b]0;title\x07\x1b[31m.raw' bad-name 'control characters'
judged 'c1\xc2\x9b.raw' bad-name 'control characters'
judged 'byte\xff.raw' bad-name 'not UTF-8'
judged _1.raw bad-name 'no name before'
judged +1.raw bad-name 'no name before'
judged 'version_1 2.raw' bad-name 'characters that no version has'
judged pick_1.raw.v bad-name 'directory of versions'
judged long fits
judged "$(printf 'd%.0s' {1..255})" name-mismatch 'but carries extension-release.dir'
for name in com,ma co:lon 'back\slash' per%cent%s%n "$'quote'\"" 'sp ace' ümläut; do
	judged "$name" fits
done
refresh_beside "names that a terminal, a mount option or a format would obey"
is "harmless ones are merged, whatever their characters" \
	"$(seen com,ma) $(seen co:lon) $(seen 'back\slash') $(seen per%cent%s%n) $(seen ümläut)" \
	'com,ma co:lon back\slash per%cent%s%n ümläut'

# No output has a control character, in any locale; JSON is JSON, and UTF-8.
for locale in C C.UTF-8; do
	for verb in list plan status "why good" "list --json" "plan --json=short" "status --json"; do
		# shellcheck disable=SC2086 # a verb with its operands
		LC_ALL=$locale "$EXTMERGE" --root="$R" $verb >"$T/output" 2>&1
		not_ok "$verb prints no control character ($locale)" env LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$T/output"
		ok "$verb prints UTF-8 ($locale)" iconv -f UTF-8 -t UTF-16 -o /dev/null "$T/output"
		[[ $verb != *--json* ]] || ok "$verb is JSON ($locale)" jq -e .schema "$T/output"
	done
done
em refresh --force
not_ok "no message has a control character" env LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$T/stderr"
unmerge_clean "them"
rm -rf "${X:?}"/* && make_tree "$X/good" good "still here"

# --- search order, one name twice, masks ---
for place in etc/extensions run/extensions var/lib/extensions; do
	make_tree "$R/$place/first" first "$place"
done
image "$X/first_9.raw" first "a newer version in a later directory"
make_tree "$R/run/extensions/second" second run/extensions
image "$X/second.raw" second var/lib/extensions
make_tree "$X/twice" twice directory
image "$X/twice.raw" twice image
for version in 1.0 1.10 1.9 '1.10~rc1'; do
	image "$X/versions_$version.raw" versions "$version"
done
image "$X/versions_2.0_s390x.raw" versions foreign
image "$X/foreign_1_s390x.raw" foreign
mkdir "$R/etc/extensions/emptied"
make_tree "$X/emptied" emptied
ln -s /dev/null "$R/run/extensions/nulled.raw" # there is no /dev/null below --root
image "$X/nulled_3.raw" nulled
mknod "$R/run/extensions/noded.raw" c 1 3
make_tree "$X/noded" noded
mkdir "$X/here" && image "$X/here_1.raw" here
look
is "the first search directory wins" "$(jq -r '.extensions[] | select(.name == "first" and .state == "fits").path' <<<"$list")" /etc/extensions/first
is "the others are shadowed" "$(verdict first | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' ')" " 1 fits 3 shadowed "
judged emptied masked 'by /etc/extensions/emptied'
judged nulled masked 'by /run/extensions/nulled.raw'
judged noded masked 'by /run/extensions/noded.raw'
judged here masked 'by /var/lib/extensions/here'
judged foreign other-architecture 'its name says s390x'
refresh_beside "masks and duplicates"
is "what is merged" "$(layers usr)" "versions twice second good first"
is "of each the right one" "$(seen first) $(seen second) $(seen twice) $(seen versions)" "etc/extensions run/extensions image 1.10"
em status --json
is "what is masked is in status" "$(jq -r '.hierarchies[] | select(.path == "/usr").skipped[] | select(.reason.code == "masked").name' <<<"$out" | sort | paste -sd' ')" "emptied here noded nulled"
unmerge_clean "them"
rm -rf "${X:?}"/* "$R"/{etc,run}/extensions && make_tree "$X/good" good "still here"

# --- directories of versions ---
mkdir -p "$X"/{pick,tries,used,big,foreign,empty}.raw.v "$X"/{tree,mixed}.v "$X/double.raw.v"
for file in pick.raw.v/pick_{1.0,2.0,3.0_s390x,9.0+0-3} tries.raw.v/tries_1.0+{3,2-1,3-2} used.raw.v/used_5+0 \
	big.raw.v/big_{1+99999999999,1+1-99999999999} foreign.raw.v/foreign_1_s390x double.raw.v/double_1_x86-64_x86-64 \
	pick.raw.v/stranger_99; do
	name=${file##*/}
	image "$X/$file.raw" "${name%%_*}" "$name"
done
touch "$X/pick.raw.v/"$'pick_99\n.raw' "$X/pick.raw.v/pick_100.img"
ln -s nowhere "$X/pick.raw.v/pick_98.raw"
mkdir "$X/pick.raw.v/pick_97.raw"
make_tree "$X/tree.v/tree_1" tree tree_1
make_tree "$X/tree.v/tree_2" tree tree_2
touch "$X/mixed.v/mixed_1.raw"
refresh_beside "directories of versions"
is "the best version is picked" "$(seen pick) $(seen tries) $(seen used) $(seen tree)" "pick_2.0 tries_1.0+3 used_5+0 tree_2"
is "a number that overflows is no counter" "$(seen big)" big_1+99999999999
is "of two architectures in a name only the last counts" \
	"$("$EXTMERGE" --root="$R" list --json | jq -r '.extensions[] | select(.name == "double").version')" 1_x86-64
is "no candidate is no extension" "$(verdict foreign)$(verdict empty)$(verdict mixed)" ""
unmerge_clean "them"
rm -rf "${X:?}"/* && make_tree "$X/good" good "still here"

# --- a block device; who may write ---
image "$T/block.img" block
device=$(losetup -f --show -r "$T/block.img")
mknod "$R/dev/disk" b $((0x$(stat -c %t "$device"))) $((0x$(stat -c %T "$device")))
ln -s /dev/disk "$X/block.raw"
image "$X/file-0666.raw" file-0666 && chmod 0666 "$X/file-0666.raw"
make_tree "$X/dir-0777" dir-0777 && chmod 0777 "$X/dir-0777"
mkdir -m 0777 "$R/srv/open" && image "$R/srv/open/parent.raw" parent && ln -s /srv/open/parent.raw "$X/parent.raw"
mkdir -m 1777 "$R/srv/sticky" && image "$R/srv/sticky/sticky.raw" sticky && ln -s /srv/sticky/sticky.raw "$X/sticky.raw"
make_tree "$X/owned" owned && chown 12345 "$X/owned"
mkdir -m 0777 "$R/run/extensions" && make_tree "$R/run/extensions/search" search
look
judged block fits
is "and it is a block device" "$(jq -r '.extensions[] | select(.name == "block").kind' <<<"$list")" block
judged file-0666 unsafe-path 'can be written by everybody \(mode 0666\)'
judged dir-0777 unsafe-path 'mode 0777'
judged parent unsafe-path '/srv/open can be written by everybody'
judged search unsafe-path '/run/extensions can be written by everybody'
judged sticky fits
judged owned fits 'owned belongs to user 12345'
refresh_beside "images that others can write" --force
is "force does not override that" "$(layers usr)" "sticky owned good block"
like "a foreign owner is warned of" "$err" 'owned belongs to user 12345'
is "the block device's files are seen" "$(seen block)" block
em unmerge
ok "the loop device was ours to detach, not extmerge's" losetup -d "$device"
unmerge_clean "them"

# --- discover.misnamed ---
rm -rf "${X:?}"/* "$R/run/extensions"
for name in one.img two_1.sqfs three.RAW four.raw.xz good.raw.xz good.img.d; do echo x >"$X/$name"; done
for name in a.verity a.roothash a.roothash.p7s a.raw.sha256 notes.txt .five.img; do echo x >"$X/$name"; done
mkdir "$X/six.img" && echo x >"$X/six.img/x" && ln -s one.img "$X/seven.img"
make_tree "$T/good.tree" good && make_image erofs "$T/good.tree" "$X/good.raw"
passed_over="four.raw.xz=unpacked, four.raw one.img=one.raw three.RAW=three.raw two_1.sqfs=two_1.raw"
passed_over() { sed -nE 's|^Note: /var/lib/extensions/(.*) is passed over: (unpacked, )?it has to be called (.*)$|\1=\2\3|p' <<<"$1" | sort | paste -sd' '; }
for verb in list plan refresh; do
	em $verb
	is "$verb says what files would have to be called" "$(passed_over "$err")" "$passed_over"
done
em refresh
is "a refresh that changes nothing does not" "$rc $(passed_over "$err")" "0 "
em list --json=short
is "JSON has them" "$(passed_over "$(jq -r '.notes[] | "Note: " + .' <<<"$out")")" "$passed_over"
rm "$X/good.raw"
em refresh
like "what is packed counts where nobody has unpacked it" "$err" 'good\.raw\.xz is passed over'
em unmerge
rm -rf "${X:?}"/*
make_good

# --- a search directory that is none ---
rm -rf "$R"/{etc,run}/extensions
mkfifo "$R/etc/extensions"
ln -s extensions "$R/run/extensions"
refresh_beside "search directories that are a FIFO and a link to itself"
like "they are named" "$err" "Cannot search '/etc/extensions': Not a directory.*Cannot search '/run/extensions': Too many"
unmerge_clean "them"
finish
