// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are pinned to be read, for a long time: a device that sends them does not see a copy that its process gets later. So who has
//! a private page not for itself alone gets the copy first (gup_must_unshare(), FAULT_FLAG_UNSHARE), of a page that a fork shares, of a
//! merged one, of a file's and of the zero page alike. Shared memory is pinned as it is.

use super::pins::half_shared;
use super::{N, PIN, family};
use helpers::TestResult;
use helpers::actor::pin::Lookup;
use helpers::kernel::features::Features;
use helpers::supervise::{Ctx, Fix, Need, Test};
use helpers::topology::{self, Grain, R, RW};
use helpers::walk::{self, merge};
use helpers::world::{Actor, Area, Kind, Share, World};

/// What the owner has pinned is what it has, also when it writes: all of `written`, in parts. What others write is not.
fn keeps(p: Actor, written: Area, others: &[(Actor, Area)]) -> TestResult {
    let half = written.pages / 2;
    p.read_pinned()?;
    p.write(written.page(half))?;
    p.read_pinned()?;
    for &(other, area) in others {
        other.write(area)?;
        p.read_pinned()?;
    }
    p.write(written.sub(0..half))?;
    p.read_pinned()
}

/// The pinned pages stay their owner's through a fork, writes of either and every walk; then they are let go.
fn stay(w: &World, p: Actor, written: Area) -> TestResult {
    let g = p.fork("G")?;
    w.check()?;
    p.write(written.sub(0..written.pages / 2))?;
    g.write(written.page(written.pages - 1))?;
    p.read_pinned()?;
    walk::every_on_offer(w)?;
    p.read_pinned()?;
    p.write(written)?;
    p.read_pinned()?;
    w.check()?;
    p.unpin()?;
    if written.pages <= N {
        walk::every(w)?;
    }
    topology::write_by_each(w)
}

/// Who pins of those that a fork shares pages among.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Parent,
    Child,
}

///   P |0 1 2 3 4 5 6 7|      one of them has 1..7 pinned, or all of a huge page, the other has read it, too
///   C |0 1 2 3 4 5 6 7|      G  the owner's child later
fn shared(ctx: &mut Ctx, grain: Grain, by: By, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    // The fast way is for entries that are there.
    c.read(a)?;
    p.read(a)?;
    grain.verify(&w, c, a)?;
    let (owner, other) = match by {
        By::Parent => (p, c),
        By::Child => (c, p),
    };
    // Of a huge page all of it may be copied at once.
    let pinned = match grain {
        Grain::Base => a.sub(1..N - 1),
        Grain::Huge => a,
    };
    owner.pin_to_read(pinned, lookup)?;
    keeps(owner, pinned, &[(other, a.sub(0..a.pages / 2 + 1))])?;
    w.check()?;
    stay(&w, owner, pinned)?;
    if grain == Grain::Huge {
        return w.finish();
    }
    // Its end lets go as well, whoever it has forked, and somebody else can pin.
    owner.pin_to_read(pinned, lookup)?;
    // It has closed its copy of what holds the pages when it obeys.
    owner.fork("H")?.read(a)?;
    owner.exit()?;
    other.pin_to_read(a, lookup)?;
    keeps(other, a, &[])?;
    w.check()?;
    other.unpin()?;
    w.finish()
}

/// Right after the pin, before anybody has written: each has a page of its own, and no rights that it did not have.
///
///   P |0 1 2 3 4 5 6 7|  rw      C |0 1 2 3 4 5 6 7|  r, all of it pinned
fn read_only(ctx: &mut Ctx, grain: Grain, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    c.protect(a, R)?;
    c.read(a)?;
    c.pin_to_read(a, lookup)?;
    w.check()?;
    p.write(a)?;
    c.read_pinned()?;
    c.protect(a, RW)?;
    keeps(c, a, &[(p, a)])?;
    w.check()?;
    c.unpin()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A page that is its owner's alone already is pinned as it is; a fork afterwards copies it for the child.
///
///   P |0 1 2 3 4 5 6 7|  2..6 pinned, or all of a huge page      C, G  copies of these
fn alone(ctx: &mut Ctx, grain: Grain, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, N)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    let pinned = match grain {
        Grain::Base => a.sub(2..6),
        Grain::Huge => a,
    };
    p.pin_to_read(pinned, lookup)?;
    let c = p.fork("C")?;
    w.check()?;
    keeps(p, pinned, &[(c, a)])?;
    w.check()?;
    stay(&w, p, pinned)?;
    w.finish()
}

/// A single page, the first that its process pins.
///
///   P |0 1 2 3 4 5 6 7|   one of them pinned      C |0 1 2 3' 4 5 6 7|  copied at the fork
fn one(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    for at in [0, 3, N - 1] {
        let w = World::new(ctx)?;
        let p = w.actor("P")?;
        let a = Grain::Base.map(&w, p, N)?;
        p.write(a)?;
        p.pin_to_read(a.page(at), lookup)?;
        let c = p.fork("C")?;
        p.write(a.page(at))?;
        p.read_pinned()?;
        c.write(a.page(at))?;
        p.read_pinned()?;
        w.check()?;
        p.unpin()?;
        w.finish()?;
    }
    Ok(())
}

/// Pages of a large folio that are shared behind pages that are not: what is said of the first is not said of them (gup_must_unshare()).
///
///   P |own own own own|s s s s|  two shared ones pinned: copies of its own      C |. . . .|s s s s|
fn half(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, [_, shared]) = half_shared(&w, 0)?;
    let pinned = shared.sub(1..3);
    p.pin_to_read(pinned, lookup)?;
    keeps(p, pinned, &[(c, shared)])?;
    w.check()?;
    stay(&w, p, pinned)?;
    w.finish()
}

/// The last mapper of pages that are no more its own than when they were shared: some of them are in a pipe.
///
///   P |- - - - 4 5 6 7|  0..3 in a pipe      C |0 1 2 3 4 5 6 7|  1..7 pinned
fn last(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, Grain::Base)?;
    let pinned = a.sub(1..N - 1);
    p.splice(a.sub(0..3))?;
    p.unmap(a.sub(0..4))?;
    c.read(a)?;
    c.pin_to_read(pinned, lookup)?;
    keeps(c, pinned, &[(p, a.sub(4..N))])?;
    w.check()?;
    p.drain()?;
    stay(&w, c, pinned)?;
    w.finish()
}

/// A merged page is nobody's own.
///
///   P [0 1 2 3 4 5 6 7]  0..6 pinned      Q [0 1 2 3 4 5 6 7]  equal, merged
fn merged(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    let (q, b) = topology::like(&w, "Q", N, (p, a))?;
    merge::merge(&w, &[(p, a), (q, b)])?;
    let pinned = a.sub(0..6);
    p.pin_to_read(pinned, lookup)?;
    w.check()?;
    keeps(p, pinned, &[(q, b.sub(2..N))])?;
    w.check()?;
    stay(&w, p, pinned)?;
    w.finish()
}

/// A private mapping of a file: what is pinned is a copy, or the process would write to another page than the device reads. Where the mapping
/// is read-only at the moment, too.
///
///   object      0 1 2 3 4 5 6 7      P shared, rw
///   Q private   0 1 2 3 4 5          1 its own copy before; 0..7 pinned
///   Q                       6 7      r
fn private(ctx: &mut Ctx, kind: Kind, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(kind, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "shared");
    w.name(b, "private");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 0, RW, Share::Private)?;
    q.write(b.page(1))?;
    q.protect(b.sub(6..N), R)?;
    q.read(b)?;
    q.pin_to_read(b.sub(0..N - 1), lookup)?;
    let writable = b.sub(0..6);
    keeps(q, writable, &[(p, a)])?;
    w.check()?;
    if kind == Kind::Memfd {
        // What is behind the copies goes.
        w.punch(&file, 2..N - 2)?;
        q.read_pinned()?;
        w.check()?;
    }
    stay(&w, q, writable)?;
    q.protect(b, RW)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The same with pages from the middle of a huge page. Not with an entry that maps it as a whole: such a pin does not come to an end before it
/// is killed (seen on 6.12), since wp_huge_pmd() takes the entry apart to have a small one copied, and filemap_map_pmd() puts it back.
///
///   object      |0 ..... huge page ..... 511|      P shared, rw, PMD
///   Q private            252 .. 259                  rw, all of it pinned
fn private_huge(ctx: &mut Ctx, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place_huge(1)?, w.place(N));
    w.name(a, "shared");
    w.name(b, "private");
    let file = w.object(Kind::Memfd, a.pages)?;
    p.fill_huge_object(a, &file)?;
    let first = a.pages / 2 - N / 2;
    q.map_object(b, &file, first, RW, Share::Private)?;
    q.pin_to_read(b, lookup)?;
    keeps(q, b, &[(p, a.sub(first..first + N))])?;
    w.check()?;
    stay(&w, q, b)?;
    w.finish()
}

/// Memory that was never written: what is pinned of it is its process's own page of zeroes.
///
///   P |0 0 0 0 - - - -|  all pinned; read as far as it says 0; of a huge page as a whole      C  P's child, has read all
fn zeroes(ctx: &mut Ctx, grain: Grain, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, N)?;
    p.read(match grain {
        Grain::Base => a.sub(0..N / 2),
        Grain::Huge => a,
    })?;
    // There is a huge zero page, too.
    grain.verify(&w, p, a)?;
    let c = p.fork("C")?;
    c.read(a)?;
    p.pin_to_read(a, lookup)?;
    w.check()?;
    keeps(p, a, &[(c, a.sub(0..a.pages / 2 + 1))])?;
    w.check()?;
    stay(&w, p, a)?;
    w.finish()
}

/// Shared memory: who pins it sees what everybody writes, also when it has the mapping no more.
///
///   object     0 1 2 3 4 5 6 7      P shared
///   C shared   0 1 2 - 4 5 6 7      P's child; 2..6 pinned, then 3 unmapped
fn shared_memory(ctx: &mut Ctx, kind: Kind, lookup: Lookup) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(kind, N)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "shared");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    let c = p.fork("C")?;
    c.read(a)?;
    let pinned = a.sub(2..6);
    c.pin_to_read(pinned, lookup)?;
    w.check()?;
    keeps(c, pinned, &[(p, a)])?;
    c.unmap(a.page(3))?;
    p.write(a.sub(0..5))?;
    c.read_pinned()?;
    let g = c.fork("G")?;
    g.write(a.sub(4..N))?;
    c.read_pinned()?;
    walk::every_on_offer(&w)?;
    p.write(pinned)?;
    c.read_pinned()?;
    w.check()?;
    c.unpin()?;
    walk::every(&w)?;
    p.write(a)?;
    w.check()?;
    w.finish()
}

const READ: Test = Test {
    about: "What is pinned to be read is what its process has, whoever writes, and stays so through fork, COW and every walk.",
    needs: &[Need::Probe(Features::gup_test)],
    ..PIN
};
const READ_HUGE: Test = Test {
    needs: &[
        Need::Probe(Features::gup_test),
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::MemMib(64),
    ],
    ..READ
};
/// Of what is no anonymous page.
const READ_OTHER: Test = Test {
    guards: &[Fix {
        commit: "84209e87c696",
        subject: "mm/gup: reliable R/O long-term pinning in COW mappings",
    }],
    ..READ
};
const READ_OTHER_HUGE: Test = Test {
    needs: READ_HUGE.needs,
    ..READ_OTHER
};
const READ_HUGE_FILE: Test = Test {
    knobs: &[topology::SHARED_HUGE],
    ..READ_OTHER_HUGE
};
const READ_KSM: Test = Test {
    needs: &[Need::Probe(Features::gup_test), Need::Ksm],
    ..READ
};
const READ_DISK: Test = Test {
    needs: &[Need::Probe(Features::gup_test), Need::Disk],
    ..READ_OTHER
};

pub const TESTS: &[Test] = helpers::by_each_lookup![
    READ "read_pin.child" |c, lookup| shared(c, Grain::Base, By::Child, lookup);
    READ "read_pin.parent" |c, lookup| shared(c, Grain::Base, By::Parent, lookup);
    READ_HUGE "read_pin.child.thp" |c, lookup| shared(c, Grain::Huge, By::Child, lookup);
    READ_HUGE "read_pin.parent.thp" |c, lookup| shared(c, Grain::Huge, By::Parent, lookup);
    READ "read_pin.read_only" |c, lookup| read_only(c, Grain::Base, lookup);
    READ_HUGE "read_pin.read_only.thp" |c, lookup| read_only(c, Grain::Huge, lookup);
    READ "read_pin.alone" |c, lookup| alone(c, Grain::Base, lookup);
    READ_HUGE "read_pin.alone.thp" |c, lookup| alone(c, Grain::Huge, lookup);
    READ "read_pin.one" |c, lookup| one(c, lookup);
    READ_HUGE "read_pin.half" |c, lookup| half(c, lookup);
    READ "read_pin.last" |c, lookup| last(c, lookup);
    READ_KSM "read_pin.merged" |c, lookup| merged(c, lookup);
    READ_OTHER "read_pin.memfd" |c, lookup| private(c, Kind::Memfd, lookup);
    READ_HUGE_FILE "read_pin.memfd.huge" |c, lookup| private_huge(c, lookup);
    READ_DISK "read_pin.file" |c, lookup| private(c, Kind::Disk, lookup);
    READ_OTHER "read_pin.zeroes" |c, lookup| zeroes(c, Grain::Base, lookup);
    READ_OTHER_HUGE "read_pin.zeroes.thp" |c, lookup| zeroes(c, Grain::Huge, lookup);
    READ "read_pin.shared_memory" |c, lookup| shared_memory(c, Kind::Memfd, lookup);
    READ_DISK "read_pin.shared_file" |c, lookup| shared_memory(c, Kind::Disk, lookup);
];
