// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process has in swap is counted entry by entry (MM_SWAPENTS, VmSwap): whoever sets, copies or clears a swap entry counts it.

use helpers::sys::mem::advice;
use helpers::topology::{filled, like};
use helpers::walk::merge::merge;
use helpers::walk::reclaim::{swap_off, swap_out};
use helpers::world::{Actor, World, rss};
use helpers::{Stop, TestResult, supervise::Ctx};

/// The most that an actor maps here, bytes.
const MOST: usize = 64 << 20;

/// Everything that happens to swap entries happens to more of them than the kernel's numbers may be off by.
///
///   P  [ q0 | q1 | q2 | q3 ]   all out      C  its child, made meanwhile
///        P, C read   C reads   C gives up q2   P moves q3      then swapoff
pub fn counted(ctx: &mut Ctx, merged: bool) -> TestResult {
    let w = World::new(ctx)?;
    let quarter = rss::slack() as usize * 2;
    let n = 4 * quarter;
    if n * w.page_size() > MOST {
        return Err(Stop::Skip("needs fewer CPUs, for exact numbers"));
    }
    let (p, a) = filled(&w, "P", n)?;
    if merged {
        let q = like(&w, "Q", n, (p, a))?;
        merge(&w, &[(p, a), q])?;
    }
    let part = |i: usize| a.sub(i * quarter..(i + 1) * quarter);
    let count = |who: &[Actor], when: &str| who.iter().try_for_each(|x| x.check_swap(when));
    count(&[p], "nothing is out")?;
    swap_out(&w)?;
    count(&[p], "all is out")?;
    let c = p.fork("C")?;
    count(&[p, c], "a child is born")?;
    p.read(part(0))?;
    c.read(part(0))?;
    c.read(part(1))?;
    count(&[p, c], "some is read")?;
    c.advise(part(2), advice::DONTNEED)?;
    let to = w.place(quarter);
    w.name(to, "to");
    p.move_to(part(3), to)?;
    count(&[p, c], "some is given up, some is moved")?;
    swap_out(&w)?;
    count(&[p, c], "all is out again")?;
    let off = swap_off(&w)?;
    count(&[p, c], "swap is off")?;
    w.check()?;
    drop(off);
    w.finish()
}
