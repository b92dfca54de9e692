// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that the test fills in where they are missing, write-protected from the start or not.

use super::{MARK, N};
use helpers::TestResult;
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::uffd::{FEATURE_MINOR_SHMEM, MINOR, MISSING, WP};
use helpers::topology::{self, NONE};
use helpers::walk::{self, charge};
use helpers::world::{Answer, Kind, Share, World};

/// Pages that userfaultfd fills in, some of them write-protected from the start (mfill_atomic_install_pte()): of nobody's object, or a
/// memfd's, which has none of them yet, or has them from Q.
///
///   P |0 1 2 3 4 5 6 7|       C  P's child
///        . . .
fn filled_in(ctx: &mut Ctx, share: Option<Share>, with: Answer) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    match share {
        // Nothing is read before it is registered.
        Some(share) => p.map_object(a, &file, 0, NONE, share)?,
        None => p.map(a)?,
    }
    let (k, mode) = match with {
        Answer::Continue => (p.keeper(FEATURE_MINOR_SHMEM)?, MINOR),
        _ => (p.keeper(0)?, MISSING),
    };
    k.register(a, mode | WP)?;
    if with == Answer::Continue {
        let (q, b) = (w.actor("Q")?, w.place(N));
        w.name(b, "b");
        q.map_object(b, &file, 0, topology::RW, Share::Shared)?;
        q.write(b)?;
    }
    p.protect(a, topology::RW)?;
    k.fill(a.page(0), with)?;
    k.fill_protected(a.sub(1..4), with)?;
    k.fill(a.sub(4..N), with)?;
    w.check_kept()?;
    w.check()?;
    p.write_kept(a.page(2), &k)?;
    p.write(a.page(0))?;
    p.fork("C")?;
    w.check()?;
    if mode == MINOR {
        // A walk takes pages away, and whoever reads them then would wait.
        k.close()?;
    }
    walk::every(&w)?;
    w.finish()
}

/// Pages that the test fills in for a process of another memory cgroup: they are charged to that one (mfill_atomic_pte_copy()).
fn other_group(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, a, b) = (w.actor("P")?, w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    p.enter_other_memcg()?;
    p.map(a)?;
    p.map_object(b, &file, 0, NONE, Share::Private)?;
    let k = p.keeper(0)?;
    k.register(a, MISSING)?;
    k.register(b, MISSING)?;
    p.protect(b, topology::RW)?;
    for area in [a, b] {
        k.fill(area.sub(0..2), Answer::Copy)?;
        p.write_missing(area.sub(2..4), &k, Answer::Copy)?;
        charge::of_other(&w, p, area.sub(0..4))?;
    }
    k.close()?;
    walk::every(&w)?;
    w.finish()
}

pub const ANONYMOUS: Test = Test {
    name: "filled_in",
    run: |c| filled_in(c, None, Answer::Copy),
    ..MARK
};
pub const SHARED: Test = Test {
    name: "filled_in.memfd",
    run: |c| filled_in(c, Some(Share::Shared), Answer::Copy),
    ..MARK
};
pub const PRIVATE: Test = Test {
    name: "filled_in.memfd.private",
    run: |c| filled_in(c, Some(Share::Private), Answer::Copy),
    ..MARK
};
pub const CONTINUED: Test = Test {
    name: "filled_in.memfd.continued",
    run: |c| filled_in(c, Some(Share::Shared), Answer::Continue),
    ..MARK
};
pub const OTHER_GROUP: Test = Test {
    name: "filled_in.other_group",
    about: "Who fills in a page for another process has it charged to that one.",
    run: other_group,
    needs: &[Need::Root, Need::Pfn, Need::OtherMemcg],
    ..Test::DEFAULT
};
