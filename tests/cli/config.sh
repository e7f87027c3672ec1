#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The configuration on the command line: what is shown, what is refused, who has the last word (specs: config.*). What files say
# together is in specs/config.tsv.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

# "signed /etc/extmerge.conf:2"
in_force() { # CLASS KEY [OPTION...]
	local class=$1 key=$2
	shift 2
	em config --json=short "$@"
	jq -r --arg c "$class" --arg k "$key" '.settings[] | select(.class == $c and .hierarchy == null and .key == $k) | .value + " " +
		(if .path then "\(.path):\(.line)" else .source end)' <<<"$out"
}

say() { # PATH LINE...
	local path=$R/$1
	shift
	mkdir -p "${path%/*}" && printf '%s\n' "$@" >"$path"
}

# --- nothing ---
em config
is "config works without a file" "$rc $err" "0 "
like "it says so" "$out" '^# There is no configuration file\.'
like "and shows defaults" "$out" $'\n\\[sysext\\]\nTrust=auto  # default\nImagePolicy=root=verity[^ ]*  # default\nCertificateValidity=ignore  # default\nOrder=  # default'
if LD_DEBUG=files "$EXTMERGE" --root="$R" config 2>&1 >/dev/null | grep -q libmount; then
	is "and loads no library for it" "$(LD_DEBUG=files "$EXTMERGE" --root="$R" list 2>&1 >/dev/null | grep -c libeconf)" 0
	say etc/extmerge.conf '[Extmerge]'
	is "nor for a file without keys" "$(LD_DEBUG=files "$EXTMERGE" --root="$R" list 2>&1 >/dev/null | grep -c libeconf)" 0
	say etc/extmerge.conf '[Extmerge]' 'Trust=auto'
	like "but for one with" "$(LD_DEBUG=files "$EXTMERGE" --root="$R" list 2>&1 >/dev/null)" libeconf
else
	skip "when libeconf is loaded" "this C library does not say what it loads"
fi

# --- what is in force ---
say usr/lib/extmerge.conf '[Extmerge]' 'Trust=verity' 'ImagePolicy=usr=absent : root=signed+verity' '[sysext]' 'Trust=any'
say etc/extmerge.conf.d/50-site.conf '[confext]' '# why' 'Trust=signed'
ln -sf /dev/null "$R/etc/extmerge.conf.d/60-vendor.conf"
rm -f "$R/etc/extmerge.conf"
is "a class has its own" "$(in_force sysext Trust)" "any /usr/lib/extmerge.conf:5"
is "a drop-in has the last word" "$(in_force confext Trust)" "signed /etc/extmerge.conf.d/50-site.conf:3"
is "a policy is shown as it is understood" "$(in_force confext ImagePolicy)" "root=verity+signed:usr=absent /usr/lib/extmerge.conf:3"
em config --json=short
is "files are listed, masks too" "$(jq -c '.files | map([.path, .mask])' <<<"$out")" \
	'[["/usr/lib/extmerge.conf",false],["/etc/extmerge.conf.d/50-site.conf",false],["/etc/extmerge.conf.d/60-vendor.conf",true]]'
is "there is nothing to warn about" "$(jq -c '[.schema, .warnings]' <<<"$out")" '["extmerge.config/1",[]]'
em config --class=confext
like "the table names the files" "$out" '^# Files, the last one says most:
#   /usr/lib/extmerge.conf
#   /etc/extmerge.conf.d/50-site.conf
#   /etc/extmerge.conf.d/60-vendor.conf  \(mask\)

\[confext\]
Trust=signed  # /etc/extmerge.conf.d/50-site.conf:3
ImagePolicy=root=verity\+signed:usr=absent  # /usr/lib/extmerge.conf:3
CertificateValidity=ignore  # default
Order=  # default
Hooks=yes  # default
Mutable=no  # default
Base=bottom  # default
EphemeralSize=10%  # default
Backend=auto  # default
NoExec=auto  # default
Grafts=0  # default

\[Hierarchy /etc\]
Class=confext  # default
Mutable=no  # default
Base=bottom  # default
EphemeralSize=10%  # default
Backend=auto  # default
NoExec=auto  # default
Grafts=0  # default$'
em config --no-legend
is "--no-legend leaves them out" "$(grep -c '^#' <<<"$out")" 0
values=$(sed 's/  #.*//' <<<"$out")
printf '%s\n' "$out" >"$R/etc/extmerge.conf.d/99.conf"
em config --no-legend
is "what is shown can be put into a file, and says the same" "$(sed 's/  #.*//' <<<"$out")" "$values"
rm "$R/etc/extmerge.conf.d/99.conf"

em config --json=short
is "config.13: hierarchies are shown" "$(jq -r '.settings[] | select(.hierarchy and .key == "Class") | .hierarchy + " " + .value' <<<"$out" | paste -sd' ')" \
	"/etc confext /usr sysext /opt sysext"

# --- order.7: what contradicts itself ---
say etc/extmerge.conf.d/70-order.conf '[sysext]' 'Order=lower * upper' '[Extension upper]' 'Before=middle' '[Extension middle]' 'Before=lower'
for verb in config list plan "why /usr/bin/host-tool"; do
	# shellcheck disable=SC2086 # a verb and its operand
	em $verb
	is "order.7: ${verb%% *} is refused" "$rc$out" 2
	is "the circle is named" "$(grep error: <<<"$err")" "extmerge: error: The order of extensions goes round in a circle:\
 lower above middle (Before=lower of middle, /etc/extmerge.conf.d/70-order.conf:6),\
 middle above upper (Before=middle of upper, /etc/extmerge.conf.d/70-order.conf:4),\
 upper above lower (Order=, /etc/extmerge.conf.d/70-order.conf:2)"
done
say etc/extmerge.conf.d/70-order.conf '[Extmerge]' 'Order=lower * upper' '[Extension middle]' 'After=lower'
em config
like "an order is shown" "$rc $out" $'^0 .*\nOrder=lower \\* upper  # /etc/extmerge.conf.d/70-order.conf:2\n'
like "extensions have sections of their own" "$out" $'\n\\[Extension middle\\]\nBefore=  # default\nAfter=lower  # /etc/extmerge.conf.d/70-order.conf:4$'
em config --json=short
is "and items in JSON" "$(jq -c '.settings[] | select(.extension and .path) | [.class, .hierarchy, .extension, .key, .value]' <<<"$out")" \
	'[null,null,"middle","After","lower"]'
absent() { # names that are told of, as WORD or WORD=MEANT
	sed -nE "s/.*: the order speaks of ([a-z]*), which is not there \(.*\.conf:[0-9]+\)(; did you mean '(.*)'\?)?$/\1=\3/p" <<<"$1" | sed 's/=$//' | sort | paste -sd' '
}
for verb in list plan; do
	em $verb
	is "order.9: $verb names those that are not there" "$rc $(absent "$err")" "0 lower middle upper"
	is "with who says so" "$(grep middle <<<"$err")" "Note: the order speaks of middle, which is not there (After=lower of middle, /etc/extmerge.conf.d/70-order.conf:4)"
done
em list --json=short
is "in JSON, too, and then to nobody else" "$rc$err $(absent "$(jq -r '.notes[] | "Note: " + .' <<<"$out")")" "0 lower middle upper"
em list -q
is "not to who wants quiet" "$rc$err" 0
em list --class=sysext
is "and not where the other class, which may have them, is left out" "$rc$err" 0
make_conf_tree "$C/midle" midle
make_tree "$X/lower" lower
em list
is "one that is there is not told, and one that may be meant is" "$(absent "$err")" "middle=midle upper"
rm -r "$C/midle" "$X/lower"
rm "$R/etc/extmerge.conf.d/70-order.conf"

# --- config.9 ---
is "--trust replaces it for both" "$(in_force sysext Trust --trust=signed) $(in_force confext Trust --trust=auto)" \
	"signed command-line auto command-line"
is "--image-policy, too" "$(in_force sysext ImagePolicy --image-policy='*')" "* command-line"
is "and nothing else" "$(in_force sysext Trust --image-policy='*')" "any /usr/lib/extmerge.conf:5"

# --- config.8 ---
say etc/extmerge.conf.d/50-site.conf '[Extmerge]' 'Trsut=signed' '[Confext]' 'Trust=signed'
em config
is "what is not known is no error" "$rc" 0
like "a key is named, with the nearest one" "$err" "warning: /etc/extmerge\.conf\.d/50-site\.conf:2: Trsut= is ignored, .*did you mean 'Trust'\?"
like "a section, too" "$err" "50-site\.conf:4: Trust= is ignored, as there is no section \[Confext\]; did you mean 'confext'\?"
em config --json=short
is "and both in JSON" "$(jq '.warnings | length' <<<"$out")" 2
em list
like "other verbs warn as well" "$err" "Trsut= is ignored"

# --- config.7: nothing is done by a file that cannot be used ---
say etc/extmerge.conf.d/50-site.conf '[Extmerge]' 'Trust=sogned' 'ImagePolicy=root=maybe'
for verb in config list plan "why /usr/bin/host-tool" "inspect $R"; do
	# shellcheck disable=SC2086 # a verb and its operand
	em $verb
	is "${verb%% *} is refused" "$rc$out" 2
	like "with all that is wrong" "$err" "error: /etc/extmerge\.conf\.d/50-site\.conf:2: Trust=sogned is not auto, signed, verity or any
.*50-site\.conf:3: ImagePolicy=root=maybe is not PARTITION=FLAG\+FLAG:.*unknown flag
  hint: .*extmerge\.conf\(5\)"
done
em config --trust=signed --image-policy='~'
is "also where the command line says it otherwise" "$rc$out" 2
em status
like "status shows what is merged all the same" "$rc $out" '^0 Nothing is merged'
say etc/extmerge.conf.d/50-site.conf $'[Extmerge]\nTrust=\e[31msigned'
em config
is "nothing of it reaches the terminal" "$rc $(grep -c $'\e' "$T/stderr")" "2 0"
say etc/extmerge.conf.d/50-site.conf '[Extmerge]' 'Trust=signed'
chmod 666 "$R/etc/extmerge.conf.d/50-site.conf"
em list
like "a file that everybody may write is refused" "$rc $err" '^2 .*50-site\.conf: it can be written by everybody'
rm "$R/etc/extmerge.conf.d/50-site.conf"
em list
is "without it all is well" "$rc" 0
finish
