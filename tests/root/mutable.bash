# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what inject.bash and this share
# What kill-mutable.sh and faults-mutable.sh share: the roots of inject.bash with hierarchies that can be written. Each
# directory is at one place, whichever set var/lib leads to.
OPTIONS=(--mutable=auto)
INSIDE=(.extmerge)

make_more() {
	local v
	mkdir -p "$R"/srv/mutable/{usr,etc,opt}
	for v in N A B; do
		ln -s /srv/mutable "$R/var/lib-$v/extensions.mutable"
	done
	echo kept >"$R/srv/mutable/etc/kept"
}

is_kept() {
	local kept
	[ "$seen_etc" = N ] || { { read -r kept <"$R/etc/kept"; } 2>/dev/null && [ "$kept" = kept ]; } ||
		complain "what was written is not seen"
}

can_write() { # WHEN HIERARCHY...
	local when=$1 h
	shift
	for h; do
		{ echo probe >"$R/$h/probe" && rm "$R/$h/probe"; } 2>/dev/null || complain "$when, /$h cannot be written"
	done
}

check_more() { # SET
	local merged=()
	case $1 in
	A) merged=(etc usr) ;;
	B) merged=(etc opt usr) ;;
	esac
	can_write healed "${merged[@]}"
	h=("$R"/srv/mutable/.*extmerge-work*)
	[ ${#h[@]} = ${#merged[@]} ] || complain "healed, but the work directories are: ${h[*]##*/}"
}
