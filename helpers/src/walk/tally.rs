// SPDX-License-Identifier: GPL-2.0-or-later
//! Which walks a test has taken over which kinds of pages: lines at its end, from which lab/COVERAGE.md is made.
//!
//! A page counts for a walk when the walk did to it what it is for, not when it was merely there.

use super::fate::Page;
use crate::TestResult;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::world::World;
use crate::world::model::{ActorId, FrameId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::num::NonZero;
use std::rc::Rc;

/// What the mappers of a page map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
enum Kind {
    /// Private anonymous memory, base pages.
    Anon,
    /// A huge page of it, in the page table of a mapper by its PMD.
    ThpPmd,
    /// The same by PTEs.
    ThpPte,
    /// A large folio that is smaller.
    Mthp,
    /// A KSM page.
    Ksm,
    /// shmem, MAP_SHARED.
    Shmem,
    /// MAP_PRIVATE and not written.
    ShmemPrivate,
    /// MAP_PRIVATE and written: an anonymous page in a VMA of a file.
    ShmemCopied,
    /// A large folio of shmem.
    ShmemThp,
    /// A file on a disk, MAP_SHARED.
    File,
    /// MAP_PRIVATE and not written.
    FilePrivate,
    /// MAP_PRIVATE and written.
    FileCopied,
    /// A large folio of a file.
    FileThp,
    /// hugetlb, MAP_SHARED.
    Hugetlb,
    /// In page tables that processes share.
    HugetlbTables,
    /// MAP_PRIVATE and not written.
    HugetlbPrivate,
    /// MAP_PRIVATE and written.
    HugetlbCopied,
}

use Kind as K;

/// All kinds, with the names that they have in the log.
const NAMES: [(Kind, &str); 17] = [
    (K::Anon, "anon"),
    (K::ThpPmd, "thp_pmd"),
    (K::ThpPte, "thp_pte"),
    (K::Mthp, "mthp"),
    (K::Ksm, "ksm"),
    (K::Shmem, "shmem"),
    (K::ShmemPrivate, "shmem_private"),
    (K::ShmemCopied, "shmem_copied"),
    (K::ShmemThp, "shmem_thp"),
    (K::File, "file"),
    (K::FilePrivate, "file_private"),
    (K::FileCopied, "file_copied"),
    (K::FileThp, "file_thp"),
    (K::Hugetlb, "hugetlb"),
    (K::HugetlbTables, "hugetlb_tables"),
    (K::HugetlbPrivate, "hugetlb_private"),
    (K::HugetlbCopied, "hugetlb_copied"),
];

/// A set of kinds: its mappers may see a page in different ways.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Kinds(u32);

impl Kinds {
    fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u32;
    }
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut comma = "";
        for (kind, name) in NAMES {
            if self.0 >> kind as u32 & 1 != 0 {
                write!(f, "{comma}{name}")?;
                comma = ",";
            }
        }
        Ok(())
    }
}

/// The size of a folio, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Base,
    Large,
    Huge,
}

/// Finds out the kinds of pages, which are in the order of their PFNs. Somebody else may split or move a page meanwhile: then it
/// is called what it was or what it is.
///
/// # Errors
/// When /proc cannot be read.
pub(crate) fn sort(w: &World, pages: &mut [Page]) -> TestResult {
    let mut by_pmd: BTreeMap<ActorId, (bool, bool)> = BTreeMap::new();
    if w.has_huge() {
        for id in pages.iter().flat_map(|p| &p.mappers).map(|m| m.0) {
            if let Entry::Vacant(of) = by_pmd.entry(id) {
                of.insert(mapped(w, id)?);
            }
        }
    }
    let mut folio: Option<(u64, Size)> = None;
    for page in pages.iter_mut() {
        let at = page.pfn.0.get();
        let flags = if w.has_huge() || w.frame(page.frame).ksm {
            w.page_flags(page.pfn)?.unwrap_or(Flags(0))
        } else {
            Flags(0)
        };
        let size = match folio {
            _ if !flags.has(Flags::THP) || flags.has(Flags::HUGE) => Size::Base,
            Some((end, size)) if at < end => size,
            _ => {
                let (end, size) = folio_at(w, page.pfn)?;
                folio = Some((end, size));
                size
            }
        };
        for &at in &page.mappers {
            let (whole, parts) = by_pmd.get(&at.0).copied().unwrap_or((false, true));
            let ksm = flags.has(Flags::KSM) && w.frame(page.frame).ksm;
            for kind in kinds(w, page.frame, at, size, whole, parts) {
                page.kinds.add(if ksm { K::Ksm } else { kind });
            }
        }
    }
    Ok(())
}

/// Whether a process maps huge pages by PMDs, and whether it may map some by PTEs.
fn mapped(w: &World, id: ActorId) -> TestResult<(bool, bool)> {
    let pid = w.pid(id)?;
    let kb = |name| vma::rollup_kb(pid, name).doing("read smaps_rollup");
    let huge = kb("AnonHugePages")?.unwrap_or(0);
    Ok((huge > 0, huge < kb("Anonymous")?.unwrap_or(0)))
}

/// The end of a folio (PFN) and its size.
fn folio_at(w: &World, pfn: Pfn) -> TestResult<(u64, Size)> {
    let first = w.folio_head(pfn)?.0.get();
    let mut end = first + 1;
    while let Some(next) = NonZero::new(end)
        && let Some(flags) = w.page_flags(Pfn(next))?
        && flags.has(Flags::COMPOUND_TAIL)
    {
        end += 1;
    }
    let pmd = w.features().pmd_size.map(|bytes| bytes / w.page_size());
    let size = match (end - first) as usize {
        pages if Some(pages) == pmd => Size::Huge,
        _ => Size::Large,
    };
    Ok((end, size))
}

/// What a mapper has of a page.
fn kinds(
    w: &World,
    frame: FrameId,
    (actor, vpn): (ActorId, usize),
    size: Size,
    whole: bool,
    parts: bool,
) -> Vec<Kind> {
    let model = w.model();
    let space = model.spaces[actor].as_ref();
    let Some(slot) = space.and_then(|s| s.get(&vpn)) else {
        return Vec::new();
    };
    let cached = model.frames[frame].cached;
    let Some((object, _)) = slot.object else {
        return match size {
            Size::Base => vec![K::Anon],
            Size::Large => vec![K::Mthp],
            Size::Huge => {
                let ways = [(whole, K::ThpPmd), (parts, K::ThpPte)];
                ways.into_iter().filter(|w| w.0).map(|w| w.1).collect()
            }
        };
    };
    let object = &model.objects[object];
    let of = |kinds: [Kind; 3]| match (slot.shared, cached) {
        (true, _) => kinds[0],
        (false, true) => kinds[1],
        (false, false) => kinds[2],
    };
    vec![match size {
        _ if object.tables_shared => K::HugetlbTables,
        _ if object.hugetlb => of([K::Hugetlb, K::HugetlbPrivate, K::HugetlbCopied]),
        Size::Base if object.disk => of([K::File, K::FilePrivate, K::FileCopied]),
        Size::Base => of([K::Shmem, K::ShmemPrivate, K::ShmemCopied]),
        _ if object.disk => K::FileThp,
        _ => K::ShmemThp,
    }]
}

/// What was taken over what, for one test. Clones are one and the same.
#[derive(Clone, Default)]
pub(crate) struct Tally(Rc<RefCell<Counts>>);

#[derive(Default)]
struct Counts {
    /// All kinds that walks have met, the control's left out.
    there: Kinds,
    walked: BTreeMap<&'static str, Kinds>,
    left_out: BTreeMap<&'static str, String>,
}

impl Tally {
    /// These pages were there for a walk.
    pub(super) fn met(&self, pages: &[Page]) {
        let mut counts = self.0.borrow_mut();
        counts.there = union(counts.there, pages);
    }

    /// A walk did to these pages what it is for.
    pub(crate) fn walked<'p>(&self, walk: &'static str, pages: impl IntoIterator<Item = &'p Page>) {
        let mut counts = self.0.borrow_mut();
        let kinds = counts.walked.entry(walk).or_default();
        *kinds = union(*kinds, pages);
    }

    /// A walk was not possible; the first reason is kept.
    pub(super) fn left_out(&self, walk: &'static str, why: impl FnOnce() -> String) {
        let mut counts = self.0.borrow_mut();
        counts.left_out.entry(walk).or_insert_with(why);
    }

    /// What to say at the end of the test.
    pub(crate) fn lines(&self) -> Vec<String> {
        let counts = self.0.borrow();
        let mut lines = Vec::new();
        if counts.there != Kinds::default() {
            lines.push(format!("pages: {}", counts.there));
        }
        let walked = counts.walked.iter().filter(|w| *w.1 != Kinds::default());
        let walked: Vec<String> = walked.map(|(w, kinds)| format!("{w} {kinds}")).collect();
        if !walked.is_empty() {
            lines.push(format!("walked: {}", walked.join("; ")));
        }
        for (walk, why) in &counts.left_out {
            lines.push(format!("not walked: {walk}: {why}"));
        }
        lines
    }
}

fn union<'p>(kinds: Kinds, pages: impl IntoIterator<Item = &'p Page>) -> Kinds {
    let tested = pages.into_iter().filter(|p| !p.control);
    Kinds(tested.fold(kinds.0, |all, page| all | page.kinds.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name() {
        for (i, (kind, name)) in NAMES.iter().enumerate() {
            assert_eq!(*kind as usize, i, "{name}");
        }
    }

    #[test]
    fn lines_for_the_log() {
        let tally = Tally::default();
        assert!(tally.lines().is_empty());
        let mut page = Page::of(Pfn(NonZero::new(1).unwrap()), 0, Vec::new());
        page.kinds.add(K::ThpPmd);
        page.kinds.add(K::Anon);
        let control = Page {
            control: true,
            ..page.clone()
        };
        tally.walked("compact", [&control]);
        tally.clone().met(std::slice::from_ref(&page));
        tally.walked("migrate", [&page]);
        tally.left_out("idle", || String::from("needs it"));
        tally.left_out("idle", || String::from("needs more"));
        assert_eq!(
            tally.lines(),
            [
                "pages: anon,thp_pmd",
                "walked: migrate anon,thp_pmd",
                "not walked: idle: needs it"
            ]
        );
    }
}
