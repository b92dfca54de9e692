// SPDX-License-Identifier: GPL-2.0-or-later
//! What each area of a process is: locked, kept from children, mergeable, new. The walks, a fork and ksmd go by these flags; a VMA that
//! merged with the wrong neighbour, or a child that kept what it should not, has them wrong.

use super::check::Finding;
use super::model::{ActorId, Lock, Model, Slot, Space};
use super::sight::Lie;
use super::{Area, World};
use crate::kernel::{numa, vma};
use crate::stop::Doing;
use crate::{Stop, TestResult};
use std::io::ErrorKind;

/// A code of VmFlags, what it says, and whether the model says so of a slot of an actor. `None`: the model does not know.
type Sign = (
    &'static str,
    &'static str,
    fn(&Model, ActorId, &Slot) -> Option<bool>,
);

const SIGNS: [Sign; 6] = [
    ("lo", "locked", |m, _, s| {
        Some(lockable(m, s) && s.lock != Lock::None)
    }),
    // Of a locked area how, and of no other.
    ("lf", "locked on fault", |m, _, s| {
        lockable(m, s).then_some(s.lock == Lock::OnFault)
    }),
    ("dc", "kept from children", |_, _, s| Some(s.dontfork)),
    ("wf", "empty in children", |_, _, s| Some(s.wipeonfork)),
    ("mg", "mergeable", Model::is_mergeable),
    // What is not new may be in one area with what is.
    ("sd", "soft-dirty", |_, _, s| s.fresh.then_some(true)),
];

/// mlock_fixup() passes over hugetlb memory.
fn lockable(model: &Model, slot: &Slot) -> bool {
    slot.object.is_none_or(|(o, _)| !model.objects[o].hugetlb)
}

impl World<'_> {
    /// VmFlags of every VMA of every actor are what the script made them, and VmLck (mm->locked_vm) is the size of the locked ones.
    /// All of them together are what [`World::check_sizes`] compares.
    #[track_caller]
    pub fn check_areas(&self) -> TestResult {
        let ids: Vec<usize> = self.model.borrow().living().collect();
        for id in ids {
            let pid = self.pid(id)?;
            let foreign = self.model.borrow().foreign.contains(&id);
            // No smaps (CONFIG_PROC_PAGE_MONITOR), nothing to compare.
            let Ok(areas) = vma::all_flags(pid) else {
                continue;
            };
            if !foreign && let Some(finding) = self.judge_signs(id, &areas) {
                return Err(self.report(&finding));
            }
            if !foreign && let Some(finding) = self.judge_policies(id, pid)? {
                return Err(self.report(&finding));
            }
            if !foreign && let Some(finding) = self.judge_names(id, pid)? {
                return Err(self.report(&finding));
            }
            self.check_sizes(id, &areas)?;
            let of_locked = areas.iter().filter(|a| a.has("lo"));
            let bytes: usize = of_locked.map(|a| a.end - a.start).sum();
            let told = vma::status_kb(pid, "VmLck").ok().flatten();
            let lie = u64::from(self.eye.lie == Some(Lie::Areas));
            if let Some(told) = told
                && self.counts_locked(id)
                && told + lie != bytes as u64 / 1024
            {
                return Err(self.report(&Finding {
                    property: "VmLck is the size of the locked areas",
                    detail: format!(
                        "{}: VmLck {told} kB, locked areas {} kB",
                        self.actor_name(id),
                        bytes / 1024
                    ),
                    at: None,
                }));
            }
        }
        Ok(())
    }

    fn judge_signs(&self, id: usize, areas: &[vma::Flagged]) -> Option<Finding> {
        let model = self.model.borrow();
        let space = model.spaces[id].as_ref().expect("living");
        for area in areas {
            for (&vpn, slot) in space.range(area.start / self.page..area.end / self.page) {
                for (code, name, says) in SIGNS {
                    let shown = match code {
                        "lf" => self.features().lock_on_fault,
                        "sd" => self.features().soft_dirty,
                        _ => true,
                    };
                    let known = says(&model, id, slot).filter(|_| shown);
                    let Some(expected) = known.filter(|&e| e != area.has(code)) else {
                        continue;
                    };
                    let page = self.show(Area { vpn, pages: 1 });
                    return Some(Finding {
                        property: "an area is locked, mergeable, soft-dirty or kept from children as the script made it",
                        detail: format!(
                            "{page} is {}{name} (VmFlags {code})",
                            if expected { "not " } else { "" }
                        ),
                        at: Some((id, vpn)),
                    });
                }
            }
        }
        None
    }

    /// The memory policy of every private anonymous area of an actor that has bound any (mbind(2)) is its own: a VMA that merged with the wrong
    /// neighbour has that one's. Memory of files and objects has the policy of the object.
    fn judge_policies(&self, id: ActorId, pid: i32) -> TestResult<Option<Finding>> {
        let model = self.model.borrow();
        let space = model.spaces[id].as_ref().expect("living");
        if space.values().all(|slot| slot.node.is_none()) {
            return Ok(None);
        }
        let policies = match numa::policies(pid) {
            // Without CONFIG_PROC_PAGE_MONITOR.
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            policies => policies.doing("read numa_maps")?,
        };
        // What an area without a policy shows is the process'.
        let Some(stack) = policies.iter().find(|p| p.stack) else {
            return Err(Stop::error("numa_maps shows no stack"));
        };
        let own = &stack.policy;
        for (&vpn, slot) in space {
            if slot.object.is_some() || slot.shared {
                continue;
            }
            let of = policies.partition_point(|p| p.start <= vpn * self.page);
            let Some(of) = of.checked_sub(1) else {
                return Err(Stop::error("numa_maps lacks an area"));
            };
            let seen = &policies[of].policy;
            let expected = slot.node.map_or(own.clone(), |n| format!("bind:{n}"));
            if *seen != expected {
                return Ok(Some(Finding {
                    property: "an area has the memory policy that it was given, and no other",
                    detail: format!(
                        "{}: expected {expected}, seen {seen} in numa_maps",
                        self.show(Area { vpn, pages: 1 })
                    ),
                    at: Some((id, vpn)),
                }));
            }
        }
        Ok(None)
    }

    /// An area keeps the name that it was given, and so does each part of it, wherever it goes; it merges with none of another name.
    fn judge_names(&self, id: ActorId, pid: i32) -> TestResult<Option<Finding>> {
        let model = self.model.borrow();
        let space = model.spaces[id].as_ref().expect("living");
        let named = |space: &Space| space.values().any(|slot| slot.name.is_some());
        if !model.spaces.iter().flatten().any(named) {
            return Ok(None);
        }
        let seen = vma::names(pid, 0, usize::MAX).doing("read maps")?;
        for (&vpn, slot) in space {
            if slot.object.is_some() || slot.shared {
                continue;
            }
            let of = seen.partition_point(|v| v.0 <= vpn * self.page);
            let found = of.checked_sub(1).and_then(|of| seen[of].2.as_deref());
            if found != slot.name {
                return Ok(Some(Finding {
                    property: "an area has the name that it was given, and no other",
                    detail: format!(
                        "{}: expected {:?}, seen {found:?} in maps",
                        self.show(Area { vpn, pages: 1 }),
                        slot.name
                    ),
                    at: Some((id, vpn)),
                }));
            }
        }
        Ok(None)
    }

    /// An area has no memory policy any more.
    pub(crate) fn unbound(&self, id: ActorId, area: Area) {
        let mut model = self.model.borrow_mut();
        model.change(id, area.vpns(), |s| s.node = None);
    }
}
