// SPDX-License-Identifier: GPL-2.0-or-later
//! Parts of an area moved that are longer than a page table: mremap moves whole tables where it can, and may begin at the head of the table
//! that the first page is in (try_realign_addr()), which has pages that are not to be moved.

use helpers::supervise::Ctx;
use helpers::topology;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Page tables of the area.
const TABLES: usize = 4;

/// What is in front of the place that a part is moved to, in the same page table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// An area of no access.
    Filling,
    /// Nothing.
    Free,
    /// Pages of the same kind as those that are moved.
    Used,
}

/// One part moved. Lengths are in eighths of what a page table spans, and pages.
struct Part {
    from: (usize, usize),
    to: (usize, usize),
    /// How far the place is from the one with the same offset in its page table, pages.
    shift: usize,
    before: Before,
}

const fn part(from: (usize, usize), to: (usize, usize), shift: usize, before: Before) -> Part {
    Part {
        from,
        to,
        shift,
        before,
    }
}

/// From the middle, the head and the tail of the area; from and to the bounds of a table, and beside them.
const PARTS: &[Part] = &[
    part((4, 0), (16, 0), 0, Before::Free),
    part((4, 0), (16, 0), 0, Before::Used),
    part((12, 0), (20, 0), 0, Before::Free),
    part((12, 0), (20, 0), 1, Before::Free),
    part((8, 1), (24, 1), 0, Before::Free),
    part((15, 0), (32, 0), 0, Before::Filling),
    part((8, 0), (24, 0), 0, Before::Used),
    part((0, 0), (18, 0), 0, Before::Filling),
    part((4, 0), (16, 0), 0, Before::Filling),
];

/// What is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Private memory.
    Private,
    /// A memfd.
    Memfd(Share),
}

/// The pages of an area that are used: the first and the last, and those on both sides of each eighth of a page table.
fn used(area: Area) -> Vec<Area> {
    let eighth = area.pages / TABLES / 8;
    let inner = (1..TABLES * 8).map(|i| area.sub(i * eighth - 1..i * eighth + 2));
    let mut all = vec![area.sub(0..2)];
    all.extend(inner);
    all.push(area.page(area.pages - 1));
    all
}

/// Each part by a child of its own, then one by the parent.
///
///   tables  |       |       |       |       |
///   P       |0 1 . 63 64 65 . . . . . . last|
///   C0          |= = = = = =|                     "to" is such a place, too, with and without something in front
///   C1             |= = = = = =|                  ...
pub fn moved(ctx: &mut Ctx, of: Of, keep: bool) -> TestResult {
    let w = World::new(ctx)?;
    let Some(span) = w.features().pmd_size else {
        return Err(Stop::Skip("needs transparent huge pages"));
    };
    let (Some(a), Some(b)) = (w.vast(TABLES * span), w.vast(TABLES * span)) else {
        return Err(Stop::Skip("needs address space for several page tables"));
    };
    w.name(a, "a");
    w.name(b, "to");
    let object = match of {
        Of::Private => None,
        Of::Memfd(share) => Some((w.object(Kind::Memfd, a.pages)?, share)),
    };
    let map = |actor: Actor, area: Area, parts: &[Area], first: usize| match &object {
        None => actor.map_vast(area, parts),
        Some((file, share)) => actor.map_parts(area, file, first, parts, *share),
    };
    let p = w.actor("P")?;
    map(p, a, &used(a), 0)?;
    p.write_all(&used(a))?;
    let mut children = Vec::new();
    for i in 0..PARTS.len() {
        children.push(p.fork(&format!("C{i}"))?);
    }
    let eighth = a.pages / TABLES / 8;
    for (&c, part) in children.iter().zip(PARTS) {
        shift(&w, c, part, eighth, (a, b), keep, &map)?;
    }
    shift(&w, p, &PARTS[0], eighth, (a, b), keep, &map)?;
    w.check()?;
    children[0].fork("G")?;
    walk::every(&w)?;
    p.exit()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Touches everything, puts what is to be in front of the place there, and moves.
fn shift(
    w: &World,
    c: Actor,
    part: &Part,
    eighth: usize,
    (a, b): (Area, Area),
    keep: bool,
    map: &impl Fn(Actor, Area, &[Area], usize) -> TestResult,
) -> TestResult {
    let at = |(eighths, pages): (usize, usize)| eighths * eighth + pages;
    let (from, to) = (at(part.from), at(part.to));
    let source = a.sub(from..to);
    let start = from + part.shift;
    let target = b.sub(start..start + source.pages);
    // A page table of the child's for each part, with pages of its own beside the inherited ones.
    let all = used(a);
    for pages in &all {
        c.read(*pages)?;
    }
    c.write_all(&all.iter().map(|pages| pages.page(0)).collect::<Vec<_>>())?;
    let front = b.sub(0..start);
    match part.before {
        Before::Filling => {}
        Before::Free => c.make_room(front)?,
        Before::Used => {
            // What the area has of the file, no less: a fault maps what is around it, too.
            let parts: Vec<Area> = used(b)
                .iter()
                .filter(|part| part.vpn < front.vpns().end)
                .map(|part| Area {
                    pages: part.pages.min(front.vpns().end - part.vpn),
                    ..*part
                })
                .collect();
            map(c, front, &parts, 0)?;
            c.write_all(&parts)?;
        }
    }
    w.step(format_args!("pages {from} to {to}"));
    match keep {
        false => c.move_to(source, target),
        true => c.move_dontunmap(source, target),
    }
}
