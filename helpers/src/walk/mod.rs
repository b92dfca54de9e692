// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything that makes the kernel follow the reverse map of a page.
//!
//! A walk acts on all pages of a world at once, those of its control actor included, and judges
//! what became of each: all mappers have it as before, or none has, or all have it in the same
//! new place. Any mixture means that the walk missed a mapper. [`every`] takes every walk that this
//! kernel offers, and has the world compared with its model after each.

pub mod active;
pub mod charge;
mod clean;
pub mod cleared;
pub mod compact;
pub mod counted;
pub mod damon;
pub mod fate;
pub mod hint;
pub mod idle;
pub mod ksm;
pub mod merge;
pub mod migrate;
pub mod mlocked;
pub mod noted;
pub mod own;
pub mod policy;
pub mod pressure;
pub mod reclaim;
pub mod referenced;
pub mod soft_offline;
pub mod split;
pub mod tally;
pub mod told;
pub mod uncounted;

use crate::supervise::{Ctx, Knob};
use crate::world::World;
use crate::{Stop, TestResult, topology};
use std::time::Instant;

/// Machine-wide settings that walks and the model rely on, set for the time of a program.
pub const KNOBS: &[Knob] = &{
    let mut all = [Knob::keep(""); ksm::KNOBS.len() + THP_KNOBS.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < ksm::KNOBS.len() {
            ksm::KNOBS[i]
        } else {
            THP_KNOBS[i - ksm::KNOBS.len()]
        };
        i += 1;
    }
    all
};

/// Large folios of one size are not made.
macro_rules! size {
    ($file:literal) => {
        Knob::set(
            concat!("/sys/kernel/mm/transparent_hugepage/hugepages-", $file),
            "never",
        )
    };
}

/// A huge page only where a test asks for one: else the first write to a page would populate its neighbours, which the
/// model says were never touched.
const THP_KNOBS: &[Knob] = &[
    Knob::set("/sys/kernel/mm/transparent_hugepage/enabled", "madvise"),
    // khugepaged fills holes and copies shared pages by itself.
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
        "3600000",
    ),
    size!("8kB/enabled"),
    size!("16kB/enabled"),
    size!("32kB/enabled"),
    size!("64kB/enabled"),
    size!("128kB/enabled"),
    size!("256kB/enabled"),
    size!("512kB/enabled"),
    size!("1024kB/enabled"),
    // Since Linux 6.11.
    size!("16kB/shmem_enabled"),
    size!("32kB/shmem_enabled"),
    size!("64kB/shmem_enabled"),
    size!("128kB/shmem_enabled"),
    size!("256kB/shmem_enabled"),
    size!("512kB/shmem_enabled"),
    size!("1024kB/shmem_enabled"),
    // khugepaged would make a huge page again of one that a test has taken parts of, the parts never touched again included.
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none",
        "0",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_shared",
        "0",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_swap",
        "0",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
        "3600000",
    ),
];

/// For tests whose VMAs that ask for huge pages get folios of 16 pages (of 4, 16 and 64 KiB each), where the kernel makes such.
pub const FOLIO_KNOBS: &[Knob] = &[
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
        "madvise",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-256kB/enabled",
        "madvise",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-1024kB/enabled",
        "madvise",
    ),
];

/// What became of a walk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It happened; how, for the diagnostic line.
    Yes(String),
    /// Not possible now: the control page was refused as well.
    NotNow(String),
    /// Nothing in this world to walk (no huge page to split).
    Pointless,
}

/// One kind of walk.
pub struct Walk {
    /// Name in diagnostics.
    pub name: &'static str,
    /// Whether this machine offers it at all; the reason is constant.
    pub offered: fn(&World) -> Result<(), &'static str>,
    /// Takes it, and judges every mapper of every page.
    pub take: fn(&World) -> TestResult<Taken>,
}

/// The walks that leave the pages what they are, in the order in which they are taken: reclaim last, since
/// swap-in makes plain pages of KSM pages.
pub const PLAIN: &[&Walk] = &[
    &migrate::MIGRATE,
    &compact::COMPACT,
    &idle::IDLE,
    &split::SPLIT,
    &reclaim::RECLAIM,
];

/// Those of [`PLAIN`] that a world takes. Compaction migrates as move_pages() does and moves what it likes: it is taken where
/// nothing else migrates.
fn plain_walks(w: &World) -> impl Iterator<Item = &'static Walk> {
    let exact = (migrate::MIGRATE.offered)(w).is_ok();
    let wanted = move |walk: &&Walk| !(exact && walk.name == compact::COMPACT.name);
    PLAIN.iter().copied().filter(wanted)
}

/// What is taken again on pages that have been swapped out: do_swap_page() makes new pages of them, with an anon_vma and an
/// index that whoever swapped them in has chosen.
const SWAPPED: &[&Walk] = &[&migrate::MIGRATE, &reclaim::RECLAIM];

/// Takes every walk on offer, with every mapper of every page checked after each: first the pages as they are, then those
/// that came back from swap, then again after KSM has merged them with equal pages of a process outside the tree.
///
/// # Errors
/// `Skip` when all that could be checked was right but no walk was possible: the property was not put to the test.
#[track_caller]
pub fn every(w: &World) -> TestResult {
    w.control()?;
    w.check()?;
    let mut log = Log::default();
    let mut swapped = false;
    for walk in plain_walks(w) {
        // Reclaim is the last of them.
        swapped = log.take(w, walk, "")?;
    }
    if swapped {
        for walk in SWAPPED {
            log.take(w, walk, "swapped+")?;
        }
    }
    if log.take(w, &ksm::KSM, "")? {
        for walk in plain_walks(w) {
            log.take(w, walk, "ksm+")?;
        }
    }
    log.end(w)
}

/// Every walk but KSM's, which only merges private pages: for topologies of pages that processes share on purpose.
#[track_caller]
pub fn plain(w: &World) -> TestResult {
    w.control()?;
    w.check()?;
    let mut log = Log::default();
    for walk in plain_walks(w) {
        log.take(w, walk, "")?;
    }
    log.end(w)
}

/// [`every`] for tests that judge something of their own as well: no walk on offer is no reason to skip.
#[track_caller]
pub fn every_on_offer(w: &World) -> TestResult {
    match every(w) {
        Err(Stop::Skip(NO_WALK)) => Ok(()),
        other => other,
    }
}

/// For large folios, which a split or reclaim ends: each kind of walk on a world of its own, made anew by `build`, and every sharer writes
/// right after it. First without any walk: what a fork has left writable or exclusive shows at once, and what smaps says of shares.
///
/// # Errors
/// `Skip` when no walk was possible.
#[track_caller]
pub fn afresh(ctx: &Ctx, build: impl Fn(&World) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    build(&w)?;
    w.check()?;
    w.check_shares()?;
    topology::write_by_each(&w)?;
    let two_nodes = (migrate::MIGRATE.offered)(&w).is_ok();
    w.finish()?;
    // Where nothing else migrates, compaction may.
    let mover = if two_nodes {
        &migrate::MIGRATE
    } else {
        &compact::COMPACT
    };
    let mut taken = false;
    for group in [
        &[mover][..],
        &[&idle::IDLE, &split::SPLIT],
        &[&reclaim::RECLAIM],
    ] {
        let w = World::new(ctx)?;
        if !group.iter().any(|walk| (walk.offered)(&w).is_ok()) {
            continue;
        }
        build(&w)?;
        w.control()?;
        w.check()?;
        let mut log = Log::default();
        for walk in group {
            log.take(&w, walk, "")?;
        }
        taken |= log.end(&w).is_ok();
        topology::write_by_each(&w)?;
        w.finish()?;
    }
    if taken {
        Ok(())
    } else {
        Err(Stop::Skip(NO_WALK))
    }
}

/// Takes one walk and checks; for tests of the walk itself.
#[track_caller]
pub fn only(w: &World, walk: &'static Walk) -> TestResult {
    (walk.offered)(w).map_err(Stop::Skip)?;
    w.control()?;
    w.check()?;
    let mut log = Log::default();
    if log.take(w, walk, "")? {
        return log.end(w);
    }
    w.diag(log.left_out.join(", "));
    Err(Stop::Skip("needs a page that this walk can take now"))
}

/// Takes one walk and judges what became of each page, and leaves them where it has put them: the script goes on.
///
/// # Errors
/// `Skip` where the machine does not offer it, or could not take the control page either.
#[track_caller]
pub fn midway(w: &World, walk: &'static Walk) -> TestResult {
    (walk.offered)(w).map_err(Stop::Skip)?;
    w.control()?;
    w.check()?;
    w.note(format!("walk: {}", walk.name));
    match (walk.take)(w)? {
        Taken::Yes(_) | Taken::Pointless => Ok(()),
        Taken::NotNow(why) => {
            w.diag(why);
            Err(Stop::Skip("needs a page that this walk can take now"))
        }
    }
}

/// Swaps everything out where that is possible, and leaves it there for the next step.
#[track_caller]
pub fn leave_in_swap(w: &World) -> TestResult {
    match reclaim::swap_out(w) {
        Err(Stop::Skip(why)) => {
            w.diag(why);
            Ok(())
        }
        other => other,
    }
}

/// One walk that has to find every page: migration, or reclaim where nothing migrates. For a look in between.
#[track_caller]
pub fn quick(w: &World) -> TestResult {
    let mut walks = [&migrate::MIGRATE, &reclaim::RECLAIM].into_iter();
    let Some(walk) = walks.find(|walk| (walk.offered)(w).is_ok()) else {
        return Ok(());
    };
    w.control()?;
    w.check()?;
    let mut log = Log::default();
    log.take(w, walk, "")?;
    for reason in &log.left_out {
        w.diag(reason);
    }
    Ok(())
}

/// Reclaim, where it is on offer: content comes back from swap as it was last written.
#[track_caller]
pub fn through_swap(w: &World) -> TestResult {
    if (reclaim::RECLAIM.offered)(w).is_err() {
        return Ok(());
    }
    w.control()?;
    let mut log = Log::default();
    log.take(w, &reclaim::RECLAIM, "written+")?;
    // That it was not possible now is no reason to skip what was judged before, but to be said.
    for reason in &log.left_out {
        w.diag(reason);
    }
    Ok(())
}

const NO_WALK: &str = "needs an rmap walk";

/// What was taken, for one diagnostic line.
#[derive(Default)]
struct Log {
    taken: Vec<String>,
    left_out: Vec<String>,
}

impl Log {
    /// True when the walk was taken.
    #[track_caller]
    fn take(&mut self, w: &World, walk: &Walk, prefix: &str) -> TestResult<bool> {
        let name = format!("{prefix}{}", walk.name);
        if let Err(reason) = (walk.offered)(w) {
            w.tally().left_out(walk.name, || reason.into());
            if prefix.is_empty() {
                self.left_out.push(format!("{name} ({reason})"));
            }
            return Ok(false);
        }
        w.note(format!("walk: {name}"));
        let began = Instant::now();
        let taken = (walk.take)(w)?;
        let ms = began.elapsed().as_millis();
        if taken == Taken::Pointless {
            // Nothing was asked of the kernel.
            return Ok(false);
        }
        fate::settled(w)?;
        // Every mapper of every page, also when the walk was refused: a refused walk must leave all as it was.
        w.check()?;
        Ok(match taken {
            Taken::Yes(how) => {
                let comma = if how.is_empty() { "" } else { ", " };
                self.taken.push(format!("{name} ({how}{comma}{ms} ms)"));
                true
            }
            Taken::NotNow(why) => {
                w.tally().left_out(walk.name, || format!("not now: {why}"));
                self.left_out.push(format!("{name} (not now: {why})"));
                false
            }
            Taken::Pointless => false,
        })
    }

    fn end(self, w: &World) -> TestResult {
        let list = |l: &[String]| {
            if l.is_empty() {
                String::from("none")
            } else {
                l.join(", ")
            }
        };
        w.diag(format_args!(
            "walks taken: {}; left out: {}",
            list(&self.taken),
            list(&self.left_out)
        ));
        if self.taken.is_empty() {
            return Err(Stop::Skip(NO_WALK));
        }
        Ok(())
    }
}

/// For `offered` of walks that judge by PFN.
fn needs_pfn(w: &World) -> Result<(), &'static str> {
    if w.features().pfn {
        Ok(())
    } else {
        Err("needs PFNs in pagemap (CAP_SYS_ADMIN)")
    }
}
