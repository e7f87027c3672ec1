#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/tamper/table.sh with device-mapper, in a guest.
# shellcheck disable=SC2034 # BACKEND is read by what is sourced
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
BACKEND=dm
in_guest mksquashfs mkfs.erofs veritysetup openssl sfdisk jq setfattr strace
. "$TESTS_DIR/tamper/table.sh"
