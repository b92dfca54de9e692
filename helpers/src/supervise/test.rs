// SPDX-License-Identifier: GPL-2.0-or-later
//! Declarations: each test is one `const` value.

use super::{Ctx, Knob};
use crate::TestResult;
use crate::kernel::features::Features;
use std::time::Duration;

/// A test, declared. Write `Test { name: ..., run: ..., ..Test::DEFAULT }`.
pub struct Test {
    /// `[A-Za-z0-9_.]`, never renamed: labs track results by it.
    pub name: &'static str,
    /// The property, one sentence.
    pub about: &'static str,
    /// What must be there; the first that is not gives the SKIP reason (all are reported in diagnostics).
    pub needs: &'static [Need],
    /// Set before, restored after, on every path.
    pub knobs: &'static [Knob],
    /// Runs in the arena: a memory cgroup and a zram swap of its own, KSM knobs set for quick scans.
    pub arena: bool,
    /// Killed after this time (times the scale of --timeout-scale).
    pub timeout: Duration,
    /// Kernel commits whose bugs this test is known to see. Printed on failure only.
    pub guards: &'static [Fix],
    /// Only with -d: takes memory away from the machine or needs a reboot to undo.
    pub destructive: bool,
    /// The test.
    pub run: fn(&mut Ctx) -> TestResult,
}

impl Test {
    /// What most tests have.
    pub const DEFAULT: Test = Test {
        name: "",
        about: "",
        needs: &[],
        knobs: &[],
        arena: true,
        timeout: Duration::from_secs(30),
        guards: &[],
        destructive: false,
        run: |_| Err(crate::Stop::Error(String::from("a test without a body"))),
    };
}

/// A fix in the kernel's history.
pub struct Fix {
    /// At least 12 hex digits.
    pub commit: &'static str,
    /// Its subject.
    pub subject: &'static str,
}

/// One precondition.
#[derive(Clone, Copy)]
pub enum Need {
    /// PFNs in pagemap (CAP_SYS_ADMIN).
    Pfn,
    /// Readable pagemap, PFNs or not.
    Pagemap,
    /// /proc/kpagecount.
    KpageCount,
    /// /proc/kpageflags.
    KpageFlags,
    /// Effective UID 0.
    Root,
    /// Transparent huge pages.
    Thp,
    /// KSM.
    Ksm,
    /// Nodes with memory.
    Nodes(usize),
    /// A memory cgroup and swap of our own: the reclaim walk.
    Reclaim,
    /// A file that must exist.
    File(&'static str, &'static str),
    /// Free memory, MiB.
    MemMib(u64),
    /// Anything else: a probe with its reason.
    Probe(fn(&Features) -> Result<(), &'static str>),
}

impl Need {
    /// `Err` is the SKIP reason: constant, short, says what is missing.
    pub fn check(&self, _f: &Features, _arena: Option<&super::Arena>) -> Result<(), &'static str> {
        unimplemented!()
    }
}
