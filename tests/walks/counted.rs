// SPDX-License-Identifier: GPL-2.0-or-later
//! Every kind of page moved to another node and back: what is counted of the two nodes goes along.

use helpers::kernel::kpage::Flags;
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::topology::{Grain, RW};
use helpers::walk::counted::{PAGES, follow};
use helpers::walk::reclaim;
use helpers::world::model::Lock;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, topology};

///   P    |own|    |shared|    |locked|
///   C             |shared|    |locked|    P's child, before it was locked
fn private(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let [own, shared, locked] = ["own", "shared", "locked"].map(|name| {
        let area = w.place(PAGES);
        w.name(area, name);
        area
    });
    for area in [own, shared, locked] {
        p.map(area)?;
        p.write(area)?;
    }
    let c = p.fork("C")?;
    c.unmap(own)?;
    p.lock(locked, Lock::OnFault)?;
    for area in [own, shared, locked] {
        follow(&w, p, area)?;
    }
    topology::write_by_each(&w)?;
    w.finish()
}

///   object        [==== PAGES ====]
///   P  shared     [==== PAGES ====]     C the same
fn object(ctx: &mut Ctx, kind: Kind, clean: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(PAGES);
    w.name(a, "a");
    let file = w.object(kind, PAGES)?;
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    if clean {
        w.sync(&file)?;
    }
    p.fork("C")?;
    follow(&w, p, a)?;
    w.finish()
}

///   P  [==== PMD ====]     C the same
fn huge(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 0)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    p.fork("C")?;
    follow(&w, p, a)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   memfd  [==== huge page ====]
///   P C    [======= PMD =======]
fn huge_object(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let p = w.actor("P")?;
    p.fill_huge_object(a, &file)?;
    p.fork("C")?.read(a)?;
    follow(&w, p, a)?;
    w.finish()
}

/// One of two sharers has read what was swapped out: the pages stay in the swap cache, for the other one.
///
///   P  |0 1 2 ...|     C  |0 1 2 ...| in swap
fn cached(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", PAGES)?;
    p.fork("C")?;
    reclaim::swap_out(&w)?;
    p.read(a)?;
    let pages = w.pages_of(p, a)?;
    let cached = |(_, flags): &(_, Flags)| flags.has(Flags::SWAPCACHE);
    let cached = pages.into_iter().flatten().filter(cached).count();
    w.diag(format_args!("pages in the swap cache: {cached} of {PAGES}"));
    if cached < PAGES * 3 / 4 {
        return Err(Stop::Skip("needs pages that stay in the swap cache"));
    }
    follow(&w, p, a)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const COUNTED: Test = Test {
    about: "What the kernel counts of a node follows the pages that migrate to another.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Nodes(2)],
    // It would move pages of the test and its actors beside.
    knobs: &[Knob::set("/proc/sys/kernel/numa_balancing", "0")],
    ..Test::DEFAULT
};
pub const PRIVATE: Test = Test {
    name: "migrate.counted",
    run: private,
    ..COUNTED
};
pub const MEMFD: Test = Test {
    name: "migrate.counted.memfd",
    run: |c| object(c, Kind::Memfd, false),
    ..COUNTED
};
pub const FILE: Test = Test {
    name: "migrate.counted.file",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Nodes(2), Need::Disk],
    run: |c| object(c, Kind::Disk, true),
    ..COUNTED
};
/// What is being written may have to stay: it is counted where it is.
pub const DIRTY: Test = Test {
    name: "migrate.counted.dirty",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Nodes(2), Need::Disk],
    run: |c| object(c, Kind::Disk, false),
    ..COUNTED
};
pub const THP: Test = Test {
    name: "migrate.counted.thp",
    needs: Grain::HUGE_NODES_NEEDS,
    run: huge,
    ..COUNTED
};
pub const MEMFD_HUGE: Test = Test {
    name: "migrate.counted.memfd.huge",
    needs: Grain::HUGE_NODES_NEEDS,
    knobs: &[
        Knob::set("/proc/sys/kernel/numa_balancing", "0"),
        topology::SHARED_HUGE,
    ],
    run: huge_object,
    ..COUNTED
};
pub const SWAP: Test = Test {
    name: "migrate.counted.swap",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Nodes(2), Need::Reclaim],
    run: cached,
    ..COUNTED
};
