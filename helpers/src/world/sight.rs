// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel shows of a world: the one place where the oracles' raw values are read, and where
//! the suite's own tests make them lie ([`Lie`]).

use crate::kernel::features::Features;
use crate::kernel::kpage::{Flags, Kpage, Words};
use crate::kernel::pagemap::{Entry, Pagemap, Pfn, State};
use crate::{Stop, TestResult, stop::Doing};

/// Environment variable that makes the observations of the first frame with two mappers wrong. A
/// check that does not fail under its lie compares nothing.
pub const LIE_VAR: &str = "RMAP_SELFTESTS_LIE";

/// Which observation is falsified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// The last mapper seems to map another page.
    Pfn,
    /// The last mapper seems to map nothing.
    LostMapper,
    /// kpagecount is one too high.
    Count,
    /// kpageflags lacks ANON.
    Flags,
    /// A shared page seems exclusive.
    Exclusive,
    /// The last mapper's content differs.
    Content,
    /// A mapping is missing from the address space.
    Vma,
    /// Each census of kernel objects finds more of them than the one before.
    Objects,
    /// Each actor is said to have more anonymous memory than its page tables.
    Rss,
    /// No page seems to be write-protected by userfaultfd.
    Guard,
    /// Each page is charged to another memory cgroup.
    Charge,
    /// Each actor is said to have locked more than its locked areas.
    Areas,
    /// Each actor is said to have more address space than its areas.
    Sizes,
    /// smaps counts one kB more than there is.
    Shares,
    /// There is more anonymous memory than smaps_rollup tells.
    Sum,
    /// There is a page more in each area than numa_maps counts.
    Gathered,
    /// No tested page is touched: reclaim has no reason to spare it.
    Untouched,
    /// mincore finds nothing in memory.
    Mincore,
    /// What must be refused seems to succeed.
    Protection,
    /// No new area seems to be soft-dirty.
    Fresh,
}

impl Lie {
    /// The lie that the environment asks for.
    fn from_env() -> Result<Option<Lie>, String> {
        let Some(word) = std::env::var_os(LIE_VAR) else {
            return Ok(None);
        };
        Ok(Some(match word.to_str().unwrap_or("?") {
            "pfn" => Lie::Pfn,
            "lost" => Lie::LostMapper,
            "count" => Lie::Count,
            "flags" => Lie::Flags,
            "exclusive" => Lie::Exclusive,
            "content" => Lie::Content,
            "vma" => Lie::Vma,
            "objects" => Lie::Objects,
            "rss" => Lie::Rss,
            "areas" => Lie::Areas,
            "sizes" => Lie::Sizes,
            "untouched" => Lie::Untouched,
            "shares" => Lie::Shares,
            "gathered" => Lie::Gathered,
            "sum" => Lie::Sum,
            "mincore" => Lie::Mincore,
            "guard" => Lie::Guard,
            "charge" => Lie::Charge,
            "protection" => Lie::Protection,
            "fresh" => Lie::Fresh,
            other => return Err(format!("{LIE_VAR}={other}: no such lie")),
        }))
    }
}

/// One mapper as the kernel shows it.
#[derive(Clone, Copy)]
pub struct Seen {
    /// The raw entry.
    pub entry: Entry,
    /// Decoded.
    pub state: State,
}

impl Seen {
    /// The PFN of a present page that may be seen.
    pub fn pfn(&self) -> Option<Pfn> {
        match self.state {
            State::Present(pfn) => pfn,
            _ => None,
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.state {
            State::Empty => write!(f, "no entry"),
            State::Present(Some(p)) => write!(f, "pfn {:#x}", p.0),
            State::Present(None) => write!(f, "present"),
            State::Swapped(Some((ty, off))) => write!(f, "swap type {ty} offset {off:#x}"),
            State::Swapped(None) => write!(f, "swapped"),
        }?;
        write!(f, " (pagemap {:#018x})", self.entry.0)
    }
}

/// The open files behind the oracles.
pub struct Eye {
    kpage: Kpage,
    page: usize,
    /// Whether a pagemap can be read at all.
    pagemap: bool,
    /// What is falsified.
    pub lie: Option<Lie>,
    bad_lie: Option<String>,
}

impl Eye {
    /// Opens what there is.
    pub fn open(features: &Features) -> Eye {
        let (lie, bad_lie) = match Lie::from_env() {
            Ok(lie) => (lie, None),
            Err(e) => (None, Some(e)),
        };
        Eye {
            kpage: Kpage::open(),
            page: features.page_size,
            pagemap: features.pagemap,
            lie,
            bad_lie,
        }
    }

    /// The entries of the given page numbers (ascending) of one process.
    ///
    /// # Errors
    /// `Skip` where no process has a pagemap.
    pub fn entries(&self, pid: i32, vpns: &[usize]) -> TestResult<Vec<Seen>> {
        if let Some(e) = &self.bad_lie {
            return Err(Stop::error(e));
        }
        if !self.pagemap {
            return Err(Stop::Skip("needs pagemap (CONFIG_PROC_PAGE_MONITOR)"));
        }
        let map = Pagemap::open(pid).doing(format_args!("open /proc/{pid}/pagemap"))?;
        // A call costs more than a few entries that nobody wants.
        const GAP: usize = 64;
        let mut seen = Vec::with_capacity(vpns.len());
        for run in vpns.chunk_by(|a, b| b.abs_diff(*a) <= GAP && a <= b) {
            let entries = map
                .read(run[0] * self.page, run[run.len() - 1] - run[0] + 1)
                .doing(format_args!("read /proc/{pid}/pagemap"))?;
            seen.extend(run.iter().map(|vpn| {
                let entry = entries[vpn - run[0]];
                Seen {
                    entry,
                    state: entry.state(),
                }
            }));
        }
        Ok(seen)
    }

    /// How often pages are mapped, and their flags: as [`Eye::count`] and [`Eye::flags`], of many at once.
    pub fn all(&self, pfns: &[Pfn]) -> TestResult<(Words, Words)> {
        let counts = self.kpage.counts(pfns).doing("read /proc/kpagecount")?;
        let flags = self.kpage.all_flags(pfns).doing("read /proc/kpageflags")?;
        Ok((counts, flags))
    }

    /// How often a page is mapped.
    pub fn count(&self, pfn: Pfn) -> TestResult<Option<u64>> {
        self.kpage.count(pfn).doing("read /proc/kpagecount")
    }

    /// The flags of a page.
    pub fn flags(&self, pfn: Pfn) -> TestResult<Option<Flags>> {
        self.kpage.flags(pfn).doing("read /proc/kpageflags")
    }

    /// Whom pages are charged to, see [`Kpage::cgroups`].
    pub fn cgroups(&self, pfns: &[Pfn]) -> TestResult<Words> {
        let words = self.kpage.cgroups(pfns).doing("read /proc/kpagecgroup")?;
        Ok(match self.lie {
            Some(Lie::Charge) => words.into_keys().map(|pfn| (pfn, pfn.0.get())).collect(),
            _ => words,
        })
    }
}
