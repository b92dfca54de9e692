// SPDX-License-Identifier: GPL-2.0-or-later
//! Process trees: pages that are inherited, copied, and left behind.
//!
//! A page is found from the anon_vma it was first mapped for (folio->mapping); every VMA that may map it
//! must be linked there (anon_vma_clone(), anon_vma_fork()). So a page inherited over generations must be found in all
//! of them, whoever has exited in between, and a page copied at one level below that level only.

#[path = "fork_tree/vast.rs"]
mod vast;

use helpers::supervise::{Ctx, Fix, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain};
use helpers::world::{Actor, World};
use helpers::{TestResult, walk};

/// Forks `width` children of `root` and so on, `depth` levels deep; all of them, root included, level by level.
fn tree<'w, 'c>(
    root: Actor<'w, 'c>,
    depth: usize,
    width: usize,
) -> TestResult<Vec<Vec<Actor<'w, 'c>>>> {
    let mut levels = vec![vec![root]];
    for _ in 1..depth {
        let mut next = Vec::new();
        for parent in levels.last().into_iter().flatten() {
            for k in 0..width {
                next.push(parent.fork(&format!("{}.{}", parent.name(), k + 1))?);
            }
        }
        levels.push(next);
    }
    Ok(levels)
}

/// What ends most tests here: every walk, then every sharer writes.
fn judge(w: World) -> TestResult {
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P [0 1 2 3]  ->  C the same pages  ->  G  ->  GG  ->  GGG
fn inherit_chain(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, 4)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    let gg = g.fork("GG")?;
    gg.fork("GGG")?;
    judge(w)
}

/// The same for a tree of 121: 1 + 3 + 9 + 27 + 81, one page never written after the first fork.
fn inherit_tree(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 2)?;
    p.write(a)?;
    tree(p, 5, 3)?;
    judge(w)
}

///   For each set of generations that exit:   P -> C -> G -> GG      1 means exits
///                                            0    0    0    .
///                                            1    0    1    .       and so on, 7 trees
///
/// Whoever is left must still be found: through anon_vmas that outlive the process they were made for.
fn generations_exit(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    for set in 1..8u32 {
        let p = w.actor(&format!("P{set}"))?;
        let a = Grain::Base.map(&w, p, 4)?;
        p.write(a)?;
        let c = p.fork(&format!("C{set}"))?;
        c.write(a.page(1))?;
        let g = c.fork(&format!("G{set}"))?;
        g.write(a.page(2))?;
        let gg = g.fork(&format!("GG{set}"))?;
        gg.write(a.page(3))?;
        for (i, actor) in [p, c, g].into_iter().enumerate() {
            if set >> i & 1 != 0 {
                actor.exit()?;
            }
        }
        // A later child of the youngest: its anon_vma may be one that an ancestor left behind.
        gg.fork(&format!("late{set}"))?;
    }
    judge(w)
}

/// Families by the parent of each process but the first.
///
///   A -> B -> C        A -> B -> C -> D      A -> B -> C -> E      A -> B -> D
///         \-> D                   \-> E            \-> D             \   \-> E
///                                                                      \-> C
const FAMILIES: &[&[usize]] = &[&[0, 1, 1], &[0, 1, 2, 2], &[0, 1, 1, 2], &[0, 0, 1, 1]];

/// Each process has a page of its own before it forks; then some of those who have children go, each set of them in a family of its own,
/// and the youngest have children and grandchildren. An anon_vma that nobody uses any more and that has two heirs cannot be taken up by either,
/// and whoever comes later has to be linked to it all the same.
fn families(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    for (n, parents) in FAMILIES.iter().enumerate() {
        let members = parents.len() + 1;
        let inner: Vec<usize> = (0..members).filter(|m| parents.contains(m)).collect();
        for set in 1..1usize << inner.len() {
            let name = |who: usize| format!("{}{n}.{set}", char::from(b"ABCDE"[who]));
            let p = w.actor(&name(0))?;
            let a = Grain::Base.map(&w, p, members + 1)?;
            p.write(a)?;
            let mut family = vec![p];
            for (i, &parent) in parents.iter().enumerate() {
                let child = family[parent].fork(&name(i + 1))?;
                child.write(a.page(i + 1))?;
                family.push(child);
            }
            for (bit, &who) in inner.iter().enumerate() {
                if set >> bit & 1 != 0 {
                    family[who].exit()?;
                }
            }
            let youngest = family[members - 1];
            let late = youngest.fork(&format!("late{n}.{set}"))?;
            late.fork(&format!("later{n}.{set}"))?;
        }
    }
    judge(w)
}

///   P   [f0 f1 f2 f3 f4]
///   C   [f0 c1 f2 f3 f4]    each level writes the page of its own number:
///   G   [f0 c1 g2 f3 f4]    its copy is found there and below, nowhere else
///   GG  [f0 c1 g2 h3 f4]
fn cow_levels(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, 6)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    let mut parent = p;
    for (i, name) in ["C", "G", "GG", "GGG"].into_iter().enumerate() {
        let child = parent.fork(name)?;
        child.write(a.page(i + 1))?;
        parent = child;
    }
    judge(w)
}

/// A tree of 40 (1 + 3 + 9 + 27); every process writes the page of its level after its fork and before it forks, then the ancestors
/// write what they still share.
fn cow_tree(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 6)?;
    p.write(a)?;
    let mut level = vec![p];
    for depth in 1..4 {
        let mut next = Vec::new();
        for parent in &level {
            for k in 1..=3 {
                let child = parent.fork(&format!("{}.{k}", parent.name()))?;
                child.write(a.page(depth))?;
                next.push(child);
            }
        }
        level = next;
    }
    p.write(a.page(4))?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P [0 1 2 3] -> S1, S2, S3, each writes one page; S2 exits, then P writes what S2 had shared
fn siblings(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 4)?;
    p.write(a)?;
    let s: Vec<Actor> = (0..3)
        .map(|i| p.fork(&format!("S{i}")))
        .collect::<TestResult<_>>()?;
    for (i, s) in s.iter().enumerate() {
        s.write(a.page(i))?;
    }
    s[1].exit()?;
    p.write(a.page(3))?;
    judge(w)
}

/// The parent exits first. The pages it had shared are the child's alone now, and found through the parent's anon_vma.
fn parent_exits(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, 4)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    let c = p.fork("C")?;
    c.write(a.page(1))?;
    p.exit()?;
    w.check()?;
    // Reuse by the last mapper, and a second generation on top.
    c.write(a.page(2))?;
    c.fork("G")?;
    judge(w)
}

/// A second child after the first has exited, of a parent whose pages went through the first: the anon_vma that the
/// first child left may be reused, its pages may not be lost.
///
///   P -> A -> B; A exits; B -> X, B -> Y; in Y: split, move one half next to nothing, unmap the other
fn reuse_after_exit(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 6)?;
    p.write(a)?;
    let first = p.fork("A")?;
    first.write(a.page(0))?;
    let b = first.fork("B")?;
    b.write(a.page(1))?;
    first.exit()?;
    let x = b.fork("X")?;
    x.write(a.page(2))?;
    let y = b.fork("Y")?;
    y.write(a.page(3))?;
    y.protect(a.sub(2..4), topology::R)?;
    y.protect(a.sub(2..4), topology::RW)?;
    let to = w.place(2);
    w.name(to, "to");
    y.move_to(a.sub(2..4), to)?;
    y.unmap(a.sub(4..6))?;
    w.check()?;
    x.exit()?;
    let z = y.fork("Z")?;
    z.write(a.page(0))?;
    judge(w)
}

/// exec gives the whole address space back: counts return to what they were, and what the parent had stays whole.
fn exec(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 4)?;
    p.write(a)?;
    let c = p.fork("C")?;
    c.write(a.page(0))?;
    let g = c.fork("G")?;
    g.write(a.page(1))?;
    w.check()?;
    c.exec()?;
    w.check()?;
    walk::every(&w)?;
    // Written pages are G's and P's own now; exclusive again where the last sharer writes.
    g.exec()?;
    p.write(a)?;
    w.check()?;
    w.finish()
}

/// Shared anonymous memory is one object, linked into i_mmap for every fork: all see every write, all are found.
fn shared_memory(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(4);
    w.name(a, "a");
    p.map_shared(a)?;
    p.write(a.sub(0..3))?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    g.write(a.sub(2..4))?;
    c.unmap(a.page(0))?;
    let s = p.fork("S")?;
    s.protect(a.page(1), topology::R)?;
    c.exit()?;
    walk::every(&w)?;
    w.finish()
}

/// Whether a part of a huge page may be given back while others map it.
///
///   P  [========== huge ==========]
///   C  [====]                          first quarter only
///   G        [x]                       one page in the middle only
fn partly_mapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 0)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    let n = a.pages;
    let c = p.fork("C")?;
    let g = p.fork("G")?;
    c.unmap(a.sub(n / 4..n))?;
    g.unmap(a.sub(0..n / 2))?;
    g.unmap(a.sub(n / 2 + 1..n))?;
    w.check()?;
    p.advise(a.sub(n / 2..n / 2 + 2), advice::DONTNEED)?;
    judge(w)
}

const HIERARCHY: Fix = Fix {
    commit: "7a3ef208e662",
    subject: "mm: prevent endless growth of anon_vma hierarchy",
};
const REUSE: Fix = Fix {
    commit: "2555283eb40d",
    subject: "mm/rmap: Fix anon_vma->degree ambiguity leading to double-reuse",
};

const INHERITED: Test = Test {
    about: "A page inherited over generations is found in every process that maps it.",
    guards: &[HIERARCHY],
    ..Test::DEFAULT
};
const COPIED: Test = Test {
    about: "A page copied on write is found where it was copied and below, and nowhere else.",
    ..Test::DEFAULT
};

const VAST: Test = Test {
    about: "A page is found at every place of its area, however long the area is.",
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "inherit.chain",
        run: |c| inherit_chain(c, Grain::Base),
        ..INHERITED
    },
    Test {
        name: "inherit.chain.thp",
        run: |c| inherit_chain(c, Grain::Huge),
        needs: Grain::HUGE_NEEDS,
        ..INHERITED
    },
    Test {
        name: "inherit.tree",
        run: inherit_tree,
        ..INHERITED
    },
    Test {
        name: "inherit.generations_exit",
        run: generations_exit,
        ..INHERITED
    },
    Test {
        name: "inherit.families",
        run: families,
        ..INHERITED
    },
    Test {
        name: "inherit.parent_exits",
        run: |c| parent_exits(c, Grain::Base),
        ..INHERITED
    },
    Test {
        name: "inherit.parent_exits.thp",
        run: |c| parent_exits(c, Grain::Huge),
        needs: Grain::HUGE_NEEDS,
        ..INHERITED
    },
    Test {
        name: "inherit.reuse_after_exit",
        run: reuse_after_exit,
        guards: &[REUSE],
        ..INHERITED
    },
    Test {
        name: "cow.levels",
        run: |c| cow_levels(c, Grain::Base),
        ..COPIED
    },
    Test {
        name: "cow.levels.thp",
        run: |c| cow_levels(c, Grain::Huge),
        needs: Grain::HUGE_NEEDS,
        ..COPIED
    },
    Test {
        name: "cow.tree",
        run: cow_tree,
        ..COPIED
    },
    Test {
        name: "cow.siblings",
        run: siblings,
        ..COPIED
    },
    Test {
        name: "exec",
        about: "exec gives back every mapping of the old address space and leaves the sharers whole.",
        run: exec,
        ..Test::DEFAULT
    },
    Test {
        name: "shared_memory",
        about: "Shared memory is found through i_mmap in every process that inherited it.",
        run: shared_memory,
        ..Test::DEFAULT
    },
    Test {
        name: "partly_mapped.thp",
        about: "Each part of a huge page is found in exactly the processes that still map this part.",
        needs: Grain::HUGE_NEEDS,
        run: partly_mapped,
        ..Test::DEFAULT
    },
    Test {
        name: "vast",
        run: vast::private,
        ..VAST
    },
    Test {
        name: "vast.memfd",
        run: vast::memfd,
        ..VAST
    },
];

pub fn main() {
    run(
        "fork_tree",
        "inherited and copied pages in process trees",
        TESTS,
    )
}
