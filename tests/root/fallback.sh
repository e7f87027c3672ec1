#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens to the good when something is bad: another version takes the place of one that does not fit
# (discover.fallback), and what is merged is not lost to a source that cannot be read (switch.13).
. "${TESTS_DIR:?}/lib.sh"
begin

make_tree "$T/old" player old
make_tree "$T/new" player new
make_image erofs "$T/old" "$X/player_1.4.raw"
make_image erofs "$T/new" "$X/player_1.5.raw"
em refresh
is "the newest version is merged" "$(cat "$R/usr/bin/player")" new
is "the other one is shadowed" "$(verdict player)" "fits shadowed"

head -c 3000 /dev/urandom >"$X/player_1.6.raw"
em refresh
is "a corrupt newer version does not take the place of a good one" "$(cat "$R/usr/bin/player")" new
like "and is named" "$err" "player_1.6.raw skipped: unknown-format"
is "each has its verdict" "$(verdict player)" "unknown-format fits shadowed"
em refresh
like "the same again is nothing new" "$err" "Nothing"

make_tree "$T/other" player other ID=fedora
make_image erofs "$T/other" "$X/player_1.5.raw"
em refresh
is "a version for another host gives way to the one before" "$(cat "$R/usr/bin/player")" old
is "verdicts of all three" "$(verdict player)" "unknown-format wrong-id fits"
rm "$X"/player_1.4.raw
em refresh
is "where none fits, none is merged" "$(verdict player)" "unknown-format wrong-id"
not_ok "and its files are gone" test -e "$R/usr/bin/player"
rm "$X"/player_*

mkdir "$X/player.raw.v"
make_image squashfs "$T/old" "$X/player.raw.v/player_1.raw"
make_image squashfs "$T/new" "$X/player.raw.v/player_2.raw"
head -c 3000 /dev/urandom >"$X/player.raw.v/player_3.raw"
em refresh
is "in a directory of versions as well" "$(cat "$R/usr/bin/player")" new
rm "$X/player.raw.v/player_2.raw"
em refresh
is "down to the last that is good" "$(cat "$R/usr/bin/player")" old

mkdir -p "$R/etc/extensions"
head -c 3000 /dev/urandom >"$R/etc/extensions/player.raw"
em plan
is "an image in an earlier directory shadows all versions in a later one, also if it is bad" \
	"$(verdict player)" "shadowed shadowed unknown-format"
rm -r "$R/etc/extensions"

# A merged directory whose files cannot be read any more: a loop of links is as good as a dead disk.
make_tree "$T/shelf/tool" tool 1
ln -s ../../../../shelf "$T/shelf-link"
mkdir -p "$R/run/extensions"
cp -a "$T/shelf/tool" "$R/run/extensions/"
em refresh
is "a tool is merged from /run/extensions" "$(cat "$R/usr/bin/tool")" 1
mv "$R/run/extensions" "$R/run/aside"
ln -s extensions "$R/run/extensions"
make_tree "$X/another" another
em refresh
is "a search directory that cannot be read stops the refresh if something is merged from it" $rc 1
like "with a reason" "$err" "tool is merged, and its source /run/extensions/tool cannot be read"
is "what is merged stays" "$(cat "$R/usr/bin/tool")" 1
not_ok "nothing else was changed" test -e "$R/usr/bin/another"
rm "$R/run/extensions"
em refresh
is "a search directory that is gone takes its extensions away" $rc 0
not_ok "as asked for" test -e "$R/usr/bin/tool"
ok "the good one beside it is merged now" test -e "$R/usr/bin/another"
finish
