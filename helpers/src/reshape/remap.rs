// SPDX-License-Identifier: GPL-2.0-or-later
//! mremap(2) of every kind (move_vma(), copy_vma(), expand in place, MREMAP_DONTUNMAP).

#![allow(missing_docs)] // each has its picture

use super::{ALL, ANON, Ground, LOCKABLE, MARGIN, N, Op, PRIVATE, State};
use crate::TestResult;
use crate::topology::{R, RW};
use crate::world::model::Lock;

pub const WHOLE: Op = Op {
    name: "whole",
    picture: "to |0 ........ 11|",
    on: ALL,
    run: |g| g.c.move_to(g.a, g.place("to", N)),
};

pub const MIDDLE: Op = Op {
    name: "middle",
    picture: "|0..3|. . . .|8..11|   to |4..7|",
    on: ALL,
    run: |g| g.c.move_to(g.a.sub(4..8), g.place("to", 4)),
};

pub const TWICE: Op = Op {
    name: "twice",
    picture: "b . . .   c |0 1 2' ..... 11|",
    on: ALL,
    run: |g| {
        let (b, c) = (g.place("b", N), g.place("c", N));
        g.c.move_to(g.a, b)?;
        g.c.write(b.page(2))?;
        g.c.move_to(b, c)
    },
};

pub const BACK: Op = Op {
    name: "back",
    picture: "|0 ........ 11|, 4..7 were away and came back in two parts",
    on: ALL,
    run: |g| {
        let b = g.place("b", 4);
        g.c.move_to(g.a.sub(4..8), b)?;
        g.c.write(b.page(2))?;
        g.c.move_to(b.sub(2..4), g.a.sub(6..8))?;
        g.c.move_to(b.sub(0..2), g.a.sub(4..6))
    },
};

pub const SWAPPED_ENDS: Op = Op {
    name: "swapped_ends",
    picture: "|9 10 11|3 ..... 8|0 1 2|",
    on: ALL,
    run: |g| {
        let b = g.place("b", 3);
        g.c.move_to(g.a.sub(0..3), b)?;
        g.c.move_to(g.a.sub(9..12), g.a.sub(0..3))?;
        g.c.move_to(b, g.a.sub(9..12))
    },
};

pub const OVER: Op = Op {
    name: "over",
    picture: "|0 1|. . . .|6..11|   b |0'|2 3 4 5|5'|, b was in use",
    on: ALL,
    run: |g| {
        let b = g.place("b", 6);
        g.c.map(b)?;
        g.c.write(b)?;
        g.c.move_to(g.a.sub(2..6), b.sub(1..5))
    },
};

pub const OVER_ITSELF: Op = Op {
    name: "over_itself",
    picture: ". . .|3 ..... 7|0 1 2|11|",
    on: ALL,
    run: |g| g.c.move_to(g.a.sub(0..3), g.a.sub(8..11)),
};

pub const MOVE: &[Op] = &[
    WHOLE,
    MIDDLE,
    Op {
        name: "head_and_tail",
        picture: ". . .|3 ..... 8|. . .   to |9 10 11|   to |0 1 2|",
        on: ALL,
        run: |g| {
            g.c.move_to(g.a.sub(0..3), g.place("to", 3))?;
            g.c.move_to(g.a.sub(9..N), g.place("to", 3))
        },
    },
    TWICE,
    BACK,
    SWAPPED_ENDS,
    OVER,
    OVER_ITSELF,
    Op {
        name: "pages_in_turn",
        picture: "to |11|10|9|...|1|0|",
        on: ALL,
        run: |g| {
            let to = g.place("to", N);
            (0..N).try_for_each(|i| g.c.move_to(g.a.page(i), to.page(N - 1 - i)))
        },
    },
    Op {
        name: "many",
        picture: "to |0|r 1|2|r 3|...|r 11| and back, each VMA by itself",
        on: ALL,
        run: |g| {
            for i in (1..N).step_by(2) {
                g.c.protect(g.a.page(i), R)?;
            }
            let to = g.place("to", N);
            (0..N).try_for_each(|i| g.c.move_to(g.a.page(i), to.page(i)))?;
            for i in (1..N).step_by(2) {
                g.c.protect(to.page(i), RW)?;
            }
            g.c.move_to(to, g.a)
        },
    },
    Op {
        name: "forked_between",
        picture: "b |0 ........ 11|, a child has it there, then c |0 ........ 11|",
        on: ALL,
        run: |g| {
            let (b, c) = (g.place("b", N), g.place("c", N));
            g.c.move_to(g.a, b)?;
            let child = g.c.fork("between")?;
            g.c.move_to(b, c)?;
            child.move_to(b.sub(0..6), c.sub(6..N))
        },
    },
];

/// Several VMAs by one call (remap_move(), Linux 6.17): each lands at the distance that it had.
pub const SEVERAL: &[Op] = &[
    Op {
        name: "adjacent",
        picture: "to |0 1 2|r 3 4 5|6 ..... 11|",
        on: ALL,
        run: |g| {
            g.c.protect(g.a.sub(3..6), R)?;
            g.c.move_several(g.a, g.place("to", N))
        },
    },
    Op {
        name: "holes",
        picture: "to |0 1|. . .|5 6|.|8|r 9|. .",
        on: ALL,
        run: |g| {
            g.c.protect(g.a.sub(9..N), R)?;
            g.c.unmap(g.a.sub(2..5))?;
            g.c.unmap(g.a.page(7))?;
            g.c.unmap(g.a.sub(10..N))?;
            g.c.move_several(g.a, g.place("to", N))
        },
    },
    Op {
        name: "parts",
        picture: "|0|. . . . . . . . . .|r 11|   to |1 2|.|4 5|r 6|.|8 9 r 10|",
        on: ALL,
        run: |g| {
            g.c.unmap(g.a.page(3))?;
            g.c.protect(g.a.sub(6..8), R)?;
            g.c.unmap(g.a.page(7))?;
            g.c.protect(g.a.sub(10..N), R)?;
            g.c.move_several(g.a.sub(1..11), g.place("to", 10))
        },
    },
    Op {
        name: "over",
        picture: "to |0 1 2|.|r 4 5|6 ..... 11|, which was in use",
        on: ALL,
        run: |g| {
            let to = g.place("to", N);
            g.c.map(to)?;
            g.c.write(to)?;
            g.c.protect(g.a.sub(4..6), R)?;
            g.c.unmap(g.a.page(3))?;
            // What lands on a hole's place is nobody's promise.
            g.c.unmap(to.page(3))?;
            g.c.move_several(g.a, to)
        },
    },
    Op {
        name: "there_and_back",
        picture: "|0 1 2|.|4 ..... 11|, was away with 4..8 read-only",
        on: ALL,
        run: |g| {
            g.c.protect(g.a.sub(4..9), R)?;
            g.c.unmap(g.a.page(3))?;
            let to = g.place("to", N);
            g.c.move_several(g.a, to)?;
            g.c.move_several(to, g.a)?;
            g.c.protect(g.a.sub(4..9), RW)
        },
    },
];

pub const GROW: Op = Op {
    name: "grow",
    picture: "|0 ........ 11 12 13' 14 15|",
    on: ALL,
    run: |g| {
        g.c.make_room(g.a.after(MARGIN))?;
        let grown = g.c.resize(g.a, N + MARGIN)?;
        g.c.write(grown.page(N + 1))
    },
};

pub const SHRINK: Op = Op {
    name: "shrink",
    picture: "|0 ..... 6|. . . . .",
    on: ALL,
    run: |g| g.c.resize(g.a, N - 5).map(drop),
};

pub const SHRINK_GROW: Op = Op {
    name: "shrink_grow",
    picture: "|0 ..... 7|8 9 10'|.",
    on: ALL,
    run: |g| {
        let small = g.c.resize(g.a, N - 4)?;
        let again = g.c.resize(small, N - 1)?;
        g.c.write(again.page(N - 2))
    },
};

pub const RESIZE: &[Op] = &[
    GROW,
    SHRINK,
    SHRINK_GROW,
    Op {
        name: "grow_to_next",
        picture: "|0 ........ 11 12'|13' 14'|, 13 14 were there",
        on: ANON,
        run: |g| {
            let next = g.a.after(3).sub(1..3);
            g.map(next, N as isize + 1)?;
            g.c.write(next)?;
            g.c.make_room(g.a.after(1))?;
            let grown = g.c.resize(g.a, N + 1)?;
            g.c.write(grown.page(N))
        },
    },
    Op {
        name: "grow_of_part",
        picture: "|0 ..... 7|. . . .   to |8 9 10 11|12' 13'|",
        on: ALL,
        run: |g| {
            let to = g.place("to", 6);
            g.c.move_resized(g.a.sub(8..N), to)?;
            g.c.write(to.page(4))
        },
    },
    Op {
        name: "grow_and_move",
        picture: "to |0 ........ 11 12 13' 14|",
        on: ALL,
        run: |g| {
            let to = g.place("to", N + 3);
            g.c.move_resized(g.a, to)?;
            g.c.write(to.page(N + 1))
        },
    },
    Op {
        name: "shrink_and_move",
        picture: "to |0 ..... 6|",
        on: ALL,
        run: |g| g.c.move_resized(g.a, g.place("to", N - 5)),
    },
    Op {
        name: "moved_then_grown",
        picture: "to |6 .. 11 12' 13 14|",
        on: ALL,
        run: |g| {
            let to = g.place("to", 9);
            g.c.move_to(g.a.sub(6..N), to.sub(0..6))?;
            g.c.make_room(to.sub(6..9))?;
            let grown = g.c.resize(to.sub(0..6), 9)?;
            g.c.write(grown.page(6))
        },
    },
];

pub const DONTUNMAP: Op = Op {
    name: "dontunmap",
    picture: "|. ......... .|   to |0 ........ 11|, both mapped",
    on: ALL,
    run: |g| g.c.move_dontunmap(g.a, g.place("to", N)),
};

pub const DONTUNMAP_REFAULT: Op = Op {
    name: "refault",
    picture: "|. . 2' 3' 4' . 6 7 8 . . .|   b . . .|3 4 5|. . .|9 10 11|",
    on: PRIVATE,
    run: |g| {
        let b = g.place("b", N);
        g.c.move_dontunmap(g.a, b)?;
        g.c.write(g.a.sub(2..5))?;
        g.c.move_dontunmap(b.sub(6..9), g.a.sub(6..9))?;
        g.c.unmap(b.sub(0..3))
    },
};

pub const DONTUNMAP_OF_MOVED: Op = Op {
    name: "of_moved",
    picture: "b |0'|. 1' 2' 3' . ......|13'|   c . .|2 ..... 11|, b was moved to before",
    on: PRIVATE,
    run: |g| {
        let (b, d) = (g.place("b", N + 2), g.place("c", N));
        let at = b.sub(1..N + 1);
        g.c.move_to(g.a, at)?;
        g.c.move_dontunmap(at, d)?;
        g.c.write(at.sub(1..4))?;
        g.c.map(b.page(0))?;
        g.c.map(b.page(N + 1))?;
        g.c.write(b.page(0))?;
        g.c.write(b.page(N + 1))?;
        g.c.unmap(d.sub(0..2))
    },
};

/// A part of a VMA goes, and the VMA stays in one piece: what is left in it needs the anon_vmas that an emptied one would give up.
macro_rules! part {
    ($name:literal, $picture:literal, $part:expr) => {
        Op {
            name: $name,
            picture: $picture,
            on: ALL,
            run: |g| {
                let part = g.a.sub($part);
                g.c.move_dontunmap(part, g.place("to", part.pages))
            },
        }
    };
}

pub const KEEP: &[Op] = &[
    DONTUNMAP,
    part!("first", "|. . . . 4 ..... 11|   to |0 1 2 3|", 0..4),
    part!("middle", "|0 1 . . . . 6 ..... 11|   to |2 3 4 5|", 2..6),
    part!("last", "|0 ..... 7 . . . .|   to |8 9 10 11|", 8..N),
    DONTUNMAP_REFAULT,
    DONTUNMAP_OF_MOVED,
    Op {
        name: "source_gone",
        picture: "b |0 ........ 11|, the emptied source was touched, and unmapped",
        on: PRIVATE,
        run: |g| {
            g.c.move_dontunmap(g.a, g.place("b", N))?;
            g.c.write(g.a.sub(3..6))?;
            g.c.unmap(g.a)
        },
    },
    Op {
        name: "source_split",
        picture: "|. 1' .|r . . . 6 7|. 9' . .|   b |0 ........ 11|",
        on: PRIVATE,
        run: |g| {
            g.c.move_dontunmap(g.a, g.place("b", N))?;
            g.c.protect(g.a.sub(3..8), R)?;
            g.c.write(g.a.page(1))?;
            g.c.write(g.a.page(9))
        },
    },
];

/// The lock goes with the pages that go. Where they were is a plain area, and the rest of the locked area stays locked.
macro_rules! locked {
    ($name:literal, $picture:literal, $how:ident, $part:expr) => {
        Op {
            name: $name,
            picture: $picture,
            on: LOCKABLE,
            run: |g| {
                g.c.lock(g.a, Lock::$how)?;
                let part = g.a.sub($part);
                g.c.move_dontunmap(part, g.place("to", part.pages))
            },
        }
    };
}

pub const KEEP_LOCKED: &[Op] = &[
    locked!(
        "locked",
        "|. ......... .|   to |lo 0 ........ 11|",
        OnFault,
        0..N
    ),
    locked!(
        "first_of_locked",
        "|. . . .|lo 4 ..... 11|   to |lo 0 1 2 3|",
        Full,
        0..4
    ),
    locked!(
        "middle_of_locked",
        "|lo 0..3|. . . .|lo 8..11|   to |lo 4 5 6 7|",
        OnFault,
        4..8
    ),
    locked!(
        "last_of_locked",
        "|lo 0 ..... 7|. . . .|   to |lo 8 9 10 11|",
        Full,
        8..N
    ),
];

/// Where the neighbours of the place that a mapping returns to are, and whether they were touched.
struct Around {
    before: Option<bool>,
    after: Option<bool>,
}

/// The one that is left must have every anon_vma of the ones that are gone; with DONTUNMAP the place the pages came
/// from is let go of at once.
fn next_to(g: &Ground, around: Around, keep: bool) -> TestResult {
    let b = g.place("away", N);
    g.c.move_to(g.a, b)?;
    let sides = [
        (g.a.before(2), -2, around.before),
        (g.a.after(2), N as isize, around.after),
    ];
    for (place, from, touched) in sides {
        let Some(touched) = touched else { continue };
        g.map(place, from)?;
        if touched {
            g.c.write(place)?;
        }
    }
    if keep {
        g.c.move_dontunmap(b, g.a)?;
        g.c.unmap(b)?;
    } else {
        g.c.move_to(b, g.a)?;
    }
    // The first fault of an untouched neighbour comes after the merge.
    for (place, _, touched) in sides {
        if touched == Some(false) {
            g.c.write(place.page(1))?;
        }
    }
    Ok(())
}

/// Neighbours in a place that the mapping has never been in: what continues its file there does not continue its anonymous pages, whose index
/// is that of where they were touched first, if it is not the file's (vma_start_anon_pgoff() of Linux 7).
fn elsewhere(g: &Ground, touched: bool) -> TestResult {
    let room = g.place("elsewhere", N + 4);
    let (before, to, after) = (room.sub(0..2), room.sub(2..N + 2), room.sub(N + 2..N + 4));
    for (place, from) in [(before, -2), (after, N as isize)] {
        g.map(place, from)?;
        if touched {
            g.c.write(place)?;
        }
    }
    g.c.move_to(g.a, to)?;
    for place in [before, after] {
        g.c.write(place.page(1))?;
    }
    Ok(())
}

macro_rules! next_to {
    ($const:ident, $name:literal, $picture:literal, $before:expr, $after:expr, $keep:literal) => {
        pub const $const: Op = Op {
            name: $name,
            picture: $picture,
            on: PRIVATE_AND_SHARED,
            run: |g| {
                let (before, after) = ($before, $after);
                next_to(g, Around { before, after }, $keep)
            },
        };
    };
}

const PRIVATE_AND_SHARED: &[State] = ALL;
const NO: Option<bool> = None;
const BARE: Option<bool> = Some(false);
const FULL: Option<bool> = Some(true);

next_to!(BARE_PREV, "bare_prev", "|. .'|0 ... 11|", BARE, NO, false);
next_to!(BARE_NEXT, "bare_next", "|0 ... 11|. .'|", NO, BARE, false);
next_to!(
    BARE_BOTH,
    "bare_both",
    "|. .'|0 ... 11|. .'|",
    BARE,
    BARE,
    false
);
next_to!(FULL_PREV, "full_prev", "|' '|0 ... 11|", FULL, NO, false);
next_to!(FULL_NEXT, "full_next", "|0 ... 11|' '|", NO, FULL, false);
next_to!(
    FULL_BOTH,
    "full_both",
    "|' '|0 ... 11|' '|",
    FULL,
    FULL,
    false
);
next_to!(
    BARE_FULL,
    "bare_full",
    "|. .'|0 ... 11|' '|",
    BARE,
    FULL,
    false
);
next_to!(
    FULL_BARE,
    "full_bare",
    "|' '|0 ... 11|. .'|",
    FULL,
    BARE,
    false
);
next_to!(
    KEEP_BARE_PREV,
    "keep_bare_prev",
    "|. .'|0 ... 11|, DONTUNMAP",
    BARE,
    NO,
    true
);
next_to!(
    KEEP_BARE_NEXT,
    "keep_bare_next",
    "|0 ... 11|. .'|, DONTUNMAP",
    NO,
    BARE,
    true
);
next_to!(
    KEEP_BARE_BOTH,
    "keep_bare_both",
    "|. .'|0 ... 11|. .'|, DONTUNMAP",
    BARE,
    BARE,
    true
);
next_to!(
    KEEP_BARE_FULL,
    "keep_bare_full",
    "|. .'|0 ... 11|' '|, DONTUNMAP",
    BARE,
    FULL,
    true
);

/// Every kind of neighbour.
pub const NEXT_TO: &[Op] = &[
    BARE_PREV,
    BARE_NEXT,
    BARE_BOTH,
    FULL_PREV,
    FULL_NEXT,
    FULL_BOTH,
    BARE_FULL,
    FULL_BARE,
    Op {
        name: "elsewhere_bare",
        picture: "to |. .'|0 ..... 11|. .'|",
        on: ALL,
        run: |g| elsewhere(g, false),
    },
    Op {
        name: "elsewhere_full",
        picture: "to |' '|0 ..... 11|' '|",
        on: ALL,
        run: |g| elsewhere(g, true),
    },
];
/// The same with MREMAP_DONTUNMAP.
pub const KEEP_NEXT_TO: &[Op] = &[
    KEEP_BARE_PREV,
    KEEP_BARE_NEXT,
    KEEP_BARE_BOTH,
    KEEP_BARE_FULL,
];
