# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # seen_usr and so on are used by name
# What kill.sh and faults.sh share: a root that goes back and forth between two sets of extensions, a fault
# injected by strace into each change, and the look at what is left of it.
#
# The sets are N (nothing is merged), A and B. B differs from A in one extension of /usr, in one of /etc, and
# in that it has an /opt, which the host lacks: so A to B replaces, merges and creates, B to A replaces,
# unmerges and removes.
shopt -s globstar dotglob nullglob

# Options of every change; what is mounted in each merged tree; what else a test looks for, where a set is healed.
OPTIONS=()
INSIDE=()
check_more() { # SET
	:
}
# What else a worker's root has.
make_more() {
	:
}

WORKERS=${WORKERS:-$(nproc)}
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # it cannot be traced

make_sets() { # the trees and images, in $T/sets, once for all workers
	local v

	mkdir -p "$T/sets"
	for v in A B; do
		make_tree "$T/sets/$v/directory" directory $v
		make_tree "$T/sets/$v/squashfs" squashfs $v
		make_conf_tree "$T/sets/$v/conf" conf $v
		make_image squashfs "$T/sets/$v/squashfs" "$T/sets/$v/squashfs.raw"
	done
	mkdir "$T/sets/B/directory/opt"
	echo B >"$T/sets/B/directory/opt/directory"
	make_tree "$T/sets/erofs" erofs same
	make_image erofs "$T/sets/erofs" "$T/sets/erofs.raw"
}

# A root of this worker: var/lib is a link to one of lib-N, lib-A, lib-B. $W/bare shows the host's own files
# below whatever is merged.
make_worker() { # NUMBER
	local v

	W=$DISK/$1 R=$DISK/$1/root
	mkdir "$W"
	make_root "$R"
	rm -r "$R/var/lib" "$R/opt"
	for v in N A B; do
		mkdir -p "$R/var/lib-$v/extensions" "$R/var/lib-$v/confexts"
	done
	for v in A B; do
		cp -a "$T/sets/$v/directory" "$R/var/lib-$v/extensions/"
		cp -a "$T/sets/$v/conf" "$R/var/lib-$v/confexts/"
		cp "$T/sets/$v/squashfs.raw" "$R/var/lib-$v/extensions/"
	done
	cp "$T/sets/erofs.raw" "$R/var/lib-A/extensions/"
	ln "$R/var/lib-A/extensions/erofs.raw" "$R/var/lib-B/extensions/"
	mkdir "$W/bare"
	mount --bind "$R" "$W/bare"
	mount --make-private "$W/bare"
	bare=$W/bare
	make_more
	choose N
}

choose() { # SET
	ln -sfn "lib-$1" "$R/var/lib"
}

# The verb that leads from one set to another, and the one that a person runs after it was stopped.
verb_for() { # OLD NEW
	if [ "$2" = N ]; then
		echo unmerge
	elif [ "$1" = N ]; then
		echo merge
	else
		echo refresh
	fi
}

heal_for() { # NEW
	[ "$1" = N ] && echo unmerge || echo refresh
}

# What a hierarchy shows when the set is merged.
shows() { # SET usr|opt|etc
	case $2$1 in
	optB) echo B ;;
	opt*) echo none ;;
	*) echo "$1" ;;
	esac
}

# Sets seen_usr, seen_opt and seen_etc to the name of a set, "none", or to what is wrong.
look() {
	local d='' s='' e='' c='' h='' conf='' o=''

	{
		read -r d <"$R/usr/bin/directory"
		read -r s <"$R/usr/bin/squashfs"
		read -r e <"$R/usr/bin/erofs"
		read -r h <"$R/usr/bin/host-tool"
		read -r c <"$R/etc/conf.conf"
		read -r conf <"$R/etc/host.conf"
		read -r o <"$R/opt/directory"
	} 2>/dev/null
	case $d,$s,$e,$h in
	A,A,same,'host tool') seen_usr=A ;;
	B,B,same,'host tool') seen_usr=B ;;
	,,,'host tool') seen_usr=N ;;
	*) seen_usr="($d,$s,$e,$h)" ;;
	esac
	case $c,$conf in
	A,'host conf') seen_etc=A ;;
	B,'host conf') seen_etc=B ;;
	,'host conf') seen_etc=N ;;
	*) seen_etc="($c,$conf)" ;;
	esac
	seen_opt=${o:-none}
	host=intact
	{
		read -r h <"$bare/usr/bin/host-tool"
		read -r conf <"$bare/etc/host.conf"
	} 2>/dev/null
	[ "$h,$conf" = 'host tool,host conf' ] || host="($h,$conf)"
}

# The kernel names the file by its path below a mount that may be gone, but the test's own name is in it.
count_loops() {
	local file path

	loops=0
	for file in /sys/block/loop*/loop/backing_file; do
		{ read -r path <"$file"; } 2>/dev/null || continue
		[[ $path != *"/${R#/var/tmp/}/"* ]] || loops=$((loops + 1))
	done
}

# The processes that serve trees of this root, by a layer that each of them has: they are told by its inode.
count_servers() {
	local pid layers

	layers=$(stat -c %i "$bare"/{usr,etc} "$R/var/lib-B/extensions/directory/opt" 2>/dev/null | paste -sd'|')
	servers=0
	for pid in $(pgrep -f '^@extmerge-fuse union '); do
		! grep -qsE "^ino:[[:space:]]*($layers)\$" "/proc/$pid/fdinfo/"* || servers=$((servers + 1))
	done
}

# switch.15: each tree has its server, and no other is left.
check_servers() { # SET
	local want=0 h

	[ "$STACK" = fuse ] || return
	case $1 in
	A) want=2 ;;
	B) want=3 ;;
	esac
	for ((h = 0; h < 100; h++)); do
		count_servers
		[ "$servers" != "$want" ] || return
		sleep 0.02
	done
	complain "healed, but $servers servers are there, not $want"
}

count_mounts() {
	local line lines fields

	mapfile -t lines </proc/self/mountinfo
	mounts=
	for line in "${lines[@]}"; do
		read -ra fields <<<"$line"
		[[ ${fields[4]} != "$R" && ${fields[4]} != "$R"/* ]] || mounts+=" ${fields[4]#"$R"}"
	done
}

list_host() {
	files=("$bare"/{usr,etc,opt,run,tmp}/**)
	[ ! -d "$bare/opt" ] || files+=(/opt)
	files=("${files[@]#"$bare"}")
}

complain() { # TEXT
	echo "$job: $*" >>"$W/complaints"
}

# Nothing may be left that is not there after an undisturbed run to that set, which is the first one.
check_healed() { # SET
	local h want name

	look
	for h in usr opt etc; do
		name=seen_$h
		[ "${!name}" = "$(shows "$1" $h)" ] || complain "healed, /$h shows ${!name}, not $1"
	done
	[ "$host" = intact ] || complain "healed, but the host's files are $host"
	case $1 in
	N) want='' ;;
	A) want=' /etc /usr' ;;
	B) want=' /etc /opt /usr' ;;
	esac
	for name in $want; do
		[ -z "${INSIDE[*]-}" ] || want+=$(printf " $name/%s" "${INSIDE[@]}")
	done
	# shellcheck disable=SC2086
	want=$(printf ' %s\n' $want | sort)
	want=${want//$'\n'/}
	count_mounts
	# shellcheck disable=SC2086
	mounts=$(printf ' %s\n' $mounts | sort)
	mounts=${mounts//$'\n'/}
	[ "${mounts% }" = "${want% }" ] || complain "healed, but the mounts are:$mounts"
	for ((h = 0; h < 200; h++)); do # the kernel clears a loop device some time after its last user is gone
		count_loops
		want=$((${n_loops=$loops} + SPARE_LOOPS))
		[ "$1" != N ] || want=0
		[ "$loops" -gt $want ] || break
		sleep 0.01
	done
	[ "$loops" -le $want ] || complain "healed, but $loops loop devices are there, not $want"
	check_servers "$1"
	check_more "$1"
	list_host
	name=listing_$1
	[ -n "${!name-}" ] || declare -g "$name=${files[*]}"
	[ "${files[*]}" = "${!name}" ] || complain "healed, but the host's files are: ${files[*]}"
}

heal() { # SET
	local verb

	verb=$(heal_for "$1")
	"$EXTMERGE" --root="$R" -q "${OPTIONS[@]}" "$verb" >"$W/heal" 2>&1 || complain "healing fails: $(<"$W/heal")"
	check_healed "$1"
}

# Undisturbed, so that the host's listing of this set is known, and the calls of the change to it.
visit() { # SET
	choose "$1"
	job="undisturbed to $1"
	heal "$1"
}

# The system calls of a change as lines "NAME INDEX", in the order in which they are made; those of children are none,
# and what they execute is let go.
trace_change() { # OLD NEW FILE
	visit "$1"
	choose "$2"
	strace -f -b execve -o "$W/trace" "$EXTMERGE" --root="$R" -q "${OPTIONS[@]}" "$(verb_for "$1" "$2")"
	awk 'NR == 1 { own = $1 }
		$1 == own && $2 !~ /^[+<-]/ { sub(/\(.*/, "", $2); print $2, ++n[$2] }' "$W/trace" >"$3"
	job="traced $1 to $2"
	heal "$2"
}

# Every worker takes its share of the jobs, lines "NAME INDEX WHAT", of both directions in turn.
run_jobs() { # WORKER OLD NEW JOBS-THERE JOBS-BACK
	local -a there back
	local i from=$2 to=$3

	mapfile -t there < <(awk -v n="$WORKERS" -v w="$1" 'NR % n == w' "$4")
	mapfile -t back < <(awk -v n="$WORKERS" -v w="$1" 'NR % n == w' "$5")
	for ((i = 0; i < ${#there[@]} || i < ${#back[@]}; i++)); do
		run_job "$from" "$to" "${there[i]-}"
		run_job "$to" "$from" "${back[i]-}"
	done
}

# One change with one fault in it. `judge` is the test's own: it finds rc and seen_*.
run_job() { # OLD NEW JOB
	local name index what

	choose "$2"
	job="$1 to $2"
	read -r name index what <<<"$3"
	if [ -n "$name" ]; then
		job="$1 to $2, $name $index $what"
		: >"$W/hit"
		# shellcheck disable=SC2086
		strace -f -b execve -o "$W/hit" $STRACE_BY -e trace="$name" -e inject="$name:$what:when=$index" \
			"$EXTMERGE" --root="$R" "${OPTIONS[@]}" "$(verb_for "$1" "$2")" >"$W/output" 2>&1
		rc=$?
		jobs_run=$((jobs_run + 1))
		was_hit && hits=$((hits + 1))
		look
		[ "$host" = intact ] || complain "the host's files are $host"
		judge "$1" "$2"
	fi
	heal "$2"
}

was_hit() {
	local text
	text=$(<"$W/hit")
	[[ $rc = 137 || $text == *INJECTED* ]]
}

# Whether every hierarchy shows its old or its new set.
is_old_or_new() { # OLD NEW
	local h name

	for h in usr opt etc; do
		name=seen_$h
		[ "${!name}" = "$(shows "$1" $h)" ] || [ "${!name}" = "$(shows "$2" $h)" ] ||
			complain "/$h shows ${!name}, neither $1 nor $2"
	done
}

# Runs all jobs of a pair of sets on all workers; make_jobs is the test's own, from the traced calls.
run_pair() { # OLD NEW
	local w pids=()

	for ((w = 0; w < WORKERS; w++)); do
		(
			jobs_run=0 hits=0
			make_worker "$1$2$w" 2>/dev/null
			: >"$W/complaints"
			visit A
			trace_change "$1" "$2" "$W/calls-there"
			trace_change "$2" "$1" "$W/calls-back"
			make_jobs "$W/calls-there" >"$W/jobs-there"
			make_jobs "$W/calls-back" >"$W/jobs-back"
			run_jobs "$w" "$1" "$2" "$W/jobs-there" "$W/jobs-back"
			visit N
			echo "$jobs_run $hits" >"$W/sums"
			umount "$bare" 2>/dev/null
		) 2>/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	complaints=$(cat "$DISK/$1$2"*/complaints)
	read -r jobs_run hits < <(awk '{ a += $1; b += $2 } END { print a, b }' "$DISK/$1$2"*/sums)
	echo "# $1 and $2: $jobs_run runs, $hits of them disturbed, $(grep -c . <<<"$complaints") complaints"
}
