#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL at every system call of a service's refresh, which changes a confext and an image: the service sees the old one or
# the new one, nobody else is touched, and the next run leaves nothing behind (specs: service.5, switch.6).
#
# EVERY=1 takes every call; by default it is each 30th.
# shellcheck disable=SC2154 # what lib.sh and service.bash set
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/service.bash"
command -v strace >/dev/null || { skip "a refresh of a service that is killed" "there is no strace"; finish; }
every=${EVERY:-$((30 * ${STEP_SCALE:-1}))}

conf "$HOST" host
make_conf_tree /run/confexts.d/other/xm-other xm-other
mkdir -p "$OWN" /run/extensions.d/web
for n in 1 2; do
	make_conf_tree "$T/v$n" xm-changing $n
	make_tree "$T/tree" xm-tool $n
	make_image erofs "$T/tree" "$T/tool$n.raw" || { skip "a refresh of a service that is killed" "there is no mkfs.erofs"; finish; }
	rm -r "$T/tree"
done
choose() { # 1|2
	ln -sfn "$T/v$1" "$OWN/xm-changing"
	ln -sfn "$T/tool$1.raw" /run/extensions.d/web/xm-tool.raw
}
# What the service sees of both, as "CONFEXT SYSEXT".
shown() {
	sees "$web" /etc/xm-changing.conf /usr/bin/xm-tool
}
# All that must be as before: the host's mounts, those of another service, files in /run.
others() {
	cat /proc/self/mountinfo "/proc/$other/mountinfo"
	find /run -xdev ! -type l | sort
}
# The kernel lets go of a loop device some time after its last user. The first one stays, as the service's program was executed from
# the tree of that time.
few_loops() {
	[ "$(loops_below "$T")" -le 2 ]
}
settled() {
	await few_loops
	printf '%s; %s loop devices, %s mounts, %s processes' "$(shown)" "$(loops_below "$T")" "$(wc -l <"/proc/$web/mountinfo")" \
		"$(grep -slxF "${EXTMERGE##*/}" /proc/[0-9]*/comm | wc -l)"
}
renew() { # 1|2
	choose "$1"
	on -q refresh --service=web
}

choose 1
start web && web=$pid
start other && other=$pid
renew 2 && renew 1
before=$(others)
good1=$(settled)
renew 2
good2=$(settled)
like "a service sees both" "$good1|$good2" "^1 1; 2 loop.*, 0 processes\|2 2; 2 loop.*, 0 processes"

renew 1
choose 2
strace -f -qq -o "$T/calls" "$EXTMERGE" -q refresh --service=web
worker=$(awk '{ n[$1]++ } END { for (p in n) if (n[p] > m) { m = n[p]; w = p } print w }' "$T/calls")
awk -v w="$worker" '$1 == w && $2 ~ /^[a-z_0-9]+\(/ { sub(/\(.*/, "", $2); print $2, ++n[$2] }' "$T/calls" | grep -v ^exit >"$T/all"
awk -v every="$every" 'NR % every == 0' "$T/all" >"$T/jobs"
bad='' killed=0
while read -r call n; do
	renew 1
	choose 2
	strace -f -qq -o "$T/trace" -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" "$EXTMERGE" -q refresh --service=web \
		</dev/null >/dev/null 2>&1 & wait $! 2>/dev/null
	! grep -q 'killed by SIGKILL' "$T/trace" || killed=$((killed + 1))
	[[ $(shown) =~ ^[12]\ [12]$ ]] || bad+="$call $n: shows '$(shown)' "
	[ "$(others)" = "$before" ] || bad+="$call $n: others were touched "
	renew 2 || bad+="$call $n: then $rc $err "
	[ "$(settled)" = "$good2" ] || bad+="$call $n: then '$(settled)' "
	[ "$(others)" = "$before" ] || bad+="$call $n: then others were touched "
done <"$T/jobs"
is "a refresh of a service killed at $(wc -l <"$T/jobs") of its $(wc -l <"$T/all") system calls: old or new, and the next run leaves nothing" "$bad" ""
ok "most were killed" [ $killed -gt $(($(wc -l <"$T/jobs") * 3 / 4)) ]
ok "and there are many" [ "$(wc -l <"$T/all")" -gt 300 ]
kill "$web" "$other"
wait "$web" "$other" 2>/dev/null
await loops_are "$T" 0
is "with the service all is gone" "$(grep -lE 'extmerge:[^ ]*@(web|other)' /proc/[0-9]*/mountinfo 2>/dev/null | wc -l) $(loops_below "$T")" "0 0"
finish
