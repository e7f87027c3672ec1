#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Release files: broken ones, other hosts' ones, and what --force overrides (threats 20, 31, 32; specs/match.md).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
make_good
echo "x" >"$R/secret"

# A directory extension, without its release file; $release is where that goes.
tree() { # NAME
	make_tree "$X/$1" "$1"
	release=$X/$1/usr/lib/extension-release.d/extension-release.$1
	rm "$release"
}

# --- the file itself ---
tree missing
tree no-directory && rm -r "${release%/*}"
tree empty && : >"$release"
tree comments && printf '# ID=_any\n\n' >"$release"
tree fifo && mkfifo "$release"
tree directory && mkdir "$release"
tree device && mknod "$release" c 1 5
tree absolute && ln -s /secret "$release" # within the tree there is no such file
tree climbing && ln -s ../../../../../../../../../../../../secret "$release"
tree to-host && ln -s /usr/lib/os-release "$release"
tree loop && ln -s "${release##*/}" "$release"
tree magic && ln -s /proc/self/environ "$release"
tree inside && mkdir "$X/inside/usr/share" && echo ID=_any >"$X/inside/usr/share/real" && ln -s /usr/share/real "$release"
tree large && { echo ID=_any; head -c 65536 /dev/zero | tr '\0' '#'; } >"$release"
tree endless && truncate -s 1G "$release"
tree just && { echo ID=_any; head -c 65527 /dev/zero | tr '\0' '#'; } >"$release"
tree no-newline && printf 'ID=_any' >"$release"
tree crlf && printf 'ID=debian\r\nVERSION_ID="12"\r\n' >"$release"
tree nul && printf 'ID=_any\0\n' >"$release"
tree command && printf 'ID=$(touch %s/executed)`touch %s/executed`\n' "$T" "$T" >"$release"
tree statement && printf 'ID=_any\ntouch %s/executed\n' "$T" >"$release"
tree quote && printf 'ID="_any\n' >"$release"
tree escape && printf 'ID="\033[31m_any"\n' >"$release"
tree last && printf 'ID=fedora\nID=_any\n' >"$release"
tree other && echo ID=_any >"$X/other/usr/lib/extension-release.d/extension-release.sshd"
tree decoy && echo ID=_any >"$X/decoy/usr/lib/extension-release.d/release.decoy"
make_tree "$T/renamed" original && make_image erofs "$T/renamed" "$X/renamed.raw"
make_tree "$T/versioned" versioned && make_image erofs "$T/versioned" "$X/versioned_1.2.raw"
make_tree "$T/exact" exact_1.2 && make_image erofs "$T/exact" "$X/exact_1.2.raw"
make_tree "$T/older" older_1.1 && make_image erofs "$T/older" "$X/older_1.2.raw"
tree relaxed && release=$X/relaxed/usr/lib/extension-release.d/extension-release.anything && echo ID=_any >"$release"
if setfattr -n user.extension-release.strict -v 0 "$release" 2>/dev/null; then
	cp -a --preserve=xattr "$X/relaxed" "$X/two" && cp -a --preserve=xattr "$X/two/usr/lib/extension-release.d/extension-release."{anything,else}
	cp -a --preserve=xattr "$X/relaxed" "$X/strict" && setfattr -n user.extension-release.strict -v 1 "$X/strict/usr/lib/extension-release.d"/*
	make_image erofs "$X/relaxed" "$X/image-relaxed.raw"
else
	skip "a relaxed release file" "no attributes on this tmpfs"
fi

# $out of every case: the names, the word, and the sentence.
check_table() {
	local names name word sentence

	while IFS='|' read -r names word sentence; do
		for name in $names; do
			[ -z "$(find "$X" -maxdepth 1 -name "$name*" -print -quit)" ] || judged "$name" "$word" "$sentence"
		done
	done
}
look
check_table <<'TABLE'
missing no-directory decoy|no-release|it has no /usr/lib/extension-release.d/extension-release.
empty comments|no-release|has no assignment
fifo directory device|bad-release|is no regular file
absolute climbing loop magic to-host|bad-release|extension-release
inside just no-newline crlf last versioned exact relaxed image-relaxed|fits|
large endless|bad-release|longer than 64 KiB
nul|bad-release|line 1: a NUL byte
command|wrong-id|ID=.\(touch
statement|bad-release|line 2: not an assignment
quote|bad-release|line 1: a quote is not closed
escape|bad-release|line 1: a control character
other|name-mismatch|the image is named "other" but carries extension-release.sshd
renamed|name-mismatch|the image is named "renamed" but carries extension-release.original
older|name-mismatch|the image is named "older_1.2" but carries extension-release.older_1.1
strict|name-mismatch|carries extension-release.anything
two|ambiguous|more than one file
TABLE
refresh_beside "broken release files"
not_ok "no release file is executed" test -e "$T/executed"
unmerge_clean "them"
rm -rf "${X:?}"/* && make_tree "$X/good" good "still here"

# --- files for other hosts: name | lines ---
cases() {
	while IFS='|' read -r name lines; do
		tree "$name" && tr ' ' '\n' <<<"${lines//_BLANK_/$'\v'}" | tr '\v' ' ' >"$release"
	done
}
cases <<'TABLE'
id|ID=fedora VERSION_ID=12
no-id|VERSION_ID=12
version|ID=debian VERSION_ID=13
no-version|ID=debian
both|ID=debian VERSION_ID=12
any|ID=_any VERSION_ID=99 SYSEXT_LEVEL=99
like|ID=linux VERSION_ID=12
level|ID=debian SYSEXT_LEVEL=1
level-version|ID=debian SYSEXT_LEVEL=1 VERSION_ID=12
arch|ID=_any ARCHITECTURE=s390x
arch-any|ID=_any ARCHITECTURE=_any
arch-native|ID=_any ARCHITECTURE=native
scope|ID=_any SYSEXT_SCOPE=initrd
scope-none|ID=_any SYSEXT_SCOPE=
scope-both|ID=_any SYSEXT_SCOPE="initrd_BLANK_system"
confext|ID=_any CONFEXT_SCOPE=initrd
TABLE
architecture=$("$EXTMERGE" --root="$R" list --json | jq -r '.extensions[] | select(.name == "arch").reason.text' | sed 's/.*host //')
case_sentences='both any like level-version arch-any scope-both confext|fits|
id|wrong-id|: ID=fedora, host debian$
no-id|wrong-id|: no ID=, host debian$
version|wrong-version|: VERSION_ID=13, host 12$
no-version level|wrong-version|: no VERSION_ID=, host 12$
arch|other-architecture|: ARCHITECTURE=s390x, host
arch-native|other-architecture|: ARCHITECTURE=native, host
scope|wrong-scope|: SYSEXT_SCOPE="initrd", host system$
scope-none|wrong-scope|: SYSEXT_SCOPE="", host system$'
look
check_table <<<"$case_sentences"
like "the architecture is named" "$architecture" '^[a-z0-9-]+$'
refresh_beside "extensions for other hosts"
is "those that fit are merged" "$(layers usr)" "scope-both like level-version good confext both arch-any any"

em unmerge
echo 'SYSEXT_LEVEL=2' >>"$R/usr/lib/os-release"
look
judged level wrong-level ': SYSEXT_LEVEL=1, host 2$'
judged both fits
judged any fits

# --force: all, or one by its name; what was overridden stays known.
em refresh --force=id --force=scope
is "--force=NAME merges that one" "$rc $(layers usr)" "0 scope-both scope like id good confext both arch-any any"
like "and says what it overrides" "$err" 'extensions/id: forced, although ID=fedora, host debian'
em status --json
is "the record says so, too" "$(jq -r '.hierarchies[].layers[] | select(.name == "id").note' <<<"$out")" "ID=fedora, host debian"
em refresh
is "the next run without it takes them away" "$rc $(layers usr)" "0 scope-both like good confext both arch-any any"
em refresh --force
is "--force merges all" "$rc $(layers usr | wc -w)" "0 17"
unmerge_clean "them"

# Safety is not overridden.
tree whiteout && echo ID=fedora >"$release" && mknod "$X/whiteout/usr/bin/host-tool" c 0 0
tree os-release && echo ID=fedora >"$release" && touch "$X/os-release/usr/lib/os-release"
tree syntax && echo "ID=fedora'" >"$release"
look --force
judged whiteout whiteout
judged os-release os-release
judged syntax bad-release
judged id fits 'ID=fedora, host debian'
refresh_beside "what is unsafe" --force=whiteout --force=os-release --force=syntax
not_ok "nothing unsafe is merged" grep -qwE 'whiteout|os-release|syntax' <<<"$(layers usr)"
unmerge_clean "them"
rm -rf "${X:?}"/* && make_tree "$X/good" good "still here"

# --- the initrd's scope and its search directories ---
echo ID=debian >"$R/etc/initrd-release"
make_tree "$X/good" good "still here" ID=_any SYSEXT_SCOPE=initrd
make_tree "$R/.extra/sysext/loader" loader loader ID=_any 'SYSEXT_SCOPE="initrd system"'
make_tree "$R/.extra/sysext/system-only" system-only
make_conf_tree "$R/.extra/confext/conf" conf && echo CONFEXT_SCOPE=initrd >>"$R/.extra/confext/conf/etc/extension-release.d/extension-release.conf"
look
judged loader unsigned 'asks for a signature'
look --image-policy='*' # otherwise signatures are asked for there: trust-merge.sh
judged loader fits
judged conf fits
judged system-only wrong-scope 'no SYSEXT_SCOPE=, which means "system portable", host initrd'
refresh_beside "one for the system, in an initrd" --image-policy='*'
is "what the boot loader brought is merged" "$(layers usr) / $(layers etc)" "loader good / conf"
unmerge_clean "them"
finish
