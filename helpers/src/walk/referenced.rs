// SPDX-License-Identifier: GPL-2.0-or-later
//! Who has touched a page: reclaim takes what nobody has, and asks every mapper's accessed bit for it (folio_referenced()).
//!
//! Pages that are touched through one mapper alone, after all bits were cleared, must survive a pass that takes what is untouched. The
//! kernel takes the oldest first and puts what it spares in front. So plain pages older than the tested ones are met before them in
//! every pass, plain pages that are younger are met after them; and behind these there are spare ones, enough to stop at. When the younger
//! ones that nobody touched are gone, the pass has been to all tested pages; while the older ones that were touched are there, none has
//! been met twice.
//!
//! A kernel that keeps generations of pages instead (CONFIG_LRU_GEN) is told when one begins: all pages are brought into the oldest before the
//! touches, and then that one is taken; what is spared does not stay in it.

use super::fate::{self, Fate, Page};
use super::idle::Watch;
use super::needs_pfn;
use super::reclaim::{RECLAIM, forget_accesses, mark_swapped};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::lru_gen::{self, Old};
use crate::kernel::memcg::Squeeze;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::supervise::Ctx;
use crate::world::model::ActorId;
use crate::world::sight::Lie;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use nix::libc::PROT_READ;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Plain pages on each side of the tested ones, on each node; every second is touched.
const PLAIN: usize = 8;
/// Spare pages on each node: what reclaim takes when it has been to all others. It stops after SWAP_CLUSTER_MAX (32) more than it was asked for.
const SPARE: usize = 192;
/// Pages that reclaim is asked for at a time.
const BITE: usize = 16;
/// Pages around a touched one in which no other is touched through the same actor, where the kernel keeps generations: when it finds one
/// accessed bit it clears those around it too (lru_gen_look_around()), and from v6.14 on that saves a page only once it is seen again.
const AROUND: usize = 64;
/// How often topologies are made and touched there, in other ways each time.
const ROUNDS: usize = 3;
/// How long it is asked.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) const NO_LISTS: &str = "needs active and inactive lists (no CONFIG_LRU_GEN)";
pub(super) const LOST: &str = "needs reclaim that takes untouched pages first now";
/// How often plain pages must get lost, where they do not otherwise.
pub(super) const TIMES: usize = 3;
pub(super) const NOT_NOW: &str = "needs reclaim that takes the oldest pages now";

/// A mapper of a page.
type Mapper = (ActorId, usize);

/// Plain pages of the control on one node.
pub(super) struct Plain {
    pub(super) touched: Vec<usize>,
    untouched: Vec<usize>,
}

/// Has `build` make pages, each of them be touched through one of its mappers or through none, and those that nobody touched be taken:
/// the others must be there. `build` returns mappers whose touches need not count.
///
/// # Errors
/// `Skip` when reclaim is not on offer, or takes other pages now.
#[track_caller]
pub fn spared(ctx: &Ctx, build: impl Fn(&World) -> TestResult<Vec<(ActorId, Area)>>) -> TestResult {
    let rounds = if lru_gen::enabled() { ROUNDS } else { 1 };
    for round in 0..rounds {
        match spared_once(ctx, &build, round, Way::Plain) {
            Err(Stop::Skip(why)) if round > 0 => ctx.diag(why),
            result => result?,
        }
    }
    Ok(())
}

/// The same while idle page tracking looks at the tested pages too, as each of the two takes accessed bits that the other wants. All are
/// marked idle before the touches, and every second one again after them:
///
/// * these have no accessed bit any more, idle tracking has noted in the page that they had one (young): reclaim spares them for that;
/// * the accessed bits of the others are taken by reclaim, which has to tell idle tracking (not idle).
///
/// The plain pages are not looked at, so what the pass takes otherwise is known as ever.
///
/// # Errors
/// `Skip` when either is not on offer, and on a kernel with generations, which counts accesses in other ways too.
#[track_caller]
pub fn spared_watched(
    ctx: &Ctx,
    build: impl Fn(&World) -> TestResult<Vec<(ActorId, Area)>>,
) -> TestResult {
    if lru_gen::enabled() {
        return Err(Stop::Skip(NO_LISTS));
    }
    // What is looked at again in the first is not in the second.
    for round in 0..2 {
        spared_once(ctx, &build, round, Way::Watched)?;
    }
    Ok(())
}

/// The same when all processes are in a cgroup below the one whose pages are reclaimed: who is in a cgroup of the hierarchy counts
/// (mm_match_cgroup()).
///
/// # Errors
/// `Skip` when there are no such cgroups, and on a kernel with generations, which are taken of each cgroup by itself.
#[track_caller]
pub fn spared_from_above(
    ctx: &Ctx,
    build: impl Fn(&World) -> TestResult<Vec<(ActorId, Area)>>,
) -> TestResult {
    if lru_gen::enabled() {
        return Err(Stop::Skip(NO_LISTS));
    }
    // That the same pages are spared by the cgroup itself shows that touches count now, and the pass is as long as it may be.
    spared_once(ctx, &build, 0, Way::Plain)?;
    for _ in 0..TIMES {
        match spared_once(ctx, &build, 0, Way::FromAbove) {
            Err(Stop::Skip(LOST)) => {}
            result => return result,
        }
    }
    Err(Stop::fail(format_args!(
        "reclaim of a cgroup spares what processes of cgroups in it have touched: plain pages touched were taken {TIMES} times out of {TIMES}, and none when the cgroup itself was asked"
    )))
}

/// Who looks at the accessed bits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Reclaim of the cgroup that all are in.
    Plain,
    /// The same, and idle page tracking.
    Watched,
    /// Reclaim of the cgroup above.
    FromAbove,
}

#[track_caller]
fn spared_once(
    ctx: &Ctx,
    build: impl Fn(&World) -> TestResult<Vec<(ActorId, Area)>>,
    round: usize,
    way: Way,
) -> TestResult {
    let w = World::new(ctx)?;
    if way == Way::FromAbove {
        w.enter_nested_memcg()?;
    }
    let watch = (way == Way::Watched).then(|| Watch::open(&w)).transpose()?;
    needs_pfn(&w)
        .and_then(|()| (RECLAIM.offered)(&w))
        .map_err(Stop::Skip)?;
    let control = w.actor_by_id(w.control()?.0);
    let nodes = w.features().nodes.clone();
    let old = plain(&w, control, &nodes, "older")?;
    let exempt = build(&w)?;
    w.check()?;
    lru::drain().doing("drain the LRU batches")?;
    let new = plain(&w, control, &nodes, "younger")?;
    spare(&w, control, &nodes)?;
    let touches = choose(&w, control.id(), &exempt, round)?;
    if touches.iter().all(|t| t.1.is_none()) {
        return Err(Stop::error("no page that can be touched"));
    }
    w.note(String::from(
        "all forget accesses; each page is touched through one mapper, or none",
    ));
    forget_accesses(&w)?;
    let mut heads = Vec::new();
    if watch.is_some() {
        for (page, _) in &touches {
            heads.push(w.folio_head(page.pfn)?);
        }
    }
    let (mut marked, mut looked_at) = (BTreeSet::new(), BTreeSet::new());
    if let Some(watch) = &watch {
        w.note(String::from(
            "the tested pages are marked idle before the touches, every second one after them too",
        ));
        marked = watch.mark(&w, &heads)?;
    }
    let oldest = Oldest::find(&w)?;
    let plain_ones = old.iter().chain(&new).flat_map(|p| &p.touched);
    let mut reads: Vec<Mapper> = plain_ones.map(|&v| (control.id(), v)).collect();
    if w.lie() != Some(Lie::Untouched) {
        reads.extend(touches.iter().filter_map(|t| t.1));
    }
    touch(&w, &reads)?;
    if let Some(watch) = &watch {
        let again: Vec<Pfn> = heads.iter().copied().skip(round % 2).step_by(2).collect();
        looked_at = watch.mark(&w, &again)?;
        marked.retain(|head| !again.contains(head));
        if marked.is_empty() && looked_at.is_empty() {
            return Err(Stop::Skip("needs pages that can be set idle now"));
        }
    }
    take_untouched(&w, oldest, control, &new)?;
    judge(&w, &touches, control, &old, &new)?;
    if let Some(watch) = &watch {
        w.diag(format_args!(
            "{} page(s) looked at by idle tracking after the touch, {} before it",
            looked_at.len(),
            marked.len()
        ));
        let marked = touches.iter().zip(&heads).filter(|t| marked.contains(t.1));
        judge_marked(&w, watch, marked)?;
    }
    w.check()?;
    w.finish()
}

/// Pages of the control on every node, touched and untouched in turns.
pub(super) fn plain(
    w: &World,
    control: Actor,
    nodes: &[i32],
    name: &'static str,
) -> TestResult<Vec<Plain>> {
    let mut all = Vec::new();
    for &node in nodes {
        let area = w.place(PLAIN);
        w.name(area, name);
        control.map(area)?;
        control.write(area)?;
        put(w, control, area, node, nodes.len())?;
        let (touched, untouched): (Vec<_>, Vec<_>) = area.vpns().partition(|v| v % 2 == 0);
        // A VMA for each page: what becomes of the one is nothing to the next (AROUND).
        for &vpn in &untouched {
            control.protect(Area { vpn, pages: 1 }, PROT_READ)?;
        }
        all.push(Plain { touched, untouched });
    }
    lru::drain().doing("drain the LRU batches")?;
    Ok(all)
}

/// Pages of the control on every node that are younger than all others.
pub(super) fn spare(w: &World, control: Actor, nodes: &[i32]) -> TestResult {
    for &node in nodes {
        let spare = w.place(SPARE);
        w.name(spare, "spare");
        control.map(spare)?;
        control.write(spare)?;
        put(w, control, spare, node, nodes.len())?;
    }
    lru::drain().doing("drain the LRU batches")
}

/// Each node has lists of its own.
fn put(w: &World, control: Actor, area: Area, node: i32, nodes: usize) -> TestResult {
    if nodes < 2 {
        return Ok(());
    }
    // In the batches of their CPU pages cannot be isolated.
    lru::drain().doing("drain the LRU batches")?;
    w.move_to_node(control, area, node)
}

/// Through which mapper each page is touched: every mapper of the pages that the same actors have gets a page, and nobody gets one as
/// well. Of a large folio it is its first or its last page in an actor.
fn choose(
    w: &World,
    control: ActorId,
    exempt: &[(ActorId, Area)],
    round: usize,
) -> TestResult<Vec<(Page, Option<Mapper>)>> {
    let mut folios: BTreeMap<Pfn, Vec<Page>> = BTreeMap::new();
    for page in fate::pages(w)? {
        if page.control || page.hugetlb || page.held.is_some() {
            continue;
        }
        if page.mappers.iter().any(|m| m.0 == control) {
            continue;
        }
        let head = if w.has_huge() {
            w.folio_head(page.pfn)?
        } else {
            page.pfn
        };
        folios.entry(head).or_default().push(page);
    }
    let mut turns: BTreeMap<BTreeSet<ActorId>, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    let mut touched: Vec<Mapper> = Vec::new();
    let looks_around = lru_gen::enabled();
    let mut passed_over = 0;
    let mut folios: Vec<(Pfn, Vec<Page>)> = folios.into_iter().collect();
    // The first ones find nobody near them.
    let first = round * folios.len() / ROUNDS;
    folios.rotate_left(first);
    for (head, pages) in folios {
        // One that is on the active list already, or on none, is not met.
        let flags = w.page_flags(head)?;
        let met = flags
            .is_some_and(|f| f.has(Flags::LRU) && f.0 & (Flags::ACTIVE | Flags::UNEVICTABLE) == 0);
        if !met {
            passed_over += 1;
            continue;
        }
        let mut mappers: Vec<(usize, Mapper)> = Vec::new();
        let mut ends: BTreeMap<ActorId, (usize, usize)> = BTreeMap::new();
        let all = pages.iter().enumerate();
        let all: Vec<(usize, Mapper)> = all
            .flat_map(|(i, p)| p.mappers.iter().map(move |m| (i, *m)))
            .filter(|(_, m)| w.is_readable(*m))
            .filter(|(_, m)| {
                !exempt
                    .iter()
                    .any(|(a, area)| *a == m.0 && area.vpns().contains(&m.1))
            })
            .collect();
        if pages.len() == 1 {
            mappers = all;
        } else {
            for (k, (_, m)) in all.iter().enumerate() {
                ends.entry(m.0).or_insert((k, k)).1 = k;
            }
            mappers.extend(ends.values().flat_map(|&(a, b)| [all[a], all[b]]));
        }
        let who = pages.iter().flat_map(|p| &p.mappers).map(|m| m.0).collect();
        let turn = turns.entry(who).or_insert(round);
        let pick = mappers.get(*turn % (mappers.len() + 1)).copied();
        *turn += 1;
        let pick = match looks_around {
            // The turn's, or else the first that is far enough from others.
            true => pick.and_then(|pick| {
                let far = |m: &&(usize, Mapper)| touched.iter().all(|t| is_far(*t, m.1));
                [pick].iter().chain(&mappers).find(far).copied()
            }),
            false => pick,
        };
        touched.extend(pick.map(|(_, mapper)| mapper));
        let (i, mapper) = pick.map_or((0, None), |(i, m)| (i, Some(m)));
        chosen.push((pages[i].clone(), mapper));
    }
    if passed_over > 0 {
        w.diag(format_args!("{passed_over} page(s) on no inactive list"));
    }
    Ok(chosen)
}

/// Whether touches of both are told apart by a kernel that looks around.
fn is_far(one: Mapper, other: Mapper) -> bool {
    one.0 != other.0 || one.1.abs_diff(other.1) >= AROUND
}

/// One read of each page through the mapper given.
pub(super) fn touch(w: &World, reads: &[Mapper]) -> TestResult {
    let mut by_actor: BTreeMap<ActorId, Vec<usize>> = BTreeMap::new();
    for &(actor, vpn) in reads {
        by_actor.entry(actor).or_default().push(vpn * w.page_size());
    }
    // The entry that the CPU remembers has its accessed bit set already.
    let access = |addrs| Cmd::Batch(vec![Cmd::FlushTlb, Cmd::Read { addrs }]);
    let cmds: Vec<_> = by_actor
        .into_iter()
        .map(|(id, a)| (id, access(a)))
        .collect();
    for ((id, _), reply) in cmds.iter().zip(w.ask_all(&cmds)?) {
        if !matches!(reply, Reply::Done) {
            return Err(w.blame(*id, Stop::error(format_args!("read: {reply:?}"))));
        }
    }
    Ok(())
}

/// How the oldest pages are taken, and no others.
pub(super) enum Oldest {
    /// From the ends of the inactive lists, by bites.
    Bites(Squeeze),
    /// The oldest generation, in which all are that were there before the touches.
    Generations(Old),
}

impl Oldest {
    /// What this kernel has. With generations all pages are made old here: the touches must come after it.
    pub(super) fn find(w: &World) -> TestResult<Oldest> {
        let memcg = w.reclaimed()?;
        if lru_gen::enabled()
            && let Some(debugfs) = w.features().debugfs.as_deref()
            && let Some(old) = Old::make(debugfs, &memcg.dir)
        {
            return Ok(Oldest::Generations(old));
        }
        let squeeze = memcg.squeeze().doing("read the cgroup's limit")?;
        Ok(Oldest::Bites(squeeze))
    }

    /// Less than was asked for is no error: the plain pages tell.
    fn take(&mut self, w: &World) {
        let _ = match self {
            Oldest::Bites(squeeze) => squeeze.more((BITE * w.page_size()) as u64),
            Oldest::Generations(old) => old.take(),
        };
    }
}

/// Until all younger plain pages that nobody touched are gone.
pub(super) fn take_untouched(
    w: &World,
    mut oldest: Oldest,
    control: Actor,
    new: &[Plain],
) -> TestResult {
    w.note(String::from("reclaim of the oldest pages"));
    let mut until = w.limit(LIMIT);
    loop {
        oldest.take(w);
        mark_swapped(w);
        let vpns: Vec<usize> = new.iter().flat_map(|p| &p.untouched).copied().collect();
        if in_memory(w, control, &vpns)? == 0 {
            return Ok(());
        }
        if until.over() {
            return Err(Stop::Skip(NOT_NOW));
        }
    }
}

/// How many of these pages the control has in memory.
pub(super) fn in_memory(w: &World, control: Actor, vpns: &[usize]) -> TestResult<usize> {
    let mut n = 0;
    for &vpn in vpns {
        let seen = w.pages_of(control, Area { vpn, pages: 1 })?;
        n += usize::from(seen[0].is_some());
    }
    Ok(n)
}

/// Pages that were marked idle and touched since are not idle, whoever has taken the accessed bits.
fn judge_marked<'a>(
    w: &World,
    watch: &Watch,
    marked: impl Iterator<Item = (&'a (Page, Option<Mapper>), &'a Pfn)>,
) -> TestResult {
    for ((page, by), &head) in marked {
        let Some(by) = by else { continue };
        if fate::here(w, page)? && watch.is_idle(w, head)? && fate::here(w, page)? {
            return Err(page.fail(
                w,
                "a page that was touched since it was marked idle is not idle, also when reclaim has met it",
                &format!("touched through {}", w.actor_by_id(by.0).name()),
                &fate::entries(w)?,
            ));
        }
    }
    Ok(())
}

fn judge(
    w: &World,
    touches: &[(Page, Option<Mapper>)],
    control: Actor,
    old: &[Plain],
    new: &[Plain],
) -> TestResult {
    let pages: Vec<Page> = touches.iter().map(|t| t.0.clone()).collect();
    let (now, fates) = fate::fates(w, &pages)?;
    let touched: Vec<usize> = old
        .iter()
        .chain(new)
        .flat_map(|p| &p.touched)
        .copied()
        .collect();
    let lost = touched.len() - in_memory(w, control, &touched)?;
    let (mut kept, mut gone, mut left) = (0, 0, None);
    for ((page, by), f) in touches.iter().zip(&fates) {
        match (f, by) {
            (Fate::Torn, _) => {
                return Err(page.fail(
                    w,
                    "reclaim takes a page from every mapper or from none",
                    "some mappers lost it and others have it",
                    &now,
                ));
            }
            (Fate::Left, Some(by)) => left = left.or(Some((page, *by))),
            (Fate::Left, None) => gone += 1,
            (_, Some(_)) => kept += 1,
            _ => {}
        }
    }
    w.diag(format_args!(
        "{kept} touched page(s) kept, {gone} untouched taken; of {} plain ones touched {lost} taken",
        touched.len()
    ));
    match left {
        _ if lost > 0 => Err(Stop::Skip(LOST)),
        None => {
            w.tally().walked("reclaim", &pages);
            Ok(())
        }
        Some((page, by)) => Err(page.fail(
            w,
            "a page that any mapper has touched survives the pass that takes untouched ones",
            &format!(
                "touched through {} {}, and taken; all plain ones touched are there",
                w.actor_by_id(by.0).name(),
                w.show(Area {
                    vpn: by.1,
                    pages: 1
                })
            ),
            &now,
        )),
    }
}
