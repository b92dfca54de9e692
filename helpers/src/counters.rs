// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel says is mapped: the anonymous memory of the test's own memory cgroup.
//!
//! NR_ANON_MAPPED and NR_ANON_THPS are changed with the first and the last mapping of each page (__folio_add_rmap(), __folio_remove_rmap()); a
//! large folio's are summed up from its pages. What is forgotten there stays for ever: memory.stat shows memory that nobody has.

use crate::kernel::memcg::Memcg;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::mem;
use crate::world::World;
use crate::{Stop, TestResult};
use std::time::Duration;

/// The kernel brings the numbers up to date within 2 s.
const PATIENCE: Duration = Duration::from_millis(2500);
/// What each actor may come to have of its own meanwhile, pages: a heap and a stack that it does not share any more.
const SLACK: usize = 24;
/// What one of them may have more: its packet's and its commands' memory, when it was told all of a long script.
const SCRIPT: usize = 48;

/// The counters, as they were at one time.
pub struct Counters<'w, 'c> {
    w: &'w World<'c>,
    memcg: &'c Memcg,
    /// Anonymous pages, and those of them that PMDs map.
    base: [i64; 2],
}

impl<'w, 'c> Counters<'w, 'c> {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// `Skip` without a memory cgroup.
    pub fn open(w: &'w World<'c>) -> TestResult<Counters<'w, 'c>> {
        let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
        let base = [0; 2];
        let mut counters = Counters { w, memcg, base };
        counters.base = counters.read()?;
        Ok(counters)
    }

    fn stat(&self, field: &str) -> TestResult<Option<i64>> {
        let bytes = self.memcg.stat(field).doing("read memory.stat")?;
        Ok(bytes.map(|b| b as i64 / mem::page_size() as i64))
    }

    fn read(&self) -> TestResult<[i64; 2]> {
        self.memcg
            .flush_stats()
            .doing("flush the cgroup's statistics")?;
        // The script and the model grow in this process, which is in the cgroup too.
        let own = match vma::rollup_kb(0, "Anonymous") {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Stop::Skip("needs smaps_rollup (CONFIG_PROC_PAGE_MONITOR)"));
            }
            own => own.doing("read smaps_rollup")?,
        };
        let own = own.unwrap_or(0) as i64 * 1024 / mem::page_size() as i64;
        let anon = self.stat("anon")?.unwrap_or(0) - own;
        Ok([anon, self.stat("anon_thp")?.unwrap_or(0)])
    }

    /// A number of memory.stat, pages, brought up to date. `None` where the kernel does not show it.
    pub fn pages(&self, field: &str) -> TestResult<Option<i64>> {
        let flushed = self.memcg.flush_stats();
        flushed.doing("flush the cgroup's statistics")?;
        self.stat(field)
    }

    /// A number of memory.stat must be exactly `pages` more than `base`, which [`Counters::pages`] has told.
    ///
    /// # Errors
    /// `Fail` when it has not been so for a while.
    #[track_caller]
    pub fn expect_pages(
        &self,
        field: &str,
        property: &str,
        when: &str,
        base: i64,
        pages: usize,
    ) -> TestResult {
        let mut until = self.w.limit(PATIENCE);
        loop {
            let more = self.pages(field)?.unwrap_or(base) - base;
            if more == pages as i64 {
                return Ok(());
            }
            if until.over() {
                return Err(Stop::fail(format_args!(
                    "{property}; {when}: expected {field} of {pages} pages more than before, seen {more}"
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// There must be `anon` pages more than at first, `huge` of them mapped by PMDs.
    ///
    /// # Errors
    /// `Fail` when it has not been so for a while.
    #[track_caller]
    pub fn expect(&self, when: &str, anon: usize, huge: usize) -> TestResult {
        let mut until = self.w.limit(PATIENCE);
        let slack = (SCRIPT + SLACK * self.w.pids().len()) as i64;
        loop {
            let seen = self.read()?;
            let more = [seen[0] - self.base[0], seen[1] - self.base[1]];
            let right = |i: usize, wanted: usize| (more[i] - wanted as i64).abs() <= slack;
            // Not every kernel shows anon_thp.
            if right(0, anon) && (right(1, huge) || self.stat("anon_thp")?.is_none()) {
                return Ok(());
            }
            if until.over() {
                return Err(Stop::fail(format_args!(
                    "the counters of mapped pages follow the mappings; {when}: expected {anon} anonymous pages more than before, \
                     {huge} of them mapped by PMDs, seen {more:?}"
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// NR_FILE_MAPPED of the cgroup: what processes map of files and shared memory whose pages it has been charged for. What it says wrong is kept
/// and not told at once, see [`each_time`].
pub struct FileMapped<'w, 'c> {
    counters: Counters<'w, 'c>,
    /// Pages.
    base: i64,
    wrong: Option<Stop>,
}

impl<'w, 'c> FileMapped<'w, 'c> {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// `Skip` where the kernel does not show it.
    pub fn open(w: &'w World<'c>) -> TestResult<FileMapped<'w, 'c>> {
        let counters = Counters::open(w)?;
        let base = counters.pages("file_mapped")?;
        Ok(FileMapped {
            counters,
            base: base.ok_or(Stop::Skip("needs file_mapped in memory.stat"))?,
            wrong: None,
        })
    }

    /// There must be exactly `pages` more than at first. Once it was wrong, what comes later is not compared: each is waited for.
    ///
    /// # Errors
    /// None that is about the number.
    pub fn expect(&mut self, when: &str, pages: usize) -> TestResult {
        if self.wrong.is_some() {
            return Ok(());
        }
        let property = "the counters of mapped pages follow the mappings";
        let field = "file_mapped";
        match self
            .counters
            .expect_pages(field, property, when, self.base, pages)
        {
            Err(fail @ Stop::Fail(_)) => {
                self.wrong = Some(fail);
                Ok(())
            }
            other => other,
        }
    }

    /// The first that was wrong.
    pub fn wrong(self) -> Option<Stop> {
        self.wrong
    }
}

/// Takes a script again when it found something wrong. Pages of the program are counted as mapped too where they are this cgroup's, and who comes
/// upon a new one maps it: what the kernel does wrong is so each time, long after all of them are there.
///
/// # Errors
/// What was wrong the last time.
pub fn each_time(w: &World, script: impl Fn() -> TestResult<Option<Stop>>) -> TestResult {
    const TIMES: usize = 4;
    let mut last = None;
    for _ in 0..TIMES {
        let Some(wrong) = script()? else {
            return Ok(());
        };
        w.diag(format_args!("{wrong:?}"));
        last = Some(wrong);
    }
    last.map_or(Ok(()), Err)
}
