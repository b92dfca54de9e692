// SPDX-License-Identifier: GPL-2.0-or-later
//! What nobody may do to a locked area: its pages are to stay, whoever says that they are not needed (madvise_dontneed_free_valid_vma(),
//! can_madv_lru_vma(), madvise_remove(), is_valid_guard_vma()).

use super::MLOCK;
use helpers::actor::Cmd;
use helpers::supervise::{Ctx, Test};
use helpers::sys::Errno;
use helpers::sys::mem::advice;
use helpers::topology::{self, RW, filled};
use helpers::walk;
use helpers::walk::mlocked;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};

/// Pages of each area.
const N: usize = 8;

/// Advice that the kernel takes for memory that is not locked, and not for locked memory.
fn refused(w: &World, p: Actor, area: Area, what: &[i32]) -> TestResult {
    for &advice in what {
        let cmd = Cmd::Advise {
            addr: area.vpn * w.page_size(),
            len: area.pages * w.page_size(),
            advice,
        };
        p.refused(&cmd, Errno::EINVAL)?;
        mlocked::stay(w, p, &[area])?;
    }
    w.check()
}

/// The same advice to memory that is not locked. Which of it the kernel knows.
fn known(p: Actor, plain: Area, what: &[i32]) -> TestResult<Vec<i32>> {
    let mut known = Vec::new();
    for &advice in what {
        match p.advise(plain, advice) {
            Ok(()) => known.push(advice),
            Err(Stop::Skip(_)) => {}
            Err(stop) => return Err(stop),
        }
    }
    Ok(known)
}

///   P  private |0 1 2 3 4 5 6 7|  memfd shared |0 1 2 3 4 5 6 7|  2 to 5 of each locked      C  P's child, of whom none is
fn locked(ctx: &mut Ctx, how: Lock) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", N)?;
    let (file, b) = (w.object(Kind::Memfd, N)?, w.place(N));
    w.name(b, "shared");
    p.map_object(b, &file, 0, RW, Share::Shared)?;
    p.write(b)?;
    for area in [a, b] {
        p.lock(area.sub(2..6), how)?;
    }
    // Each ends what the one before has begun, where the kernel takes it: guards last.
    let private = [
        advice::COLD,
        advice::PAGEOUT,
        advice::FREE,
        advice::DONTNEED,
        advice::GUARD_INSTALL,
    ];
    let private = known(p, a.page(7), &private)?;
    let shared = known(p, b.page(7), &[advice::COLD, advice::DONTNEED])?;
    for part in [2..6, 3..4] {
        refused(&w, p, a.sub(part.clone()), &private)?;
        refused(
            &w,
            p,
            b.sub(part),
            &[&shared[..], &[advice::REMOVE]].concat(),
        )?;
    }
    for area in [a, b] {
        mlocked::expect(&w, p, area.sub(2..6), true)?;
    }
    let c = p.fork("C")?;
    c.advise(a.sub(2..4), advice::DONTNEED)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    p.unlock(a.sub(2..6))?;
    p.advise(a.page(3), advice::DONTNEED)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const REFUSED: Test = Test {
    name: "refused",
    about: "The pages of a locked area are not given up, whoever asks for it.",
    run: |c| locked(c, Lock::Full),
    ..MLOCK
};
pub const REFUSED_ON_FAULT: Test = Test {
    name: "refused.on_fault",
    run: |c| locked(c, Lock::OnFault),
    ..REFUSED
};
