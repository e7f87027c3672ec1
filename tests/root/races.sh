#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images that change meanwhile, several runs at once, and the lock (threats 21 and 47).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
seconds=${RACE_SECONDS:-2}
make_good

# Runs the function in the background, again and again until stop(); what it prints are complaints.
again() { # FUNCTION [ARGUMENT...]
	local me=$n_loops
	(
		while [ ! -e "$T/stop" ]; do
			"$@"
			echo >>"$T/count.$me"
		done >"$T/complaints.$me" 2>&1
	) &
	n_loops=$((n_loops + 1))
	pids+=($!)
}
n_loops=0 pids=()
stop() {
	touch "$T/stop"
	wait "${pids[@]}"
	complaints=$(cat "$T"/complaints.* | sort | uniq -c | sort -rn | head -n 5)
	counts=$(for file in $(seq 0 $((n_loops - 1))); do wc -l <"$T/count.$file"; done | paste -sd' ')
	rm -f "$T/stop" "$T"/complaints.* "$T"/count.*
	n_loops=0 pids=()
}

# One run, which ends as it may.
run() { # ALLOWED-STATUS[|STATUS...] VERB...
	local allowed=$1 said status
	shift
	said=$("$EXTMERGE" --root="$R" "$@" 2>&1)
	status=$?
	[[ $status =~ ^($allowed)$ ]] || echo "$*: $status: $(tail -n 2 <<<"$said")"
}
watch_good() {
	local text host

	{ text=$(<"$R/usr/bin/good") host=$(<"$R/usr/bin/host-tool"); } 2>/dev/null
	[ "$text/$host" = "still here/host tool" ] || echo "good is '$text', host is '$host'"
}
watch_spin() {
	local text

	text=$(cat "$R/usr/bin/spin" 2>&1)
	[ "$text" = A ] || [ "$text" = B ] || echo "spin is '$text'"
}

for text in A B; do
	make_tree "$T/$text" spin $text && echo $text >"$T/$text/usr/bin/also"
	for format in erofs squashfs; do
		make_image $format "$T/$text" "$T/$text.$format"
	done
done

# --- replaced by rename: old or new at any time ---
for format in erofs squashfs; do
	replace() {
		for text in B A; do
			cp "$T/$text.$format" "$X/.spin.new" && mv "$X/.spin.new" "$X/spin.raw"
			sleep 0.01
		done
	}
	replace
	refresh_beside "one $format image"
	again replace
	again watch_good
	again watch_spin
	again run 0 refresh
	again run '0|10' plan
	sleep "$seconds"
	stop
	is "an $format image replaced while refreshes run is seen old or new, all else stays" "$complaints" ""
	echo "# replacements, looks, looks, refreshes, plans: $counts"
	refresh_beside "the last $format image"
	is "in the end the newest is merged" "$(cat "$R/usr/bin/"{spin,also} | paste -sd' ')" "A A"
	unmerge_clean "them"
done

# --- rewritten in place: what it shows meanwhile is its own affair, but all else stays ---
rewrite() {
	for text in B A; do
		cat "$T/$text.$format" >"$X/spin.raw"
		sleep 0.01
		head -c 2000 /dev/urandom >"$X/spin.raw"
		sleep 0.01
	done
}
for format in erofs squashfs; do
	cp "$T/A.$format" "$X/spin.raw"
	refresh_beside "one $format image"
	again rewrite
	again watch_good
	again run '0|1' refresh # 1: it changed once more before the last look; the old set stays
	sleep "$seconds"
	stop
	is "an $format image rewritten while refreshes run harms nothing else" "$complaints" ""
	rm "$X/spin.raw" && cp "$T/B.$format" "$X/spin.raw"
	refresh_beside "the last $format image"
	is "in the end the newest is merged" "$(cat "$R/usr/bin/"{spin,also} | paste -sd' ')" "B B"
	unmerge_clean "them"
done

# --- a directory that changes while it is walked ---
make_tree "$X/tree" tree && mkdir -p "$X/tree/usr/share/tree"
churn() {
	mkdir -p "$X/tree/usr/share/tree/a/b/c" && touch "$X/tree/usr/share/tree/"{1,2,3} "$X/tree/usr/share/tree/a/b/c/file"
	rm -r "$X/tree/usr/share/tree/"*
	make_tree "$X/tree.new" tree && rm -rf "$X/tree" && mv "$X/tree.new" "$X/tree"
	mkdir -p "$X/tree/usr/share/tree"
}
refresh_beside "one tree"
again churn
again watch_good
again run '0|1' refresh
sleep "$seconds"
stop
is "a directory extension that changes while refreshes run harms nothing else" "$complaints" ""
echo "# changes, looks, refreshes: $counts"
refresh_beside "the last tree"
unmerge_clean "them"

# --- two refreshers, one that merges and unmerges, and some that look ---
again replace
again run 0 refresh
again run 0 refresh
again run '0|1' merge # 1: is merged already
again run 0 unmerge
again run 0 status --json
again run '0|10' plan
sleep "$seconds"
stop
is "runs at the same time wait for each other" "$complaints" ""
echo "# replacements, refreshes, refreshes, merges, unmerges, statuses, plans: $counts"
refresh_beside "them all"
is "in the end one tree is mounted" "$(($(mounts_below "$R/usr")))" 1
unmerge_clean "them"

# --- the lock ---
hold() { # FILE
	flock "$1" sleep 60 &
	holder=$!
	until ! flock -n "$1" true; do sleep 0.01; done
}
release() { pkill -P "$holder"; wait "$holder" 2>/dev/null; }
locked() { # WHAT SECONDS
	local start=$SECONDS

	make_tree "$X/late" late
	em refresh --lock-wait="$2"
	is "$1: a refresh ends with 6 where another run holds the lock" "$rc" 6
	like "$1: it says so" "$err" "another extmerge run has held it for $2 s"
	ok "$1: it waits no longer" test $((SECONDS - start)) -le $(($2 + 1))
	em unmerge --lock-wait=0
	is "$1: so does unmerge" "$rc" 6
	not_ok "$1: nothing was changed" test -e "$R/usr/bin/late"
	em plan
	is "$1: plan needs no lock" $rc 10
}
refresh_beside "nothing"
hold "$R/run/extmerge.lock"
locked "the lock file" 1
(sleep 1; release) &
em refresh --lock-wait=20
is "a lock that is given back is waited for" "$rc $(cat "$R/usr/bin/late")" "0 late"
release
is "the lock file is for root alone" "$(stat -c '%a %u' "$R/run/extmerge.lock")" "600 0"
unmerge_clean "them"

without_run() { # WHAT
	rm -rf "$X/late"
	refresh_beside "$1"
	hold "$R"
	locked "$1" 0
	release
	refresh_beside "$1, once more"
	ok "$1: then it is merged" test -e "$R/usr/bin/late"
	em unmerge
	is "$1: unmerge works" "$rc $(mounts_below "$R/usr")" "0 0"
}
rm -r "$R/run"
without_run "no /run"
: >"$R/run"
without_run "a file as /run"
rm "$R/run" && mkdir "$R/run" && mount -t tmpfs -o ro none "$R/run"
without_run "a read-only /run"
umount "$R/run" && mount -t tmpfs -o nr_inodes=1 none "$R/run"
without_run "a full /run"
umount "$R/run"

# What is there instead of the lock file is nobody's lock: no run, rather than two at once.
refresh_beside "nothing"
blocked() { # WHAT
	em refresh
	like "$1 as lock file: a refresh is refused" "$rc $err" '^1 .*Cannot take the lock'
	is "$1 as lock file: what was merged stays" "$(cat "$R/usr/bin/good")" "still here"
	rm -r "$R/run/extmerge.lock"
}
rm "$R/run/extmerge.lock" && ln -s "$T/victim" "$R/run/extmerge.lock"
blocked "a link"
not_ok "the link is not followed" test -e "$T/victim"
mkdir "$R/run/extmerge.lock"
blocked "a directory"
unmerge_clean "them"
finish
