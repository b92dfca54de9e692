// SPDX-License-Identifier: GPL-2.0-or-later
//! Files on a disk that a process has registered for write protection which waits for nobody (UFFD_FEATURE_WP_ASYNC takes any memory).
//!
//! Such a child gets its parent's entries (vma_needs_copy()), where else it would fault for its own: writable as they were, but clean, since
//! what they tell of writes is the parent's (__copy_present_ptes()). Writeback has to make those read-only as well (page_vma_mkclean_one()), or
//! the child's next write is not heard of, and never comes to the disk.

use super::N;
use helpers::TestResult;
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::uffd::{FEATURE_EVENT_FORK, FEATURE_WP_ASYNC, WP};
use helpers::topology::RW;
use helpers::walk;
use helpers::world::{Actor, Area, Keeper, Kind, Object, Share, World};

/// Everybody who maps the file shared.
type Writers<'w, 'c> = Vec<(Actor<'w, 'c>, Area)>;

///   file            0 1 2 3 4 5 6 7
///   P shared        0 1 2 3 4 5 6 7    registered
///   P shared            2 3 4 5        once more, registered
///   Q shared                4 5 6 7    not
///   C, a child of P, has written 0 1 of the first; G, a child of C; both have what P has, and it is registered
fn stage<'w, 'c>(w: &'w World<'c>) -> TestResult<(Object, Writers<'w, 'c>, Vec<Keeper<'w, 'c>>)> {
    let place = |name, pages| {
        let area = w.place(pages);
        w.name(area, name);
        area
    };
    let file = w.object(Kind::Disk, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, alias, b) = (place("a", N), place("alias", 4), place("b", 4));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.map_object(alias, &file, 2, RW, Share::Shared)?;
    q.map_object(b, &file, 4, RW, Share::Shared)?;
    let k = p.keeper(FEATURE_EVENT_FORK | FEATURE_WP_ASYNC)?;
    k.register(a, WP)?;
    k.register(alias, WP)?;
    for (actor, area) in [(p, a), (p, alias), (q, b)] {
        actor.write(area)?;
    }
    let (c, kc) = p.fork_kept("C", &k)?;
    c.write(a.sub(0..2))?;
    let (g, kg) = c.fork_kept("G", &kc)?;
    let of = |actor| [(actor, a), (actor, alias)];
    let mut writers: Writers = [p, c, g].into_iter().flat_map(of).collect();
    writers.push((q, b));
    Ok((file, writers, vec![k, kc, kg]))
}

/// What each writes alone comes to the disk. `before` is done while the children have the entries that they were born with.
fn written_back(ctx: &mut Ctx, before: fn(&World) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    let (file, mut writers, mut keepers) = stage(&w)?;
    before(&w)?;
    w.sync(&file)?;
    w.check_synced(&file)?;
    alone(&w, &file, &writers)?;
    // One more child, who has moved its entries when they are written back, and keeps no registration there.
    let (p, a) = writers[0];
    for &(actor, area) in &writers {
        actor.write(area)?;
    }
    let (d, kd) = p.fork_kept("D", &keepers[0])?;
    let to = w.place(4);
    w.name(to, "to");
    d.move_unkept(a.sub(2..6), to)?;
    writers.extend([a.sub(0..2), to, a.sub(6..N)].map(|area| (d, area)));
    keepers.push(kd);
    w.sync(&file)?;
    w.check_synced(&file)?;
    writers.rotate_right(3);
    alone(&w, &file, &writers)?;
    w.check()?;
    super::end(&w, keepers)?;
    w.finish()
}

fn alone(w: &World, file: &Object, writers: &Writers) -> TestResult {
    for (actor, area) in writers {
        actor.write(*area)?;
        w.sync(file)?;
        w.check_synced(file)?;
    }
    Ok(())
}

const DISK: Test = Test {
    about: "What a child writes through the entries that it was born with is written back.",
    needs: &[Need::Disk, Need::Pfn, Need::KpageFlags],
    ..Test::DEFAULT
};
/// At once.
pub(super) const PLAIN: Test = Test {
    name: "wp.disk",
    run: |c| written_back(c, |_| Ok(())),
    ..DISK
};
/// After all walks: what moves is put back as it was.
pub(super) const WALKED: Test = Test {
    name: "wp.disk.walked",
    run: |c| written_back(c, walk::plain),
    ..DISK
};
