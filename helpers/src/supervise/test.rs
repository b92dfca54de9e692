// SPDX-License-Identifier: GPL-2.0-or-later
//! Declarations: each test is one `const` value.

use super::{Ctx, Knob};
use crate::TestResult;
use crate::kernel::disk;
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
        timeout: Duration::from_secs(60),
        guards: &[],
        destructive: false,
        run: |_| Err(crate::Stop::Error(String::from("a test without a body"))),
    };
}

/// Two lists of tests as one, of `N` together.
pub const fn joined<const N: usize>(one: &[Test], other: &[Test]) -> [Test; N] {
    assert!(one.len() + other.len() == N);
    let mut all = [const { Test::DEFAULT }; N];
    let mut i = 0;
    while i < N {
        all[i] = match i < one.len() {
            true => Test { ..one[i] },
            false => Test {
                ..other[i - one.len()]
            },
        };
        i += 1;
    }
    all
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
    /// Counters of mapped pages that count each page of a large folio by itself (no CONFIG_NO_PAGE_MAPCOUNT): without, a folio counts as
    /// a whole as long as any part of it is mapped.
    PageMapcount,
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
    /// The same, and a second memory cgroup.
    OtherMemcg,
    /// The same with a cgroup in another one.
    NestedMemcg,
    /// A directory on a disk, or a file system of our own: [`crate::world::Kind::Disk`].
    Disk,
    /// A file that must exist.
    File(&'static str, &'static str),
    /// Free memory, MiB.
    MemMib(u64),
    /// Anything else: a probe with its reason.
    Probe(fn(&Features) -> Result<(), &'static str>),
}

impl Need {
    /// `Err` is the SKIP reason: constant, short, says what is missing.
    pub fn check(&self, f: &Features, arena: Option<&super::Arena>) -> Result<(), &'static str> {
        let (there, reason) = match *self {
            Need::Pfn => (f.pfn, "needs PFNs in pagemap (CAP_SYS_ADMIN)"),
            Need::Pagemap => (f.pagemap, "needs pagemap (CONFIG_PROC_PAGE_MONITOR)"),
            Need::KpageCount => (
                f.kpagecount,
                "needs kpagecount (CONFIG_PROC_PAGE_MONITOR and root)",
            ),
            Need::KpageFlags => (
                f.kpageflags,
                "needs kpageflags (CONFIG_PROC_PAGE_MONITOR and root)",
            ),
            Need::PageMapcount => (
                f.page_mapcount,
                "needs mapcounts of pages (CONFIG_PAGE_MAPCOUNT)",
            ),
            Need::Root => (f.root, "needs root"),
            Need::Thp => (f.thp, "needs transparent huge pages"),
            Need::Ksm => match arena {
                Some(arena) => return arena.ksm,
                None => (f.ksm, "needs KSM"),
            },
            Need::Nodes(n) => (
                f.nodes.len() >= n,
                match n {
                    2 => "needs 2 NUMA nodes with memory",
                    3 => "needs 3 NUMA nodes with memory",
                    4 => "needs 4 NUMA nodes with memory",
                    _ => "needs more NUMA nodes with memory",
                },
            ),
            Need::Reclaim => {
                let Some(arena) = arena else {
                    return Err("needs a memory cgroup and swap");
                };
                if let Err(reason) = &arena.memcg {
                    return Err(reason);
                }
                return arena.swap.as_ref().map(drop).map_err(|reason| *reason);
            }
            Need::OtherMemcg => {
                Need::Reclaim.check(f, arena)?;
                return arena.map_or(Err("needs two memory cgroups"), |arena| {
                    arena
                        .other_memcg
                        .as_ref()
                        .map(drop)
                        .map_err(|reason| *reason)
                });
            }
            Need::NestedMemcg => {
                Need::Reclaim.check(f, arena)?;
                return arena.map_or(Err("needs nested memory cgroups"), |arena| {
                    arena
                        .nested_memcg
                        .as_ref()
                        .map(drop)
                        .map_err(|reason| *reason)
                });
            }
            Need::Disk => (
                disk::temporary(arena.and_then(|a| a.disk.as_deref())).is_some(),
                "needs a directory on a disk (TMPDIR)",
            ),
            Need::File(path, reason) => (std::path::Path::new(path).exists(), reason),
            // What the kernel does not tell is not held against it.
            Need::MemMib(mib) => (
                super::arena::meminfo("MemAvailable").is_none_or(|bytes| bytes >> 20 >= mib),
                "needs more free memory",
            ),
            Need::Probe(probe) => return probe(f),
        };
        if there { Ok(()) } else { Err(reason) }
    }
}

/// Labs track results by name, and the shells, parsers and file systems between must not change it.
pub(crate) fn check_names(tests: &[Test]) -> Result<(), String> {
    for (i, test) in tests.iter().enumerate() {
        let name = test.name;
        if name.is_empty()
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
        {
            return Err(format!("bug in the suite: test name \"{name}\""));
        }
        if tests[..i].iter().any(|t| t.name == name) {
            return Err(format!("bug in the suite: two tests are called {name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        const GOOD: Test = Test {
            name: "a.B_1",
            ..Test::DEFAULT
        };
        const BAD: Test = Test {
            name: "a b",
            ..Test::DEFAULT
        };
        assert!(check_names(&[GOOD]).is_ok());
        assert!(check_names(&[GOOD, GOOD]).is_err());
        assert!(check_names(&[BAD]).is_err());
    }
}
