// SPDX-License-Identifier: GPL-2.0-or-later
//! Properties of VMAs, two at a time. The walks pass over some VMAs for what their flags say (invalid_migration_vma(),
//! invalid_folio_referenced_vma(), folio_referenced_one(), try_to_unmap_one()), and a flag may mean something else beside another: that of
//! MADV_RANDOM and that of MADV_SEQUENTIAL are together the mark of a stack which exec has not finished (VM_STACK_INCOMPLETE_SETUP).

use super::OPS;
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::sys::mem::{advice, map};
use helpers::sys::uffd::WP;
use helpers::topology::{self, NONE, R, RW, RWX};
use helpers::walk::{self, ksm};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Keeper, Kind, Object, Share, World};
use helpers::{Stop, TestResult};
use std::collections::{BTreeMap, BTreeSet};

/// Pages of each area.
const N: usize = 2;

/// What the areas map.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backing {
    /// Private anonymous memory.
    Private,
    /// The same, as pages that KSM has merged.
    Merged,
    /// A memfd, private, with a copied page.
    Copied,
    /// A memfd, shared.
    Shared,
}

impl Backing {
    /// How an object is mapped; `None` where there is none.
    fn share(self) -> Option<Share> {
        match self {
            Backing::Private | Backing::Merged => None,
            Backing::Copied => Some(Share::Private),
            Backing::Shared => Some(Share::Shared),
        }
    }
}

/// A property.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    /// Mapped with this flag.
    Mapped(i32),
    /// Mapped without MAP_NORESERVE.
    Accounted,
    /// Written before the soft-dirty bits are cleared, and not since.
    Clean,
    Advised(i32),
    Named,
    /// Bound to a node.
    Bound,
    /// With a protection key of the process.
    Keyed,
    Locked(Lock),
    /// Registered for write protection by userfaultfd, and not protected.
    Registered,
    Protected(i32),
    Sealed,
}

/// All of them, in the order in which two of them come: what is not to be accessed any more cannot be locked, and what is sealed stays
/// what it is. Where the second takes the place of the first (two protections, say) it is there alone.
const ALL: [(&str, Is); 22] = [
    ("growsdown", Is::Mapped(map::GROWSDOWN)),
    ("stack", Is::Mapped(map::STACK)),
    ("accounted", Is::Accounted),
    ("clean", Is::Clean),
    ("random", Is::Advised(advice::RANDOM)),
    ("sequential", Is::Advised(advice::SEQUENTIAL)),
    ("hugepage", Is::Advised(advice::HUGEPAGE)),
    ("nohugepage", Is::Advised(advice::NOHUGEPAGE)),
    ("mergeable", Is::Advised(advice::MERGEABLE)),
    ("dontdump", Is::Advised(advice::DONTDUMP)),
    ("dontfork", Is::Advised(advice::DONTFORK)),
    ("wipeonfork", Is::Advised(advice::WIPEONFORK)),
    ("named", Is::Named),
    ("bound", Is::Bound),
    ("keyed", Is::Keyed),
    ("locked", Is::Locked(Lock::Full)),
    ("onfault", Is::Locked(Lock::OnFault)),
    ("registered", Is::Registered),
    ("r", Is::Protected(R)),
    ("rwx", Is::Protected(RWX)),
    ("none", Is::Protected(NONE)),
    ("sealed", Is::Sealed),
];

/// An area and its two properties.
struct Plot {
    area: Area,
    both: [(&'static str, Is); 2],
    /// Those that this kernel has given to it.
    has: Vec<Is>,
}

impl Plot {
    fn wants(&self, is: Is) -> bool {
        self.both.iter().any(|b| b.1 == is)
    }

    /// Whether the one who has mapped it may write to it.
    fn is_writable(&self) -> bool {
        let mut of = self.has.iter().filter_map(|is| match is {
            Is::Protected(prot) => Some(*prot),
            _ => None,
        });
        of.next_back().is_none_or(|prot| prot & RW == RW)
    }

    /// Maps it: private memory, or pages of an object from page `first` on.
    fn map(&self, p: Actor, file: Option<(&Object, Share)>, first: usize) -> TestResult {
        let (file, share) = match file {
            None => {
                let of_map = self.both.iter().filter_map(|b| match b.1 {
                    Is::Mapped(flag) => Some(flag),
                    _ => None,
                });
                let accounted = self.wants(Is::Accounted);
                let reserve = if accounted { 0 } else { map::NORESERVE };
                let names = self.both.map(|b| b.0).join("+");
                return p.map_as(self.area, &names, of_map.fold(reserve, |all, f| all | f));
            }
            Some(file) => file,
        };
        if self.wants(Is::Accounted) {
            p.map_reserved(self.area, file, first, RW, share)
        } else {
            p.map_object(self.area, file, first, RW, share)
        }
    }
}

/// The pairs there can be, each with a place.
fn plots(w: &World, backing: Backing) -> Vec<Plot> {
    let possible = |is: Is| match is {
        // Files do not grow down, and what else a mapping of them is called has no effect.
        Is::Mapped(_) => backing.share().is_none(),
        // With such areas in a process ksmd was seen to leave some pages unmerged for long (6.1): why is not known.
        Is::Protected(NONE) => backing != Backing::Merged,
        Is::Clean => w.features().soft_dirty,
        // Or ksmd would merge them whenever it likes.
        Is::Advised(advice::MERGEABLE) => w.arena().ksm.is_ok(),
        _ => true,
    };
    let all: Vec<_> = ALL.into_iter().filter(|a| possible(a.1)).collect();
    let mut plots = Vec::new();
    for (i, &first) in all.iter().enumerate() {
        for &second in &all[i + 1..] {
            let area = w.place(N);
            w.name(area, format!("{}+{}", first.0, second.0));
            let (both, has) = ([first, second], Vec::new());
            plots.push(Plot { area, both, has });
        }
    }
    plots
}

/// Gives a property to an area.
fn give(w: &World, p: Actor, keeper: Option<&Keeper>, area: Area, is: Is) -> TestResult {
    match is {
        Is::Mapped(_) | Is::Accounted | Is::Clean => Ok(()),
        Is::Advised(what) => p.advise(area, what),
        Is::Named => p.name_vma(area, Some("named")),
        Is::Bound => p.bind(area, w.features().nodes.first().copied()),
        Is::Keyed => p.protect_key(area, true),
        Is::Locked(how) => p.lock(area, how),
        Is::Registered => match keeper {
            Some(keeper) => keeper.register(area, WP),
            None => Err(Stop::Skip("needs userfaultfd")),
        },
        Is::Protected(prot) => p.protect(area, prot),
        Is::Sealed => p.seal(area),
    }
}

/// For each pair of properties (`A`, `B`) an area of its own:
///
///   P    |A B: 0' 1"|  |A C: 0' 1"|  ...  |B C: 0' 1"|       ' written before it has got them    " since, where it may be
///   C    |A B: 0" 1 |  |A C: 0" 1 |  ...  |B C: 0" 1 |       as far as a child has them
///
/// The pages of a memfd, when the areas map one, are mapped by W as well. Every walk; P exits; reclaim; what may not be accessed is made
/// accessible, but what is sealed.
fn pairs(ctx: &mut Ctx, backing: Backing) -> TestResult {
    let w = World::new(ctx)?;
    let mut plots = plots(&w, backing);
    let mut file = None;
    if let Some(share) = backing.share() {
        let whole = w.place(N * plots.len());
        w.name(whole, "whole");
        let object = w.object(Kind::Memfd, whole.pages)?;
        let watcher = w.actor("W")?;
        watcher.map_object(whole, &object, 0, RW, Share::Shared)?;
        watcher.write(whole)?;
        file = Some((object, share));
    }
    let file = file.as_ref().map(|(object, share)| (object, *share));
    let p = w.actor("P")?;
    let keeper = match p.keeper(0) {
        Ok(keeper) => Some(keeper),
        Err(Stop::Skip(_)) => None,
        Err(stop) => return Err(stop),
    };
    // First the ones that are clean afterwards.
    for clean in [true, false] {
        let mut first = Vec::new();
        for (i, plot) in plots.iter().enumerate() {
            if plot.wants(Is::Clean) == clean {
                plot.map(p, file, N * i)?;
                first.push(plot.area.sub(0..if clean { N } else { 1 }));
            }
        }
        p.write_all(&first)?;
        if clean {
            w.clear_soft_dirty()?;
        }
    }
    let mut left_out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for plot in &mut plots {
        for (name, is) in plot.both {
            match give(&w, p, keeper.as_ref(), plot.area, is) {
                Ok(()) => plot.has.push(is),
                Err(Stop::Skip(why)) => drop(left_out.entry(why).or_default().insert(name)),
                Err(stop) => return Err(stop),
            }
        }
    }
    for (why, names) in &left_out {
        let names: Vec<&str> = names.iter().copied().collect();
        w.diag(format_args!("left out: {} ({why})", names.join(", ")));
    }
    let written = |plot: &&Plot| plot.is_writable() && !plot.wants(Is::Clean);
    let late: Vec<Area> = plots
        .iter()
        .filter(written)
        .map(|p| p.area.page(1))
        .collect();
    p.write_all(&late)?;
    w.check()?;

    let c = p.fork("C")?;
    let inherits = |plot: &&Plot| {
        let gone = [advice::DONTFORK, advice::WIPEONFORK].map(Is::Advised);
        plot.is_writable() && !plot.has.iter().any(|is| gone.contains(is))
    };
    let own: Vec<Area> = plots
        .iter()
        .filter(inherits)
        .map(|p| p.area.page(0))
        .collect();
    c.write_all(&own)?;
    c.write_all(&w.untouched(c.id()))?;
    if backing == Backing::Merged {
        walk::only(&w, &ksm::KSM)?;
    }
    walk::plain(&w)?;
    w.check_areas()?;
    w.check_kept()?;
    if let Some(keeper) = keeper {
        keeper.close()?;
    }
    p.exit()?;
    walk::through_swap(&w)?;
    for plot in &plots {
        let sealed = plot.has.contains(&Is::Sealed);
        let forked = !plot.has.contains(&Is::Advised(advice::DONTFORK));
        if forked && !sealed && plot.has.contains(&Is::Protected(NONE)) {
            c.protect(plot.area, RW)?;
        }
    }
    c.fork("D")?;
    topology::write_by_each(&w)?;
    w.finish()
}

const PAIRS: Test = Test {
    about: "Whatever two properties an area has, its pages are found by every walk.",
    ..OPS
};
pub const PRIVATE: Test = Test {
    name: "pairs.private",
    run: |c| pairs(c, Backing::Private),
    ..PAIRS
};
/// It was seen more often with pages that wait for a NUMA hint, which no actor touches meanwhile.
const MERGED_KNOBS: &[Knob] = &Knob::both::<2>(
    OPS.knobs,
    &[Knob::set("/proc/sys/kernel/numa_balancing", "0")],
);
pub const MERGED: Test = Test {
    name: "pairs.merged",
    needs: &[Need::Ksm],
    knobs: MERGED_KNOBS,
    run: |c| pairs(c, Backing::Merged),
    ..PAIRS
};
pub const COPIED: Test = Test {
    name: "pairs.copied",
    run: |c| pairs(c, Backing::Copied),
    ..PAIRS
};
pub const SHARED: Test = Test {
    name: "pairs.shared",
    run: |c| pairs(c, Backing::Shared),
    ..PAIRS
};
