#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs the rmap selftests on the kernel that is running, and prints TAP.
#
# Needs a POSIX shell, mkdir, mkfifo, mv, rm and sleep; busybox is enough. Programs are taken
# from $BINDIR, or from bin/ beside this script, or from beside it, or are
# built with cargo.
#
# Run it as root: most tests look at page frame numbers. What can run without
# root does, the rest is skipped and says why.

# One program per line, and what it is about (no apostrophes, please: this is one string).
# A kernel with a bug should fail early: first come those that catch most bugs of lab/bugs in their time, and last those that
# take longest for what they catch. memory_failure may leave less memory behind. For the same reason a run of the whole suite has
# two rounds: the tests of quick.list, program by program, and then the others.
TESTS='
walks           # each walk by itself: what this machine offers
fork_tree       # pages inherited and copied in trees of processes: found by every walk
fork_dontfork   # MADV_DONTFORK: VMAs that the child does not get
fork_wipeonfork # MADV_WIPEONFORK: VMAs that the child gets empty
fork_mlock      # VM_LOCKED is not inherited; locked pages shared with unlocked ones
ksm             # KSM pages of all kinds of areas and processes: merged, and found by every walk
ksm_unmerge     # KSM pages unmerged by writes, moves, madvise and knobs
swap            # pages swapped out, and in again by sharers in every order
thp             # large folios whose mappers see different parts
thp_collapse    # huge pages collapsed, split, given back in part: found and counted
uffd_move       # pages moved by userfaultfd: found in their new place, and in the old one when refused
referenced      # who has touched a page: each mapper alone keeps it from idle tracking and reclaim
mlock           # locked pages shared with unlocked mappers, in all orders of leaving
file_shared     # pages of files and memfds: every mapping is found through i_mmap
reclaim         # pages given up by one mapper, taken by advice or from one cgroup of two
uffd_wp         # pages write-protected by userfaultfd: they stay so for the one mapper
uffd_fork       # areas registered with userfaultfd, at fork: given up, or inherited with the events
hugetlb         # hugetlb pages: copied, shared, cut and moved
exec_stack      # pages of the stack that exec made: moved there, grown, inherited
memory_failure  # poisoned pages: who is told, and that nobody has them any more
fork_design     # which anon_vma a forked VMA gets: separate, shared, or the wrong one
fork_vma        # VMAs split, merged, moved and resized in a forked child
vma_ops         # VMAs cut, joined, grown and moved: each operation, by each process, on each kind of memory
gup             # pages held by a pipe or a device through fork and COW: they stay, and nobody else changes them
uffd_rwp        # pages protected by userfaultfd from any access: they stay so for the one mapper
numa_hint       # pages that wait for a NUMA hinting fault: found by every walk, given back as they were
khugepaged      # huge pages that khugepaged makes: of every process it hears of, with the pages of others left alone
fork_chain      # long chains of forks whose ancestors exit: nothing grows, nothing is left
explore         # fork, split, merge, move and exit by chance, and in all short orders
'

LC_ALL=C
export LC_ALL
set -u

case $0 in
*/*) here=${0%/*} ;;
*) here=. ;;
esac

usage() {
	cat <<-END
	Usage: run_tests.sh [OPTION]...
	Runs the rmap selftests. Names are PROGRAM.TEST; a PATTERN matches the whole
	name, with * and ? as in the shell.
	  -l                  list the tests
	  -t PATTERN          run the tests that match (repeatable)
	  -x PATTERN          leave out the tests that match (repeatable)
	  -T FILE             run the tests that FILE names: a PATTERN on each line, # and
	                      what follows is a comment (repeatable; quick.list: the tests
	                      that catch most in a short time)
	  -X FILE             leave out the tests that FILE names (repeatable)
	  --one-round         run each program once; without this, -t and -T the tests of
	                      quick.list run first, and then the others
	  -d                  run destructive tests too
	  -v                  show the script of each test while it runs
	  -o DIR              write a log for each test to DIR
	  --format FORMAT     kselftest (default): one result per program and round, its own
	                      output behind "# "; flat: one stream with a result per test;
	                      lava: the same, with signals for the test shell of LAVA
	  --junit FILE        write a JUnit report too
	  --json FILE         write a JSON report too (lab/report.schema.json)
	  --tap FILE          write the flat stream to FILE too, line by line to the disk
	  --seed N            seed of random choices (the header of each program shows it)
	  --timeout-scale N   multiply all time limits by N, or as this machine needs it:
	                      auto (default)
	  -h                  this text
	Environment: BINDIR, where the programs are; RMAP_STATE_DIR, where the lock and
	the journal are kept (default: /run, /var/run, /dev/shm, /tmp, /dev); RMAP_CPU,
	the number of the CPU that tests stay on (default: the kernel chooses for each).
	Exit status: 0 passed, 1 failed or not usable, 4 all skipped, 128+N ended by
	signal N.
	END
}

die() {
	echo "run_tests.sh: $*" >&2
	exit 1
}

newline='
'
list=
format=
include=		# patterns, one per line
exclude=
named=			# those of -T
rounds=yes
logs=
options=		# for the programs, one word per line
reports=		# for the reporter, one word per line

oneline() {
	case $1 in
	*"$newline"*) die "a newline in $1" ;;
	esac
}

option() {
	oneline "$1"
	options="$options$1$newline"
}

# The patterns of the list on the standard input, one per line; $list_file is its name.
patterns() {
	while read -r line || [ -n "$line" ]; do
		line=${line%%#*}
		# Words, but no names of files: patterns have no spaces in them.
		set -f
		# shellcheck disable=SC2086
		set -- $line
		set +f
		case $# in
		0) ;;
		1) printf '%s\n' "$1" ;;
		*) die "$list_file: two patterns on a line: $line" ;;
		esac
	done
}

# read_list OPTION FILE: sets $read to the patterns, each with a newline.
read_list() {
	list_file=$2
	[ -r "$2" ] && [ ! -d "$2" ] || die "$1 $2: cannot be read"
	read=$(patterns <"$2") || exit 1
	[ -n "$read" ] || die "$1 $2: names no test"
	read=$read$newline
}

while [ $# -gt 0 ]; do
	opt=$1
	shift
	case $opt in
	# --name=value is --name value
	--*=*)
		set -- "${opt#*=}" "$@"
		opt=${opt%%=*}
		;;
	esac
	case $opt in
	-t | -x | -T | -X | -o | --format | --junit | --json | --tap | --seed | --timeout-scale)
		[ $# -gt 0 ] || die "$opt needs a value (-h for help)"
		value=$1
		shift
		;;
	esac
	case $opt in
	-l | --list) list=yes rounds= ;;
	-t) include="$include$value$newline" ;;
	-x) exclude="$exclude$value$newline" ;;
	-T)
		read_list "$opt" "$value"
		include=$include$read
		named=$named$read
		;;
	-X)
		read_list "$opt" "$value"
		exclude=$exclude$read
		;;
	--one-round) rounds= ;;
	-d | -v) option "$opt" ;;
	-o)
		[ -n "$value" ] || die "-o needs a directory"
		logs=$value
		;;
	--format)
		case $value in
		kselftest | flat | lava) format=$value ;;
		*) die "--format $value: not one of kselftest, flat, lava" ;;
		esac
		;;
	--junit | --json | --tap)
		[ -n "$value" ] || die "$opt needs a file"
		oneline "$value"
		reports="$reports$opt$newline$value$newline"
		;;
	--seed | --timeout-scale)
		option "$opt"
		option "$value"
		;;
	-h | --help)
		usage
		exit 0
		;;
	*) die "unknown option $opt (-h for help)" ;;
	esac
done

# ---------------------------------------------------------------- programs

programs=$(printf '%s\n' "$TESTS" | while read -r name rest; do
	case $name in
	'' | '#'*) ;;
	*) printf '%s ' "$name" ;;
	esac
done)

# The target that needs nothing on the machine that runs the tests.
musl_target() {
	case $1 in
	x86_64 | aarch64 | i686) echo "$1-unknown-linux-musl" ;;
	riscv64) echo riscv64gc-unknown-linux-musl ;;
	ppc64le) echo powerpc64le-unknown-linux-musl ;;
	armv7l) echo armv7-unknown-linux-musleabihf ;;
	*) return 1 ;;
	esac
}

have_target() {
	libdir=$(rustc --print target-libdir --target "$1" 2>/dev/null) && [ -d "$libdir" ]
}

# Builds the one program that is all of them, links it to their names and sets bindir.
build() {
	command -v cargo >/dev/null 2>&1 ||
		die "no programs in $here/bin, and no cargo to build them (BINDIR=DIR names another place)"
	out=${CARGO_TARGET_DIR:-$here/target}
	bindir=$out/release
	set -- build --release --manifest-path "$here/Cargo.toml" --target-dir "$out"
	[ -f "$here/Cargo.lock" ] && set -- "$@" --locked
	[ -t 2 ] || set -- "$@" --quiet
	if target=$(musl_target "$(uname -m)"); then
		if have_target "$target" ||
			{ rustup target add "$target" >/dev/null 2>&1 && have_target "$target"; }; then
			set -- "$@" --target "$target"
			bindir=$out/$target/release
		fi
	fi
	cargo "$@" --bin rmap_selftests --bin rmap_report </dev/null >&2 || die "the build failed"
	# Beside them cargo puts programs of the same names.
	mkdir -p "$bindir/programs" || die "$bindir: cannot be written"
	ln -sf ../rmap_report "$bindir/programs" || die "$bindir/programs: cannot be written"
	for name in $programs; do
		ln -sf ../rmap_selftests "$bindir/programs/$name" || die "$bindir/programs: cannot be written"
	done
	bindir=$bindir/programs
}

if [ -n "${BINDIR:-}" ]; then
	bindir=$BINDIR
elif [ -d "$here/bin" ]; then
	bindir=$here/bin
elif [ -f "$here/${programs%% *}" ]; then
	# As kselftest installs it.
	bindir=$here
elif [ -f "$here/Cargo.toml" ]; then
	build
else
	die "no programs: neither BINDIR, nor $here/bin, nor $here/Cargo.toml"
fi
if [ ! -d "$bindir" ] || [ ! -r "$bindir" ] || [ ! -x "$bindir" ]; then
	die "$bindir: cannot be read"
fi
for name in $programs; do
	[ -f "$bindir/$name" ] || die "$bindir/$name: missing"
	[ -x "$bindir/$name" ] || die "$bindir/$name: not executable"
done

# What reads the flat stream and writes all other forms; the stream itself needs none.
reporter=$bindir/rmap_report
if [ ! -x "$reporter" ]; then
	case ${reports%%"$newline"*} in
	--*) die "${reports%%"$newline"*} needs $reporter: missing" ;;
	esac
	case ${format:-flat} in
	flat) format=flat ;;
	*) die "--format $format needs $reporter: missing" ;;
	esac
fi
format=${format:-kselftest}

# --------------------------------------------------------------- selection

# matches NAME PATTERNS: one of the patterns, one per line, matches the whole name.
matches() {
	rest=$2
	while [ -n "$rest" ]; do
		pattern=${rest%%"$newline"*}
		rest=${rest#*"$newline"}
		# Unquoted: it is a pattern.
		# shellcheck disable=SC2254
		case $1 in
		$pattern) return 0 ;;
		esac
	done
	return 1
}

# about PROGRAM PATTERNS: those of the patterns that a test of this program may match, one per line.
about() {
	rest=$2
	while [ -n "$rest" ]; do
		pattern=${rest%%"$newline"*}
		rest=${rest#*"$newline"}
		# The part before the first dot, where that is no pattern itself.
		case ${pattern%%.*} in
		"$1" | *[*?[]*) printf '%s\n' "$pattern" ;;
		esac
	done
}

# Runs program $1 in place of this shell: with the arguments in $2, one per line,
# and then the others.
run_program() {
	program=$1
	words=$2
	shift 2
	old_ifs=$IFS
	IFS=$newline
	set -f
	# shellcheck disable=SC2086
	set -- $words "$@"
	set +f
	IFS=$old_ifs
	exec "$bindir/$program" "$@"
}

# The tests of the first round, where there are two: " PROGRAM.TEST PROGRAM.TEST ".
early=
if [ -n "$rounds" ] && [ -z "$include" ]; then
	for file in "$here/quick.list" "$here/tests/quick.list"; do
		[ -f "$file" ] || continue
		read_list "the first round's" "$file"
		early=" $(printf '%s' "$read" | while read -r name; do printf '%s ' "$name"; done)"
		break
	done
fi

# For each round, every program that has a test in it: "PROGRAM TEST..." per line.
first=
selected=
all=' '
total=0
for name in $programs; do
	tests=$(run_program "$name" "$options" -l 2>&1) ||
		die "$name -l: ${tests:-failed}"
	chosen=
	chosen_early=
	# Lists are long: each test is compared with what may be meant for its program.
	wanted=$(about "$name" "$include")$newline
	unwanted=$(about "$name" "$exclude")$newline
	for test in $tests; do
		all="$all$name.$test "
		if [ -n "$include" ] && ! matches "$name.$test" "$wanted"; then
			continue
		fi
		if [ -n "$exclude" ] && matches "$name.$test" "$unwanted"; then
			continue
		fi
		case $early in
		*" $name.$test "*) chosen_early="$chosen_early $test" ;;
		*) chosen="$chosen $test" ;;
		esac
		total=$((total + 1))
	done
	[ -z "$chosen_early" ] || first="$first$name$chosen_early$newline"
	[ -z "$chosen" ] || selected="$selected$name$chosen$newline"
done
[ "$total" -gt 0 ] || die "no test matches (-l lists them)"
# A list that is out of date would pass with fewer tests than it says.
while [ -n "$named" ]; do
	pattern=${named%%"$newline"*}
	named=${named#*"$newline"}
	case $pattern in
	*[*?[]*)
		for test in $all; do
			matches "$test" "$pattern$newline" && continue 2
		done
		;;
	*)
		case $all in
		*" $pattern "*) continue ;;
		esac
		;;
	esac
	die "-T: no test matches $pattern (-l lists them)"
done

if [ -n "$list" ]; then
	printf '%s' "$selected" | while read -r name tests; do
		for test in $tests; do
			printf '%s.%s\n' "$name" "$test"
		done
	done
	exit 0
fi

if [ -n "$reports" ]; then
	(run_program rmap_report "$reports" --check) || exit 1
fi

if [ -n "$logs" ]; then
	mkdir -p "$logs" 2>/dev/null
	# Root passes every test of permissions; only a file shows.
	(: >"$logs/.probe.$$") 2>/dev/null || die "-o $logs: cannot be written"
	rm -f "$logs/.probe.$$"
	option -o
	option "$logs"
fi

# -------------------------------------------------------------------- lock

# When a process began, in ticks since boot: with its PID, who it is.
started() {
	stat=
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	# The name in parentheses may hold anything.
	# shellcheck disable=SC2086
	set -- ${stat##*)}
	echo "${20}"
}

user=$(id -u 2>/dev/null || echo 0)
lock_name=rmap_selftests.run
[ "$user" = 0 ] || lock_name=$lock_name.$user
lock=

# Takes the lock $1, or dies when somebody has it; fails when it cannot be made.
take() {
	tries=0
	until mkdir -m 700 "$1" 2>/dev/null; do
		# Not there, or somebody else's: no place for us.
		[ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && [ -w "$1" ] || return 1
		tries=$((tries + 1))
		[ "$tries" -le 5 ] || return 1
		owner=
		read -r owner 2>/dev/null <"$1/owner"
		if [ -z "$owner" ] && [ "$tries" -lt 3 ]; then
			# Made just now, and not signed yet.
			sleep 1
			continue
		fi
		pid=${owner%% *}
		if [ -n "$owner" ] && [ "$(started "$pid")" = "${owner#* }" ]; then
			die "another run (pid $pid) holds $1"
		fi
		# Its owner was killed. Whoever renames it first may clear it away.
		if mv "$1" "$1.$$" 2>/dev/null; then
			again=
			read -r again 2>/dev/null <"$1.$$/owner"
			if [ "$again" = "$owner" ]; then
				rm -rf "$1.$$"
			else
				mv "$1.$$" "$1"
			fi
		fi
	done
	echo "$$ $(started $$)" >"$1/owner" || return 1
	lock=$1
}

place() {
	[ -d "$1" ] && [ -w "$1" ] && take "$1/$lock_name"
}

if [ -n "${RMAP_STATE_DIR:-}" ]; then
	place "$RMAP_STATE_DIR" || die "RMAP_STATE_DIR=$RMAP_STATE_DIR: no lock can be made there"
else
	# /dev is the last that can be written where the root file system cannot.
	for dir in /run /var/run /dev/shm /tmp /dev; do
		place "$dir" && break
	done
	[ -n "$lock" ] || die "no directory for a lock can be written (RMAP_STATE_DIR=DIR names one)"
fi
trap 'rm -rf "$lock"' EXIT

# -------------------------------------------------------------------- runs

# A background job of a shell without job control ignores SIGINT, and so does
# the program: whatever ends us, it is told to end by SIGTERM. It then puts the
# machine back.
ended_by=
trap 'ended_by=${ended_by:-2}; pass_on' INT
trap 'ended_by=${ended_by:-15}; pass_on' TERM
trap 'ended_by=${ended_by:-1}; pass_on' HUP

pass_on() {
	pid=
	[ -f "$lock/pid" ] && read -r pid <"$lock/pid"
	[ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null
}

# Reads the stream of a program, prints it as a part of ours, and leaves the
# counts in $lock/counts. $1: program, $2: results so far, $3: results expected.
follow() {
	# A signal may be for all of us (timeout(1)); there are results until the program has ended.
	trap '' INT TERM HUP
	number=$2
	last=$(($2 + $3))
	pass=0 fail=0 skip=0 extra=0
	held=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'ok '* | 'not ok '*)
			if [ "$number" -eq "$last" ]; then
				extra=$((extra + 1))
				printf '# one result too many: %s\n' "$line"
				continue
			fi
			case $line in
			'ok '*' # SKIP'*) skip=$((skip + 1)) ;;
			'ok '*) pass=$((pass + 1)) ;;
			'not ok '*) fail=$((fail + 1)) ;;
			esac
			number=$((number + 1))
			word=${line%%ok *}ok
			text=${line#*ok }
			held="$word $number $1.${text#* }"
			# The last line waits: the exit status has a say in it.
			if [ "$number" -lt "$last" ]; then
				printf '%s\n' "$held"
				held=
			fi
			;;
		'TAP version '* | 1..* | '# Totals:'*) ;;
		'#'*) printf '%s\n' "$line" ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done
	printf '%s\n' "$pass $fail $skip $extra" "$held" >"$lock/counts"
}

# Runs program $1; its tests are the other arguments. Sets status, pass, fail, skip, extra, held.
run_one() {
	name=$1
	shift
	rm -f "$lock/pid" "$lock/status" "$lock/counts"
	{
		# Caught, not ignored: the program begins with the default.
		trap : INT TERM HUP
		run_program "$name" "$options" "$@" 2>&1 3>&- &
		echo $! >"$lock/pid"
		while :; do
			wait $!
			ended=$?
			# A signal ends a wait early.
			kill -0 $! 2>/dev/null || break
		done
		echo "$ended" >"$lock/status"
	} | follow "$name" "$number" $# 2>/dev/null &
	pipeline=$!
	# A signal ends a wait early. The status may come after the stream has ended.
	status=
	lost=0
	while [ -z "$status" ]; do
		wait "$pipeline" 2>/dev/null
		if [ -s "$lock/status" ] && [ -s "$lock/counts" ]; then
			read -r status <"$lock/status"
		elif kill -0 "$pipeline" 2>/dev/null; then
			# It may have had no number yet when the signal came.
			[ -z "$ended_by" ] || pass_on
		elif [ -s "$lock/status" ]; then
			# Our reader is gone, and the one that counts with it.
			read -r status <"$lock/status"
		else
			# Whoever should write it may have been killed with all its kin.
			lost=$((lost + 1))
			[ "$lost" -le 10 ] || status=1
			sleep 1
		fi
	done
	pass=0 fail=0 skip=0 extra=0 held=
	if [ -s "$lock/counts" ]; then
		{
			read -r pass fail skip extra
			IFS= read -r held
		} <"$lock/counts"
	fi
}

# Finishes the results of program $1, whose tests are the other arguments.
finish() {
	name=$1
	shift
	seen=$((pass + fail + skip))
	bad="ended with exit status $status after $seen of $# results"
	if [ "$extra" -gt 0 ]; then
		bad="printed $extra results too many"
	elif [ "$seen" -eq $# ]; then
		case $status in
		0 | 4) bad= ;;
		1) [ "$fail" -eq 0 ] || bad= ;;
		esac
	fi
	if [ -n "$bad" ] && [ "$seen" -eq $# ]; then
		echo "# error: $name $bad"
	fi
	if [ -n "$held" ]; then
		case $held in
		'ok '*)
			if [ -n "$bad" ]; then
				held="not $held"
				# It was the last that was counted.
				case $held in
				*' # SKIP'*) skip=$((skip - 1)) held=${held%% # SKIP*} ;;
				*) pass=$((pass - 1)) ;;
				esac
				fail=$((fail + 1))
			fi
			;;
		esac
		printf '%s\n' "$held"
	fi
	number=$((number + seen))
	shift "$seen"
	for test in "$@"; do
		number=$((number + 1))
		fail=$((fail + 1))
		echo "# error: no result: $name $bad"
		echo "not ok $number $name.$test"
	done
	echo "# exit status of $name: $status"
}

# Where both go to one terminal, the results are the progress.
progress=
if [ -t 2 ] && [ ! -t 1 ]; then
	progress=yes
fi

progress() {
	[ -z "$progress" ] || echo "$*" >&2
}

# From here on the reporter prints, where there is need of it. It ends when the
# stream does, whatever ends us.
report=
if [ "$format" != flat ] || [ -n "$reports" ]; then
	mkfifo "$lock/stream" || die "no pipe for the reporter (--format flat needs none)"
	# It may be killed, where memory is short.
	trap '' PIPE
	(
		trap '' INT TERM HUP
		run_program rmap_report "$reports" --here --format "$format" <"$lock/stream"
	) &
	report=$!
	exec 3>&1 >"$lock/stream"
fi

echo 'TAP version 13'
echo "1..$total"
printf '%s' "$first$selected" | while read -r name tests; do
	echo "# tests of $name: $tests"
done

# Whether the reporter is still there. What is lost is the form, not the results.
reporter_lost=
look_after_reporter() {
	if [ -n "$report" ] && ! kill -0 "$report" 2>/dev/null; then
		exec >&3 3>&-
		report=
		reporter_lost=yes
		echo "run_tests.sh: the reporter has died: flat TAP from here on, reports are not whole" >&2
	fi
}

number=0
all_pass=0 all_fail=0 all_skip=0
rest=$first$selected
[ -z "$first" ] || echo '# round quick'
while [ -n "$rest" ] && [ -z "$ended_by" ]; do
	if [ -n "$first" ] && [ "$rest" = "$selected" ]; then
		echo '# round rest'
		first=
	fi
	line=${rest%%"$newline"*}
	rest=${rest#*"$newline"}
	# Names of tests have no blanks and no wildcards.
	# shellcheck disable=SC2086
	set -- $line
	echo "# program $1"
	progress "$1: $(($# - 1)) tests"
	run_one "$@"
	look_after_reporter
	if [ -n "$ended_by" ]; then
		[ -z "$held" ] || printf '%s\n' "$held"
		break
	fi
	finish "$@"
	progress "$1: $pass passed, $fail failed, $skip skipped"
	all_pass=$((all_pass + pass)) all_fail=$((all_fail + fail)) all_skip=$((all_skip + skip))
done

result=0
if [ -n "$ended_by" ]; then
	echo "Bail out! interrupted by signal $ended_by"
	result=$((128 + ended_by))
else
	echo "# Totals: pass:$all_pass fail:$all_fail xfail:0 xpass:0 skip:$all_skip error:0"
	if [ "$all_fail" -gt 0 ]; then
		result=1
	elif [ "$all_pass" -eq 0 ]; then
		result=4
	fi
fi
if [ -n "$reporter_lost" ] && [ -z "$ended_by" ]; then
	result=1
fi
if [ -n "$report" ]; then
	exec >&3 3>&-
	reported=
	until [ -n "$reported" ]; do
		wait "$report"
		reported=$?
		# A signal ends a wait early.
		kill -0 "$report" 2>/dev/null && reported=
	done
	# It read the same results, and wrote what it was to write.
	[ -n "$ended_by" ] || [ "$reported" -eq "$result" ] || result=1
fi
exit "$result"
