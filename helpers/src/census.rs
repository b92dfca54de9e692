// SPDX-License-Identifier: GPL-2.0-or-later
//! How many objects the kernel holds for its reverse mapping: what growth and leaks are seen by.
//!
//! Two kinds of gauges. The *slab caches* tell objects, but of the whole machine, where others fork too. The test's own
//! *memory cgroup* tells bytes of kernel memory, of the test alone, but of every kind of object, and in two ways. So growth counts only
//! where all of them show it, as far as there are both. Which gauges count at all is tried out first, with VMAs made for
//! it: a cache may be merged with others or hidden, a cgroup may not be charged for kernel memory (cgroup.memory=nokmem).
//!
//! A reading is a moment's: objects that wait for a grace period and what others do are in it. Hence
//! [`Census::grown`], which looks again for a while before it believes in growth.

use crate::kernel::memcg::{Kernel, Memcg};
use crate::kernel::slab;
use crate::supervise::Ctx;
use crate::sys::{mem, proc::rcu_wait};
use crate::topology::RW;
use crate::world::World;
use crate::world::sight::Lie;
use crate::{Stop, TestResult};
use nix::libc::{MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE};
use std::cell::Cell;
use std::fmt;
use std::time::Duration;

/// Reason to skip when no gauge counts.
pub const NO_GAUGE: &str = "needs a count of anon_vma objects (slab sysfs or memory cgroup)";

/// The caches of the reverse mapping. Each VMA is linked (anon_vma_chain) to each anon_vma that its pages may have.
const CACHES: [&str; 3] = ["anon_vma", "anon_vma_chain", "vm_area_struct"];
/// The least that one object can take, bytes: an anon_vma_chain has eight words, the other two have more.
const OBJECT_BYTES: i64 = 8 * size_of::<usize>() as i64;
/// anon_vmas made to try a gauge out.
const TRIAL: usize = 512;
/// How long growth must last before it counts. Covers the 2 s after which a memory cgroup has surely brought its
/// statistics up to date (FLUSH_TIME in mm/memcontrol.c), and many RCU grace periods.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Growth must be seen this often in a row.
pub const ATTEMPTS: usize = 3;
/// The part of the time left that one of these may take: there may be a control, and walks come last.
pub const SHARE: u32 = 2 * ATTEMPTS as u32 + 2;

/// A source of numbers.
#[derive(Clone, Copy)]
enum Gauge<'c> {
    /// Objects in use.
    Cache(&'static str),
    /// Bytes.
    Cgroup(&'c Memcg, Kernel),
}

/// The gauges of this machine that count.
pub struct Census<'w, 'c> {
    world: &'w World<'c>,
    gauges: Vec<Gauge<'c>>,
    /// Readings taken, for [`Lie::Objects`].
    readings: Cell<i64>,
}

/// What all gauges showed at one time.
#[derive(Clone)]
pub struct Reading(Vec<i64>);

/// The difference of two readings, or of two such differences.
#[derive(Clone)]
pub struct Growth<'c> {
    gauges: Vec<Gauge<'c>>,
    by: Vec<i64>,
}

impl<'w, 'c> Census<'w, 'c> {
    /// Tries out every gauge.
    pub fn open(world: &'w World<'c>) -> TestResult<Census<'w, 'c>> {
        let mut candidates: Vec<Gauge> = CACHES.map(Gauge::Cache).to_vec();
        if let Ok(memcg) = &world.arena().memcg {
            candidates.extend([Kernel::Slab, Kernel::All].map(|k| Gauge::Cgroup(memcg, k)));
        }
        let mut census = Census {
            world,
            gauges: Vec::new(),
            readings: Cell::new(0),
        };
        // What others do at the same time may hide the trial from a gauge once, hardly three times.
        for _ in 0..3 {
            let mut left = Vec::new();
            for (gauge, counts) in census.try_out(candidates)? {
                if counts {
                    census.gauges.push(gauge);
                } else {
                    left.push(gauge);
                }
            }
            candidates = left;
        }
        Ok(census)
    }

    /// Which of some gauges see VMAs with an anon_vma each come and go.
    fn try_out(&self, gauges: Vec<Gauge<'c>>) -> TestResult<Vec<(Gauge<'c>, bool)>> {
        let page = self.world.page_size();
        let len = 2 * TRIAL * page;
        let read = |g: &Gauge| self.gauge(g);
        let before: Vec<_> = gauges.iter().map(read).collect();
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        let at = mem::mmap(0, len, PROT_NONE, flags, -1, 0)?;
        let mut made = 0;
        for i in 0..TRIAL {
            // With PROT_NONE between them none finds a neighbour to share an anon_vma with.
            let at = at + 2 * i * page;
            if mem::mprotect(at, page, RW).is_err() {
                break; // vm.max_map_count
            }
            mem::fill(at, 8, 1);
            // The VMA keeps its anon_vma.
            mem::madvise(at, page, mem::advice::DONTNEED)?;
            made += 1;
        }
        let most: Vec<_> = gauges.iter().map(read).collect();
        mem::munmap(at, len)?;
        let after: Vec<_> = gauges.iter().map(read).collect();
        let mut tried = Vec::new();
        for (i, gauge) in gauges.into_iter().enumerate() {
            let counts = match (before[i], most[i], after[i]) {
                (Some(before), Some(most), Some(after)) => {
                    let seen = (most - before).min(most - after);
                    made > 0 && seen >= made / 2 * gauge.unit()
                }
                _ => false,
            };
            tried.push((gauge, counts));
        }
        Ok(tried)
    }

    /// `Err` is the reason to skip.
    pub fn usable(&self) -> TestResult {
        if self.gauges.is_empty() {
            return Err(Stop::Skip(NO_GAUGE));
        }
        Ok(())
    }

    /// What a gauge shows now; `None` when it is not there.
    fn gauge(&self, gauge: &Gauge) -> Option<i64> {
        let value = match gauge {
            Gauge::Cache(name) => {
                slab::shrink(name);
                slab::objects(name)?
            }
            Gauge::Cgroup(memcg, what) => memcg.kernel_bytes(*what).ok()??,
        };
        i64::try_from(value).ok()
    }

    /// Reads all gauges, after what is on its way out has gone: sockets, files and tasks wait for grace periods.
    #[track_caller]
    pub fn settled(&self) -> TestResult<Reading> {
        for _ in 0..2 {
            if !rcu_wait() {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        self.read()
    }

    /// Reads all gauges now.
    #[track_caller]
    pub fn read(&self) -> TestResult<Reading> {
        let mut values = Vec::new();
        for gauge in &self.gauges {
            let Some(mut value) = self.gauge(gauge) else {
                return Err(Stop::error(format_args!("{gauge} cannot be read any more")));
            };
            if self.world.lie() == Some(Lie::Objects) {
                value += self.readings.get() * (1 << 24);
            }
            values.push(value);
        }
        self.readings.set(self.readings.get() + 1);
        Ok(Reading(values))
    }

    /// What has come since an earlier reading.
    #[track_caller]
    pub fn since(&self, then: &Reading) -> TestResult<Growth<'c>> {
        let now = self.read()?;
        Ok(Growth {
            gauges: self.gauges.clone(),
            by: now.0.iter().zip(&then.0).map(|(n, t)| n - t).collect(),
        })
    }

    /// The same, once the growth beyond `usual` is below `objects`, or when it has lasted; true: it has.
    #[track_caller]
    pub fn grown(
        &self,
        then: &Reading,
        usual: Option<&Growth<'c>>,
        objects: usize,
    ) -> TestResult<(Growth<'c>, bool)> {
        let mut until = self.world.limit(PATIENCE);
        let mut pause = Duration::from_millis(1);
        loop {
            let growth = self.since(then)?;
            let over = match usual {
                Some(usual) => growth.clone().beyond(usual),
                None => growth.clone(),
            };
            if !over.reaches(objects) {
                return Ok((growth, false));
            }
            if until.over() {
                return Ok((growth, true));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

/// Something done again and again that must not add objects each time.
pub struct Loop {
    /// What is counted.
    pub what: &'static str,
    /// How often it is done.
    pub most: usize,
    /// So many objects for each time it was done are growth.
    pub objects: usize,
    /// So often, or there is no verdict.
    pub fewest: usize,
}

impl Loop {
    /// The verdict; the outer `Err` when the loop could not go on. Growth beyond `usual` counts only when it goes on with
    /// the loop: what others do may look like it once.
    #[track_caller]
    pub fn judge(
        &self,
        ctx: &Ctx,
        census: &Census,
        usual: Option<&Growth>,
        mut step: impl FnMut(usize) -> TestResult,
    ) -> TestResult<TestResult> {
        let mut grown = 0;
        let mut seen = String::new();
        for _ in 0..ATTEMPTS {
            let then = census.settled()?;
            let (done, took) = ctx.repeat(self.most, SHARE, &mut step)?;
            if done < self.fewest {
                // Growth may be what makes it slow: what was seen before counts.
                ctx.diag(format_args!("only {done} {} in {took:.2?}", self.what));
                break;
            }
            let (growth, grows) = census.grown(&then, usual, done * self.objects)?;
            seen = format!("{done} {} in {took:.2?}: {growth}", self.what);
            ctx.diag(&seen);
            if !grows {
                return Ok(Ok(()));
            }
            grown += 1;
        }
        Ok(Err(if grown > 1 {
            Stop::fail(format_args!(
                "no more objects remain however often it is done; {grown} times in a row they did, the last time {seen}"
            ))
        } else {
            Stop::Skip("needs a faster machine or --timeout-scale")
        }))
    }
}

impl<'c> Growth<'c> {
    /// Less what grew anyhow; what shrank anyhow is not credited.
    pub fn beyond(mut self, usual: &Growth) -> Growth<'c> {
        for (by, usual) in self.by.iter_mut().zip(&usual.by) {
            *by -= (*usual).max(0);
        }
        self
    }

    /// By how many objects a cache has grown; `None` when it is not countable here.
    pub fn objects(&self, cache: &str) -> Option<i64> {
        let mut all = self.gauges.iter().zip(&self.by);
        all.find(|(g, _)| matches!(g, Gauge::Cache(name) if *name == cache))
            .map(|(_, by)| *by)
    }

    /// Whether `objects` more objects are there, by every gauge that would show them.
    pub fn reaches(&self, objects: usize) -> bool {
        let mut cache = None;
        let mut blind = CACHES.len();
        let mut own = None;
        for (gauge, by) in self.gauges.iter().zip(&self.by) {
            let over = *by >= objects as i64 * gauge.unit();
            match gauge {
                Gauge::Cache(_) => {
                    cache = Some(cache.unwrap_or(false) || over);
                    blind -= 1;
                }
                Gauge::Cgroup(..) => own = Some(own.unwrap_or(true) && over),
            }
        }
        match (cache, own) {
            (None, None) => false,
            (Some(over), None) | (None, Some(over)) => over,
            // It may be the cache that cannot be counted that grows.
            (Some(cache), Some(own)) => own && (cache || blind > 0),
        }
    }
}

impl Gauge<'_> {
    /// The least by which one more object moves it.
    fn unit(&self) -> i64 {
        match self {
            Gauge::Cache(_) => 1,
            Gauge::Cgroup(..) => OBJECT_BYTES,
        }
    }
}

impl fmt::Display for Gauge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Gauge::Cache(name) => f.write_str(name),
            Gauge::Cgroup(_, Kernel::Slab) => f.write_str("bytes of slab in the own cgroup"),
            Gauge::Cgroup(_, Kernel::All) => f.write_str("bytes in the own cgroup"),
        }
    }
}

impl fmt::Display for Growth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.gauges.is_empty() {
            return f.write_str("nothing that counts");
        }
        for (i, (gauge, by)) in self.gauges.iter().zip(&self.by).enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{by:+} {gauge}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::memcg::Version;

    fn growth(by: &[(Gauge<'static>, i64)]) -> Growth<'static> {
        Growth {
            gauges: by.iter().map(|g| g.0).collect(),
            by: by.iter().map(|g| g.1).collect(),
        }
    }

    #[test]
    fn growth_counts_where_all_that_would_show_it_do() {
        let memcg: &'static Memcg = Box::leak(Box::new(Memcg {
            dir: "/nonexistent".into(),
            version: Version::V2,
        }));
        let own = Gauge::Cgroup(memcg, Kernel::All);
        let slab = Gauge::Cgroup(memcg, Kernel::Slab);
        let [anon_vma, avc, vma] = CACHES.map(Gauge::Cache);
        let bytes = 100 * OBJECT_BYTES;
        assert!(!growth(&[]).reaches(0));
        assert!(growth(&[(anon_vma, 100)]).reaches(100));
        assert!(!growth(&[(anon_vma, 99)]).reaches(100));
        assert!(growth(&[(own, bytes)]).reaches(100));
        // Others forked: the cgroup knows better.
        assert!(!growth(&[(anon_vma, 5000), (own, bytes - 1)]).reaches(100));
        // One of the cgroup's counts may be wrong.
        assert!(!growth(&[(own, bytes), (slab, bytes - 1)]).reaches(100));
        assert!(!growth(&[(own, bytes - 1), (slab, bytes)]).reaches(100));
        assert!(growth(&[(own, bytes), (slab, bytes)]).reaches(100));
        // Links alone may leak where their cache is merged with others, ...
        assert!(growth(&[(anon_vma, 0), (vma, 0), (own, bytes)]).reaches(100));
        // ... else they would be seen.
        assert!(!growth(&[(anon_vma, 0), (avc, 0), (vma, 0), (own, bytes)]).reaches(100));
        let usual = growth(&[(anon_vma, 60)]);
        assert!(!growth(&[(anon_vma, 150)]).beyond(&usual).reaches(100));
        let usual = growth(&[(anon_vma, -60)]);
        assert!(!growth(&[(anon_vma, 50)]).beyond(&usual).reaches(100));
    }
}
