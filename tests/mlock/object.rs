// SPDX-License-Identifier: GPL-2.0-or-later
//! Locked areas of a memfd that show other pages of it, and locks of its huge pages that go with one entry (PMD).

use super::{End, leave, vm_locked};
use helpers::supervise::{Ctx, Knob};
use helpers::topology::{self, RW};
use helpers::walk::mlocked::{self, expect};
use helpers::walk::reclaim::press;
use helpers::world::model::Lock;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each mapping.
const N: usize = 8;

/// For huge pages of a memfd.
pub const KNOBS: &[Knob] = &[topology::SHARED_HUGE];

/// remap_file_pages(2): what a locked area shows from now on is locked, what it showed before is not, and as much of it is locked as before.
///
///   memfd       0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
///   P locked    0 1 9 10 4 5 6 15                        was 0 .. 7
///   Q           all of them
///   R           0 1 9 10 4 5 6 15                        the same, of an area that is not locked
pub fn remapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let file = w.object(Kind::Memfd, 2 * N)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    let (a, all, b) = (w.place(N), w.place(2 * N), w.place(N));
    w.name(a, "a");
    w.name(all, "all");
    w.name(b, "b");
    q.map_object(all, &file, 0, RW, Share::Shared)?;
    q.write(all)?;
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    r.map_object(b, &file, 0, RW, Share::Shared)?;
    p.lock(a, Lock::Full)?;
    expect(&w, q, all.sub(0..N), true)?;
    for (actor, area) in [(p, a), (r, b)] {
        actor.remap_pages(area.sub(2..4), N + 1)?;
        actor.remap_pages(area.page(N - 1), 2 * N - 1)?;
    }
    w.check()?;
    vm_locked(&w, p, N as u64)?;
    vm_locked(&w, r, 0)?;
    expect(&w, p, a, true)?;
    for part in [all.sub(2..4), all.sub(7..9), all.sub(11..15)] {
        expect(&w, q, part, false)?;
    }
    walk::every_on_offer(&w)?;
    p.unlock(a)?;
    expect(&w, q, all, false)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A huge page that somebody has locked, before or after it was touched, and who then goes. Q, who has not, keeps it.
///
///   memfd       |0 ..... huge page ..... 511|
///   P locked    |===========================|    goes in each way
///   Q           |===========================|
pub fn large(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let q = w.actor("Q")?;
    q.map_huge_object(a, &file)?;
    q.write(a)?;
    if !w.is_huge(q.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let ways = [End::Unlock, End::Unmap, End::Exit, End::Exec, End::Over];
    for how in [Lock::Full, Lock::OnFault] {
        for end in ways {
            let p = w.actor("P")?;
            p.map_huge_object(a, &file)?;
            if how == Lock::OnFault {
                p.lock(a, how)?;
            }
            p.read(a)?;
            if !w.is_huge(p.id(), a)? {
                return Err(Stop::Skip("needs a free huge page for shared memory"));
            }
            // The mark is the folio's, in its first page. Touched later a large folio gets it from reclaim alone, since Linux 6.7.
            if how == Lock::Full {
                p.lock(a, how)?;
                expect(&w, q, a.page(0), true)?;
            }
            leave(&w, p, a, end)?;
            expect(&w, q, a.page(0), false)?;
            w.check()?;
            if end != End::Exit {
                p.exit()?;
            }
        }
    }
    walk::every_on_offer(&w)?;
    w.finish()
}

/// A huge page that P has locked by its PMD; Q locks it as well, by PTEs, and goes: that is none of P's business. Before Linux 6.7 locks by PTEs were no
/// locks of the folio, and since then its mark may go for a while with any PTE (munlock_vma_folio()): so it is asked whether it stays.
///
///   memfd       |0 ..... huge page ..... 511|
///   P locked    |===========================|
///   Q locked      |0 ..................... 511|   at an odd address; goes in each way
pub fn large_beside(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (a, b) = (w.place_huge(1)?, w.place_huge(2)?);
    let n = a.pages;
    let b = b.sub(1..n + 1);
    w.name(a, "a");
    w.name(b, "b");
    let file = w.object(Kind::Memfd, n)?;
    let p = w.actor("P")?;
    p.fill_huge_object(a, &file)?;
    p.lock(a, Lock::Full)?;
    expect(&w, p, a.page(0), true)?;
    for end in [End::Unlock, End::Unmap, End::Exit, End::Exec, End::Over] {
        let q = w.actor("Q")?;
        q.map_object(b, &file, 0, RW, Share::Shared)?;
        q.lock(b, Lock::Full)?;
        leave(&w, q, b, end)?;
        if w.features().version() < (6, 7) {
            expect(&w, p, a.page(0), true)?;
        }
        w.check()?;
        if end != End::Exit {
            q.exit()?;
        }
    }
    press(&w)?;
    mlocked::stay(&w, p, &[a])?;
    w.check()?;
    p.unlock(a)?;
    expect(&w, p, a.page(0), false)?;
    w.finish()
}
