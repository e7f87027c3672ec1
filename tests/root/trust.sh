#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who is trusted is said by the host alone: a confext that brings a certificate changes nothing (proof.7).
. "${TESTS_DIR:?}/lib.sh"
begin
need_signing "trust is read from the host's own tree"

new_key intruder
make_tree "$T/content" tool
mksquashfs "$T/content" "$T/data" -quiet -no-progress -noappend >/dev/null
make_signed "$T/tool.raw" intruder
make_conf_tree "$C/trap" trap
mkdir "$C/trap/etc/verity.d"
cp "$T/intruder.crt" "$C/trap/etc/verity.d/"
em refresh
ok "the certificate is seen in the merged /etc" test -e "$R/etc/verity.d/intruder.crt"
em verify "$T/tool.raw"
is "and is not trusted" $rc 4
em unmerge
mkdir -p "$R/etc/verity.d"
cp "$T/intruder.crt" "$R/etc/verity.d/"
em verify "$T/tool.raw"
is "the same one in the host's own /etc is" $rc 0
finish
