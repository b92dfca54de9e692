// SPDX-License-Identifier: GPL-2.0-or-later
//! Idle page tracking: `/sys/kernel/mm/page_idle/bitmap` (page_idle_clear_pte_refs()).
//!
//! Setting the bit clears the accessed bit in every page-table entry; reading it looks whether any was set since.
//! So each mapper alone must be able to make the page not idle, and nobody's access must leave it idle. What all of them have accessed before
//! it is set makes it no less idle.
//!
//! A page that cannot be set idle is refused: isolated or in a batch of some CPU it has no idle bit for a moment. One that is idle after
//! an access is a wrong answer, whosever page it is.

mod once;

use super::fate::{self, Fate, Page};
use super::migrate::MIGRATE;
use super::{Taken, Walk, needs_pfn};
use crate::actor::pin::Way;
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::pagemap::Pfn;
use crate::kernel::sysfs;
use crate::stop::Doing;
use crate::world::check::Finding;
use crate::world::model::ActorId;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The walk.
pub const IDLE: Walk = Walk {
    name: "idle",
    offered,
    take,
};

const FILE: &str = "/sys/kernel/mm/page_idle/bitmap";
/// Pages looked at, and mappers of each: the cost is their product.
const PAGES: usize = 24;
const MAPPERS: usize = 8;
/// How long a page that cannot be set idle is tried again.
const PATIENCE: Duration = Duration::from_millis(500);

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if !w.features().kpageflags {
        return Err("needs /proc/kpageflags");
    }
    if w.features().page_idle {
        Ok(())
    } else {
        Err("needs CONFIG_IDLE_PAGE_TRACKING")
    }
}

fn take(w: &World) -> TestResult<Taken> {
    let bitmap = OpenOptions::new()
        .read(true)
        .write(true)
        .open(FILE)
        .doing(FILE)?;
    let mut pages = fate::pages(w)?;
    // hugetlb pages are on no LRU list, and only what is there has an idle bit.
    pages.retain(|p| !p.hugetlb);
    let (control, tested): (Vec<&Page>, Vec<&Page>) = pages.iter().partition(|p| p.control);
    let step = tested.len().div_ceil(PAGES).max(1);
    let tested = tested.into_iter().step_by(step);
    // One bit for a folio: two parts of it would hide each other's access. So first a part near its beginning, then one near its end,
    // which a walk that is content with the first entry does not come to.
    let mut chosen: BTreeMap<Pfn, &Page> = BTreeMap::new();
    let mut ends: BTreeMap<Pfn, &Page> = BTreeMap::new();
    for page in control.into_iter().take(2).chain(tested) {
        let head = w.folio_head(page.pfn)?;
        chosen.entry(head).or_insert(page);
        ends.insert(head, page);
    }
    // The kernel does not take the last, partial word of the bitmap; a page in it is not looked at.
    let mut taken = BTreeMap::new();
    for (head, page) in chosen {
        if set_idle(&bitmap, head)? {
            taken.insert(head, page);
        }
    }
    if taken.values().all(|p| p.control) {
        return Ok(Taken::Pointless);
    }
    ends.retain(|head, page| {
        let first = taken.get(head);
        first.is_some_and(|first| page.control || first.pfn != page.pfn)
    });
    let mut folios = once::Folios::new();
    for (&head, &page) in taken.iter().chain(&ends) {
        folios.entry(head).or_default().push(page);
    }
    once::judge(w, &bitmap, folios)?;
    let mut left_out = BTreeSet::new();
    for parts in [&taken, &ends] {
        for round in 0..MAPPERS {
            left_out.extend(touch(w, &bitmap, parts, round)?);
        }
    }
    let refused = |p: &Page| left_out.contains(&p.pfn);
    for (head, page) in taken.iter().chain(&ends) {
        if refused(page) && refuses(w, &bitmap, *head)? && fate::here(w, page)? {
            let now = fate::entries(w)?;
            let others = taken.values().filter(|p| !refused(p)).count();
            return Err(page.fail(
                w,
                "a page nobody touches stays idle",
                &format!("not idle right after it was set, again and again; {others} others were"),
                &now,
            ));
        }
    }
    // When none of the control's can be, no page can be now.
    if taken.values().filter(|p| p.control).all(|p| refused(p)) {
        return Ok(Taken::NotNow(String::from(
            "no control page can be set idle",
        )));
    }
    let judged = taken.values().filter(|p| !refused(p)).copied();
    w.tally().walked(IDLE.name, judged);
    let judged = taken.values().filter(|p| !refused(p)).count();
    Ok(Taken::Yes(if left_out.is_empty() {
        format!("{judged} pages")
    } else {
        format!("{judged} pages, {} not to be had", left_out.len())
    }))
}

/// A page that was touched since it was set idle is not idle in the place that it is moved to (migration entries keep the accessed
/// bit, folio_migrate_flags() the rest): through a mapper of each page, the last one. Every second page nobody touches: it is idle there too
/// (2e3468778dbe, in Linux 6.1; judged from 6.2 on).
///
/// # Errors
/// `Skip` where either walk is not on offer, and where pages of the control have lost it too, unless this machine's migration entries have room
/// for it.
#[track_caller]
pub fn moved(w: &World) -> TestResult {
    offered(w).and((MIGRATE.offered)(w)).map_err(Stop::Skip)?;
    w.control()?;
    w.check()?;
    w.note(String::from(
        "each page is set idle, every second one touched by its last mapper, and moved",
    ));
    let bitmap = OpenOptions::new()
        .read(true)
        .write(true)
        .open(FILE)
        .doing(FILE)?;
    lru::drain().doing("drain the LRU batches")?;
    let mut pages = fate::pages(w)?;
    pages.retain(|p| !p.hugetlb);
    let mut idle = Vec::new();
    for page in pages {
        let head = w.folio_head(page.pfn)?;
        if !set_idle(&bitmap, head)? {
            continue;
        }
        let by = page.mappers.iter().rfind(|at| w.is_readable(**at)).copied();
        if let (true, true, Some(by)) = (head == page.pfn, is_idle(&bitmap, head)?, by) {
            idle.push((page, by));
        }
    }
    // From here to the move nobody looks: a look at one bit takes the accessed bits of all pages in its word.
    let (mut touched, mut untouched) = (Vec::new(), Vec::new());
    for (page, (actor, vpn)) in idle {
        if untouched.len() < touched.len() {
            untouched.push(page);
            continue;
        }
        let addrs = vec![vpn * w.page_size()];
        w.tell(actor, &Cmd::Batch(vec![Cmd::FlushTlb, Cmd::Read { addrs }]))?;
        touched.push((page, actor));
    }
    if let Taken::NotNow(why) = (MIGRATE.take)(w)? {
        w.diag(why);
        return Err(Stop::Skip("needs pages that can be migrated now"));
    }
    let now = fate::entries(w)?;
    let mut forgotten = None;
    let (mut kept, mut control, mut tested) = (0, false, 0);
    for (page, actor) in &touched {
        let Fate::Moved(to) = page.fate(&now) else {
            continue;
        };
        if !is_covered(&bitmap, to) {
            continue;
        }
        tested += usize::from(!page.control);
        match stays_idle(w, &bitmap, to)?
            && matches!(page.fate(&fate::entries(w)?), Fate::Moved(at) if at == to)
        {
            false => (kept, control) = (kept + 1, control || page.control),
            true if !page.control => forgotten = forgotten.or(Some((page, *actor))),
            true => {}
        }
    }
    let keeps = w.features().version() > (6, 1);
    for page in untouched.iter().filter(|_| keeps) {
        let Fate::Moved(to) = page.fate(&now) else {
            continue;
        };
        if is_covered(&bitmap, to) && never_idle(w, &bitmap, to)? {
            return Err(page.fail(
                w,
                "a page that moves has not been touched",
                &format!(
                    "not idle though nobody has read it; {} others were read",
                    touched.len()
                ),
                &now,
            ));
        }
    }
    match forgotten {
        _ if !(control || keeps && has_room()) => Err(Stop::Skip(
            "needs migration entries that keep the accessed bit",
        )),
        None if tested == 0 => Err(Stop::Skip("needs pages that can be set idle and moved now")),
        Some((page, actor)) => Err(page.fail(
            w,
            "a touch is not forgotten when the page moves",
            &format!(
                "idle though {} has read it; of {} pages {kept} are not",
                w.actor_name(actor),
                touched.len()
            ),
            &now,
        )),
        None => w.check(),
    }
}

/// Whether migration entries surely have room for the accessed bit (migration_entry_supports_ad(), Linux 6.1): with CONFIG_SWAP, and on x86-64
/// where L1TF does not make entries shorter. Elsewhere the control tells.
pub(super) fn has_room() -> bool {
    let l1tf = sysfs::read("/sys/devices/system/cpu/vulnerabilities/l1tf");
    cfg!(target_arch = "x86_64")
        && std::path::Path::new("/proc/swaps").exists()
        && l1tf.is_ok_and(|text| text.starts_with("Not affected"))
}

/// Whether a page that is on an LRU list is not idle, whenever one looks: off the list it has no idle bit.
fn never_idle(w: &World, bitmap: &File, pfn: Pfn) -> TestResult<bool> {
    for _ in 0..3 {
        let before = on_lru(w, pfn)?;
        if is_idle(bitmap, pfn)? || !before || !on_lru(w, pfn)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn on_lru(w: &World, pfn: Pfn) -> TestResult<bool> {
    Ok(w.page_flags(pfn)?.is_some_and(|f| f.has(Flags::LRU)))
}

/// A huge page of one actor alone is set idle and split by nobody's access: its parts are idle (__split_huge_page_tail()).
///
/// # Errors
/// `Skip` where idle tracking is not on offer, and where it cannot be split now.
#[track_caller]
pub fn split(w: &World, actor: Actor, huge: Area) -> TestResult {
    offered(w).map_err(Stop::Skip)?;
    w.check()?;
    w.note(format!("{} is set idle and split", w.show(huge)));
    let bitmap = OpenOptions::new()
        .read(true)
        .write(true)
        .open(FILE)
        .doing(FILE)?;
    let head = w.pages_of(actor, huge.page(0))?[0];
    let (head, _) = head.ok_or(Stop::Skip("needs memory that nobody else reclaims"))?;
    lru::drain().doing("drain the LRU batches")?;
    if !set_idle(&bitmap, head)? || !is_idle(&bitmap, head)? {
        return Err(Stop::Skip("needs a huge page that can be set idle now"));
    }
    actor.split_cold(huge, huge.sub(huge.pages / 2..huge.pages))?;
    lru::drain().doing("drain the LRU batches")?;
    let mut idle = 0;
    let mut busy = Vec::new();
    for (seen, vpn) in w.pages_of(actor, huge)?.iter().zip(huge.vpns()) {
        let Some((pfn, _)) = *seen else { continue };
        if !is_covered(&bitmap, pfn) {
            continue;
        }
        if is_idle(&bitmap, pfn)? {
            idle += 1;
        } else if never_idle(w, &bitmap, pfn)? {
            busy.push(vpn);
        }
    }
    if idle == 0 && busy.is_empty() {
        return Err(Stop::Skip("needs parts of a huge page on an LRU list"));
    }
    // One or the other may have been met by somebody else's scan.
    if busy.len() > idle {
        return Err(w.report(&Finding {
            property: "a split is no access: what was idle is idle",
            detail: format!("{} parts are not, {idle} are", busy.len()),
            at: Some((actor.id(), busy[0])),
        }));
    }
    w.check()
}

/// Whether a page that is on an LRU list is not idle right after it was set, each time. That needs no page of the control to be judged,
/// and holds for its own: one that is on no list has no idle bit, but on one (looked at before and after) nothing in the kernel may refuse.
fn refuses(w: &World, bitmap: &File, head: Pfn) -> TestResult<bool> {
    const TIMES: usize = 8;
    let mut until = w.limit(PATIENCE);
    let mut times = 0;
    loop {
        let before = on_lru(w, head)?;
        set_idle(bitmap, head)?;
        if is_idle(bitmap, head)? {
            return Ok(false);
        }
        times += usize::from(before && on_lru(w, head)?);
        if times >= TIMES || until.over() {
            return Ok(times >= TIMES);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Each page is set idle and read through its mapper number `round` alone, all pages at once. Returns the pages that
/// did not become idle.
fn touch(
    w: &World,
    bitmap: &File,
    chosen: &BTreeMap<Pfn, &Page>,
    round: usize,
) -> TestResult<BTreeSet<Pfn>> {
    // Each page with the mapper whose turn it is.
    let mut left: BTreeMap<Pfn, (&Page, (ActorId, usize))> = BTreeMap::new();
    for (&head, &page) in chosen {
        let readable = page.mappers.iter().filter(|at| w.is_readable(**at));
        // The control takes part in every round.
        let turn = if page.control { 0 } else { round };
        if let Some(&at) = readable.clone().nth(turn) {
            left.insert(head, (page, at));
        }
    }
    if left.values().all(|(page, _)| page.control) {
        return Ok(BTreeSet::new());
    }
    let mut until = w.limit(PATIENCE);
    let mut pause = Duration::ZERO;
    while !left.is_empty() && (pause.is_zero() || !until.over()) {
        if !pause.is_zero() || round == 0 {
            // Pages in per-CPU batches have no LRU flag yet, or not now.
            lru::drain().doing("drain the LRU batches")?;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).clamp(Duration::from_millis(1), Duration::from_millis(50));
        for &head in left.keys() {
            set_idle(bitmap, head)?;
        }
        let mut idle = BTreeMap::new();
        for (&head, &(page, at)) in &left {
            if is_idle(bitmap, head)? {
                idle.insert(head, (page, at));
            }
        }
        let mut reads: BTreeMap<ActorId, Vec<usize>> = BTreeMap::new();
        for &(_, (actor, vpn)) in idle.values() {
            reads.entry(actor).or_default().push(vpn * w.page_size());
        }
        // The entry that the CPU remembers has its accessed bit set already: an access through it
        // tells the kernel nothing.
        let access = |addrs| Cmd::Batch(vec![Cmd::FlushTlb, Cmd::Read { addrs }]);
        let reads: Vec<_> = reads.into_iter().map(|(id, a)| (id, access(a))).collect();
        for ((id, _), reply) in reads.iter().zip(w.ask_all(&reads)?) {
            if !matches!(reply, Reply::Done) {
                return Err(w.blame(*id, Stop::error(format_args!("read: {reply:?}"))));
            }
        }
        for (head, (page, at)) in idle {
            left.remove(&head);
            if stays_idle(w, bitmap, head)? && fate::here(w, page)? {
                let now = fate::entries(w)?;
                return Err(page.fail(
                    w,
                    "an access through any mapper makes a page not idle",
                    &format!("idle after {} has read it", w.actor_name(at.0)),
                    &now,
                ));
            }
        }
    }
    Ok(left.values().map(|(page, _)| page.pfn).collect())
}

/// What the kernel reads of a process for another one counts as touched too (FOLL_TOUCH, folio_mark_accessed()): pages that are marked idle, and
/// then read by `reader`, are idle no more.
///
/// # Errors
/// `Skip` where no page can be marked now.
#[track_caller]
pub fn peeked(w: &World, reader: Actor, of: Actor, area: Area, way: Way) -> TestResult {
    let watch = Watch::open(w)?;
    lru::drain().doing("drain the LRU batches")?;
    let mut marked = Vec::new();
    for (page, at) in w.pages_of(of, area)?.into_iter().zip(area.vpns()) {
        let Some((pfn, _)) = page else { continue };
        if !watch.mark(w, &[pfn])?.is_empty() {
            marked.push((at, pfn));
        }
    }
    if marked.is_empty() {
        return Err(Stop::Skip("needs a page that this walk can take now"));
    }
    reader.peek(of, area, way)?;
    for (vpn, pfn) in marked {
        let idle = watch.is_idle(w, pfn)?;
        let here = w.pages_of(of, Area { vpn, pages: 1 })?[0].is_some_and(|page| page.0 == pfn);
        // One that has moved is another page.
        if idle && here {
            return Err(w.report(&Finding {
                property: "a page that is read of a process for another one is not idle",
                detail: format!("idle after {} has read it by {way:?}", reader.name()),
                at: Some((of.id(), vpn)),
            }));
        }
    }
    Ok(())
}

/// The bitmap in the hands of a test of something else that looks at accessed bits.
pub(super) struct Watch(File);

impl Watch {
    /// Opens it, where idle tracking is on offer.
    ///
    /// # Errors
    /// `Skip` otherwise.
    pub(super) fn open(w: &World) -> TestResult<Watch> {
        offered(w).map_err(Stop::Skip)?;
        let file = OpenOptions::new().read(true).write(true).open(FILE);
        Ok(Watch(file.doing(FILE)?))
    }

    /// Takes the accessed bits of the pages with these heads, and of no other, into the pages, and marks them idle. Those that are marked now: one
    /// on no LRU list is not, and is left as it was.
    pub(super) fn mark(&self, w: &World, heads: &[Pfn]) -> TestResult<BTreeSet<Pfn>> {
        let mut marked = BTreeSet::new();
        for &head in heads {
            // By the flag: reading the bitmap would be another look.
            let is_marked =
                set_idle(&self.0, head)? && w.page_flags(head)?.is_some_and(|f| f.has(Flags::IDLE));
            if is_marked {
                marked.insert(head);
            }
        }
        Ok(marked)
    }

    /// Whether nobody seems to have touched the page since it was marked.
    pub(super) fn is_idle(&self, w: &World, head: Pfn) -> TestResult<bool> {
        stays_idle(w, &self.0, head)
    }

    /// One look: what somebody has touched seems idle too while the page is locked.
    pub(super) fn seems_idle(&self, head: Pfn) -> TestResult<bool> {
        is_idle(&self.0, head)
    }
}

/// Whether the access is not seen. The walk needs the lock of a page of a file or of KSM, and leaves such a page alone while somebody
/// else holds it (page_idle_clear_pte_refs()): only then is the kernel asked again.
fn stays_idle(w: &World, bitmap: &File, head: Pfn) -> TestResult<bool> {
    let mut until = w.limit(PATIENCE);
    loop {
        if !is_idle(bitmap, head)? {
            return Ok(false);
        }
        let flags = w.page_flags(head)?;
        let needs_lock = flags.is_some_and(|f| !f.has(Flags::ANON) || f.has(Flags::KSM));
        if !needs_lock || until.over() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Offset of the word in the bitmap, bytes, and the bit in it.
fn word(pfn: Pfn) -> (u64, u64) {
    (pfn.0.get() / 64 * 8, 1 << (pfn.0.get() % 64))
}

/// False when the kernel does not take the word: the last one of memory, when it is not a whole one.
fn set_idle(bitmap: &File, pfn: Pfn) -> TestResult<bool> {
    let (at, bit) = word(pfn);
    let n = bitmap
        .write_at(&bit.to_ne_bytes(), at)
        .doing("write the idle bitmap")?;
    Ok(n == 8)
}

/// False in that last word.
fn is_covered(bitmap: &File, pfn: Pfn) -> bool {
    bitmap
        .read_at(&mut [0; 8], word(pfn).0)
        .is_ok_and(|n| n == 8)
}

fn is_idle(bitmap: &File, pfn: Pfn) -> TestResult<bool> {
    let (at, bit) = word(pfn);
    let mut buf = [0; 8];
    bitmap
        .read_exact_at(&mut buf, at)
        .doing("read the idle bitmap")?;
    Ok(u64::from_ne_bytes(buf) & bit != 0)
}
