// SPDX-License-Identifier: GPL-2.0-or-later
//! KSM: every page gets an equal one in a process outside the tree, and ksmd must merge all mappers of it
//! (write_protect_page(), replace_page(); afterwards rmap_walk_ksm() has to find them all).

use super::fate::{self, Page};
use super::{Taken, Walk, needs_pfn};
use crate::TestResult;
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::kernel::{ksm, vma};
use crate::pace::Wait;
use crate::stop::Doing;
use crate::supervise::Knob;
use crate::sys::mem::advice;
use crate::world::check::{Finding, Sightings};
use crate::world::model::{ActorId, Exclusive, FrameId};
use crate::world::{Actor, Area, Hold, World};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The walk.
pub const KSM: Walk = Walk {
    name: "ksm",
    offered,
    take,
};

/// ksmd runs only while a walk asks for it, and then without pause. smart_scan would leave pages out that
/// did not merge before; the zero page would take pages of zeroes out of the rmap.
pub const KNOBS: &[Knob] = &[
    Knob::set("/sys/kernel/mm/ksm/run", "0"),
    Knob::set("/sys/kernel/mm/ksm/advisor_mode", "none"),
    Knob::set("/sys/kernel/mm/ksm/smart_scan", "0"),
    Knob::set("/sys/kernel/mm/ksm/use_zero_pages", "0"),
    Knob::set("/sys/kernel/mm/ksm/pages_to_scan", "10000"),
    Knob::set("/sys/kernel/mm/ksm/sleep_millisecs", "0"),
];

/// Commands in one packet.
const BATCH: usize = 800;
/// Frames merged in one walk: first, last and an even choice between.
const FRAMES: usize = 96;
/// Pages of the control that stay as they are: those that tell whether another walk is possible at all.
const UNMERGED: usize = 2;
/// How long ksmd may take; other users' mergeable memory is scanned too.
pub(super) const LIMIT: Duration = Duration::from_secs(8);
/// Scans of everything that an unmerged page may still take after the control has merged. A page needs
/// two to be seen unchanged; one in an LRU batch or just locked is left for the next.
pub(super) const SPARE_SCANS: u64 = 12;

/// So often something may still change while ksmd comes by once more: what refuses to merge is tried, and undone, in every scan.
const UNREST: usize = 4;

pub(super) fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if !w.features().kpageflags {
        return Err("needs /proc/kpageflags");
    }
    w.arena().ksm
}

fn take(w: &World) -> TestResult<Taken> {
    let (control, control_area) = w.control()?;
    let control_area = control_area.sub(UNMERGED..control_area.pages);
    let frames = choose(w, control, control_area);
    if frames.is_empty() {
        return Ok(Taken::Pointless);
    }
    // The twins have one page equal to each frame, the control's pages among them. Of two equal pages the one that ksmd meets last
    // becomes the KSM page (try_to_merge_two_pages()), and it meets processes in the order in which they came to it: every second
    // page has its twin there before, the others have theirs behind. Those that a fork shares have: if the twin refuses (a reference
    // for a moment), the KSM page is undone for one mapper only, see orphans().
    let mappers = w.mappers();
    let (first, last): (Vec<_>, Vec<_>) = frames
        .iter()
        .enumerate()
        .partition(|(i, f)| i % 2 == 1 && mappers[f].len() == 1);
    let mut twins = BTreeSet::new();
    for (name, is_first, pages) in [("first twin", true, first), ("twin", false, last)] {
        if pages.is_empty() {
            continue;
        }
        let (twin, area) = twin(w, name, pages.into_iter().map(|(_, &f)| f))?;
        if is_first {
            twin.advise(area, advice::MERGEABLE)?;
        }
        twins.extend(area.vpns().filter_map(|v| w.frame_at(twin.id(), v)));
    }
    w.note(String::from(
        "every actor: madvise MERGEABLE on its private memory",
    ));
    let mut merged: BTreeSet<FrameId> = frames.iter().copied().collect();
    merged.extend(&twins);
    // What is held by more than its mappers cannot be merged; and what equals it may try to merge with nothing else, since it is
    // what ksmd finds first (unstable_tree_search_insert()).
    let before = fate::pages(w)?;
    let held = held_frames(&before);
    let left_out = orphans(w, &held);
    // What equals a page of the twin that is left out has nothing to merge with.
    let tried = held
        .keys()
        .filter(|f| !left_out.contains(f) || twins.contains(f));
    let contents: BTreeSet<u64> = tried.map(|&f| w.frame(f).stamp).collect();
    let equal = |f: FrameId| contents.contains(&w.frame(f).stamp);
    let doubtful: BTreeSet<FrameId> = merged.iter().copied().filter(|&f| equal(f)).collect();
    merged.retain(|f| !doubtful.contains(f) && !left_out.contains(f));
    w.each_frame_of(&doubtful, |frame| frame.exclusive = Exclusive::Either);
    let merged_before: BTreeSet<FrameId> = w
        .mappers()
        .into_keys()
        .filter(|&f| w.frame(f).ksm)
        .collect();
    advise_all(w)?;
    unmergeable(w, &left_out)?;
    // Everything is mergeable now, so what was not chosen may merge too where it equals something: other frames of
    // the same content, and pages of zeroes (a locked area has them) with anybody's.
    let mut others = equal_frames(w);
    others.extend(&doubtful);
    others.retain(|f| held.get(f).is_none_or(|p| p.held != Some(Hold::Pin)));

    ksm::set_run(1).doing("start ksmd")?;
    let all = w.mappers();
    let slots: Slots = merged.iter().flat_map(|f| all[f].iter().copied()).collect();
    let is_control = |at: &Slot| at.0 == control && control_area.vpns().contains(&at.1);
    let end = wait(w, &slots, &is_control);
    ksm::set_run(0).doing("stop ksmd")?;
    let end = end?;
    judge_held(w, &held)?;
    // What merged has merged, whatever became of the rest.
    w.each_frame_of(&merged, |frame| frame.ksm = true);
    w.each_frame_of(&others, |frame| frame.ksm = true);
    match end {
        End::All => {
            let_go_passed_over(w, &merged_before)?;
            let tested = before.iter().filter(|p| frames.contains(&p.frame));
            let merged = tested.filter(|p| merged.contains(&p.frame));
            w.tally().walked(KSM.name, merged);
            Ok(Taken::Yes(format!("{} frames", frames.len())))
        }
        End::NotNow(why) => Ok(Taken::NotNow(why)),
        End::Left(at, seen) => Err(w.report(&Finding {
            property: "ksmd merges equal pages through every mapper",
            detail: format!(
                "seen {seen}; the control merged, and {SPARE_SCANS} scans later this one had not"
            ),
            at: Some(at),
        })),
    }
}

/// A process with a page equal to each of these frames.
fn twin<'w, 'c>(
    w: &'w World<'c>,
    name: &'static str,
    frames: impl Iterator<Item = FrameId>,
) -> TestResult<(Actor<'w, 'c>, Area)> {
    let contents: Vec<u64> = frames.map(|f| w.frame(f).stamp).collect();
    let twin = w.actor(name)?;
    let area = w.place(contents.len());
    w.name(area, name);
    twin.map(area)?;
    let stamps: Vec<(usize, u64)> = area.vpns().zip(contents).collect();
    twin.write_stamps(area, &stamps)?;
    Ok((twin, area))
}

/// Frames with private mappers, the control's first.
fn choose(w: &World, control: ActorId, control_area: Area) -> Vec<FrameId> {
    let mappers = w.mappers();
    let fit = |f: &FrameId| {
        let frame = w.frame(*f);
        // One that no mapper may read can be in swap, where ksmd does not look.
        let mut at = mappers[f].iter();
        let readable = match sees_unreadable(w) {
            true => at.any(|&at| w.is_readable(at)),
            false => at.all(|&at| w.is_readable(at)),
        };
        readable && !frame.cached && !frame.hugetlb && !frame.ksm && frame.stamp != 0
    };
    let all: Vec<FrameId> = mappers.keys().copied().filter(fit).collect();
    let is_control = |f: &FrameId| mappers[f].iter().any(|m| m.0 == control);
    let (mut chosen, tested): (Vec<_>, Vec<_>) = all.into_iter().partition(is_control);
    let vpns = control_area.vpns();
    chosen.retain(|f| mappers[f].iter().any(|m| vpns.contains(&m.1)));
    if tested.is_empty() {
        return tested;
    }
    let step = tested.len().div_ceil(FRAMES).max(1);
    chosen.extend(tested.iter().step_by(step));
    if let Some(last) = tested.last().filter(|l| !chosen.contains(l)) {
        chosen.push(*last);
    }
    chosen
}

/// Frames in held folios, and where their pages are.
fn held_frames(pages: &[Page]) -> BTreeMap<FrameId, Page> {
    let held = pages.iter().filter(|p| p.held.is_some() && !p.hugetlb);
    held.map(|p| (p.frame, p.clone())).collect()
}

/// Held frames that ksmd must not see. When it has made a KSM page of a page that a fork shares, and then the held one it equals
/// refuses, it undoes the first for one mapper only (break_cow()): the others keep a KSM page that is in no tree, and no walk
/// finds them. Seen on 6.18, where reclaim could not take such a page.
fn orphans(w: &World, held: &BTreeMap<FrameId, Page>) -> BTreeSet<FrameId> {
    let mappers = w.mappers();
    let shared = mappers.iter().filter(|(_, m)| m.len() > 1);
    let shared: Vec<(FrameId, u64)> = shared.map(|(&f, _)| (f, w.frame(f).stamp)).collect();
    let equal = |f: FrameId, stamp| shared.iter().any(|&(g, s)| g != f && s == stamp);
    held.keys()
        .copied()
        .filter(|&f| equal(f, w.frame(f).stamp))
        .collect()
}

/// Takes some frames out of ksmd's sight again.
fn unmergeable(w: &World, frames: &BTreeSet<FrameId>) -> TestResult {
    let mappers = w.mappers();
    for &(id, vpn) in frames.iter().flat_map(|f| &mappers[f]) {
        let area = Area { vpn, pages: 1 };
        w.actor_by_id(id).advise(area, advice::UNMERGEABLE)?;
    }
    Ok(())
}

/// A pinned page is what it was: the device must find it there.
fn judge_held(w: &World, held: &BTreeMap<FrameId, Page>) -> TestResult {
    let pages: Vec<Page> = held.values().cloned().collect();
    let (now, fates) = fate::fates(w, &pages)?;
    for (page, fate) in pages.iter().zip(&fates) {
        page.judge_pin(w, fate, &now)?;
    }
    Ok(())
}

/// Private frames whose content is not theirs alone, or whose mappers may have equal pages of their own.
pub(super) fn equal_frames(w: &World) -> BTreeSet<FrameId> {
    let mut by_content: BTreeMap<u64, Vec<FrameId>> = BTreeMap::new();
    let mut several = BTreeSet::new();
    for (&f, mappers) in &w.mappers() {
        let frame = w.frame(f);
        if !frame.cached && !frame.hugetlb {
            by_content.entry(frame.stamp).or_default().push(f);
            if frame.scattered && mappers.len() > 1 {
                several.insert(f);
            }
        }
    }
    by_content
        .into_iter()
        .filter(|(stamp, frames)| *stamp == 0 || frames.len() > 1)
        .flat_map(|(_, frames)| frames)
        .chain(several)
        .collect()
}

/// MADV_MERGEABLE on every run of private slots of every actor.
fn advise_all(w: &World) -> TestResult {
    let cmd = |run: &Area| Cmd::Advise {
        addr: run.vpn * w.page_size(),
        len: run.pages * w.page_size(),
        advice: advice::MERGEABLE,
    };
    let mut runs = w.private_runs();
    if !sees_unreadable(w) {
        for (id, runs) in &mut runs {
            let mut readable: Vec<Area> = Vec::new();
            for vpn in runs.iter().flat_map(Area::vpns) {
                match readable.last_mut() {
                    _ if !w.is_readable((*id, vpn)) => {}
                    Some(last) if last.vpn + last.pages == vpn => last.pages += 1,
                    _ => readable.push(Area { vpn, pages: 1 }),
                }
            }
            *runs = readable;
        }
    }
    let mut cmds = Vec::new();
    for (id, runs) in &runs {
        let batches = runs.chunks(BATCH);
        cmds.extend(batches.map(|some| (*id, Cmd::Batch(some.iter().map(cmd).collect()))));
    }
    for ((id, _), reply) in cmds.iter().zip(w.ask_all(&cmds)?) {
        if let Reply::Failed(_, e) | Reply::Errno(e) = reply {
            let e = nix::errno::Errno::from_raw(e);
            let stop = crate::Stop::error(format_args!("madvise MERGEABLE: {e}"));
            return Err(w.blame(*id, stop));
        }
    }
    w.make_mergeable(&runs);
    Ok(())
}

/// Whether ksmd finds pages that their VMA does not let anybody read. Before Linux 6.2 follow_page() gives it none of them: it neither merges
/// nor unmerges them, and a search that meets one ends without having found what it looked for (unstable_tree_search_insert()).
fn sees_unreadable(w: &World) -> bool {
    w.features().version() >= (6, 2)
}

/// A mapper.
pub(super) type Slot = (ActorId, usize);
/// Mappers.
pub(super) type Slots = BTreeSet<Slot>;

/// How waiting for ksmd ended.
pub(super) enum End {
    All,
    NotNow(String),
    Left((ActorId, usize), String),
}

/// Polls the pages themselves: KSM's counters are of the whole machine.
pub(super) fn wait(
    w: &World,
    slots: &Slots,
    is_control: &dyn Fn(&Slot) -> bool,
) -> TestResult<End> {
    let mut until = w.limit(LIMIT);
    let controls = slots.iter().filter(|at| is_control(at)).count();
    let mut control_at: Option<u64> = None;
    let mut came_by = None;
    let mut unrest = 0;
    let mut pause = Duration::from_millis(1);
    loop {
        let scans = ksm::full_scans().doing("read full_scans")?;
        let all = w.look()?;
        let shared = if w.features().ksm_flag {
            None
        } else {
            Some(equal_pages(slots, &all))
        };
        let mut unmerged: Option<((ActorId, usize), String)> = None;
        let mut count = 0;
        let mut control_left = 0;
        for (&at, seen) in all
            .values()
            .flatten()
            .map(|(at, seen)| (at, seen))
            .filter(|(at, _)| slots.contains(at))
        {
            // ksmd merges what is present, and nobody can read back what reclaim took from a PROT_NONE mapping.
            if seen.pfn().is_none() && !w.is_readable(at) {
                continue;
            }
            let flags = match seen.pfn() {
                Some(pfn) => w.page_flags(pfn)?,
                None => None,
            };
            let merged = match &shared {
                None => flags.is_some_and(|f| f.has(Flags::KSM)),
                Some(shared) => seen.pfn().is_some_and(|p| shared.contains(&p)),
            };
            if merged {
                continue;
            }
            count += 1;
            control_left += usize::from(is_control(&at));
            unmerged.get_or_insert_with(|| (at, format!("{seen}, flags {flags:?}")));
        }
        let Some((at, seen)) = unmerged else {
            // What was not waited for may have merged in the last scan, after that had been to some of its mappers.
            let now = places(w, &all)?;
            if came_by.as_ref() == Some(&now) || unrest > UNREST {
                return Ok(End::All);
            }
            unrest += usize::from(came_by.is_some());
            came_by = Some(now);
            match come_by_all(&mut until)? {
                End::All => {}
                other => return Ok(other),
            }
            continue;
        };
        // A page that somebody reclaims meanwhile is one that ksmd passes over, and forgets in that process.
        came_by = None;
        // A single page that does not merge is wrong in the control as well.
        if controls == 0 || control_left < controls {
            let since = *control_at.get_or_insert(scans);
            if scans >= since + SPARE_SCANS {
                return Ok(End::Left(
                    at,
                    format!("{seen} ({count} mapper(s) like this)"),
                ));
            }
        }
        if until.over() {
            return Ok(End::NotNow(format!("{count} mapper(s) not merged in time")));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Where all pages are, and which of them are KSM pages as far as the kernel shows it: the same before a scan and after it when nothing merged
/// in between.
fn places(
    w: &World,
    all: &BTreeMap<FrameId, Sightings>,
) -> TestResult<BTreeMap<Slot, (Pfn, bool)>> {
    let mut places = BTreeMap::new();
    let mut merged: BTreeMap<Pfn, bool> = BTreeMap::new();
    for (at, seen) in all.values().flatten() {
        let Some(pfn) = seen.pfn() else { continue };
        if let Entry::Vacant(entry) = merged.entry(pfn) {
            let flags = match w.features().ksm_flag {
                true => w.page_flags(pfn)?,
                false => None,
            };
            entry.insert(flags.is_some_and(|f| f.has(Flags::KSM)));
        }
        places.insert(*at, (pfn, merged[&pfn]));
    }
    Ok(places)
}

/// Mappers that ksmd passes over for ever, which is a fault of all kernels so far: when a KSM page is gone its node is freed, and what ksmd
/// knows of a mapper still points to it (remove_node_from_stable_tree() leaves rmap_item->head). A new page whose node comes to lie in the same
/// place passes for the one that the mapper is listed with (cmp_and_merge_page()), though it is listed with none. Seen with pages that a fork
/// shares, since the mapper's entry is used for nothing else in between: 10 of 300 runs of uffd_wp.child.
///
/// It shows: fewer pages are merged (ksm_merging_pages) than the process has KSM pages. Those of the process that were merged `before` are given
/// back to it, so that no walk is judged by them. What merges for the first time has no such past, and is judged.
fn let_go_passed_over(w: &World, before: &BTreeSet<FrameId>) -> TestResult {
    if before.is_empty() {
        return Ok(());
    }
    let places = places(w, &w.look()?)?;
    let living: Vec<ActorId> = w.model().living().collect();
    for id in living {
        let pid = w.pid(id)?;
        let flagged = places.iter().filter(|(at, place)| at.0 == id && place.1);
        let pages = match vma::rollup_kb(pid, "KSM") {
            Ok(Some(kb)) => kb * 1024 / w.page_size() as u64,
            // Before Linux 6.6 the flag tells it.
            _ => flagged.count() as u64,
        };
        let Ok(listed) = ksm::merging_pages(pid) else {
            return Ok(());
        };
        if listed >= pages {
            continue;
        }
        let again =
            |at: &&Slot| at.0 == id && w.frame_at(at.0, at.1).is_some_and(|f| before.contains(&f));
        let again: Vec<Slot> = places.keys().filter(again).copied().collect();
        w.diag(format_args!(
            "{}: {listed} of {pages} KSM pages listed; {} that were merged before are unmerged",
            w.actor_name(id),
            again.len()
        ));
        for (_, vpn) in again {
            let page = Area { vpn, pages: 1 };
            w.actor_by_id(id).advise(page, advice::UNMERGEABLE)?;
        }
    }
    Ok(())
}

/// Lets ksmd come by every mapper once more. A page that a fork shares is a KSM page as soon as one mapper has been scanned, and
/// rmap_walk_ksm() begins at the anon_vma of those that were: from a child's it does not find the parent.
fn come_by_all(until: &mut Wait) -> TestResult<End> {
    let scans = || ksm::full_scans().doing("read full_scans");
    // From now: several scans may have ended while the mappers were looked at. The one that is under way may be past one of them.
    let wanted = scans()? + 2;
    while scans()? < wanted {
        if until.over() {
            return Ok(End::NotNow(String::from(
                "ksmd has not come by all in time",
            )));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(End::All)
}

/// Pages that hold more than one frame: what KSM has done, where kpageflags does not tell.
fn equal_pages(slots: &Slots, all: &BTreeMap<FrameId, Sightings>) -> BTreeSet<Pfn> {
    let mut holds: BTreeMap<Pfn, BTreeSet<FrameId>> = BTreeMap::new();
    for (&f, sightings) in all {
        let ours = sightings.iter().filter(|(at, _)| slots.contains(at));
        for pfn in ours.filter_map(|(_, s)| s.pfn()) {
            holds.entry(pfn).or_default().insert(f);
        }
    }
    holds
        .into_iter()
        .filter(|(_, f)| f.len() > 1)
        .map(|(p, _)| p)
        .collect()
}
