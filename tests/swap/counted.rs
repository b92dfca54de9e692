// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process has in swap is counted entry by entry (MM_SWAPENTS, VmSwap): whoever sets, copies or clears a swap entry counts it.

use helpers::sys::mem::advice;
use helpers::topology::{NONE, filled, like};
use helpers::walk::merge::merge;
use helpers::walk::reclaim::{swap_off, swap_out};
use helpers::world::rss::above_slack;
use helpers::world::{Actor, Kind, Share, World};
use helpers::{TestResult, supervise::Ctx};

/// Everything that happens to swap entries happens to more of them than the kernel's numbers may be off by.
///
///   P  [ q0 | q1 | q2 | q3 ]   all out      C  its child, made meanwhile
///      [ memfd ]               above, untouched: smaps counts what is swapped of it in another way
///        P, C read   C reads   C gives up q2   P moves q3      then swapoff
pub fn counted(ctx: &mut Ctx, merged: bool) -> TestResult {
    let w = World::new(ctx)?;
    let n = above_slack(&w, 8)?;
    let quarter = n / 4;
    let (p, a) = filled(&w, "P", n)?;
    if merged {
        let q = like(&w, "Q", n, (p, a))?;
        merge(&w, &[(p, a), q])?;
    }
    let above = w.place(4);
    w.name(above, "above");
    let file = w.object(Kind::Memfd, above.pages)?;
    p.map_object(above, &file, 0, NONE, Share::Shared)?;
    let part = |i: usize| a.sub(i * quarter..(i + 1) * quarter);
    // Quarters that each has out at least.
    let count = |when: &str, who: &[(Actor, usize)]| {
        let mut all = who.iter();
        all.try_for_each(|(x, out)| x.check_swap(when, out * quarter))
    };
    count("nothing is out", &[(p, 0)])?;
    swap_out(&w)?;
    count("all is out", &[(p, 4)])?;
    let c = p.fork("C")?;
    count("a child is born", &[(p, 4), (c, 4)])?;
    p.read(part(0))?;
    c.read(part(0))?;
    c.read(part(1))?;
    count("some is read", &[(p, 3), (c, 2)])?;
    c.advise(part(2), advice::DONTNEED)?;
    let to = w.place(quarter);
    w.name(to, "to");
    p.move_to(part(3), to)?;
    count("some is given up, some is moved", &[(p, 3), (c, 1)])?;
    swap_out(&w)?;
    count("all is out again", &[(p, 4), (c, 3)])?;
    let off = swap_off(&w)?;
    count("swap is off", &[(p, 0), (c, 0)])?;
    w.check()?;
    drop(off);
    w.finish()
}
