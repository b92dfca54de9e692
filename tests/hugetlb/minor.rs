// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas registered for hugetlb pages that a file has and the process has not mapped yet (UFFDIO_CONTINUE, hugetlb_mfill_atomic_pte()).

use super::{HUGE, move_all, place, whole, world};
use helpers::TestResult;
use helpers::supervise::{Ctx, Test};
use helpers::sys::uffd::{FEATURE_MINOR_HUGETLBFS, MINOR};
use helpers::topology::{NONE, RW};
use helpers::world::{Answer, Kind, Share, pooled};

/// The test lets P map one page after the other, for reading or for writing. What a private mapping writes is its own all the same.
///
///   file      |=== 0 ===|=== 1 ===|=== 2 ===|
///   Q shared  |=== 0 ===|=== 1 ===|=== 2 ===|
///   P           read      written   mapped, then written       C  P's child, writes 0
fn minor(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = world(ctx)?;
    let (a, b) = (place(&w, "a", 3)?, place(&w, "b", 3)?);
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    q.map_object(whole(&b), &file, 0, RW, Share::Shared)?;
    q.write(whole(&b))?;
    p.map_object(whole(&a), &file, 0, NONE, share)?;
    p.protect(whole(&a), RW)?;
    let k = p.keeper(FEATURE_MINOR_HUGETLBFS)?;
    k.register(whole(&a), MINOR)?;
    p.read_kept(a[0], &k, Answer::Continue)?;
    p.write_missing(a[1], &k, Answer::Continue)?;
    k.fill(a[2], Answer::Continue)?;
    w.check_kept()?;
    w.check()?;
    p.write(a[2])?;
    w.check()?;
    k.close()?;
    let c = p.fork("C")?;
    c.write(a[0])?;
    w.check()?;
    move_all(&w)?;
    q.write(b[1])?;
    w.check()?;
    w.finish()
}

pub const SHARED: Test = Test {
    name: "minor",
    about: "What UFFDIO_CONTINUE maps of a file is the file's page, and in a private mapping it is copied when it is written.",
    run: |c| pooled(c, |c| minor(c, Share::Shared)),
    ..HUGE
};
pub const PRIVATE: Test = Test {
    name: "minor.private",
    run: |c| pooled(c, |c| minor(c, Share::Private)),
    ..SHARED
};
