#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line: wrong calls, help, forms of output, and what works without privilege.
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

# As root everything is done as somebody else, who can read the test's files and the program.
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T" && cp "$EXTMERGE" "$T/program"
	printf '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups %q/program "$@"\n' "$T" >"$T/extmerge"
	chmod 755 "$T/extmerge" && EXTMERGE=$T/extmerge
fi
"$EXTMERGE" --version >/dev/null 2>&1 || { skip "the command line" "the program cannot be run by an unprivileged user here"; finish; }

# --- wrong calls: status 2, a sentence, often a hint, and nothing on stdout: arguments | stderr ---
while IFS='|' read -r arguments sentence; do
	# shellcheck disable=SC2086 # several words
	em $arguments
	is "'$arguments' is refused" "$rc$out" 2
	like "'$arguments' is explained" "$err" "$sentence"
done <<'TABLE'
refesh|Unknown verb 'refesh'.*did you mean 'refresh'\?
lst|Unknown verb 'lst'.*did you mean 'list'\?
unmerg|Unknown verb 'unmerg'.*did you mean 'unmerge'\?
frobnicate|Unknown verb 'frobnicate'.*extmerge --help
--strct list|Unknown option '--strct'.*did you mean '--strict'\?
list --jsn|Unknown option '--jsn'.*did you mean '--json'\?
--frobnicate|Unknown option '--frobnicate'.*extmerge --help
-x|Unknown option '-x'
-q -vxq list|Unknown option '-x'
list --quiet=yes|'--quiet' takes no argument
--class|'--class' lacks its argument.*--class=sysext\|confext
run -w|'--with' lacks its argument.*--with=IMAGE
--strict=yes list|'--strict' takes no argument
--class=portable list|--class is sysext or confext, not 'portable'
--json=xml list|--json is pretty, short or off, not 'xml'
--json= list|--json is pretty, short or off, not ''
--trust=signd list|--trust is auto, signed, verity or any, not 'signd'.*did you mean 'signed'\?
--base=/etc:topp refresh|--base is bottom or top, perhaps with /HIERARCHY: in front, not '/etc:topp'
--mutable=/usr:ephemral refresh|not '/usr:ephemral'.*did you mean 'ephemeral'\?
--lock-wait=soon refresh|--lock-wait takes seconds, up to a day, not 'soon'
--lock-wait=-1 refresh|--lock-wait takes seconds, up to a day, not '-1'
--lock-wait=99999999999999999999 refresh|--lock-wait takes seconds
--lock-wait= refresh|--lock-wait takes seconds, up to a day, not ''
--image-policy=foo list|--image-policy takes PARTITION=FLAG\+FLAG:..., not 'foo': not of the form
--service=a/b list|--service takes a name of letters, digits and :_.@-, not 'a/b'
--pid=x refresh|--pid takes the number of a process, not 'x'
list --overwrite|'list' takes no option --overwrite.*extmerge list --help
plan --service=web|'plan' takes no option --service
--key=/k merge|'merge' takes no option --key
--all-services|'status' takes no option --all-services
--wait=soon refresh|--wait takes seconds, up to a day, not 'soon'
--writers=kill refresh|--writers is wait or cut-off, not 'kill'
list extra|'list' takes no operand
refresh a b|'refresh' takes no operand
config Trust|'config' takes no operand
why|'why' takes one PATH\|NAME
why a b|'why' takes one PATH\|NAME
inspect|'inspect' takes one IMAGE
pack|'pack' takes DIRECTORY IMAGE
pack a|'pack' takes DIRECTORY IMAGE
pack a b c|'pack' takes DIRECTORY IMAGE.*extmerge pack --help
refesh --help|Unknown verb 'refesh'
--root=/nowhere/at/all list|Cannot open the root '/nowhere/at/all': No such file
--root=/etc/passwd list|Cannot open the root '/etc/passwd': Not a directory
TABLE
em $'re\e[31mfresh\n'
like "what was typed is escaped" "$err" "Unknown verb 're\\\\x1b\[31mfresh\\\\x0a'"
not_ok "nothing of it reaches the terminal" grep -q $'\e' "$T/stderr"

# --- help and version ---
em --help
is "--help succeeds, and says nothing on stderr" "$rc$err" 0
for word in status list plan merge refresh unmerge inspect why verify pack config; do
	like "--help has $word" "$out" $'\n'"  $word +[^ ]"
done
for word in class root json strict force lock-wait no-legend no-pager quiet verbose help version; do
	like "--help has --$word" "$out" " --${word}[]=[ ]"
done
for word in 0 1 2 3 4 5 6 10; do
	like "--help has exit status $word" "$(sed -n '/^Exit status/,$p' <<<"$out" | tr '\n' ' ')" "[ ;]$word "
done
is "no line of it is wider than 80 columns" "$(awk 'length > 80' <<<"$out")" ""
help=$out
em -h
is "-h is --help" "$out" "$help"
em refresh --help
like "behind a verb it is that verb's, which is not run" "$rc$out" "^0extmerge \[OPTION\.\.\.\] refresh"
like "with options that are for it" "$out" "--all-services"
not_ok "and none that are not" grep -q -e --overwrite <<<"$out"
em run --help
not_ok "--json is none for a command" grep -q -e --json <<<"$out"
is "what a verb's options do is a sentence" "$(for verb in run pack commit refresh service-drop-in; do em $verb --help; done; grep -E '^ +(-. )?--[^ ]+ +[a-z]' <<<"$out")" ""
em --version
like "--version has name and number" "$rc $out" '^0 extmerge [0-9]+(\.[0-9]+)*[^ ]*$'

# --- without privilege: what only looks works ---
make_tree "$X/tree" tree
make_tree "$X/wrong" wrong wrong ID=fedora
make_conf_tree "$C/conf" conf
mkdir "$X/masked"
if command -v mksquashfs >/dev/null; then
	make_tree "$T/image" image && make_image squashfs "$T/image" "$X/image.raw"
else
	truncate -s 4096 "$X/image.raw" && put "$X/image.raw" 0 68737173 && put "$X/image.raw" 12 00000200 && put "$X/image.raw" 22 1100 &&
		put "$X/image.raw" 28 0400 && put "$X/image.raw" 40 0010
fi
chmod -R a+rX "$R"
look
is "list works" $rc 0
judged tree fits
judged conf fits
judged wrong wrong-id 'ID=fedora, host debian'
judged image no-privilege 'only be looked into by who may mount'
em list
like "so does its table" "$out" $'NAME +VERSION +CLASS.*\ntree +sysext +directory'
like "with a closing line" "$out" '4 found, 2 fit\.$'
em list --no-legend --no-pager --class=confext
like "--no-legend and --class" "$out" '^conf +confext +directory +unprotected +fits +/var/lib/confexts/conf *$'
em list --strict
is "--strict ends with 3" $rc 3
em plan
is "plan works, and says that something would change" $rc 10
like "what" "$out" '\+ add +tree'
em status
is "status works" "$rc $out" "0 $(printf 'Nothing is merged.\n%s' "$(tail -n +2 <<<"$out")")"
default=$out
em
is "and is what extmerge alone does" "$rc $out" "0 $default"
em why tree
like "why NAME works" "$rc $out" '^0 .*extensions/tree  fits'
em why /usr/bin/tree
like "why PATH works" "$rc $out" '^0 /usr/bin/tree  <- tree'
em why nobody
is "why of what is not there ends with 1" "$rc$out" 1
em inspect "$X/tree"
like "inspect of a directory works" "$rc $out" '^0 .*fits this host'
em inspect "$X/image.raw"
like "inspect of an image says as much as can be said" "$rc $out" '^0 .*squashfs.*content is for root to examine'
em inspect "$X/wrong"
is "inspect of what does not fit ends with 1" "$rc" 1
em inspect "$X/nobody.raw"
like "so does inspect of what is not there" "$rc $err" '^1 .*Cannot inspect .*nobody.raw.*No such file'

printf '[Extmerge]\nTrust=signed\n' >"$R/etc/extmerge.conf" && chmod 0 "$R/etc/extmerge.conf"
em list
like "config.7: a configuration that only root may read is not passed over" "$rc$out $err" \
	'^5 .*/etc/extmerge\.conf: it cannot be read: Permission denied'
em status
is "what is merged is shown all the same" "$rc" 0
rm -f "$R/etc/extmerge.conf"

# --- what changes something needs privilege ---
for verb in merge refresh unmerge; do
	out=$("$EXTMERGE" $verb 2>&1) # of this machine's root; another one may be one's own (switch.18)
	like "$verb is refused" "$?$out" '^5.*root is needed'
done
is "no lock was taken" "$(ls "$R/run")" ""

# --- JSON: one object, in all forms ---
for verb in status list plan config "why tree" "why /usr/bin/tree" "inspect $X/tree"; do
	for form in --json --json=pretty --json=short; do
		# shellcheck disable=SC2086 # a verb and its operand
		em $verb $form
		is "$verb $form has a schema" "$(jq -rs 'if length == 1 then .[0].schema else "not one object" end' <<<"$out" 2>&1)" "extmerge.${verb%% *}/1"
		[ $form != --json=short ] || is "$verb $form is one line" "$(wc -l <<<"$out")" 1
	done
done
em list --json=off
like "--json=off is a table" "$out" '^NAME'
em list --json=off --json=short
like "the last --json counts" "$out" '^\{'
finish
