// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios of anonymous memory: made by a fault or by MADV_COLLAPSE.

use super::model::ActorId;
use super::{Actor, Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::kernel::{lru, sysfs, thp, vma};
use crate::pace::Tries;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::num::NonZero;
use std::time::Duration;

/// How long a collapse is asked for again: a page in an LRU batch has a reference more than it has mappers.
const LIMIT: Duration = Duration::from_secs(2);

/// How often a split is asked for at least.
const SPLITS: usize = 6;

/// How often a collapse that must be refused is asked for.
const TRIES: usize = 3;

impl World<'_> {
    /// Pages of each size of folio that a fault may be given in a VMA that asks for huge pages, ascending. The last is what a PMD maps.
    pub fn folio_sizes(&self) -> TestResult<Vec<usize>> {
        let Some(pmd) = self.features().pmd_size else {
            return Err(Stop::Skip("needs transparent huge pages"));
        };
        let on = |size: &usize| {
            let file = format!("{}/hugepages-{}kB/enabled", thp::DIR, size >> 10);
            let value = sysfs::read(file).unwrap_or_default();
            ["madvise", "always"].contains(&sysfs::chosen(&value))
        };
        let mut sizes: Vec<usize> = thp::anon_sizes()
            .into_iter()
            .filter(|s| *s < pmd && on(s))
            .map(|s| s / self.page)
            .collect();
        sizes.push(pmd / self.page);
        Ok(sizes)
    }

    /// The size of a folio for a test of its parts: small where the kernel makes such, since every page of it is looked at after every walk.
    pub fn folio_size(&self) -> TestResult<usize> {
        let sizes = self.folio_sizes()?;
        let handy = sizes.iter().copied().find(|n| *n >= 16);
        Ok(handy.unwrap_or(sizes[sizes.len() - 1]))
    }

    /// `pages` pages, half of them in one page table and half in the next.
    pub fn place_across(&self, pages: usize) -> TestResult<Area> {
        let around = self.place_huge(2)?;
        let edge = around.pages / 2;
        Ok(around.sub(edge - pages / 2..edge + pages - pages / 2))
    }

    /// How many pages the folio has that an actor maps at a page number; 0: no page there.
    pub fn folio_pages(&self, actor: ActorId, vpn: usize) -> TestResult<usize> {
        let seen = self.eye.entries(self.pid(actor)?, &[vpn])?[0];
        let Some(pfn) = seen.pfn() else { return Ok(0) };
        let tail = |at: u64| -> TestResult<bool> {
            let Some(at) = NonZero::new(at) else {
                return Ok(false);
            };
            let flags = self.page_flags(Pfn(at))?;
            Ok(flags.is_some_and(|f| f.has(Flags::COMPOUND_TAIL)))
        };
        let mut first = pfn.0.get();
        while tail(first)? {
            first -= 1;
        }
        let mut end = first + 1;
        while tail(end)? {
            end += 1;
        }
        Ok((end - first) as usize)
    }
}

impl Actor<'_, '_> {
    /// Maps private memory that is one folio, and writes all of it. No other huge page comes to this mapping later.
    ///
    /// # Errors
    /// `Skip` when there was no such folio.
    #[track_caller]
    pub fn map_folio(&self, area: Area) -> TestResult {
        self.map(area)?;
        self.advise(area, advice::HUGEPAGE)?;
        self.write(area)?;
        if self.world.folio_pages(self.id, area.vpn)? != area.pages {
            return Err(Stop::Skip("needs a free huge page"));
        }
        // A fault in a hole of it would fill the neighbours too.
        self.advise(area, advice::NOHUGEPAGE)
    }

    /// Has a huge page, all of which this actor maps, split to folios of `pages` pages (__folio_split()): as soon as one of plain topology and of the
    /// same kind, `control`, was split so by its mapper.
    ///
    /// # Errors
    /// `Skip` where nobody can ask for that, and when the control was not split so.
    #[track_caller]
    pub fn split_to(&self, area: Area, pages: usize, control: (Actor, Area)) -> TestResult {
        match control.0.try_split_to(control.1, pages)? {
            n if n == pages => {}
            n if n == control.1.pages => {
                return Err(Stop::Skip(
                    "needs huge pages of this kind that split_huge_pages splits to folios now",
                ));
            }
            _ => {
                return Err(Stop::Skip(
                    "needs split_huge_pages that takes an order (Linux 6.10)",
                ));
            }
        }
        match self.try_split_to(area, pages)? {
            n if n == pages => Ok(()),
            n => Err(Stop::fail(format_args!(
                "a huge page is split to folios of {pages} pages, whoever maps it: {} came to be in folios of {n}, the control's did not",
                self.world.show(area)
            ))),
        }
    }

    /// How many pages the folio at its start has then.
    #[track_caller]
    fn try_split_to(&self, area: Area, pages: usize) -> TestResult<usize> {
        let w = self.world;
        let file = w.features().debugfs.as_deref().and_then(thp::split_file);
        let Some(file) = file else {
            return Err(Stop::Skip("needs split_huge_pages in debugfs"));
        };
        self.note(format!("split {} to folios of {pages}", w.show(area)));
        let mut now = area.pages;
        for _ in Tries::new(SPLITS, Duration::from_millis(200)) {
            lru::drain().doing("drain the LRU batches")?;
            let (start, end) = (area.vpn * w.page, (area.vpn + area.pages) * w.page);
            // EINVAL: not split. What became of the page is looked at.
            let _ = thp::split_to(&file, self.pid()?, start, end, pages.ilog2());
            now = w.folio_pages(self.id, area.vpn)?;
            if now == 0 {
                // What was a file's is mapped again by who needs it.
                self.read(area)?;
                now = w.folio_pages(self.id, area.vpn)?;
            }
            if now != area.pages {
                break;
            }
        }
        Ok(now)
    }

    /// Whether an area, a huge page by its place, may be mapped by a PMD: MADV_COLLAPSE has nothing to do then, and says that it is done.
    pub fn may_be_huge(&self, area: Area) -> TestResult<bool> {
        let w = self.world;
        let name = "AnonHugePages";
        let huge = vma::smaps_kb(self.pid()?, area.vpn * w.page, name).doing("read smaps")?;
        // Of the whole VMA.
        Ok(huge != Some(0) && w.folio_pages(self.id, area.vpn)? == area.pages)
    }

    /// MADV_COLLAPSE of pages that must be left alone, for the reason given, asked more than once: a page in an LRU batch is a reason too, for
    /// a moment. That nothing else is in the way is for the script to show, by a collapse that is possible when the reason is gone.
    #[track_caller]
    pub fn collapse_refused(&self, area: Area, why: &str) -> TestResult {
        let w = self.world;
        self.advise(area, advice::HUGEPAGE)?;
        let shown = w.show(area);
        w.note(format!(
            "{}: madvise {shown} COLLAPSE, in vain",
            self.name()
        ));
        let cmd = Cmd::Advise {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            advice: advice::COLLAPSE,
        };
        for _ in 0..TRIES {
            lru::drain().doing("drain the LRU batches")?;
            match w.ask(self.id, &cmd)? {
                Reply::Errno(_) => {}
                Reply::Done => {
                    return Err(w.blame(
                        self.id,
                        Stop::fail(format_args!(
                            "MADV_COLLAPSE leaves alone what it may not take: {shown} has {why}, and it says that it is done"
                        )),
                    ));
                }
                other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
            }
        }
        self.advise(area, advice::NOHUGEPAGE)
    }

    /// MADV_COLLAPSE of one huge page. At least one of its pages must be there and writable.
    ///
    /// # Errors
    /// `Skip` when the kernel did not do it: it may refuse for many reasons.
    #[track_caller]
    pub fn collapse(&self, area: Area) -> TestResult {
        let w = self.world;
        self.advise(area, advice::HUGEPAGE)?;
        w.note(format!(
            "{}: madvise {} COLLAPSE",
            self.name(),
            w.show(area)
        ));
        let cmd = Cmd::Advise {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            advice: advice::COLLAPSE,
        };
        let mut until = w.limit(LIMIT);
        loop {
            match w.ask(self.id, &cmd)? {
                Reply::Done => break,
                Reply::Errno(e) => {
                    let e = Errno::from_raw(e);
                    if matches!(e, Errno::EAGAIN | Errno::EBUSY) && !until.over() {
                        std::thread::sleep(Duration::from_millis(2));
                        continue;
                    }
                    w.diag(format_args!("MADV_COLLAPSE: {e}"));
                    return Err(Stop::Skip("needs MADV_COLLAPSE to be possible now"));
                }
                other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
            }
        }
        w.model.borrow_mut().collapse(self.id, area.vpns());
        let seen = w.folio_pages(self.id, area.vpn)?;
        if seen != area.pages {
            return Err(w.blame(
                self.id,
                Stop::fail(format_args!(
                    "MADV_COLLAPSE makes one huge page: expected {} pages, seen {seen}",
                    area.pages
                )),
            ));
        }
        self.advise(area, advice::NOHUGEPAGE)
    }
}
