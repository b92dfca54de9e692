// SPDX-License-Identifier: GPL-2.0-or-later
//! A huge page of a memfd that fails and cannot be split, since somebody holds it: it stays in the memfd as it is.

use super::{bystander, from};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{NONE, RW};
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Maps all of it, to be a huge page where it can be, and touches nothing.
fn untouched(actor: Actor, a: Area, file: &Object) -> TestResult {
    actor.catch(true)?;
    actor.map_object(a, file, 0, NONE, Share::Shared)?;
    actor.advise(a, advice::HUGEPAGE)?;
    actor.protect(a, RW)
}

/// Whoever maps the memfd afterwards may have all of the huge page but the part that failed, so no PMD entry may map it (do_set_pmd()).
///
///   P |====== x ======|  page 1 in a pipe
///   F |0 . .. x .. . n-1|  afterwards, neighbours first       G  the poison first
pub fn memfd(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let p = w.actor("P")?;
    untouched(p, a, &file)?;
    p.write(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    p.splice(a.page(1))?;
    let lost = a.page(6);
    w.fail_held_page(p, lost, from(outside, p))?;
    let (f, g) = (w.actor("F")?, w.actor("G")?);
    untouched(f, a, &file)?;
    f.read(a.page(1))?;
    f.read(a.page(a.pages - 1))?;
    f.access_poison(lost)?;
    untouched(g, a, &file)?;
    g.access_poison(lost)?;
    g.read(a.page(7))?;
    for actor in [p, f, g, b] {
        actor.exit()?;
    }
    w.truncate(&file, 0)?;
    w.finish()
}
