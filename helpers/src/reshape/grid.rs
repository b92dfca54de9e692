// SPDX-License-Identifier: GPL-2.0-or-later
//! The grid: each operation, on each kind of memory, by each process of a tree, and then every walk.

use super::{FILE, FIRST, Ground, LOST, MARGIN, N, Op, State};
use crate::supervise::Ctx;
use crate::sys::mem::advice;
use crate::sys::uffd::{FEATURE_POISON, MISSING};
use crate::topology::{self, RW};
use crate::world::{Actor, Area, Kind, Object, Share, World};
use crate::{Stop, TestResult, walk};
use std::collections::{BTreeMap, BTreeSet};

/// Which process reshapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// One that has never forked: some merges happen only to its VMAs.
    Alone,
    /// The parent of a child that leaves everything as it was.
    Parent,
    /// A child, which also has pages of its own.
    Child,
    /// The child, then the parent.
    Both,
}

impl Who {
    /// The kinds of memory that it reshapes. Each kind has its turn, with and without a fork before, and not with every process: on
    /// an emulated machine the whole grid takes minutes. VMAs without an anon_vma merge most freely where there was no fork; what is shared
    /// by all needs somebody to share it with.
    fn reshapes(self, state: State) -> bool {
        let plain = match self {
            Who::Alone => {
                matches!(
                    state,
                    State::Half | State::Bare | State::Folio | State::Marked | State::Guarded
                )
            }
            Who::Parent => matches!(state, State::Bare | State::Copied | State::Mergeable),
            Who::Child => {
                matches!(
                    state,
                    State::Half | State::Copied | State::Shared | State::Marked | State::Guarded
                )
            }
            Who::Both => matches!(state, State::Half | State::Shared | State::Folio),
        };
        plain || matches!(state, State::Heap | State::Stack)
    }
}

/// The largest folio that has its place in the grid. Where the kernel makes only larger ones they are left to the tests of huge pages.
const FOLIO: usize = 64;

/// One ground, before anybody has an actor on it.
struct Plot<'o> {
    op: &'o Op,
    state: State,
    a: Area,
}

/// All operations of a group at once, each on a mapping of its own of each kind of memory, all in one process.
///
///   P    |a: half| |a: bare| |a: copied| |a: shared| |a: folio| |a: marked|    for each operation, as far as `who` has them
///   C    as P; pages 4 5 6 of each written by itself
///
/// Where nobody has forked yet, a first walk. Then the ones who did it fork once more and touch what is not touched yet; every walk; P and C
/// exit one after the other.
///
/// # Errors
/// `Skip` when no operation is possible here.
#[track_caller]
pub fn all(ctx: &mut Ctx, ops: &[Op], who: Who) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, FILE)?;
    let mut plots = plots(&w, ops, who)?;
    if plots.iter().any(|p| p.on_file()) {
        let whole = w.place(FILE);
        w.name(whole, "whole");
        let watcher = w.actor("W")?;
        watcher.map_object(whole, &file, 0, RW, Share::Shared)?;
        watcher.write(whole)?;
    }
    let p = w.actor("P")?;
    if plots.iter().any(|plot| plot.state == State::Marked) {
        // The other kinds do not need it.
        match p.keeper(FEATURE_POISON) {
            Ok(keeper) => keeper.close()?,
            Err(Stop::Skip(why)) => {
                w.diag(format_args!("no marked pages: {why}"));
                plots.retain(|plot| plot.state != State::Marked);
            }
            Err(stop) => return Err(stop),
        }
    }
    if plots.iter().any(|plot| plot.state == State::Guarded)
        && let Some(why) = lacks_guards(&w, p)?
    {
        w.diag(format_args!("no guarded pages: {why}"));
        plots.retain(|plot| plot.state != State::Guarded);
    }
    for plot in &plots {
        furnish(&w, p, plot, &file)?;
    }
    let c = if who == Who::Alone {
        None
    } else {
        Some(p.fork("C")?)
    };
    let mut own = Vec::new();
    for plot in &plots {
        if plot.state != State::Bare {
            own.push(plot.a.sub(4..7));
        }
    }
    let doers: Vec<Actor> = match (who, c) {
        (Who::Both, Some(c)) => vec![c, p],
        (Who::Child, Some(c)) => vec![c],
        _ => vec![p],
    };
    // What they write now is soft-dirty, however its VMA is reshaped. The others start with entries that may be written.
    if matches!(who, Who::Alone | Who::Child) {
        w.clear_soft_dirty()?;
    }
    for doer in &doers {
        doer.write_all(&own)?;
    }
    let mut left_out: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut done = 0;
    for doer in &doers {
        for plot in &plots {
            let (op, state) = (plot.op, plot.state.name());
            w.step(format_args!("{} on {state}: {}", op.name, op.picture));
            match (op.run)(&plot.ground(&w, *doer, &file)) {
                Ok(()) => done += 1,
                Err(Stop::Skip(why)) => {
                    let what = format!("{} on {state}", op.name);
                    left_out.entry(why).or_default().insert(what);
                }
                other => return other,
            }
        }
    }
    for (why, ops) in &left_out {
        let ops: Vec<&str> = ops.iter().map(String::as_str).collect();
        w.diag(format_args!("left out: {} ({why})", ops.join(", ")));
    }
    if let (0, Some(why)) = (done, left_out.keys().next()) {
        return Err(Stop::Skip(why));
    }
    if who == Who::Alone {
        // A fork puts the child's VMA beside the parent's in the trees, and what these say of the parent's is right again
        // (the interval trees know where the last page below each node is).
        walk::quick(&w)?;
    }
    w.check()?;
    let mut late = Vec::new();
    for doer in &doers {
        late.push(doer.fork(&format!("{}.late", doer.name()))?);
        // Pages that come only now get their anon_vma and their index from the VMAs as they have become.
        doer.write_all(&w.untouched(doer.id()))?;
    }
    walk::plain(&w)?;
    // Of those who did it too, who are gone in the end.
    w.check_areas()?;
    // What is left must stand without those it came from.
    p.exit()?;
    if let Some(c) = c {
        c.exit()?;
    }
    // Merged pages are found by the anon_vma and the address as well: once is enough.
    if who == Who::Child {
        walk::every_on_offer(&w)?;
    } else {
        walk::through_swap(&w)?;
    }
    w.reopen()?;
    late[0].fork("later")?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Why there can be no guards, if there can be none.
fn lacks_guards(w: &World, p: Actor) -> TestResult<Option<&'static str>> {
    let page = w.place(1);
    w.name(page, "guard");
    p.map(page)?;
    match p.advise(page, advice::GUARD_INSTALL) {
        Ok(()) => Ok(None),
        Err(Stop::Skip(why)) => Ok(Some(why)),
        Err(stop) => Err(stop),
    }
}

/// A place for each operation on each kind of memory that it is for and that this machine has.
fn plots<'o>(w: &World, ops: &'o [Op], who: Who) -> TestResult<Vec<Plot<'o>>> {
    let folio = w.folio_size().ok().filter(|n| (16..=FOLIO).contains(n));
    let mut all = Vec::new();
    for op in ops {
        for &state in op.on.iter().filter(|s| who.reshapes(**s)) {
            let around = match (state, folio) {
                (State::Folio, None) => continue,
                // Or ksmd would merge pages of zeroes whenever it likes.
                (State::Mergeable, _) if w.arena().ksm.is_err() => continue,
                // The folio begins two pages in front of the mapping.
                (State::Folio, Some(n)) => {
                    let around = w.place_aligned(n + 2 * MARGIN + n, n);
                    around.sub(n - (MARGIN - 2)..n - (MARGIN - 2) + N + 2 * MARGIN)
                }
                _ => w.place(N + 2 * MARGIN),
            };
            w.name(around, format!("{}.{}", op.name, state.name()));
            let a = around.sub(MARGIN..MARGIN + N);
            all.push(Plot { op, state, a });
        }
    }
    Ok(all)
}

/// Maps a plot and touches it as its state says.
fn furnish(w: &World, p: Actor, plot: &Plot, file: &Object) -> TestResult {
    let a = plot.a;
    match plot.state {
        State::Half => {
            p.map(a)?;
            p.write(a.sub(0..N / 2))
        }
        State::Mergeable => {
            p.map(a)?;
            p.advise(a, advice::MERGEABLE)?;
            p.write(a.sub(0..N / 2))
        }
        State::Bare => p.map(a),
        State::Copied => {
            p.map_object(a, file, FIRST, RW, Share::Private)?;
            p.write(a.sub(2..5))
        }
        State::Shared => {
            p.map_object(a, file, FIRST, RW, Share::Shared)?;
            p.write(a.sub(2..5))
        }
        State::Folio => {
            let n = w.folio_size()?;
            let folio = Area {
                vpn: a.vpn - 2,
                pages: n,
            };
            p.map_folio(folio)
        }
        State::Marked => {
            p.map(a)?;
            p.write(a.sub(0..N / 2))?;
            let keeper = p.keeper(FEATURE_POISON)?;
            keeper.register(a, MISSING)?;
            keeper.poison(a.page(LOST))?;
            keeper.close()
        }
        State::Guarded => {
            p.map(a)?;
            p.write(a.sub(0..N / 2))?;
            p.advise(a.page(LOST), advice::GUARD_INSTALL)
        }
        State::Heap => {
            p.map_heap(a)?;
            p.write(a)
        }
        State::Stack => {
            p.map_stack(a)?;
            p.write(a)
        }
    }
}

impl Plot<'_> {
    fn on_file(&self) -> bool {
        matches!(self.state, State::Copied | State::Shared)
    }

    fn ground<'a, 'c>(
        &self,
        w: &'a World<'c>,
        c: Actor<'a, 'c>,
        file: &'a Object,
    ) -> Ground<'a, 'c> {
        let object = match self.state {
            State::Copied => Some((file, Share::Private)),
            State::Shared => Some((file, Share::Shared)),
            _ => None,
        };
        Ground {
            w,
            c,
            a: self.a,
            object,
            mergeable: self.state == State::Mergeable,
        }
    }
}
