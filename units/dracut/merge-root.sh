#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# dracut without systemd: merges into the root that is about to be entered.
extmerge refresh --root="$NEWROOT" --boot=early || warn "extmerge: not all is merged"
