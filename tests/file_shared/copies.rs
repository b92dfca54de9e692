// SPDX-License-Identifier: GPL-2.0-or-later
//! Private copies of a file's pages, wherever they are when the page behind them goes: a hole leaves them, an end of the file in front of them
//! does not (unmap_mapping_range() with `even_cows`). zap_pte_range() decides it for a page and for an entry of swap in different places.

use super::place;
use helpers::supervise::{Ctx, Fix, Need, Test};
use helpers::topology::{self, RW};
use helpers::walk::{self, ksm::KSM, reclaim};
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Pages of the file.
const N: usize = 12;

/// Where the copies are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Where {
    /// In memory.
    There,
    /// In swap.
    Out,
    /// Every second one in swap, those between have come back.
    Mixed,
    /// Merged with equal pages of a process outside the tree, once.
    Merged,
    /// The same, then in swap each time.
    MergedOut,
}

/// Who has copies, and where.
struct Stage<'w, 'c> {
    file: Object,
    /// With the first page of the file that each maps.
    mappers: Vec<(Actor<'w, 'c>, Area, usize)>,
}

///   memfd      0 1 2 3 4 5 6 7 8 9 10 11
///   R shared   0 1 2 3 4 5 6 7 8 9 10 11
///   P private  0 1 2'3 4'5'6'7'8 9'10'11'     ' copied
///   C private  0 1 2'3"4'5"6'7'8 9'10"11'     its child: ' shared with P, in swap since before the fork with `early`, " its own
///   Q private        3 4 5"6"7"8 9 10"        others, at another offset
fn stage<'w, 'c>(w: &'w World<'c>, early: bool) -> TestResult<Stage<'w, 'c>> {
    let file = w.object(Kind::Memfd, N)?;
    let [r, p, q] = [w.actor("R")?, w.actor("P")?, w.actor("Q")?];
    let (all, a, b) = (place(w, "shared", N), place(w, "a", N), place(w, "b", 8));
    r.map_object(all, &file, 0, RW, Share::Shared)?;
    r.write(all)?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write_all(&[a.page(2), a.sub(4..8), a.sub(9..N)])?;
    q.map_object(b, &file, 3, RW, Share::Private)?;
    q.write_all(&[b.sub(2..5), b.page(7)])?;
    if early {
        reclaim::swap_out(w)?;
    }
    let c = p.fork("C")?;
    c.write_all(&[a.page(3), a.page(5), a.page(10)])?;
    let mappers = vec![(p, a, 0), (c, a, 0), (q, b, 3)];
    Ok(Stage { file, mappers })
}

impl Where {
    fn bring(self, w: &World, s: &Stage, first: bool) -> TestResult {
        if first && matches!(self, Where::Merged | Where::MergedOut) {
            walk::only(w, &KSM)?;
        }
        match self {
            Where::There | Where::Merged => w.check(),
            Where::Out | Where::MergedOut => reclaim::swap_out(w),
            Where::Mixed => {
                reclaim::swap_out(w)?;
                let end = w.object_pages(&s.file);
                for &(actor, area, from) in &s.mappers {
                    for i in (0..area.pages).step_by(2).filter(|i| from + i < end) {
                        actor.read(area.page(i))?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Holes, then an end of the file in front of more and more copies, each brought to where they are to be before; then the file is long again.
fn taken_away(ctx: &mut Ctx, at: Where, early: bool) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, early)?;
    at.bring(&w, &s, true)?;
    w.punch(&s.file, 4..7)?;
    w.check()?;
    for end in [N - 1, 6, 3] {
        at.bring(&w, &s, false)?;
        w.truncate(&s.file, end)?;
        w.check()?;
    }
    w.truncate(&s.file, N)?;
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}

fn each(ctx: &mut Ctx, all: &[(Where, bool)]) -> TestResult {
    all.iter()
        .try_for_each(|&(at, early)| taken_away(ctx, at, early))
}

/// What stayed in swap came back.
pub const GUARDS: &[Fix] = &[Fix {
    commit: "5abfd71d936a",
    subject: "mm: don't skip swap entry even if zap_details specified",
}];
const COPIES: Test = Test {
    about: "Private copies of a file's pages outlive a hole in the file and go with its end, in memory and in swap.",
    guards: GUARDS,
    ..Test::DEFAULT
};
pub const THERE: Test = Test {
    name: "copies.taken_away",
    run: |c| each(c, &[(Where::There, false)]),
    ..COPIES
};
pub const SWAPPED: Test = Test {
    name: "copies.taken_away.swapped",
    needs: &[Need::Reclaim],
    run: |c| {
        let early = [(Where::Out, true), (Where::There, true)];
        each(c, &[(Where::Out, false), (Where::Mixed, false)])?;
        each(c, &early)
    },
    ..COPIES
};
pub const MERGED: Test = Test {
    name: "copies.taken_away.merged",
    needs: &[Need::Ksm],
    run: |c| {
        each(c, &[(Where::Merged, false)])?;
        match each(c, &[(Where::MergedOut, false)]) {
            // What merged was judged.
            Err(Stop::Skip(why)) => {
                c.diag(why);
                Ok(())
            }
            other => other,
        }
    },
    ..COPIES
};
