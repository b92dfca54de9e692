// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes of several threads: which of them is told (task_early_kill()).

use super::{N, bystander, end, from};
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::topology::Grain::Base;
use helpers::topology::RW;
use helpers::walk;
use helpers::world::{Cause, Kind, Share, Signals, World};

/// Who has not said when it wants to be told is told when the system says (vm.memory_failure_early_kill), and nobody else goes by that.
///
///   P early [0 1 2 3]      L, its child, late [0 1 2 3]      D, P's other child, has not said [0 1 2 3']      E, D's child, early
pub(super) fn rule(ctx: &mut Ctx, early: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    p.catch(true)?;
    let l = p.fork("L")?;
    l.catch(false)?;
    let d = p.fork("D")?;
    d.catch_by_rule(early)?;
    d.write(a.page(3))?;
    let e = d.fork("E")?;
    e.catch(true)?;
    w.fail_page(p, a.page(0), Cause::Outside, Signals::Mappers)?;
    w.fail_page(d, a.page(3), Cause::Outside, Signals::Mappers)?;
    e.exit()?;
    w.fail_page(l, a.page(1), Cause::Outside, Signals::Mappers)?;
    l.access_poison(a.page(0))?;
    end(&w, &[p, l, d, b])?;
    w.finish()
}

/// Another thread of P than its first wants to be told early.
///
///   P  [0 1 2 3]      C, its child, late  [0 1 2 3]      E, P's other child, a thread again
pub(super) fn threads(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    p.catch_by_thread()?;
    let c = p.fork("C")?;
    c.catch(false)?;
    let e = p.fork("E")?;
    e.catch_by_thread()?;
    e.write(a.page(3))?;
    w.fail_page(p, a.page(1), from(outside, c), Signals::Mappers)?;
    w.fail_page(c, a.page(2), from(outside, c), Signals::Mappers)?;
    w.fail_page(c, a.page(3), from(outside, c), Signals::Mappers)?;
    end(&w, &[p, c, e, b])?;
    w.finish()
}

/// Another thread than the first runs into the poison: it is told, whoever of its process wants to be told early, and the others as ever.
///
///   P early [0 1 2 3 4 5]      C, its child, late [0 1 2 3 4 5]      E, P's other child, a thread early [0 1 2 3 4'5]
///   memfd   [0 1 2 3]          of all three, shared
pub(super) fn asking(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    let (file, m) = (w.object(Kind::Memfd, 4)?, w.place(4));
    w.name(m, "m");
    p.map_object(m, &file, 0, RW, Share::Shared)?;
    p.write(m)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    c.catch(false)?;
    let e = p.fork("E")?;
    e.catch_by_thread()?;
    e.write(a.page(4))?;
    for (i, actor) in [p, c, e].into_iter().enumerate() {
        w.fail_page(actor, a.page(i), Cause::Thread(actor), Signals::Mappers)?;
        w.fail_page(
            actor,
            m.page(i),
            Cause::Thread(actor),
            Signals::MappersAtLeast,
        )?;
    }
    w.fail_page(e, a.page(4), Cause::Thread(e), Signals::Mappers)?;
    // The first thread, although it is another one that wants to be told early.
    w.fail_page(e, a.page(3), Cause::Access(e), Signals::Mappers)?;
    walk::every_on_offer(&w)?;
    w.truncate(&file, 0)?;
    end(&w, &[p, c, e, b])?;
    w.finish()
}
