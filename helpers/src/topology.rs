// SPDX-License-Identifier: GPL-2.0-or-later
//! Ways to come to mappings that more than one test starts from.

use crate::actor::Cmd;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::supervise::{Knob, Need};
use crate::sys::mem::advice;
use crate::world::{Actor, Area, Object, World};
use crate::{Stop, TestResult, walk};
use nix::libc::{PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE};

/// No access.
pub const NONE: i32 = PROT_NONE;
/// Read only.
pub const R: i32 = PROT_READ;
/// Read and write.
pub const RW: i32 = PROT_READ | PROT_WRITE;
/// Read, write and execute.
pub const RWX: i32 = RW | PROT_EXEC;
/// Readable and executable.
pub const RX: i32 = R | PROT_EXEC;

/// Shared memory that asks for it (MADV_HUGEPAGE) gets huge pages.
pub const SHARED_HUGE: Knob = Knob::set(
    "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
    "advise",
);
/// Shared memory that asks for it (MADV_HUGEPAGE) gets folios of 16 pages, of 4, 16 and 64 KiB each (Linux 6.11).
pub const SHARED_FOLIOS: &[Knob] = &[
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/shmem_enabled",
        "advise",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-256kB/shmem_enabled",
        "advise",
    ),
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-1024kB/shmem_enabled",
        "advise",
    ),
];

/// A process with `n` pages, each with a content of its own.
#[track_caller]
pub fn filled<'w, 'c>(
    w: &'w World<'c>,
    name: &'static str,
    n: usize,
) -> TestResult<(Actor<'w, 'c>, Area)> {
    let p = w.actor(name)?;
    let a = w.place(n);
    w.name(a, name);
    p.map(a)?;
    p.write(a)?;
    Ok((p, a))
}

/// A process with small pages in the place of a huge one.
#[track_caller]
pub fn small<'w, 'c>(w: &'w World<'c>, name: &'static str) -> TestResult<(Actor<'w, 'c>, Area)> {
    let p = w.actor(name)?;
    let a = w.place_huge(1)?;
    w.name(a, name);
    p.map(a)?;
    p.advise(a, advice::NOHUGEPAGE)?;
    p.write(a)?;
    Ok((p, a))
}

/// A process with `n` pages equal to those of another, beginning anew where that has fewer.
#[track_caller]
pub fn like<'w, 'c>(
    w: &'w World<'c>,
    name: &'static str,
    n: usize,
    (p, a): (Actor<'w, 'c>, Area),
) -> TestResult<(Actor<'w, 'c>, Area)> {
    let q = w.actor(name)?;
    let b = w.place(n);
    w.name(b, name);
    q.map(b)?;
    q.write_like(b, p, a)?;
    Ok((q, b))
}

/// What kind of pages a topology is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grain {
    /// Base pages.
    Base,
    /// One PMD-mapped huge page.
    Huge,
}

impl Grain {
    /// What a test of huge pages declares.
    pub const HUGE_NEEDS: &'static [Need] =
        &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::MemMib(64)];
    /// What a test of huge pages declares that are to move to another node.
    pub const HUGE_NODES_NEEDS: &'static [Need] = &[
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::Nodes(2),
        Need::MemMib(64),
    ];

    /// Maps private memory: `n` base pages, or one huge page. Base pages are kept from becoming huge ones.
    #[track_caller]
    pub fn map(self, w: &World, p: Actor, n: usize) -> TestResult<Area> {
        let area = match self {
            Grain::Base => w.place(n),
            Grain::Huge => w.place_huge(1)?,
        };
        w.name(area, "a");
        p.map(area)?;
        if self == Grain::Huge {
            p.advise(area, advice::HUGEPAGE)?;
        }
        Ok(area)
    }

    /// Makes sure that the pages are of this kind after the first write.
    ///
    /// # Errors
    /// `Skip` when no huge page was to be had.
    #[track_caller]
    pub fn verify(self, w: &World, p: Actor, area: Area) -> TestResult {
        if self == Grain::Huge && !w.is_huge(p.id(), area)? {
            return Err(Stop::Skip("needs a free huge page"));
        }
        Ok(())
    }
}

/// What makes neighbouring stripes different VMAs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stripes {
    /// Every second page is read-only.
    Protect,
    /// Every second page has MADV_DONTDUMP.
    Advise,
    /// As Protect, then every page is moved by an mremap of its own, in order, to a new place.
    Remap,
}

impl Stripes {
    /// One mapping of `n` pages, touched as a whole so that all of it has one anon_vma, then cut into `n` VMAs.
    #[track_caller]
    pub fn make(self, w: &World, p: Actor, n: usize) -> TestResult<Area> {
        let area = w.place(n);
        w.name(area, "stripes");
        p.map(area)?;
        p.write(area)?;
        let mut odd = (1..n).step_by(2).map(|i| area.page(i));
        w.queued(|| match self {
            Stripes::Advise => odd.try_for_each(|page| p.advise(page, advice::DONTDUMP)),
            Stripes::Protect | Stripes::Remap => {
                odd.try_for_each(|page| p.protect(page, PROT_READ))
            }
        })?;
        let mut at = area;
        if self == Stripes::Remap {
            at = w.place(n);
            w.name(at, "moved");
            w.queued(|| (0..n).try_for_each(|i| p.move_to(area.page(i), at.page(i))))?;
        }
        let made = vmas(w, p, at)?;
        if made != n {
            return Err(Stop::error(format_args!(
                "{made} VMAs instead of {n} stripes"
            )));
        }
        Ok(at)
    }

    /// Makes all stripes equal again, so that those that share an anon_vma can merge.
    #[track_caller]
    pub fn equalize(self, actor: Actor, area: Area) -> TestResult {
        for i in (1..area.pages).step_by(2) {
            match self {
                Stripes::Advise => actor.advise(area.page(i), advice::DODUMP)?,
                Stripes::Protect | Stripes::Remap => actor.protect(area.page(i), RW)?,
            }
        }
        Ok(())
    }
}

/// What maps one VMA per page, all on one anon_vma, without a page left in memory. For [`Actor::unmodelled`].
pub fn neighbours(area: Area, page: usize) -> Vec<Cmd> {
    let at = |i: usize| (area.vpn + i) * page;
    let mut cmds = vec![Cmd::map(at(0), area.pages * page, RW), fill(at(0), page)];
    let odd = (1..area.pages).step_by(2);
    cmds.extend(odd.map(|i| advise(at(i), page, advice::DONTDUMP)));
    cmds.push(advise(at(0), page, advice::DONTNEED));
    cmds
}

/// What maps one VMA on every second page, each on an anon_vma of its own, without a page left in memory.
pub fn loners(area: Area, page: usize) -> Vec<Cmd> {
    let one = |vpn: usize| {
        let at = vpn * page;
        let map = Cmd::map(at, page, RW);
        [map, fill(at, page), advise(at, page, advice::DONTNEED)]
    };
    area.vpns().step_by(2).flat_map(one).collect()
}

fn fill(addr: usize, page: usize) -> Cmd {
    let pages = vec![(addr, 1)];
    Cmd::Fill { page, pages }
}

fn advise(addr: usize, len: usize, advice: i32) -> Cmd {
    Cmd::Advise { addr, len, advice }
}

/// How many accessible VMAs an actor has in an area.
#[track_caller]
pub fn vmas(w: &World, actor: Actor, area: Area) -> TestResult<usize> {
    Ok(vma_starts(w, actor, area)?.len())
}

/// Where the accessible VMAs of an actor begin, in pages from the start of the area.
#[track_caller]
pub fn vma_starts(w: &World, actor: Actor, area: Area) -> TestResult<Vec<usize>> {
    let size = w.page_size();
    let (start, end) = (area.vpn * size, (area.vpn + area.pages) * size);
    let list = vma::in_range(actor.pid()?, start, end).doing("read maps")?;
    let open = list.iter().filter(|v| v.prot != PROT_NONE);
    Ok(open
        .map(|v| (v.start / size).saturating_sub(area.vpn))
        .collect())
}

/// Every sharer of every private page writes to it in turn: each write must stay the writer's own, in memory and, where there is
/// reclaim, through swap: what it takes for clean may be an older content. The last thing that is done to a topology, since
/// nothing is shared afterwards.
#[track_caller]
pub fn write_by_each(w: &World) -> TestResult {
    let shared = w.shared_pages();
    for of_one in shared.chunk_by(|a, b| a.0 == b.0) {
        let areas: Vec<Area> = of_one.iter().map(|s| s.1).collect();
        w.actor_by_id(of_one[0].0).write_all(&areas)?;
    }
    w.check()?;
    walk::through_swap(w)
}

/// Takes the pages of an object away, from inside and from its end, and gives room again: every mapping of them has to go,
/// wherever it begins and ends, and nothing else. Private copies stay when a hole is punched and go when the file ends
/// before them, in memory as well as in swap. For objects of 12 pages and more; the last thing that is done to them.
#[track_caller]
pub fn take_away(w: &World, object: &Object) -> TestResult {
    let n = w.object_pages(object);
    w.punch(object, n / 3..n / 3 + 1)?;
    w.punch(object, n / 2..n - 3)?;
    write_by_each(w)?;
    let copied = w.is_copied(object);
    if copied {
        walk::leave_in_swap(w)?;
    }
    w.punch(object, n / 4..n / 2)?;
    w.check()?;
    for (end, out) in [(n - 1, false), (n - n / 4, true), (3, true)] {
        if out && copied && w.truncates_swap() {
            walk::leave_in_swap(w)?;
        }
        w.truncate(object, end)?;
        w.check()?;
    }
    w.truncate(object, n)?;
    w.check()
}
