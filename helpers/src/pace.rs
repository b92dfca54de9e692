// SPDX-License-Identifier: GPL-2.0-or-later
//! How quick this machine is, and time limits that follow it.
//!
//! No limit here is a property of the kernel: each only ends a wait for what a right kernel does at once. So on a machine that is
//! emulated, small or busy with something else all of them are stretched, by a factor that is measured: how long a process
//! takes to be forked, to touch some pages and to be gone. That is what tests are made of, and it shows a slow CPU, an emulated
//! MMU, and a run queue in which others stand as well.

use crate::sys::{mem, proc};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a fork, [`TOUCHED`] faults and the exit may take before limits are stretched. A PC of 2023 takes a tenth of it, and the
/// limits leave it room for thirty times of what they wait for.
const QUICK: Duration = Duration::from_micros(1500);
/// Pages that the measured process touches.
const TOUCHED: usize = 32;
/// Processes measured at the start, at least.
const FEWEST: u32 = 4;
/// How long to measure at the start.
const AT_START: Duration = Duration::from_millis(6);
/// How long to measure when a limit is over: longer than the time slices of whoever else is running.
const AT_END: Duration = Duration::from_millis(60);
/// No machine is slower than this; beyond it something is wrong with the clock.
const MOST: f64 = 200.0;
/// So often something is looked at before its limit is over, however long one look takes.
const LOOKS: u32 = 4;
/// Between two tries of what is refused for longer.
const PAUSE: Duration = Duration::from_millis(5);

/// The factor, as bits of an f64. Here and not in a context: the modules below of it wait as well.
static SCALE: AtomicU64 = AtomicU64::new(0x3ff0_0000_0000_0000);
/// --timeout-scale gave a number: nothing is measured.
static FIXED: AtomicBool = AtomicBool::new(false);

/// What to do at each sign of life.
static ON_BEAT: OnceLock<fn()> = OnceLock::new();

/// Has `tell` called whenever something was waited for and came, or is still looked for.
pub fn on_beat(tell: fn()) {
    let _ = ON_BEAT.set(tell);
}

/// A sign of life.
pub fn beat() {
    if let Some(tell) = ON_BEAT.get() {
        tell();
    }
}

/// Sets the factor for this process and those that it forks: the one given, or what is measured now.
pub fn set(fixed: Option<f64>) {
    FIXED.store(fixed.is_some(), Ordering::Relaxed);
    let factor = fixed.unwrap_or_else(|| measure(AT_START));
    SCALE.store(factor.to_bits(), Ordering::Relaxed);
}

/// The factor that limits are multiplied by.
pub fn scale() -> f64 {
    f64::from_bits(SCALE.load(Ordering::Relaxed))
}

/// Whether the factor was given by --timeout-scale.
pub fn is_fixed() -> bool {
    FIXED.load(Ordering::Relaxed)
}

/// The factor at this moment: never less than [`scale`], more when the machine has become slower.
pub fn scale_now() -> f64 {
    if is_fixed() {
        scale()
    } else {
        measure(AT_END).max(scale())
    }
}

/// 1 on a quick machine.
fn measure(least: Duration) -> f64 {
    let start = Instant::now();
    let mut made = 0;
    while made < FEWEST || start.elapsed() < least {
        match proc::fork_child() {
            Ok(proc::Forked::Child) => {
                let size = mem::page_size();
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                let prot = libc::PROT_READ | libc::PROT_WRITE;
                if let Ok(addr) = mem::mmap(0, TOUCHED * size, prot, flags, -1, 0) {
                    (0..TOUCHED).for_each(|i| mem::fill(addr + i * size, 8, 1));
                }
                proc::exit_now(0)
            }
            Ok(proc::Forked::Parent(pid)) => {
                let _ = waitpid(Pid::from_raw(pid), None);
            }
            // No process to be had (RLIMIT_NPROC): tests will say so.
            Err(_) => return 1.0,
        }
        made += 1;
    }
    factor(start.elapsed() / made)
}

fn factor(each: Duration) -> f64 {
    (each.as_secs_f64() / QUICK.as_secs_f64()).clamp(1.0, MOST)
}

/// A limited wait: `while !condition { if wait.over() { complain } pause }`.
#[derive(Clone, Debug)]
pub struct Wait {
    start: Instant,
    base: Duration,
    scale: f64,
    looks: u32,
}

impl Wait {
    /// Begins now, and lasts `base` on a quick machine.
    pub fn new(base: Duration) -> Wait {
        Wait {
            start: Instant::now(),
            base,
            scale: scale(),
            looks: 0,
        }
    }

    /// Time that is left of the wait as it is known now.
    pub fn left(&self) -> Duration {
        let until = self.start + self.base.mul_f64(self.scale);
        until.saturating_duration_since(Instant::now())
    }

    /// Whether the limit is over, asked after each look at what is waited for. A machine that needs the whole time for one look gets more
    /// of them, and one that has become slower meanwhile more time.
    pub fn over(&mut self) -> bool {
        beat();
        self.looks += 1;
        self.left().is_zero() && self.looks >= LOOKS && self.expired()
    }

    /// The same for a wait that one call sleeps through: it need not look more than once.
    pub fn expired(&mut self) -> bool {
        if self.left().is_zero() {
            self.scale = self.scale.max(scale_now());
        }
        self.left().is_zero()
    }
}

/// Numbers of tries of what the kernel may refuse for a moment: `least` of them without a pause, and then, with pauses, until `base` is over.
/// Whoever holds the page may be on a virtual CPU that does not run now.
pub struct Tries {
    done: usize,
    least: usize,
    until: Wait,
}

impl Tries {
    /// Begins now.
    pub fn new(least: usize, base: Duration) -> Tries {
        Tries {
            done: 0,
            least,
            until: Wait::new(base),
        }
    }
}

impl Iterator for Tries {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let over = self.done > 0 && self.until.over();
        if self.done >= self.least {
            if over {
                return None;
            }
            std::thread::sleep(PAUSE);
        }
        self.done += 1;
        Some(self.done - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_numbered_and_end() {
        let tries: Vec<usize> = Tries::new(6, Duration::ZERO).collect();
        assert_eq!(tries, [0, 1, 2, 3, 4, 5]);
        let long = Tries::new(1, Duration::from_secs(1000));
        assert_eq!(long.take(3).count(), 3);
    }

    #[test]
    fn a_quick_machine_is_not_stretched() {
        assert_eq!(factor(Duration::from_micros(90)), 1.0);
        assert!((factor(QUICK * 3) - 3.0).abs() < 1e-6);
        assert_eq!(factor(Duration::from_secs(100)), MOST);
        assert!((1.0..=MOST).contains(&measure(Duration::ZERO)));
    }

    #[test]
    fn one_long_look_is_not_enough() {
        let mut wait = Wait::new(Duration::ZERO);
        let looks = (1..100).find(|_| wait.over());
        assert_eq!(looks, Some(LOOKS));
        assert!(Wait::new(Duration::ZERO).expired());
        let mut long = Wait::new(Duration::from_secs(1000));
        assert!(!(0..10).any(|_| long.over()) && !long.expired());
    }
}
