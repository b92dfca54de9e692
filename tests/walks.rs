// SPDX-License-Identifier: GPL-2.0-or-later
//! Each walk by itself, on the plainest topology with two mappers: what this machine offers, and why not what it does not.
//!
//! Here a walk that is not on offer is a SKIP with its reason; the other programs take what there is.

use helpers::supervise::{Ctx, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::Grain;
use helpers::walk::{self, Walk, compact, idle, ksm, migrate, reclaim, soft_offline, split};
use helpers::world::World;
use helpers::{TestResult, topology};

///   P [0 1 2 3 4 5 6 7]     C the same pages, page 7 its own
fn plain(ctx: &mut Ctx, walk: &'static Walk, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, 8)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    w.clear_soft_dirty()?;
    p.write(a.sub(2..5))?;
    let c = p.fork("C")?;
    c.write(a.page(7))?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Shared anonymous memory: the file side of the rmap (i_mmap).
fn shared(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(8);
    w.name(a, "a");
    p.map_shared(a)?;
    p.write(a)?;
    let c = p.fork("C")?;
    c.unmap(a.page(2))?;
    walk::only(&w, walk)?;
    c.write(a.page(3))?;
    w.check()?;
    w.finish()
}

/// What the walk of a huge page looks like once KSM or a part given back has split it.
fn parts(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 0)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    let c = p.fork("C")?;
    // The child's second half is mapped by PTEs now, the parent's all by one PMD.
    c.unmap(a.sub(0..a.pages / 2))?;
    p.advise(a.sub(0..1), advice::DONTNEED)?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const WALK: Test = Test {
    about: "The walk finds both mappers of a page that a fork shares.",
    ..Test::DEFAULT
};
const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..WALK
};

/// What the kernel does not get back when the suite is killed in the middle is lost until the next boot.
const OFFLINE: Test = Test {
    destructive: true,
    ..WALK
};
const OFFLINE_HUGE: Test = Test {
    destructive: true,
    ..HUGE
};

const TESTS: &[Test] = &[
    Test {
        name: "migrate",
        run: |c| plain(c, &migrate::MIGRATE, Grain::Base),
        ..WALK
    },
    Test {
        name: "migrate.shared",
        run: |c| shared(c, &migrate::MIGRATE),
        ..WALK
    },
    Test {
        name: "migrate.thp",
        run: |c| plain(c, &migrate::MIGRATE, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "migrate.thp_parts",
        run: |c| parts(c, &migrate::MIGRATE),
        ..HUGE
    },
    Test {
        name: "soft_offline",
        run: |c| plain(c, &soft_offline::SOFT_OFFLINE, Grain::Base),
        ..OFFLINE
    },
    Test {
        name: "soft_offline.shared",
        run: |c| shared(c, &soft_offline::SOFT_OFFLINE),
        ..OFFLINE
    },
    Test {
        name: "soft_offline.thp",
        run: |c| plain(c, &soft_offline::SOFT_OFFLINE, Grain::Huge),
        ..OFFLINE_HUGE
    },
    Test {
        name: "soft_offline.thp_parts",
        run: |c| parts(c, &soft_offline::SOFT_OFFLINE),
        ..OFFLINE_HUGE
    },
    Test {
        name: "compact",
        run: |c| plain(c, &compact::COMPACT, Grain::Base),
        ..WALK
    },
    Test {
        name: "idle",
        run: |c| plain(c, &idle::IDLE, Grain::Base),
        ..WALK
    },
    Test {
        name: "idle.shared",
        run: |c| shared(c, &idle::IDLE),
        ..WALK
    },
    Test {
        name: "idle.thp",
        run: |c| plain(c, &idle::IDLE, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "ksm",
        run: |c| plain(c, &ksm::KSM, Grain::Base),
        ..WALK
    },
    Test {
        name: "ksm.thp",
        run: |c| plain(c, &ksm::KSM, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "split.thp",
        run: |c| plain(c, &split::SPLIT, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "split.thp_parts",
        run: |c| parts(c, &split::SPLIT),
        ..HUGE
    },
    Test {
        name: "reclaim",
        run: |c| plain(c, &reclaim::RECLAIM, Grain::Base),
        ..WALK
    },
    Test {
        name: "reclaim.shared",
        run: |c| shared(c, &reclaim::RECLAIM),
        ..WALK
    },
    Test {
        name: "reclaim.thp",
        run: |c| plain(c, &reclaim::RECLAIM, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "reclaim.thp_parts",
        run: |c| parts(c, &reclaim::RECLAIM),
        ..HUGE
    },
];

fn main() {
    run("walks", "each walk by itself", TESTS)
}
