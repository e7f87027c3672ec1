#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual page and the program name the same verbs, options, verdicts and exit statuses.
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

page=${SPECS_DIR:?}/../man/extmerge.8.scd
source=$SPECS_DIR/../merge

# The terms of a section's list, without marks, operands and short forms: "--json", "corrupt".
terms() { # HEADING
	sed -n "/^# $1\$/,/^# /p" "$page" | grep -E '^\*' | grep -E -A0 '^\*[^*]*\*' |
		grep -oE '^\*[^*]+\*(, \*[^*]+\*)?' | tr -d '*' | sed 's/^-., //' | sort
}

help=$("$EXTMERGE" --help)
verbs=$(sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$help" | sort)
options=$(sed -n '/^Options:/,/^$/p' <<<"$help" | grep -oE ' --[a-z-]+' | tr -d ' ' | sort)
verdicts=$(sed -n 's/.*\.word = "\([a-z-]*\)".*/\1/p' "$source/verdict.c" | sort)
forcible=$(sed -n '/\.word = /{s/.*"\(.*\)".*/\1/;h}; /\.forcible = true/{g;p}' "$source/verdict.c" | sort)
statuses=$(sed -n 's/^	EXIT_[A-Z]* = \([0-9]*\),.*/\1/p' "$source/options.h" | sort)

like "the program names its verbs" "$verbs" "refresh"
like "and its options" "$options" "--strict"
like "and its verdicts" "$verdicts" "type-conflict"
is "verbs" "$(terms VERBS)" "$verbs"
is "options" "$(terms OPTIONS)" "$options"
is "verdicts" "$(terms VERDICTS)" "$verdicts"
is "verdicts that --force overrides" \
	"$(sed -n '/^# VERDICTS$/,/^# /s/^\*\([a-z-]*\)\* (f)$/\1/p' "$page" | sort)" "$forcible"
is "exit statuses" "$(terms "EXIT STATUS")" "$statuses"
for verb in $verbs; do
	like "the synopsis has $verb" "$(sed -n '/^# SYNOPSIS$/,/^# DESC/p' "$page")" "\*$verb\*"
done

# What is printed as JSON: the keys in the code, below JSON in the page and in the clauses.
keys=$(grep -rhoE 'json_(add|append)_[a-z_]+\([^,]+, *"[a-z_]+"' "$source" | sed 's/.*"\(.*\)"/\1/' | sort -u)
like "the program names its keys of JSON" "$keys" "signature_checked_by"
described=$(sed -n '/^# JSON$/,/^# /p' "$page" | grep -oE '_[a-z_]+(\[\])?_' | tr -d '[]' | sed 's/^_\(.*\)_$/\1/' | sort -u)
is "the page has all keys" "$(comm -23 <(echo "$keys") <(echo "$described"))" ""
is "and so have the clauses" "$(comm -23 <(echo "$keys") <(grep -ohE '`[a-z_]+(\[\])?`' "$SPECS_DIR"/*.md | tr -d '`[]' | sort -u))" ""

# Of all pages: what stands directly behind an indented line is none of a list to scdoc, but within an example.
is "each term has an empty line before it" "$(awk 'FNR == 1 { before = "" } /^```/ { code = !code }
	!code && before ~ /^\t/ && /^[*_A-Za-z]/ { print FILENAME ": " $0 } { before = $0 }' "$SPECS_DIR"/../man/*.scd)" ""
is "and no mark is left over" "$(grep -nE '(^|[ (])__' "$SPECS_DIR"/../man/*.scd)" ""

# The other page: the keys of the table in settings.c.
page=$SPECS_DIR/../man/extmerge.conf.5.scd
keys=$(sed -n 's/^	\[SETTINGS_[A-Z_]*\] = { "\([A-Za-z]*\)",.*$/\1=/p' "$source/settings.c" | sort)
like "the program names its keys" "$keys" "Trust="
is "keys" "$(terms KEYS)" "$keys"
mkdir -p "$R/etc" && printf '[Extension a]\nAfter=b\n' >"$R/etc/extmerge.conf"
like "config shows them" "$(sed -n 's/^\([A-Za-z]*=\).*/\1/p' <<<"$("$EXTMERGE" --root="$R" config)" | sort -u)" "^$keys\$"
finish
