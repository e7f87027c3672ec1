#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The route from end to end: merge, change, unmerge, with every kind of source.
. "${TESTS_DIR:?}/lib.sh"
begin

make_tree "$X/one" one 1
make_tree "$T/two" two 1
make_image erofs "$T/two" "$X/two_1.0.raw"
make_tree "$T/three" three 1
make_image squashfs "$T/three" "$X/three.raw"
make_conf_tree "$C/conf" conf 1
before=$(mounts_below "$R")

em plan
is "plan says that a refresh would change something" $rc 10
em merge
is "merge succeeds" $rc 0
is "the layers are in the order of their names, the newest name on top" "$(layers usr)" "two three one"
is "every layer is seen" "$(cat "$R"/usr/bin/{one,two,three} "$R/etc/conf.conf" | paste -sd' ')" "1 1 1 1"
is "the host's own files are seen" "$(cat "$R/usr/bin/host-tool" "$R/etc/host.conf")" $'host tool\nhost conf'
is "a hierarchy that nobody extends is left alone" "$(mounts_below "$R/opt")" 0
em merge
is "merge refuses where something is merged" $rc 1
like "and says what to do" "$err" "extmerge refresh"
em refresh
like "a refresh with nothing new does nothing" "$err" "Nothing has changed"
make_tree "$X/one" one 2
em plan
is "a changed directory is noticed" $rc 10
em refresh
is "and merged" "$(cat "$R/usr/bin/one")" 2
is "the hierarchy of the other class was not switched" \
	"$("$EXTMERGE" --root="$R" status --json | jq '[.hierarchies[].generation] | @csv' -r)" "1,2,0"
rm "$X/three.raw"
em refresh
is "what is gone is taken away" "$(layers usr)" "two one"
em unmerge
is "unmerge succeeds" $rc 0
is "nothing is merged" "$(mounts_below "$R")" "$before"
not_ok "its files are gone" test -e "$R/usr/bin/one"
is "no loop device is left" "$(loops_below "$T")" 0
# record.2: a hierarchy that was kept does not make the next refresh look at everything again.
make_tree "$X/in-opt" in-opt && mkdir "$X/in-opt/opt" && echo 1 >"$X/in-opt/opt/in-opt"
make_tree "$X/in-usr" in-usr
em refresh
echo 2 >"$X/in-usr/usr/bin/in-usr"
em refresh
like "one of two hierarchies is switched" "$err" "/usr .*over"
em refresh
like "and then nothing has changed for either" "$err" "Nothing has changed"
em unmerge

# json.plan: what a run that changes something prints is what is merged then, and nothing that it did not look into fits for that.
rm -r "${X:?}"/* "${C:?}"/*
make_tree "$X/good" good && make_tree "$X/bad" bad bad ID=fedora
told() {
	jq -r '[.changed, .generation, .pending] + [.extensions[] | .name, (.reason.code // .state)] | join(" ")' <<<"$out"
}
em --json refresh
is "a refresh in JSON" "$(told)" "true 1 false good fits bad wrong-id"
em --json refresh
is "and one that finds nothing new" "$(told)" "false 1 false good fits bad wrong-id"
make_conf_tree "$C/conf" conf
em --json refresh
is "one of the other class" "$(told)" "true 2 false conf fits good fits bad wrong-id"
em --json --class=sysext unmerge
is "one class is taken away" "$(told)" "true 2 false"
em --json unmerge
is "and the other" "$(told)" "true 0 false"
em --json unmerge
is "and nothing" "$(told)" "false 0 false"
em --json discard
is "one object is printed where nothing can be discarded" "$rc $(told)" "0 false 0 false"
# Relative names are the caller's, whatever is merged: also those of files in what is merged.
make_tree "$T/near" near && make_image erofs "$T/near" "$T/near.raw"
cp "$T/near.raw" "$X/good/usr/bin/inner.raw"
em --quiet refresh
like "an image beside the caller is found" "$(cd "$T" && em inspect near.raw; echo "$rc $out")" "^0 near.raw.*fits this host"
like "to verify it, too" "$(cd "$T" && em verify near.raw; echo "$rc $err")" "^4 .*carries nothing"
like "a file in a merged tree" "$(cd "$R/usr/bin" && em verify inner.raw; echo "$rc $err")" "^4 .*inner.raw: it carries nothing"
em --quiet unmerge
# What to do next is said so that it can be done.
em plan
like "a plan says how to apply it, and the hint has the name" "$out" "--force=bad.*Apply: extmerge refresh --root=$R"$
em plan --class=confext
like "for a class" "$out" "refresh --root=$R --class=confext"$
em plan --trust=any
like "and with options" "$out" "refresh --root=$R, with the same options"$
em refresh
em why good
is "where it is merged" "$out" "/var/lib/extensions/good  fits
  merged into /usr, generation 1"
em refresh --backend="$([ "$STACK" = auto ] && echo fuse || echo overlay)" --class=sysext
em status
like "what does not stay is no change of extensions" "$(tail -n 1 <<<"$out")" "^A refresh would change something; .* --root=$R"$
em unmerge
rm -r "${X:?}"/* "${C:?}"/*
em list
like "an empty host says where it was looked" "$rc $out" "^0 No extensions found.*/run/confexts .*/var/lib/extensions "
em refresh
like "and a refresh who says so" "$rc $err" "^0 No extensions found.*hint: extmerge list"
finish
