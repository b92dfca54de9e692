// SPDX-License-Identifier: GPL-2.0-or-later
//! Process system calls.

use super::mem::Sys;
use nix::errno::Errno;
use nix::sched::sched_getcpu;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use std::mem::size_of;
use std::sync::OnceLock;

/// What came back from [`fork_sibling`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
    /// In the parent: the child's PID.
    Parent(i32),
    /// In the child.
    Child,
}

/// fork(2), but the child's parent is the caller's parent (CLONE_PARENT), so that one process can wait for every actor of a tree.
/// dup_mm() does the same work as for fork(2). Only for single-threaded callers; the child must never return into the caller's
/// harness: see actor::agent.
///
/// The signal that tells the parent of the child's end is the caller's own (copy_process(), kernel/fork.c), whatever is asked
/// here: SIGCHLD when the caller was made by fork(2).
///
/// # Errors
/// The errno of clone(2); EINVAL in the first process of a PID namespace, which has no parent to share.
pub fn fork_sibling() -> Sys<Forked> {
    let flags = libc::c_long::from(libc::CLONE_PARENT | libc::SIGCHLD);
    let tid = cached_tid();
    // The C library's wrappers offer no clone(2) that returns twice on the same stack, and no
    // fork(2) with flags. The order of the last arguments differs between architectures; all are 0.
    // SAFETY: no CLONE_VM, so the child has its own copy of everything; stack 0 means to go on on
    // the copy of the current one. The caller is single-threaded, so no lock is held by a thread
    // that the child does not have.
    match Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })? {
        0 => {
            if let Some(tid) = tid {
                // SAFETY: the pointer was found to hold this thread's TID just before the clone,
                // and the child has a copy of that memory at the same address.
                unsafe { tid.write_volatile(nix::unistd::gettid().as_raw()) };
            }
            Ok(Forked::Child)
        }
        pid => Ok(Forked::Parent(pid as i32)),
    }
}

/// Where the C library remembers this thread's TID, if it has to be told that it changed.
///
/// musl's raise(3) and abort(3) send to the TID that its fork(3) stored. After a clone(2) behind its
/// back that is still the *parent's*: a child that aborts would kill its parent. The word stands just
/// before errno in struct pthread (src/internal/pthread_impl.h: `int tid; int errno_val;`). glibc
/// asks the kernel.
fn cached_tid() -> Option<*mut i32> {
    if !cfg!(target_env = "musl") {
        return None;
    }
    // SAFETY: no conditions.
    let errno = unsafe { libc::__errno_location() };
    let tid = errno.wrapping_sub(1);
    // SAFETY: errno is a member of musl's struct pthread, not its first, so the word before it is
    // memory of the same object, and aligned.
    let seen = unsafe { tid.read_volatile() };
    // A musl with another layout is left alone.
    (seen == nix::unistd::gettid().as_raw()).then_some(tid)
}

/// fork(2) proper. Same conditions.
///
/// # Errors
/// The errno of fork(2).
pub fn fork_child() -> Sys<Forked> {
    // SAFETY: the caller is single-threaded, or its child does no more than async-signal-safe calls.
    match Errno::result(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// _exit(2): no destructor, no atexit handler.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process; there is nobody left whose invariants could break.
    unsafe { libc::_exit(code) }
}

/// Waits for an RCU grace period: what was freed through RCU before can go now. False where the kernel offers no such wait
/// (CONFIG_MEMBARRIER, nohz_full).
pub fn rcu_wait() -> bool {
    let zero: libc::c_uint = 0;
    // SAFETY: two or three numbers, no pointers; MEMBARRIER_CMD_GLOBAL is synchronize_rcu() and nothing else.
    let done = unsafe {
        libc::syscall(
            libc::SYS_membarrier,
            libc::MEMBARRIER_CMD_GLOBAL,
            zero,
            zero,
        )
    };
    done == 0
}

/// PR_SET_PDEATHSIG; `sig` 0 clears it.
///
/// # Errors
/// EINVAL for a number that is no signal.
pub fn set_pdeathsig(sig: i32) -> Sys<()> {
    let sig = match sig {
        0 => None,
        n => Some(Signal::try_from(n)?),
    };
    prctl::set_pdeathsig(sig)
}

/// Sets the soft limit of a process' address space (RLIMIT_AS), bytes, or the hard one where that is less: the former one.
///
/// # Errors
/// The errno of prlimit(2): EPERM, ESRCH.
pub fn limit_address_space(pid: i32, bytes: libc::rlim_t) -> Sys<libc::rlim_t> {
    let mut old = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: no new limit, and `old` lives through the call.
    Errno::result(unsafe { libc::prlimit(pid, libc::RLIMIT_AS, std::ptr::null(), &mut old) })?;
    let new = libc::rlimit {
        rlim_cur: bytes.min(old.rlim_max),
        rlim_max: old.rlim_max,
    };
    // SAFETY: `new` lives through the call, and no former limit is asked for.
    Errno::result(unsafe { libc::prlimit(pid, libc::RLIMIT_AS, &new, std::ptr::null_mut()) })?;
    Ok(old.rlim_cur)
}

/// PR_SET_CHILD_SUBREAPER.
///
/// # Errors
/// The errno of prctl(2).
pub fn set_subreaper() -> Sys<()> {
    prctl::set_child_subreaper(true)
}

/// prctl(2) with one argument. PR_*_MEMORY_MERGE insist on zeroes in the others.
fn prctl1(option: i32, arg: libc::c_ulong) -> Sys<i32> {
    let zero: libc::c_ulong = 0;
    // SAFETY: only for options that take numbers, no pointers.
    Errno::result(unsafe { libc::prctl(option, arg, zero, zero, zero) })
}

/// PR_SET_MEMORY_MERGE.
///
/// # Errors
/// EINVAL before Linux 6.4 or without CONFIG_KSM, EPERM without CAP_SYS_RESOURCE.
pub fn set_memory_merge(on: bool) -> Sys<()> {
    prctl1(libc::PR_SET_MEMORY_MERGE, on.into()).map(drop)
}

/// PR_GET_MEMORY_MERGE.
///
/// # Errors
/// EINVAL before Linux 6.4 or without CONFIG_KSM.
pub fn get_memory_merge() -> Sys<bool> {
    Ok(prctl1(libc::PR_GET_MEMORY_MERGE, 0)? != 0)
}

/// A CPU mask as large as any kernel's (NR_CPUS is at most 8192). The cpu_set_t of the C libraries
/// ends at CPU 1023, and sched_getaffinity(2) fails on a larger machine.
type CpuMask = [libc::c_ulong; 8192 / WORD];
const WORD: usize = libc::c_ulong::BITS as usize;

/// Pins the calling thread to one CPU.
///
/// # Errors
/// EINVAL when the CPU is not there, is offline, or is not in the thread's cpuset.
pub fn pin_to_cpu(cpu: usize) -> Sys<()> {
    pin(0, &[cpu])
}

/// Pins a thread to some CPUs; 0 is the calling one.
fn pin(thread: i32, cpus: &[usize]) -> Sys<()> {
    let mut mask: CpuMask = [0; 8192 / WORD];
    for cpu in cpus {
        *mask.get_mut(cpu / WORD).ok_or(Errno::EINVAL)? |= 1 << (cpu % WORD);
    }
    // SAFETY: the kernel reads as many bytes as it is told, all in `mask`.
    Errno::result(unsafe {
        libc::sched_setaffinity(thread, size_of::<CpuMask>(), mask.as_ptr().cast())
    })
    .map(drop)
}

/// The CPUs that were allowed before [`stay_together`] or [`roam`].
static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();

/// Pins the calling thread, what it forks, and another thread to one CPU: the given one, or where it is now.
///
/// # Errors
/// The errnos of getcpu(2), sched_getaffinity(2) and sched_setaffinity(2).
pub fn stay_together(cpu: Option<usize>, other: i32) -> Sys<()> {
    let cpus = allowed_cpus()?;
    let cpu = cpu.map_or_else(sched_getcpu, Ok)?;
    pin_to_cpu(cpu)?;
    let _ = ALLOWED.set(cpus);
    pin(other, &[cpu])
}

/// Lets the calling thread, and what it forks, go to all the CPUs again that were allowed when this was called first.
///
/// # Errors
/// The errnos of sched_getaffinity(2) and sched_setaffinity(2).
pub fn roam() -> Sys<()> {
    let cpus = allowed_cpus()?;
    match ALLOWED.set(cpus.clone()) {
        Ok(()) => Ok(()),
        Err(_) => pin(0, &cpus),
    }
}

/// The CPUs the calling thread may use, ascending; those from before, once it [stays](stay_together) on one.
///
/// # Errors
/// The errno of sched_getaffinity(2).
pub fn allowed_cpus() -> Sys<Vec<usize>> {
    if let Some(cpus) = ALLOWED.get() {
        return Ok(cpus.clone());
    }
    let mut mask: CpuMask = [0; 8192 / WORD];
    // SAFETY: the kernel writes at most as many bytes as it is told, all in `mask`.
    Errno::result(unsafe {
        libc::sched_getaffinity(0, size_of::<CpuMask>(), mask.as_mut_ptr().cast())
    })?;
    Ok((0..mask.len() * WORD)
        .filter(|cpu| mask[cpu / WORD] >> (cpu % WORD) & 1 != 0)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{Pid, getppid};

    fn wait(pid: i32) -> WaitStatus {
        waitpid(Pid::from_raw(pid), None).unwrap()
    }

    /// Runs `f` in a child. The test harness has threads, so `f` may not allocate.
    fn in_child(f: fn() -> i32) -> WaitStatus {
        match fork_child().unwrap() {
            Forked::Child => exit_now(f()),
            Forked::Parent(pid) => wait(pid),
        }
    }

    #[test]
    fn fork_child_and_exit_now() {
        assert!(matches!(in_child(|| 23), WaitStatus::Exited(_, 23)));
    }

    /// A waits for B, which made C as its sibling, and for C.
    #[test]
    fn sibling_is_a_child_of_the_callers_parent() {
        let status = in_child(|| {
            let Ok(Forked::Parent(b)) = fork_child().inspect(|f| {
                if *f == Forked::Child {
                    let a = getppid();
                    match fork_sibling() {
                        Ok(Forked::Child) => exit_now(if getppid() == a { 5 } else { 6 }),
                        Ok(Forked::Parent(_)) => exit_now(0),
                        Err(_) => exit_now(7),
                    }
                }
            }) else {
                return 1;
            };
            let mut fives = 0;
            for _ in 0..2 {
                match waitpid(None, None) {
                    Ok(WaitStatus::Exited(pid, 0)) if pid.as_raw() == b => {}
                    Ok(WaitStatus::Exited(_, 5)) => fives += 1,
                    _ => return 2,
                }
            }
            if fives == 1 { 0 } else { 3 }
        });
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    }

    /// With musl this killed B instead of C.
    #[test]
    fn a_sibling_that_aborts_kills_itself_only() {
        let status = in_child(|| {
            let b = match fork_child() {
                Ok(Forked::Child) => match fork_sibling() {
                    Ok(Forked::Child) => std::process::abort(),
                    Ok(Forked::Parent(c)) => {
                        // Alive until the sibling has aborted: its parent is ours, so look for its
                        // end with a signal number of 0 until it is a zombie that A reaped.
                        for _ in 0..200 {
                            std::thread::sleep(std::time::Duration::from_millis(10));
                            if nix::sys::signal::kill(Pid::from_raw(c), None).is_err() {
                                exit_now(0);
                            }
                        }
                        exit_now(9)
                    }
                    Err(_) => exit_now(7),
                },
                Ok(Forked::Parent(b)) => b,
                Err(_) => return 1,
            };
            let mut aborted = false;
            for _ in 0..2 {
                match waitpid(None, None) {
                    Ok(WaitStatus::Exited(pid, 0)) if pid.as_raw() == b => {}
                    Ok(WaitStatus::Signaled(pid, Signal::SIGABRT, _)) if pid.as_raw() != b => {
                        aborted = true;
                    }
                    _ => return 2,
                }
            }
            if aborted { 0 } else { 3 }
        });
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    }

    #[test]
    fn pinning_leaves_one_cpu() {
        let status = in_child(|| {
            let Some(&cpu) = allowed_cpus().ok().as_deref().and_then(|c| c.last()) else {
                return 1;
            };
            if pin_to_cpu(cpu).is_err() {
                return 2;
            }
            i32::from(allowed_cpus().ok().as_deref() != Some(&[cpu]))
        });
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
        assert_eq!(pin_to_cpu(1 << 20), Err(Errno::EINVAL));
    }

    #[test]
    fn staying_keeps_the_list_of_cpus() {
        let before = allowed_cpus().unwrap();
        let status = in_child(|| {
            if stay_together(None, 0).is_err() {
                return 1;
            }
            // As the kernel has it, past the list that was kept.
            let now = nix::sched::sched_getaffinity(Pid::from_raw(0));
            let one = now.is_ok_and(|set| {
                (0..nix::sched::CpuSet::count())
                    .filter(|&cpu| set.is_set(cpu) == Ok(true))
                    .count()
                    == 1
            });
            if !one || roam().is_err() {
                return 2;
            }
            let list = allowed_cpus();
            let mut mask = nix::sched::CpuSet::new();
            for cpu in list.as_deref().unwrap_or_default() {
                let _ = mask.set(*cpu);
            }
            let now = nix::sched::sched_getaffinity(Pid::from_raw(0));
            if now == Ok(mask) { 0 } else { 3 }
        });
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
        assert_eq!(allowed_cpus().unwrap(), before);
    }

    #[test]
    fn prctl_round_trips() {
        let status = in_child(|| {
            if set_pdeathsig(libc::SIGKILL).is_err() || set_subreaper().is_err() {
                return 1;
            }
            // An older kernel knows neither; EPERM without CAP_SYS_RESOURCE.
            match (get_memory_merge(), set_memory_merge(true)) {
                (Ok(false), Ok(())) if get_memory_merge() == Ok(true) => 0,
                (Ok(false), Err(Errno::EPERM)) | (Err(Errno::EINVAL), Err(Errno::EINVAL)) => 0,
                _ => 2,
            }
        });
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
        assert_eq!(set_pdeathsig(4242), Err(Errno::EINVAL));
    }
}
