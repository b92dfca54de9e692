// SPDX-License-Identifier: GPL-2.0-or-later
//! All short scripts of a family, at once.
//!
//! A family fixes who forks and who exits when. Between these events every script makes its own choices, on a few pages of
//! its own; since scripts with equal forks do not disturb each other, hundreds of them play in one process tree:
//!
//! ```text
//!             area 0        area 1        area 2            (one area per script)
//!   P         write both    write both    write first
//!   P forks C
//!   C         -             move second   unmap first
//!   P         split         write both    split
//!   ...                                                  then one round of walks for all
//! ```

use super::ground::Ground;
use super::step::{Op, Parts, Step, Who};
use super::{Script, judge};
use crate::supervise::Ctx;
use crate::world::model::{ActorId, Model};
use crate::world::{Area, World};
use crate::{TestResult, walk};
use std::collections::BTreeMap;
use std::time::Instant;

/// One event of a family.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// A step that all scripts take together: fork, exit.
    Once(Who, Op),
    /// Every script takes this step in its own area.
    Every(Who, Op),
    /// Every script chooses: one of the actors does one of these, or nobody does anything.
    Choice(&'static [Who], &'static [Op]),
}

/// Scripts that differ in their choices only.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Pages per script.
    pub pages: usize,
    /// What happens.
    pub stages: &'static [Stage],
}

/// One script of a family: what it does at each stage.
type Choices = Vec<Option<Step>>;

/// Where the planner's only area is.
const PLAN: usize = 0;

impl Family {
    /// All legal scripts, without those in which some choice changes nothing: another script is the same without it.
    pub fn scripts(&self) -> Vec<Choices> {
        let mut model = Model::default();
        let parts = Parts::root(model.add_actor());
        let mut all = Vec::new();
        self.extend(Vec::new(), &model, &parts, &mut all);
        all
    }

    fn extend(&self, done: Choices, model: &Model, parts: &Parts, all: &mut Vec<Choices>) {
        let Some(stage) = self.stages.get(done.len()) else {
            all.push(done);
            return;
        };
        let region = Area {
            vpn: PLAN,
            pages: self.pages,
        };
        for choice in stage.choices() {
            let mut next = (done.clone(), model.clone(), parts.clone());
            next.0.push(choice);
            if let Some(step) = choice {
                if !step.legal(model, parts, region) {
                    continue;
                }
                step.imagine(&mut next.1, &mut next.2, region);
                let always = matches!(step.op, Op::Write { .. });
                if !always && next.1.spaces == model.spaces {
                    continue;
                }
            }
            self.extend(next.0, &next.1, &next.2, all);
        }
    }
}

impl Stage {
    fn choices(&self) -> Vec<Option<Step>> {
        match *self {
            Stage::Once(who, op) | Stage::Every(who, op) => vec![Some(Step { who, op })],
            Stage::Choice(who, ops) => {
                let each = |&who: &Who| ops.iter().map(move |&op| Some(Step { who, op }));
                std::iter::once(None)
                    .chain(who.iter().flat_map(each))
                    .collect()
            }
        }
    }
}

/// Scripts played in one world.
const AT_ONCE: usize = 256;

/// Plays all scripts of a family and judges; when that fails, fewer and fewer of them.
///
/// A machine that is too slow for all (emulated, with a kernel that checks itself) plays a fair selection.
pub fn test(ctx: &Ctx, family: &Family) -> TestResult {
    let scripts = family.scripts();
    let enough = Instant::now() + ctx.deadline.saturating_duration_since(Instant::now()) / 3;
    let worlds = scripts.len().div_ceil(AT_ONCE);
    let mut played = 0;
    for first in 0..worlds {
        if first > 0 && Instant::now() >= enough {
            ctx.diag("the machine is too slow for the rest of the scripts");
            break;
        }
        // Neighbours differ in their last choice only: each world gets some of all kinds.
        let some: Vec<&Choices> = scripts.iter().skip(first).step_by(worlds).collect();
        batch(ctx, family, &some)?;
        played += some.len();
    }
    ctx.diag(format_args!("{played} of {} scripts", scripts.len()));
    Ok(())
}

fn batch(ctx: &Ctx, family: &Family, scripts: &[&Choices]) -> TestResult {
    judge(
        ctx,
        scripts.len(),
        |ctx, keep| {
            let kept: Vec<&Choices> = keep.iter().map(|&i| scripts[i]).collect();
            play(ctx, family, &kept)
        },
        |keep| match keep {
            &[one] => Script {
                ground: Ground::Plain,
                pages: family.pages,
                steps: scripts[one].iter().flatten().copied().collect(),
            }
            .replay(),
            _ => String::from("(only together)"),
        },
    )
}

fn play(ctx: &Ctx, family: &Family, scripts: &[&Choices]) -> TestResult {
    let w = World::new(ctx)?;
    let areas: Vec<Area> = scripts.iter().map(|_| w.place(family.pages)).collect();
    let mut parts = Parts::root(w.actor("P")?.id());
    for (i, stage) in family.stages.iter().enumerate() {
        if let Stage::Once(who, op) = *stage {
            // No pages in it, any region will do.
            let region = Area { vpn: 0, pages: 0 };
            Step { who, op }.perform(&w, &mut parts, region)?;
            continue;
        }
        let mut writes: BTreeMap<ActorId, Vec<Area>> = BTreeMap::new();
        let mut steps: Vec<(Step, Area)> = scripts
            .iter()
            .zip(&areas)
            .filter_map(|(script, &area)| Some((script[i]?, area)))
            .collect();
        // Areas do not disturb each other, and commands go to one actor at a time.
        steps.sort_by_key(|(step, _)| step.who);
        w.queued(|| {
            for (step, area) in steps {
                match (step.op, parts.id(step.who)) {
                    // One command for all of them.
                    (Op::Write { at }, Some(id)) if step.legal(&w.model(), &parts, area) => {
                        writes.entry(id).or_default().push(at.of(area));
                    }
                    _ => {
                        step.perform(&w, &mut parts, area)?;
                    }
                }
            }
            Ok(())
        })?;
        for (id, list) in writes {
            w.actor_by_id(id).write_all(&list)?;
        }
    }
    walk::every(&w)?;
    // As topology::write_by_each(), with one command for each writer.
    let mut sharers: BTreeMap<ActorId, Vec<Area>> = BTreeMap::new();
    for (id, area) in w.shared_pages() {
        sharers.entry(id).or_default().push(area);
    }
    for (id, list) in sharers {
        w.actor_by_id(id).write_all(&list)?;
    }
    w.check()?;
    walk::through_swap(&w)?;
    w.finish()
}

#[cfg(test)]
mod tests {
    use super::super::step::span;
    use super::*;
    use crate::topology::{R, RW};

    #[test]
    fn all_legal_scripts_and_no_idle_ones() {
        let whole = span(0, 2);
        const WRITE: Op = Op::Write { at: span(0, 1) };
        const SPLIT: Op = Op::Protect {
            at: span(0, 1),
            prot: R,
        };
        const SAME: Op = Op::Protect {
            at: span(1, 1),
            prot: RW,
        };
        const STAGES: &[Stage] = &[
            Stage::Every(
                0,
                Op::Map {
                    at: span(0, 2),
                    prot: RW,
                },
            ),
            Stage::Choice(&[0], &[SPLIT, SAME]),
            Stage::Once(0, Op::Fork { child: 1 }),
            Stage::Choice(&[0, 1, 2], &[WRITE]),
        ];
        let family = Family {
            pages: whole.pages,
            stages: STAGES,
        };
        let chosen: Vec<_> = family.scripts().iter().map(|s| (s[1], s[3])).collect();
        let write = |who| Some(Step { who, op: WRITE });
        let split = Some(Step { who: 0, op: SPLIT });
        // Equal protection changes nothing, what is split cannot be written, there is no actor 2.
        assert_eq!(
            chosen,
            [
                (None, None),
                (None, write(0)),
                (None, write(1)),
                (split, None)
            ]
        );
    }
}
