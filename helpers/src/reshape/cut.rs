// SPDX-License-Identifier: GPL-2.0-or-later
//! Splits, merges, shifted boundaries and holes (__split_vma(), vma_merge(), vma_expand(), commit_merge(), do_vmi_munmap()).

#![allow(missing_docs)] // each has its picture

use super::{ALL, ANON, Ground, N, Op, PRIVATE};
use crate::TestResult;
use crate::sys::mem::advice;
use crate::topology::{R, RW};

pub const SPLIT: &[Op] = &[
    Op {
        name: "low",
        picture: "|r 0..3|4......11|",
        on: ALL,
        run: |g| g.c.protect(g.a.sub(0..4), R),
    },
    MIDDLE,
    Op {
        name: "high",
        picture: "|0......7|r 8..11|",
        on: ALL,
        run: |g| g.c.protect(g.a.sub(8..N), R),
    },
    Op {
        name: "comb",
        picture: "|0|r 1|2|r 3|4|r 5|...|r 11|",
        on: ALL,
        run: |g| comb(g, g.c),
    },
    Op {
        name: "no_access",
        picture: "|. 0 1|r 2..4|. 5 6|r 7..10|. 11|, read-only first",
        on: ALL,
        run: |g| {
            g.c.protect(g.a, R)?;
            g.c.protect(g.a.sub(0..2), 0)?;
            g.c.protect(g.a.sub(5..7), 0)?;
            g.c.protect(g.a.page(N - 1), 0)
        },
    },
];

pub const MIDDLE: Op = Op {
    name: "middle",
    picture: "|0....3|r 4....7|8...11|",
    on: ALL,
    run: |g| g.c.protect(g.a.sub(4..8), R),
};

fn comb(g: &Ground, c: crate::world::Actor) -> TestResult {
    (1..N)
        .step_by(2)
        .try_for_each(|i| c.protect(g.a.page(i), R))
}

pub const REMERGE: Op = Op {
    name: "remerge",
    picture: "|0........11|, was |0....3|r 4....7|8...11|",
    on: ALL,
    run: |g| {
        g.c.protect(g.a.sub(4..8), R)?;
        g.c.protect(g.a.sub(4..8), RW)
    },
};

pub const SHREDS: Op = Op {
    name: "shreds",
    picture: "|0........11|, was cut at every page, joined in an order that extends to both sides",
    on: ALL,
    run: |g| {
        comb(g, g.c)?;
        for i in [5, 3, 7, 9, 1, 11] {
            g.c.protect(g.a.page(i), RW)?;
        }
        g.c.write(g.a.page(11))
    },
};

pub const WRITE_REMERGE: Op = Op {
    name: "write_remerge",
    picture: "|0........11|, 1 2 and 5 6 written while |0 1 2|r 3 4|5...11|",
    on: ALL,
    run: |g| {
        g.c.protect(g.a.sub(3..5), R)?;
        g.c.write(g.a.sub(1..3))?;
        g.c.write(g.a.sub(5..7))?;
        g.c.protect(g.a.sub(3..5), RW)?;
        g.c.write(g.a.sub(3..4))
    },
};

/// Cut in three by MADV_DONTDUMP, which keeps them from borrowing each other's anon_vma, some of them written, joined again. Which of the
/// three have an anon_vma decides which VMA takes whose (dup_anon_vma()), and with which neighbour the middle one merges, or with both.
macro_rules! join {
    ($name:literal, $picture:literal, $cut:expr, $($part:expr),*) => {
        Op {
            name: $name,
            picture: $picture,
            on: PRIVATE,
            run: |g| {
                for (from, to) in $cut {
                    g.c.advise(g.a.sub(from..to), advice::DONTDUMP)?;
                }
                $(g.c.write(g.a.sub($part).sub(1..3))?;)*
                for (from, to) in $cut {
                    g.c.advise(g.a.sub(from..to), advice::DODUMP)?;
                }
                Ok(())
            },
        }
    };
}

pub const JOIN: &[Op] = &[
    REMERGE,
    SHREDS,
    WRITE_REMERGE,
    join!("none", "|0..3 4..7 8..11|, 4..7 was apart", [(4, 8)],),
    join!(
        "left",
        "|0 1' 2' 3 4..7 8..11|, 4..7 was apart",
        [(4, 8)],
        0..4
    ),
    join!(
        "middle",
        "|0..3 4 5' 6' 7 8..11|, 4..7 was apart",
        [(4, 8)],
        4..8
    ),
    join!(
        "right",
        "|0..3 4..7 8 9' 10' 11|, 4..7 was apart",
        [(4, 8)],
        8..N
    ),
    join!(
        "ends",
        "|0 1' 2' 3 4..7|8 9' 10' 11|, 4..7 was apart",
        [(4, 8)],
        0..4,
        8..N
    ),
    join!(
        "left_middle",
        "|0 1' 2' 3|4 5' 6' 7 8..11|, 4..7 was apart",
        [(4, 8)],
        0..4,
        4..8
    ),
    join!(
        "middle_right",
        "|0..3 4 5' 6' 7|8 9' 10' 11|, 4..7 was apart",
        [(4, 8)],
        8..N,
        4..8
    ),
    join!(
        "sides_left",
        "|0 1' 2' 3 4..7 8..11|, the sides were apart",
        [(0, 4), (8, N)],
        0..4
    ),
    join!(
        "sides_right",
        "|0..3 4..7 8 9' 10' 11|, the sides were apart",
        [(8, N), (0, 4)],
        8..N
    ),
    join!(
        "sides_middle",
        "|0..3 4 5' 6' 7 8..11|, the sides were apart",
        [(0, 4), (8, N)],
        4..8
    ),
];

pub const RIGHT: Op = Op {
    name: "right",
    picture: "|0......6|r 7..11|, was |0....3|r 4...11|",
    on: ALL,
    run: |g| {
        g.c.protect(g.a.sub(4..N), R)?;
        g.c.protect(g.a.sub(4..7), RW)
    },
};

pub const LEFT: Op = Op {
    name: "left",
    picture: "|0....3|r 4...11|, was |0......6|r 7..11|",
    on: ALL,
    run: |g| {
        g.c.protect(g.a.sub(7..N), R)?;
        g.c.protect(g.a.sub(4..7), R)
    },
};

pub const BOTH_WAYS: Op = Op {
    name: "both_ways",
    picture: "|0....4|r 5...11|, was cut at 4, 8 and 2",
    on: ALL,
    run: |g| {
        g.c.protect(g.a.sub(4..N), R)?;
        g.c.protect(g.a.sub(4..8), RW)?;
        g.c.protect(g.a.sub(2..8), R)?;
        g.c.protect(g.a.sub(2..5), RW)
    },
};

pub const RIGHT_AMONG_OTHERS: Op = Op {
    name: "right_among_others",
    picture: "|0......6|r 7..11|, another process has |0|r 1|2|r 3|...|r 11|",
    on: ALL,
    run: |g| {
        comb(g, g.c.fork("comb")?)?;
        (RIGHT.run)(g)
    },
};

pub const LEFT_AMONG_OTHERS: Op = Op {
    name: "left_among_others",
    picture: "|0....3|r 4...11|, another process has |0|r 1|2|r 3|...|r 11|",
    on: ALL,
    run: |g| {
        comb(g, g.c.fork("comb")?)?;
        (LEFT.run)(g)
    },
};

/// A part of one VMA goes over to its neighbour; only one of them has pages by then, or each its own. Where the kernel does not merge such the part
/// stays a VMA.
macro_rules! shift {
    ($name:literal, $picture:literal, [$from:expr, $to:expr], $moved:expr, $back:ident, $($part:expr),*) => {
        Op {
            name: $name,
            picture: $picture,
            on: PRIVATE,
            run: |g| {
                g.c.advise(g.a.sub($from..$to), advice::DONTDUMP)?;
                $(g.c.write(g.a.sub($part))?;)*
                g.c.advise(g.a.sub($moved), advice::$back)
            },
        }
    };
}

pub const SHIFT: &[Op] = &[
    shift!(
        "right_to_untouched",
        "|0......6|7..11|, was |0..3|4 5' 6' 7..11|",
        [4, N],
        4..7,
        DODUMP,
        5..7
    ),
    shift!(
        "left_to_untouched",
        "|0..3|4......11|, was |0..3 4 5' 6'|7..11|",
        [7, N],
        4..7,
        DONTDUMP,
        5..7
    ),
    shift!(
        "right_of_two",
        "|0......6|7..11|, was |0' 1' 2 3|4 5' 6' 7..11|",
        [4, N],
        4..7,
        DODUMP,
        5..7,
        0..2
    ),
    RIGHT,
    LEFT,
    BOTH_WAYS,
    Op {
        name: "right_bare",
        picture: "|0......6'|r 7..11|, the pages that changed sides written after",
        on: ALL,
        run: |g| {
            (RIGHT.run)(g)?;
            g.c.write(g.a.sub(4..7))
        },
    },
    Op {
        name: "to_the_end",
        picture: "|0........10|r 11|, then |0|r 1........11|",
        on: ALL,
        run: |g| {
            g.c.protect(g.a.sub(4..N), R)?;
            g.c.protect(g.a.sub(4..N - 1), RW)?;
            g.c.protect(g.a.sub(1..N - 1), R)
        },
    },
];

pub const HEAD: Op = Op {
    name: "head",
    picture: ". . . . .|5 6 7 8 9 10 11|",
    on: ALL,
    run: |g| g.c.unmap(g.a.sub(0..5)),
};

pub const HOLE: Op = Op {
    name: "hole",
    picture: "|0 1 2|. . .|6 7 8 9 10 11|",
    on: ALL,
    run: |g| g.c.unmap(g.a.sub(3..6)),
};

pub const TAIL: Op = Op {
    name: "tail",
    picture: "|0 1 2 3 4 5|. . . . . .",
    on: ALL,
    run: |g| g.c.unmap(g.a.sub(6..N)),
};

pub const REFILL: Op = Op {
    name: "refill",
    picture: "|0 1 2 3 4 5' 6' 7 8 9 10 11|, 4..8 mapped anew",
    on: ALL,
    run: |g| {
        g.c.unmap(g.a.sub(4..8))?;
        g.map(g.a.sub(4..8), 4)?;
        g.c.write(g.a.sub(5..7))
    },
};

pub const UNMAP: &[Op] = &[
    HEAD,
    HOLE,
    TAIL,
    REFILL,
    Op {
        name: "holes",
        picture: "|0|.|2|.|4|.|6|.|8|.|10|.",
        on: ALL,
        run: |g| (1..N).step_by(2).try_for_each(|i| g.c.unmap(g.a.page(i))),
    },
    Op {
        name: "refill_later",
        picture: "|0..3|4' 5' 6' 7'|8..11|, written by the first touch only after a fork",
        on: ALL,
        run: |g| {
            g.c.unmap(g.a.sub(4..8))?;
            g.map(g.a.sub(4..8), 4)?;
            g.c.fork("refilled").map(drop)
        },
    },
];

/// MAP_FIXED on top of a part.
pub const OVER: &[Op] = &[
    Op {
        name: "over_head",
        picture: "|-2' .. 3'|4 ..... 11|",
        on: ALL,
        run: |g| {
            let at = span(g, -2, 4);
            g.map(at, -2)?;
            g.c.write(at.sub(1..4))
        },
    },
    Op {
        name: "over_middle",
        picture: "|0..3|4' 5' 6' 7'|8..11|",
        on: ALL,
        run: |g| {
            g.map(g.a.sub(4..8), 4)?;
            g.c.write(g.a.page(5))
        },
    },
    Op {
        name: "over_tail",
        picture: "|0 ..... 7|8' .. 13'|",
        on: ALL,
        run: |g| {
            let at = span(g, 8, 14);
            g.map(at, 8)?;
            g.c.write(at.sub(2..5))
        },
    },
    Op {
        name: "over_all",
        picture: "|-1' 0' ........ 12'|",
        on: ALL,
        run: |g| {
            let at = span(g, -1, N as isize + 1);
            g.map(at, -1)?;
            g.c.write(at.sub(0..2))
        },
    },
    Op {
        name: "over_cuts",
        picture: "|0 1|r 2|3' ... 8'|9|r 10|11|, was cut at every page",
        on: ALL,
        run: |g| {
            comb(g, g.c)?;
            g.map(g.a.sub(3..9), 3)?;
            g.c.write(g.a.sub(4..6))
        },
    },
    Op {
        name: "over_by_other_kind",
        picture: "|0..3|4' 5' 6' 7'|8 9|10' 11'|, ' other pages of the object, then of nobody",
        on: ALL,
        run: |g| {
            g.map(g.a.sub(4..8), 8)?;
            g.c.write(g.a.page(5))?;
            g.c.map(g.a.sub(10..N))?;
            g.c.write(g.a.page(10))
        },
    },
];

/// What fills the gap between an area that was not touched and one that was makes one area of them.
fn bridge_from_bare(g: &Ground) -> TestResult {
    g.c.unmap(g.a)?;
    g.map(g.a.sub(0..4), 0)?;
    g.map(g.a.sub(6..N), 6)?;
    g.c.write(g.a.sub(6..N))?;
    g.map(g.a.sub(4..6), 4)
}

/// New memory beside old, which may join it.
pub const BESIDE: &[Op] = &[
    Op {
        name: "before",
        picture: "|-2' -1' 0 ........ 11|",
        on: ALL,
        run: |g| {
            g.map(g.a.before(2), -2)?;
            g.c.write(g.a.before(1))
        },
    },
    Op {
        name: "after",
        picture: "|0 ........ 11 12' 13'|",
        on: ALL,
        run: |g| {
            g.map(g.a.after(2), N as isize)?;
            g.c.write(g.a.after(1))
        },
    },
    Op {
        name: "both_sides",
        picture: "|-2' -1' 0 ........ 11 12' 13'|",
        on: ALL,
        run: |g| {
            g.map(g.a.after(2), N as isize)?;
            g.map(g.a.before(2), -2)?;
            g.c.write(g.a.before(1))?;
            g.c.write(g.a.after(1))
        },
    },
    Op {
        name: "bridge",
        picture: "|0 ..... 3|4' 5'|6 ..... 11|, 6..11 were touched by themselves",
        on: PRIVATE,
        run: |g| {
            g.c.unmap(g.a.sub(4..N))?;
            g.map(g.a.sub(6..N), 6)?;
            g.c.write(g.a.sub(6..N))?;
            g.map(g.a.sub(4..6), 4)?;
            g.c.write(g.a.sub(4..6))
        },
    },
    Op {
        name: "bridge_from_bare",
        picture: "|0 .. 3 4 5 6' .. 11'|, 0..3 were not touched",
        on: PRIVATE,
        run: |g| {
            bridge_from_bare(g)?;
            g.c.write(g.a.sub(3..5))
        },
    },
    // Nothing is touched afterwards: the next touch would make an anon_vma, maybe where the lost one was.
    Op {
        name: "bridge_from_bare_only",
        picture: "|0 .. 3 4 5 6' .. 11'|, nothing else was touched",
        on: PRIVATE,
        run: bridge_from_bare,
    },
    Op {
        name: "bridge_to_bare",
        picture: "|0' .. 3' 4 5 6 .. 11|, 6..11 were not touched",
        on: PRIVATE,
        run: |g| {
            g.c.unmap(g.a)?;
            g.map(g.a.sub(0..4), 0)?;
            g.c.write(g.a.sub(0..4))?;
            g.map(g.a.sub(6..N), 6)?;
            g.map(g.a.sub(4..6), 4)?;
            g.c.write(g.a.sub(5..8))
        },
    },
    Op {
        name: "opened_between",
        picture: "|0 .. 3 4 .. 7 8' .. 11'|, 4..7 were read only, nothing but 8..11 touched",
        on: PRIVATE,
        run: |g| {
            g.c.unmap(g.a)?;
            g.map(g.a, 0)?;
            g.c.protect(g.a.sub(4..8), R)?;
            g.c.write(g.a.sub(8..N))?;
            g.c.protect(g.a.sub(4..8), RW)?;
            g.c.write(g.a.sub(2..6))
        },
    },
    Op {
        name: "neighbours_first",
        picture: "|-2' -1'|0 ........ 11|12' 13'|, neighbours touched, then the rest",
        on: ANON,
        run: |g| {
            g.c.protect(g.a, R)?;
            g.map(g.a.after(2), N as isize)?;
            g.map(g.a.before(2), -2)?;
            g.c.write(g.a.before(2))?;
            g.c.write(g.a.after(2))?;
            g.c.protect(g.a, RW)?;
            g.c.write(g.a.sub(3..9))
        },
    },
];

/// Pages of the surroundings, counted from the first page of the mapping.
fn span(g: &Ground, from: isize, to: isize) -> crate::world::Area {
    crate::world::Area {
        vpn: g.a.vpn.wrapping_add_signed(from),
        pages: (to - from) as usize,
    }
}
