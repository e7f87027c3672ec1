#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Extensions of one service: who sees them, how they are renewed while it runs, and what is refused (specs: service.*).
# shellcheck disable=SC2154 # what lib.sh and service.bash set
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/service.bash"
readers=${TESTS_BUILD_DIR:?}/readers

# --- service.1 ---
for name in '' . .. a/b 'a b' 'ä' "$(printf 'a%.0s' {1..201})"; do
	on run --service="$name" -- true
	like "the name '${name:0:10}' is refused" "$rc $err" "^2 .*--service takes a name of letters"
done
on run --service="$(printf 'a%.0s' {1..200})" -- true
is "200 letters are not too many" $rc 0

# --- service.2, service.3 ---
conf "$HOST" host
conf "$HOST" both "of the host"
conf "$OWN" own
conf "$OWN" both "of web"
conf "$OWN" misfit && echo ID=nowhere >"$OWN/xm-misfit/etc/extension-release.d/extension-release.xm-misfit"
on refresh
on run --service=web -- cat /etc/xm-host.conf /etc/xm-own.conf /etc/xm-both.conf
is "a service sees the host's extensions and its own, which come first" "$rc $(paste -sd' ' <<<"$out")" "0 host own of web"
like "what does not fit is left out, and said" "$err" "confexts.d/web/xm-misfit skipped: wrong-id"
on run --strict --service=web -- touch "$T/ran"
is "with --strict it is not started then" "$rc $([ -e "$T/ran" ] && echo ran)" "3 "
rm -r "$OWN/xm-misfit"
on run --mutable=ephemeral --service=web -- sh -c ': >/etc/xm-written'
is "its trees are read-only, whatever Mutable= says" "$rc $([ -e /etc/xm-written ] && echo written)" "2 "
is "the host sees nothing of it" "$(ls /etc/xm-own.conf 2>/dev/null) $(cat /etc/xm-both.conf)" " of the host"
on run --service=other -- cat /etc/xm-both.conf
is "and neither does another service" "$rc $out" "0 of the host"
on list --service=web --json=short
is "list shows what it would get" "$(jq -r '.extensions[] | select(.reason == null) | .path' <<<"$out" | LC_ALL=C sort | paste -sd' ')" \
	"$OWN/xm-both $OWN/xm-own $HOST/xm-host"
setpriv --reuid=4321 --clear-groups "$EXTMERGE" run --service=web -- true >/dev/null 2>&1
not_ok "it needs root" test $? = 0
on run --service=web -w "$T" -- true
is "--service= and --with= exclude each other" $rc 2
on run --service=web --root="$R" -- true
is "--root= does not go with it" $rc 2

# --- service.4, service.5, service.7 ---
start web && web=$pid
start web && second=$pid
start other && other=$pid
is "its tree carries its name" "$(trees "$web")" "extmerge:confext:etc@web"
before=$(cat /proc/self/mountinfo)
make_tree /run/extensions.d/web/xm-library xm-library # with a library, which would be a reason to run ldconfig
mkdir -p /run/extensions.d/web/xm-library/usr/lib/x86_64-linux-gnu && : >/run/extensions.d/web/xm-library/usr/lib/x86_64-linux-gnu/libxm.so.1
on refresh --pid="$web" --json
is "no hook runs for what a service sees" "$rc $(jq -c '[.hooks[]?.name]' <<<"$out")" "0 []"
rm -r /run/extensions.d/web
conf "$OWN" new
on refresh --service=web
is "refresh --service= renews it" "$rc $(sees "$web" /etc/xm-new.conf /etc/xm-host.conf)" "0 new host"
is "in each namespace of that name" "$(sees "$second" /etc/xm-new.conf)" new
is "without a second tree" "$(trees "$web")" "extmerge:confext:etc@web"
is "and touches neither the other service nor the host" "$(trees "$other") $(grep -c xm-new "/proc/$other/mountinfo" /proc/self/mountinfo | paste -sd' ')" \
	"extmerge:confext:etc /proc/$other/mountinfo:0 /proc/self/mountinfo:0"
is "whose mount table is what it was" "$(cat /proc/self/mountinfo)" "$before"
id=$(nsenter -m -t "$web" stat -c %d /etc)
on refresh --all-services
is "nothing has changed: nothing is touched" "$rc $(nsenter -m -t "$web" stat -c %d /etc) $(grep -c 'Nothing has changed' <<<"$err")" "0 $id 2"
kill "$second"
conf "$OWN" pid
on refresh --pid="$web"
is "refresh --pid= knows whose process it is" "$rc $(sees "$web" /etc/xm-pid.conf)" "0 pid"
on refresh --pid="$other"
like "a process that has no tree of a service's needs a name" "$rc $err" "^1 .*sees no extensions of a service.*--service=NAME"
conf /run/confexts.d/other late
on refresh --pid="$other" --service=other
is "and then gets its first ones" "$rc $(sees "$other" /etc/xm-late.conf) $(trees "$other")" "0 late extmerge:confext:etc@other"
rm -r "$OWN/xm-pid"
on refresh --service=web --json=short
is "it is told as JSON" "$rc $(jq -r '.changes[] | select(.change == "remove") | .name' <<<"$out")" "0 xm-pid"
on refresh --all-services --json
is "of one namespace only" $rc 2
on refresh --all-services --service=web
is "--all-services goes with no name" $rc 2
on refresh --service=web --root="$R"
is "--root= has no services" $rc 2
nsenter -m -t "$web" "$EXTMERGE" refresh >"$T/out" 2>&1
is "in the namespace, a refresh without the name is refused" "$? $(grep -c 'tree of the service web' "$T/out")" "1 1"
on refresh --pid=99999999
is "a number beyond all processes is no process" "$rc" 1
(exit 0) &
gone=$!
wait $gone
on refresh --pid=$gone --service=web
like "nor is one that has ended" "$rc $err" "^1 .*No such process"

# --- a re-stack that fails leaves the old one: here because of two extensions that conflict ---
conf "$OWN" wrong && mkdir "$OWN/xm-wrong/etc/xm-own.conf"
on refresh --strict --service=web
is "a refresh that fails keeps what was merged, and says so" "$rc $(sees "$web" /etc/xm-own.conf /etc/xm-new.conf)" "3 own new"
rm -r "$OWN/xm-wrong"

# --- service.9 ---
on status --json=short
is "status lists services with their layers" "$(jq -r '.services[] | .name + " " + .path + " " + ([.layers[].name] | sort | join(","))' <<<"$out")" \
	"other /etc xm-both,xm-host,xm-late
web /etc xm-both,xm-host,xm-new,xm-own"
like "as a table, too" "$("$EXTMERGE" status)" "SERVICE.*web +$web +/etc"
out=$(nsenter -m -t "$web" "$EXTMERGE" status --json=short)
is "in its namespace, status says what is seen there" "$(jq -r '.pending, ([.hierarchies[].layers[]?.name] | sort | join(","))' <<<"$out" | paste -sd' ')" \
	"false xm-both,xm-host,xm-new,xm-own"

# --- service.8 ---
conf "$HOST" host2
on refresh
is "what the host merges stays unseen until the service is renewed" "$rc $(sees "$web" /etc/xm-host2.conf)" "0 "
on refresh --service=web
is "and then is seen" "$rc $(sees "$web" /etc/xm-host2.conf)" "0 host2"
# The same where the host's mounts are shared: neither what comes there nor what goes must cover the service's, or take it away.
cat >"$T/shared.sh" <<-'END'
	mount --make-rshared /
	"$EXTMERGE" -q run --service=web -- sleep 600 &
	p=$!
	while [ "$(cat /proc/$p/comm)" != sleep ]; do sleep 0.02; done
	mkdir -p /run/confexts/xm-shared/etc/extension-release.d
	echo ID=_any >/run/confexts/xm-shared/etc/extension-release.d/extension-release.xm-shared
	echo shared >/run/confexts/xm-shared/etc/xm-shared.conf
	mount -t tmpfs -o size=1M later /run/later 2>/dev/null || { mkdir /run/later && mount -t tmpfs later /run/later; }
	nsenter -m -t $p mountpoint -q /run/later && echo later
	"$EXTMERGE" -q refresh || echo "the host failed"
	echo "$(nsenter -m -t $p sh -c 'cat /etc/xm-own.conf /etc/xm-shared.conf' 2>/dev/null | paste -sd' ')"
	"$EXTMERGE" -q refresh --service=web || echo "the service failed"
	echo "$(nsenter -m -t $p sh -c 'cat /etc/xm-own.conf /etc/xm-shared.conf' | paste -sd' ')"
	"$EXTMERGE" -q unmerge || echo "unmerge failed"
	echo "$(nsenter -m -t $p sh -c 'cat /etc/xm-own.conf /etc/xm-shared.conf' | paste -sd' ')"
	kill $p
END
is "with shared propagation: /run is shared, the trees are not: old, new, and still there when the host unmerges" \
	"$(unshare -m --propagation private bash "$T/shared.sh" 2>&1 | paste -sd'|')" "later|own|own shared|own shared"
rm -rf /run/confexts/xm-shared
# And where the hierarchy is a file system of its own, which a tree of the host hides.
sed -i 's|^mount --make-rshared /|"$EXTMERGE" -q unmerge; mount --bind /etc /etc; "$EXTMERGE" -q refresh; mount --make-rshared /|; /later/d' "$T/shared.sh"
is "also where /etc is a file system of its own" "$(unshare -m --propagation private bash "$T/shared.sh" 2>&1 | paste -sd'|')" \
	"own|own shared|own shared"
rm -rf /run/confexts/xm-shared

# --- service.6 ---
on refresh --pid=$$ --service=web
like "a process in the host's namespace is refused" "$rc $err" "^1 .*in the host's own mount namespace"
unshare -m sleep 600 &
plain=$!
mkdir -p "$T/jail/etc"
unshare -m chroot / sleep 600 &
as_host=$!
mkdir "$T/jail/bin" && mount --bind / "$T/jail" # the same tree, below another place: it is the same root directory
mkdir -p "$T/other-root" && mount -t tmpfs jail "$T/other-root" && mkdir "$T/other-root/"{usr,etc,proc} &&
	for d in usr lib lib64 bin; do [ ! -e "/$d" ] || { mkdir -p "$T/other-root/$d" && mount --rbind "/$d" "$T/other-root/$d"; }; done
unshare -m chroot "$T/other-root" sleep 600 &
jailed=$!
unshare -U -m -r sleep 600 &
foreign=$!
for p in $plain $as_host $jailed $foreign; do await runs $p sleep; done
on refresh --pid=$jailed --service=web
like "so is one with a root directory of its own" "$rc $err" "^1 .*a root directory of its own"
on refresh --pid=$foreign --service=web
like "and one whose namespace belongs to another user namespace" "$rc $err" "^1 .*belongs to another user namespace"
on refresh --pid=$plain --service=web
is "one with a plain namespace of its own is not" "$rc $(sees $plain /etc/xm-own.conf)" "0 own"
on refresh --pid=$as_host --service=web
is "nor is one with the host's root" "$rc $(sees $as_host /etc/xm-own.conf)" "0 own"
# A tree that somebody made in his own user namespace and gave the name to is none of a service's: who may do that must not fail its reloads.
unshare -U -m -r bash -c 'mount -t overlay -o "lowerdir=/etc:/usr" extmerge:confext:etc:9@web /etc && exec sleep 600' 2>/dev/null &
imposter=$!
has_begun() { runs $imposter sleep || ended $imposter; }
await has_begun
if grep -q '@web' "/proc/$imposter/mountinfo" 2>/dev/null; then
	conf "$OWN" fresh
	on refresh --service=web
	is "a tree of an impostor's user namespace is left alone" "$rc $(grep -c "process $imposter" <<<"$err")" "0 0"
	is "and the service's own is renewed" "$(sees "$web" /etc/xm-fresh.conf)" fresh
else
	skip "a tree of an impostor's" "no overlayfs in user namespaces here"
fi
kill $plain $as_host $jailed $foreign $imposter
# Nor is a mount that fusermount3 makes for anybody, under the name that he gives it.
mkdir "$T/anybody's"
if exec 9<>/dev/fuse && mount -i -t fuse.extmerge-fuse -o fd=9,rootmode=40000,user_id=4321,group_id=0 extmerge:sysext:usr:1@anybody "$T/anybody's"; then
	conf /run/confexts.d/third third
	start third
	third=$pid
	on refresh --pid="$third"
	is "a user's FUSE mount with a service's name changes no other's" "$rc $(grep -c anybody <<<"$err")" "0 0"
	on refresh --all-services
	is "and is none" "$rc $(grep -c anybody <<<"$err")" "0 0"
	kill "$third"
	umount "$T/anybody's"
	exec 9>&-
else
	skip "a user's FUSE mount with a service's name" "there is no FUSE"
fi

# --- under load: a service's readers, while its confexts change ---
make_conf_tree "$T/v1" xm-changing 1 && make_conf_tree "$T/v2" xm-changing 2
ln -s "$T/v1" "$OWN/xm-changing" && on refresh --service=web
nsenter -m -t "$web" "$readers" 2 /etc/xm-own.conf /etc/xm-host.conf /etc/passwd >"$T/counts" &
reading=$!
wrong=''
for ((i = 0; i < 100; i++)); do
	ln -sfn "$T/v$((i % 2 + 1))" "$OWN/xm-changing"
	on -q refresh --pid="$web" || wrong+="$i: $rc $err "
	[ "$(sees "$web" /etc/xm-changing.conf)" = $((i % 2 + 1)) ] || wrong+="$i: old "
done
kill -TERM $reading && wait $reading
read -r opens missed <"$T/counts"
is "100 refreshes of a service, and no file is missing" "$missed" 0
ok "of many lookups" [ "$opens" -gt 10000 ]
is "each is seen when the refresh has ended" "$wrong" ""
is "one tree is left" "$(trees "$web")" "extmerge:confext:etc@web"

# --- with the last process all is gone ---
kill "$web" "$other" && wait "$web" "$other" 2>/dev/null
on status --json=short
is "with its last process a service is gone" "$(jq -c .services <<<"$out")" "[]"
on refresh --service=web
like "and cannot be renewed" "$rc $err" "^1 .*no process sees extensions of it.*extmerge run --service=web"
on unmerge
is "the host's own is untouched" "$rc $(ls /etc/xm-* 2>/dev/null)" "0 "
finish
