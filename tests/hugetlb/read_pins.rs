// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages that are pinned to be read, for a long time: who has one not for itself alone gets a copy first (FAULT_FLAG_UNSHARE,
//! hugetlb_wp()), or a device would not see what the process writes later.

use super::{PINNED, move_all, place, private, whole, world};
use helpers::TestResult;
use helpers::actor::pin::Lookup;
use helpers::kernel::features::Features;
use helpers::kernel::hugetlb;
use helpers::supervise::{Ctx, Fix, Need, Test};
use helpers::topology::{self, R, RW};
use helpers::world::{Kind, Share, pooled};

///   P   0 1     private, written
///   C   0 1     P's child; both pinned, 1 read-only at the moment      G   0'1'  C's child, copied at the fork
fn forked(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    let c = p.fork("C")?;
    c.protect(a[1], R)?;
    c.read(whole(&a))?;
    c.pin_to_read(whole(&a), lookup)?;
    w.check()?;
    c.write(a[0])?;
    c.read_pinned()?;
    p.write(whole(&a))?;
    c.read_pinned()?;
    c.protect(a[1], RW)?;
    let g = c.fork("G")?;
    w.check()?;
    g.write(a[0])?;
    c.write(a[1])?;
    c.read_pinned()?;
    move_all(&w)?;
    c.read_pinned()?;
    c.unpin()?;
    move_all(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A page that is its process's alone is pinned as it is, and a fork copies it.
///
///   P   0 1     private; 0 pinned      C   0'1     0 copied at the fork
fn alone(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    p.pin_to_read(a[0], lookup)?;
    let c = p.fork("C")?;
    w.check()?;
    p.write(a[0])?;
    p.read_pinned()?;
    c.write(a[0])?;
    p.read_pinned()?;
    move_all(&w)?;
    p.read_pinned()?;
    p.unpin()?;
    move_all(&w)?;
    w.finish()
}

/// A private mapping of pages that are the file's.
///
///   file        0 1      P shared, written
///   Q private   0 1      both pinned, 1 read-only at the moment
fn file(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = world(ctx)?;
    let (a, b) = (place(&w, "a", 2)?, place(&w, "private", 2)?);
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_object(whole(&a), &file, 0, RW, Share::Shared)?;
    p.write(whole(&a))?;
    q.map_object(whole(&b), &file, 0, RW, Share::Private)?;
    q.protect(b[1], R)?;
    q.pin_to_read(whole(&b), lookup)?;
    q.read_pinned()?;
    q.write(b[0])?;
    q.read_pinned()?;
    p.write(whole(&a))?;
    q.read_pinned()?;
    w.check()?;
    // The copy that a fork makes for a read-only area could be written before Linux 6.14.
    q.protect(b[1], RW)?;
    let g = q.fork("G")?;
    w.check()?;
    g.write(b[0])?;
    move_all(&w)?;
    q.read_pinned()?;
    q.unpin()?;
    move_all(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Shared pages are pinned as they are: who has pinned them sees what the other writes.
///
///   file   0 1      P shared, written      C   P's child; both pinned
fn shared(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = world(ctx)?;
    let a = place(&w, "a", 2)?;
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let p = w.actor("P")?;
    p.map_object(whole(&a), &file, 0, RW, Share::Shared)?;
    p.write(whole(&a))?;
    let c = p.fork("C")?;
    c.read(whole(&a))?;
    c.pin_to_read(whole(&a), lookup)?;
    w.check()?;
    p.write(whole(&a))?;
    c.read_pinned()?;
    c.write(a[0])?;
    c.read_pinned()?;
    move_all(&w)?;
    p.write(whole(&a))?;
    c.read_pinned()?;
    w.check()?;
    c.unpin()?;
    move_all(&w)?;
    w.finish()
}

const READ: Test = Test {
    about: "What is pinned to be read of hugetlb memory is what its process has, whoever writes, and stays so through fork and COW.",
    needs: &[
        Need::Root,
        Need::Probe(Features::gup_test),
        Need::Thp,
        Need::File(hugetlb::POOL, "needs CONFIG_HUGETLBFS"),
        Need::MemMib(128),
    ],
    ..PINNED
};
const READ_FILE: Test = Test {
    guards: &[Fix {
        commit: "84209e87c696",
        subject: "mm/gup: reliable R/O long-term pinning in COW mappings",
    }],
    ..READ
};

pub const TESTS: &[Test] = helpers::by_each_lookup![
    READ "read_pin.forked" |c, lookup| pooled(c, |c| forked(c, lookup));
    READ "read_pin.alone" |c, lookup| pooled(c, |c| alone(c, lookup));
    READ_FILE "read_pin.file" |c, lookup| pooled(c, |c| file(c, lookup));
    READ "read_pin.shared" |c, lookup| pooled(c, |c| shared(c, lookup));
];
