# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2034
# Services of this machine with extensions of their own, after lib.sh: the host is the machine's root, in the test's own mount
# namespace, with search directories of the test's own. And with processes of the test's own: those of somebody else are
# neither seen nor touched. Begins the test.
begin processes

mount -t tmpfs -o mode=755 run /run
for place in /etc/extensions /var/lib/extensions /var/lib/confexts /usr/local/lib/confexts /usr/lib/confexts /etc/verity.d \
	/etc/extmerge.conf.d /{etc,var/lib}/extensions.d /{var/lib,usr/lib,usr/local/lib}/confexts.d; do
	[ ! -d "$place" ] || mount -t tmpfs -o mode=755 empty "$place"
done
HOST=/run/confexts OWN=/run/confexts.d/web
conf() { # DIRECTORY NAME [TEXT]
	mkdir -p "$1"
	make_conf_tree "$1/$2" "xm-$2" "${3-$2}"
	mv "$1/$2" "$1/xm-$2"
}
on() { # VERB... on the host
	out=$("$EXTMERGE" "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}
start() { # NAME: $pid
	"$EXTMERGE" -q run --service="$1" -- sleep 600 &
	pid=$!
	await runs $pid sleep
}
sees() { # PID FILE...
	local p=$1
	shift
	nsenter -m -t "$p" cat "$@" 2>/dev/null | paste -sd' '
}
trees() { # PID: sources of ours in its mount table, lowest first
	sed -n 's/.* - overlay \(extmerge:[^ ]*\) .*/\1/p' "/proc/$1/mountinfo" | sed -E 's/:[0-9]+(@|$)/\1/' | paste -sd' '
}
