// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory that is promised (VM_ACCOUNT, "ac" in VmFlags): the promise is given back when the last piece of it is unmapped, so every piece has to
//! know of it. mremap takes it off what it unmaps for a moment (move_vma(), vms_clean_up_area()).

use super::OPS;
use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Need, Test};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each area.
const N: usize = 8;

fn is_accounted(w: &World, actor: Actor, area: Area) -> TestResult<bool> {
    let addr = area.vpn * w.page_size();
    let flags = vma::vm_flags(actor.pid()?, addr).doing("read smaps")?;
    Ok(flags.is_some_and(|flags| flags.iter().any(|f| f == "ac")))
}

#[track_caller]
fn expect(w: &World, actor: Actor, areas: &[Area]) -> TestResult {
    for &area in areas {
        if !is_accounted(w, actor, area)? {
            return Err(Stop::fail(format_args!(
                "every piece of an accounted area is accounted: {area:?} of {} lacks ac in VmFlags",
                actor.name()
            )));
        }
    }
    Ok(())
}

///   P   . . .|3 ..... 7|   |0 1 2|. .|5 6 7|   |0 ..... 4|. . .      to |0 1 2|  to |3 4|  to |5 6 7|
///   C   P's child
fn accounted(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let mut pieces = Vec::new();
    for (name, first, end) in [("first", 0, 3), ("middle", 3, 5), ("last", 5, N)] {
        let (a, to) = (w.place(N), w.place(end - first));
        w.name(a, name);
        w.name(to, "to");
        p.map_as(a, "accounted", 0)?;
        p.write(a)?;
        if !is_accounted(&w, p, a)? {
            return Err(Stop::Skip("needs accounted memory in VmFlags"));
        }
        p.move_to(a.sub(first..end), to)?;
        pieces.push(to);
        pieces.extend((first > 0).then(|| a.sub(0..first)));
        pieces.extend((end < N).then(|| a.sub(end..N)));
    }
    expect(&w, p, &pieces)?;
    let c = p.fork("C")?;
    expect(&w, c, &pieces)?;
    c.write(pieces[1])?;
    walk::every(&w)?;
    w.finish()
}

pub const ACCOUNTED: Test = Test {
    name: "accounted",
    about: "Accounted memory stays so, in each piece that mremap makes of it.",
    needs: &[Need::Pagemap],
    run: accounted,
    ..OPS
};
