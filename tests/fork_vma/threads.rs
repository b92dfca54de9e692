// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory that one thread moves, gives back or copies while another one, on another CPU, still knows where it was.
//!
//! The kernel must have that CPU forget it before anybody else can have the page (flush_tlb_range()). What it forgets to tell shows when the other thread
//! reads what was there before, or writes to a page that is no longer its own.

use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::RW;
use helpers::walk;
use helpers::world::{Actor, Area, Kind, Share, World};

/// Pages of each kind of memory.
const N: usize = 4;
/// An operation is repeated: the CPU that shall remember may have had other things to do.
const ROUNDS: usize = 6;

/// What is done by the first thread to an area; `to` is free. At the end `area` is mapped, and may be written.
type Op = fn(Actor, Area, Area) -> TestResult;

/// Moved away, and other memory put there.
pub fn moved(p: Actor, area: Area, to: Area) -> TestResult {
    p.move_to(area, to)?;
    p.map(area)
}

/// The same, but the area stays mapped.
pub fn kept(p: Actor, area: Area, to: Area) -> TestResult {
    p.move_dontunmap(area, to)
}

/// Other memory moved to the place.
pub fn moved_over(p: Actor, area: Area, to: Area) -> TestResult {
    p.map(to)?;
    p.write(to)?;
    p.move_to(to, area)?;
    p.map(to)
}

/// Unmapped, and other memory put there.
pub fn unmapped(p: Actor, area: Area, _: Area) -> TestResult {
    p.unmap(area)?;
    p.map(area)
}

/// Other memory put there at once.
pub fn covered(p: Actor, area: Area, _: Area) -> TestResult {
    p.map(area)
}

/// MADV_DONTNEED.
pub fn given_back(p: Actor, area: Area, _: Area) -> TestResult {
    p.advise(area, advice::DONTNEED)
}

/// Nothing: the pages are copied when they are written, since a fork shares them.
pub fn copied(_: Actor, _: Area, _: Area) -> TestResult {
    Ok(())
}

///   memfd  0 1 2 3
///   P   written |0 1 2 3|   never written |. . . .|   private |0 1'2 3|   shared |0 1 2 3|     its other thread has touched all
///   C   a child of P: as it was before P's first thread did something to each, and the other thread wrote there
pub fn by_first(ctx: &mut Ctx, op: Op) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let t = p.thread()?;
    let file = w.object(Kind::Memfd, N)?;
    for round in 0..ROUNDS {
        let [written, empty, private, shared] =
            ["written", "empty", "private", "shared"].map(|name| {
                let area = w.place(N);
                w.name(area, name);
                area
            });
        p.map(written)?;
        t.write(written)?;
        p.map(empty)?;
        t.read(empty)?;
        p.map_object(private, &file, 0, RW, Share::Private)?;
        p.map_object(shared, &file, 0, RW, Share::Shared)?;
        if round == 0 {
            p.write(shared)?;
        }
        t.write(private.page(1))?;
        let c = p.fork("C")?;
        // A write to what the fork shares is a copy: of the thread that could write there just now, too.
        t.write(written.page(1))?;
        c.write(written.page(2))?;
        for area in [written, empty, private, shared] {
            let to = w.place(N);
            w.name(to, "to");
            t.read(area)?;
            t.check(area)?;
            op(p, area, to)?;
            p.write(area.sub(0..2))?;
            t.check(area)?;
            t.check(to)?;
            t.write(area.sub(1..3))?;
            w.check_content()?;
        }
        w.check()?;
        if round > 0 {
            c.exit()?;
        }
    }
    t.end()?;
    walk::every(&w)?;
    w.finish()
}
