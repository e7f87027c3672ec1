#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The dates of certificates when extensions are merged: shown, and enforced where that is asked for (specs: certs.10).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
need_signing "the dates of certificates"
. "$TESTS_DIR/tamper/images.bash"
need_backend "the dates of certificates"
note_mounts
new_key good
new_dated_key past 20200101000000Z 20210101000000Z
new_dated_key future 21200101000000Z 21210101000000Z
mkdir -p "$R/etc/verity.d" && cp "$T"/{good,past,future}.crt "$R/etc/verity.d/"
for name in good past future; do
	make_protected "$X/$name.raw" $name
done

refresh() { # WHAT EXPECTED [OPTION...]
	local what=$1 expected=$2
	shift 2
	em refresh --verity="$BACKEND" "$@"
	is "$what" "$rc $(layers usr)" "$expected"
}

refresh "by default the dates decide nothing" "0 past good future"
refresh "where they are asked for, what has expired or is not valid yet goes" "0 good" --certificate-validity=enforce
em refresh --verity="$BACKEND" --certificate-validity=enforce
like "then nothing changes" "$err" "Nothing has changed"
refresh "without, it is back" "0 past good future"
look --certificate-validity=enforce
judged good fits
judged past outside-validity "the signer's certificate has expired"
judged future outside-validity "the signer's certificate is not valid yet"
mkdir -p "$R/etc/extmerge.conf.d"
printf '[Extmerge]\nCertificateValidity=enforce\n' >"$R/etc/extmerge.conf.d/dates.conf"
refresh "the configuration can ask for it" "0 good"
like "the way out is said" "$err" "--certificate-validity=ignore"
refresh "the command line has the last word" "0 past good future" --certificate-validity=ignore
rm "$X/good.raw"
refresh "where it leaves nothing, the policy has refused" "4 "
rm "$R/etc/extmerge.conf.d/dates.conf"
refresh "with --trust=any, a signature out of date counts for nothing" "0 past future" --trust=any --certificate-validity=enforce
em status --json=short
is "which is noted" "$(jq -r '.hierarchies[].layers[] | select(.name == "past") | .trust + ": " + .note' <<<"$out")" \
	"verity: its signature does not count: the signer's certificate has expired"
unmerge_clean "images out of date"
finish
