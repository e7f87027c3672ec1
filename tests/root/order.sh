#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who lies above whom: by version, by the configuration, and said everywhere (specs: order.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

# What is merged is read-only: the host's own files are written below it.
H=$T/host
mkdir "$H" && mount --bind "$R" "$H"

say() { # LINE...
	mkdir -p "$H/etc/extmerge.conf.d" && printf '%s\n' "$@" >"$H/etc/extmerge.conf.d/50.conf"
}

# All have the same file: who is uppermost is seen in it.
for name in a b c; do
	make_tree "$X/$name" $name
	echo $name >"$X/$name/usr/bin/who"
	make_conf_tree "$C/$name" $name
	echo $name >"$C/$name/etc/who"
done

seen() {
	echo "$rc: $(layers usr) ($(cat "$R/usr/bin/who")), $(layers etc) ($(cat "$R/etc/who"))"
}

# "c=version b=Order=, FILE:LINE", uppermost first
reasons() { # list|plan
	em "$1" --json=short --class=sysext
	jq -r '.extensions[] | "\(.name)=\(.order_by // .order)"' <<<"$out" | paste -sd' '
}

em refresh
is "order.3: versions decide" "$(seen)" "0: c b a (c), c b a (c)"
is "and nobody else" "$(reasons list)" "c=version b=version a=version"

say '[Extension a]' 'After=b'
is "order.6: plan shows what will be" "$(reasons plan)" "c=version a=After=b of a, /etc/extmerge.conf.d/50.conf:2 b=version"
em plan
like "for people, too" "$rc $out" '^10 .*reorder.*
   3  c   ! hides files: a \(1\)
   2  a   ! placed by After=b of a, /etc/extmerge\.conf\.d/50\.conf:2'
em refresh
is "and a refresh does it, in both classes" "$(seen)" "0: c a b (c), c a b (c)"
em status --json=short
is "order.8: status says who wanted that" "$(jq -r '.hierarchies[] | select(.path == "/usr") | .layers[] | "\(.name) \(.order) \(.order_by)"' <<<"$out")" \
	"c version null
a configuration After=b of a, /etc/extmerge.conf.d/50.conf:2
b version null"
em status
like "to people as well" "$out" 'a .*active.*placed by After=b'
em list
like "so does list" "$out" 'a .*fits.*placed by After=b'
is "and every verb shows the uppermost layer first" \
	"$(for verb in list status plan; do em "$verb" --no-legend; grep -oE '(^|keep|└─|├─|[|\`]-) *[abc] ' <<<"$out" | tr -dc abc; echo; done | paste -sd' ')" "cabcab cabcab cabcab"
em refresh
like "there is nothing to do then" "$rc $err" '^0 .*Nothing has changed'

generation=$(em status --json=short; jq .generation <<<"$out")
say '# why' '[Extension b]' 'Before=a'
em refresh
is "who says the same changes nothing" "$(em status --json=short; jq .generation <<<"$out")" "$generation"

say '[sysext]' 'Order=c a'
em refresh
is "order.5: a list of one class" "$(seen)" "0: a c b (a), c b a (c)"
is "the listed ones are placed by it" "$(reasons list)" \
	"a=Order=, /etc/extmerge.conf.d/50.conf:2 c=Order=, /etc/extmerge.conf.d/50.conf:2 b=version"
say '[Extmerge]' 'Order=c * a' '[confext]' 'Order=gone b *'
em refresh
is "with a star, and of the other class" "$(seen)" "0: a b c (a), c a b (c)"
say '[Extmerge]' 'Order=c b a' '[Extension a]' 'Before=gone' '[Extension gone]' 'Before=b'
em plan
like "order.7: what comes round by way of who is not there is a circle, too" "$rc $err" \
	'^2 .*circle: a above b \(Order=, .*50\.conf:2\), b above gone \(Before=b of gone, .*:6\), gone above a \(Before=gone of a, .*:4\)'
em refresh
is "and nothing is changed" "$rc $(cat "$R/usr/bin/who") $(layers etc)" "2 a c a b"

# Which versions there are makes no difference to names.
rm "$H/etc/extmerge.conf.d/50.conf"
make_tree "$X/b_9" b
rm -r "$X/b"
say '[Extension b]' 'After=c'
em refresh
is "a version of it is meant, too" "$rc $(layers usr)" "0 b c a"
rm "$H/etc/extmerge.conf.d/50.conf"
em refresh
is "without a configuration all is as ever" "$rc $(layers usr) $(layers etc)" "0 c b a c b a"
em unmerge
is "and is gone" "$rc $(mounts_below "$R/usr") $(mounts_below "$R/etc")" "0 0 0"
finish
