#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The suite under conditions that a board may have and that can be made while it runs: limits, mounts, sysctls,
# other users of memory. Nothing may fail under any of them. For a guest (it leaves the machine as it happens to be):
#
#     cargo xtask guest --add lab/conditions.sh -- sh conditions.sh [-c CONDITION]... [ARGUMENT of run_tests.sh]...
#
# Prints what failed in full, a line per condition, and the reasons of skips. Exit status 1 when anything failed.

set -u
TESTS='-t walks.* -t fork_tree.cow.* -t fork_tree.exec -t fork_mlock.* -t file_shared.swapped -t file_shared.disk.*
-t file_shared.dontfork -t hugetlb.cow.exits -t ksm.forked_before -t ksm_unmerge.cow -t swap.* -t thp_collapse.* -t gup.pin.fork
-t uffd_move.* -t mlock.counters -t explore.fixed.01 -t explore.random.0 -t fork_chain.objects_per_fork'
mm=/sys/kernel/mm

# knob FILE VALUE: false where there is no such knob. What it was is put back after the condition.
knob() {
	[ -e "$1" ] || return
	old=$(cat "$1")
	case $old in
	*'['*']'*) old=${old#*[} old=${old%%]*} ;;
	esac
	echo "$1 $old" >>/tmp/knobs
	echo "$2" 2>/dev/null >"$1"
}

# The last that was changed is the first that is put back.
restore() {
	[ -e /tmp/knobs ] || return
	sed '1!G;h;$!d' /tmp/knobs | while read -r file old; do
		echo "$old" >"$file"
	done
	rm /tmp/knobs
}

# Each is run in a shell of its own and ends with "suite"; false where the condition cannot be made here.
plain() { suite; }
files_64() { ulimit -n 64 && suite; }
locked_0() { ulimit -l 0 && suite; }
stack_256k() { ulimit -s 256 && suite; }
space_512m() { ulimit -v 524288 && suite; }
# shellcheck disable=SC2086
user_namespace() { unshare -Ur true 2>/dev/null && unshare -Ur sh "$0" -s $arguments; }
# shellcheck disable=SC2086
pid_namespace() { unshare -pf true 2>/dev/null && unshare -pf sh "$0" -s $arguments; }
cgroup2() { mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && suite; }
cgroup2_nested() {
	mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && mkdir -p /tmp/cg/job/1 &&
		echo +memory >/tmp/cg/cgroup.subtree_control && echo $$ >/tmp/cg/job/1/cgroup.procs && suite
	status=$?
	[ -d /tmp/cg/job ] || return $status
	# A hierarchy with groups in it stays, and keeps its controllers.
	echo $$ >/tmp/cg/cgroup.procs
	rmdir /tmp/cg/job/1 /tmp/cg/job
	echo -memory >/tmp/cg/cgroup.subtree_control
	return $status
}
cgroup1() { mkdir -p /tmp/cg1 && mount -t cgroup -o memory none /tmp/cg1 && suite; }
cgroup1_nested() {
	mkdir -p /tmp/cg1 && mount -t cgroup -o memory none /tmp/cg1 && mkdir -p /tmp/cg1/job && echo $$ >/tmp/cg1/job/cgroup.procs && suite
	status=$?
	[ -d /tmp/cg1/job ] || return $status
	echo $$ >/tmp/cg1/cgroup.procs
	rmdir /tmp/cg1/job
	return $status
}
no_sys() { umount -l /sys && suite; }
proc_hidden() {
	mount -o remount,hidepid=2 /proc && suite
	status=$?
	mount -o remount,hidepid=0 /proc
	return $status
}
proc_masked() {
	for file in kpageflags kpagecount kmsg swaps slabinfo meminfo; do
		mount -o bind /dev/null /proc/$file 2>/dev/null
	done
	suite
}
no_dev() { mount -t tmpfs none /dev && mknod /dev/null c 1 3 && suite; }
# The guest has none; one that has keeps it.
no_shm() { [ ! -e /dev/shm ] && suite; }
# The last: where it cannot be of this namespace alone, it stays so.
read_only_root() { { mount -o remount,bind,ro / || mount -o remount,ro /; } 2>/dev/null && ! (: >/readonly) 2>/dev/null && suite; }
restricted() { knob /proc/sys/kernel/kptr_restrict 2 && knob /proc/sys/kernel/dmesg_restrict 1 && knob /proc/sys/vm/unprivileged_userfaultfd 0; suite; }
thp_always() { knob $mm/transparent_hugepage/enabled always && knob $mm/transparent_hugepage/defrag always && suite; }
thp_sizes_always() {
	for file in $mm/transparent_hugepage/hugepages-*/enabled; do knob "$file" always || return; done
	knob $mm/transparent_hugepage/shmem_enabled force
	suite
}
ksm_running() { knob $mm/ksm/sleep_millisecs 0 && knob $mm/ksm/pages_to_scan 1000 && knob $mm/ksm/run 1 && suite; }
ksm_zero_pages() { knob $mm/ksm/use_zero_pages 1 && knob $mm/ksm/run 1 && suite; }
swappiness_0() { knob /proc/sys/vm/swappiness 0 && suite; }
swappiness_200() { knob /proc/sys/vm/swappiness 200 && suite; }
overcommit_never() { knob /proc/sys/vm/overcommit_memory 2 && knob /proc/sys/vm/overcommit_ratio 90 && suite; }
numa_balancing() { knob /proc/sys/kernel/numa_balancing 1 && suite; }
lru_gen() { knob $mm/lru_gen/enabled y && suite; }
lru_gen_off() { knob $mm/lru_gen/enabled n && suite; }
zswap() { knob /sys/module/zswap/parameters/enabled 1 && suite; }
other_zram() {
	id=$(cat /sys/class/zram-control/hot_add) && echo 64M >/sys/block/zram"$id"/disksize && sleep 1 &&
		mkswap /dev/zram"$id" >/dev/null && swapon /dev/zram"$id" && suite
	status=$?
	[ -n "$id" ] || return $status
	swapoff /dev/zram"$id"
	echo "$id" >/sys/class/zram-control/hot_remove
	return $status
}
hugepages_reserved() { knob /proc/sys/vm/nr_hugepages 64 && suite; }
compacting() { knob /proc/sys/vm/compaction_proactiveness 100 && beside 'echo 1 >/proc/sys/vm/compact_memory; sleep 0.1'; }
dropping_caches() { beside 'echo 3 >/proc/sys/vm/drop_caches; sleep 0.2'; }
clock_jumps() {
	now=$(date +%s)
	beside 'date -s 2001-01-01; sleep 0.3; date -s 2037-01-01; sleep 0.3'
	status=$?
	date -s "@$now" >/dev/null
	return $status
}
busy() { beside : : : : : :; }
memory_is_taken() { beside 'dd if=/dev/zero of=/dev/null bs=400M count=2'; }
cpu_gone() { knob /sys/devices/system/cpu/cpu1/online 0 && suite; }

ALL='plain files_64 locked_0 stack_256k space_512m user_namespace pid_namespace no_dev no_shm proc_hidden
restricted thp_always thp_sizes_always ksm_running ksm_zero_pages swappiness_0 swappiness_200 overcommit_never numa_balancing
lru_gen lru_gen_off zswap other_zram hugepages_reserved compacting dropping_caches clock_jumps busy memory_is_taken cpu_gone
cgroup1 cgroup1_nested cgroup2 cgroup2_nested proc_masked no_sys read_only_root'

# beside LOOP...: runs the suite while each loop goes round and round in the background.
beside() {
	loops=
	for loop in "$@"; do
		(while :; do eval "$loop"; done) >/dev/null 2>&1 &
		loops="$loops $!"
	done
	suite
	status=$?
	# shellcheck disable=SC2086
	kill -9 $loops
	return $status
}

suite() {
	# shellcheck disable=SC2086
	./run_tests.sh --format flat $arguments 2>&1
	echo "# run_tests.sh: exit status $?"
}

chosen=
arguments=
while [ $# -gt 0 ]; do
	case $1 in
	-c) chosen="$chosen $2" && shift ;;
	-s) inside=suite ;;
	-i) inside=$2 && shift ;;
	*) arguments="$arguments $1" ;;
	esac
	shift
done
set -f
arguments=${arguments:-$TESTS}
if [ -n "${inside:-}" ]; then
	# Some name files by patterns.
	set +f
	"$inside"
	exit
fi

unshare -m true || {
	echo "conditions.sh: no mount namespace can be had" >&2
	exit 1
}
for name in $chosen; do
	case " $(echo $ALL) " in
	*" $name "*) ;;
	*)
		echo "conditions.sh: no condition $name" >&2
		exit 1
		;;
	esac
done
failures=0
made=0
for name in ${chosen:-$ALL}; do
	before=$(cut -d. -f1 /proc/uptime)
	# shellcheck disable=SC2086
	text=$(unshare -m sh "$0" -i "$name" $arguments || echo "# not to be had here") 2>/dev/null
	restore 2>/dev/null
	seconds=$(($(cut -d. -f1 /proc/uptime) - before))
	count() { printf '%s\n' "$text" | grep -c "$1"; }
	failed=$(count '^not ok')
	status=$(printf '%s\n' "$text" | sed -n 's/^# run_tests.sh: exit status //p')
	case $status in
	'') verdict='not to be had here' ;;
	0 | 4) verdict="exit status $status" made=$((made + 1)) ;;
	*) verdict="FAILED, exit status $status" made=$((made + 1)) ;;
	esac
	skipped=$(count '^ok.* # SKIP')
	echo "condition $name: $(($(count '^ok') - skipped)) passed, $failed failed, $skipped skipped, $seconds s: $verdict"
	printf '%s\n' "$text" | sed -n 's/^ok.* # SKIP/    /p' | sort | uniq -c
	case $verdict in
	FAILED*)
		failures=$((failures + 1))
		# From the start line of each test that failed to its result.
		printf '%s\n' "$text" | awk '/^# start /{t=""} {t=t"    "$0"\n"} /^not ok/{printf "%s",t}'
		[ "$failed" -gt 0 ] || printf '%s\n' "$text" | tail -5
		;;
	esac
done
echo "conditions: $made made, $failures failed"
[ "$made" -gt 0 ] && [ "$failures" -eq 0 ]
