#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What README.md says to type works, as it stands there.
# shellcheck disable=SC2154 # what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

readme=$TESTS_DIR/../README.md
for program in mkfs.erofs openssl; do
	command -v "$program" >/dev/null || { skip "the commands of README.md" "$program is not installed"; finish; }
done

# As root of a host that is below $R: its paths are the only absolute ones.
mkdir "$T/bin" "$T/work"
cat >"$T/bin/sudo" <<END
#!/bin/sh
n=\$#
for word; do
	case \$word in /*) word=$R\$word ;; esac
	set -- "\$@" "\$word"
done
shift \$n
exec "\$@"
END
printf '#!/bin/sh\nexec %q --root=%q "$@"\n' "$EXTMERGE" "$R" >"$T/bin/extmerge"
printf '#!/bin/sh\nexec sh %q\n' "$R/usr/bin/hello" >"$T/bin/hello"
chmod 755 "$T"/bin/*

# The lines of the code blocks of a section.
# shellcheck disable=SC2016 # back quotes are those of Markdown
block() { # HEADING
	sed -n "/^## $1\$/,/^## /p" "$readme" | sed -n '/^```$/,/^```$/p' | grep -v '^```$'
}

commands=$(block "An extension")
like "there are commands" "$commands" "mkfs.erofs .*extmerge refresh.*extmerge pack "
out=$(cd "$T/work" && printf 'set -e\n%s\n' "$commands" >"$T/commands" && PATH=$T/bin:$PATH sh "$T/commands" 2>&1)
rc=$?
ok "all of them succeed" test $rc = 0 || printf '%s\n' "$out" | sed 's/^/# /'
like "the extension is seen, and taken away" "$out" $'\n'"hello"$'\n'".*/usr  unmerged"
like "and the signed image is verified" "$out" 'hello.raw  signed by "My tools"'
finish
