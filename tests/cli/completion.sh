#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The completion of bash: what it offers for the beginning of a command line.
# shellcheck disable=SC2154 # what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

# shellcheck source=../../completion/extmerge
. "$TESTS_DIR/../completion/extmerge"

# As bash does: the words, split at "=" too; the last one is being typed.
offered() { # WORD...
	COMP_WORDS=(extmerge "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_extmerge "$EXTMERGE" 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}

is "verbs" "$(offered ver)" verify
is "all verbs are those of the program" "$(offered '')" \
	"$("$EXTMERGE" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort | paste -sd' ')"
is "options" "$(offered --cl)" "--class="
is "an option without a value" "$(offered --strict)" "--strict"
is "options stand behind a verb too" "$(offered list --no-l)" "--no-legend"
is "every option is offered" "$(offered -- | tr ' ' '\n' | tr -d =)" \
	"$("$EXTMERGE" --help | sed -n '/^Options:/,/^$/p' | grep -oE ' --[a-z-]+' | tr -d ' ' | sort)"
is "behind a verb only its own" "$(offered pack --f) $(offered list --f)" "--format= --force="
is "words of an option" "$(offered --class =)" "confext sysext"
is "and the beginning of one" "$(offered --class = c)" confext
is "of one that may go without" "$(offered list --json = s)" short
is "behind options there still is a verb" "$(offered --class = sysext ref)" refresh
mkdir "$T/dir" && : >"$T/dir/image.raw" && mkdir "$T/dir/tree with blanks"
is "images" "$(offered verify "$T/dir/im")" "$T/dir/image.raw"
is "several of them" "$(offered verify a.raw "$T/dir/im")" "$T/dir/image.raw"
is "but one to inspect" "$(offered inspect a.raw "$T/dir/im")" ""
is "a directory to pack" "$(offered pack "$T/dir/")" "$T/dir/tree with blanks"
is "and then an image" "$(offered pack a "$T/dir/im")" "$T/dir/image.raw"
is "a file" "$(offered pack --key = "$T/dir/im")" "$T/dir/image.raw"
is "a directory as the root" "$(offered --root = "$T/dir/")" "$T/dir/tree with blanks"
make_tree "$X/webserver" webserver
cat >"$T/extmerge" <<EOF
#!/bin/sh
exec "$EXTMERGE" --root="$R" "\$@"
EOF
chmod 755 "$T/extmerge" && EXTMERGE=$T/extmerge
is "an image to run with" "$(offered run -w "$T/dir/im") $(offered run --with = "$T/dir/im")" "$T/dir/image.raw $T/dir/image.raw"
like "a command to run" " $(offered run -w a.raw -- basen) " " basename "
mkdir -p "$R/run/confexts.d/web" "$R/var/lib/extensions.d/web" "$R/etc/extensions.d/other"
is "services that have extensions" "$(EXTMERGE_ROOT=$R offered refresh --service = '')" "other web"
is "names of extensions" "$(offered why web)" webserver
is "and as the value of an option" "$(offered refresh --force = web)" webserver
is "paths" "$(offered why "$T/dir/im")" "$T/dir/image.raw"
finish
