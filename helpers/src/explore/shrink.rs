// SPDX-License-Identifier: GPL-2.0-or-later
//! The shortest list that still fails (delta debugging, Zeller and Hildebrandt 2002).

/// Looks for a short selection of `0..n` for which `fails` says `Some(true)`, given that all of it failed. `None` ends the
/// search (no time left): the best so far is the result.
///
/// Every index that is left was tried alone if the search ended by itself: no single one can be dropped.
pub fn shrink(n: usize, mut fails: impl FnMut(&[usize]) -> Option<bool>) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..n).collect();
    let mut chunk = n.div_ceil(2).max(1);
    loop {
        let mut dropped = false;
        // From the end: what comes after the step that broke things is the cheapest to lose.
        let mut end = kept.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let rest: Vec<usize> = kept[..start].iter().chain(&kept[end..]).copied().collect();
            match fails(&rest) {
                None => return kept,
                Some(true) => {
                    kept = rest;
                    dropped = true;
                }
                Some(false) => {}
            }
            end = start;
        }
        if chunk > 1 {
            chunk = chunk.div_ceil(2);
        } else if !dropped {
            return kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_steps_that_matter() {
        for wanted in [&[3][..], &[0, 59], &[7, 8, 30], &[]] {
            let mut asked = 0;
            let found = shrink(60, |keep| {
                asked += 1;
                Some(wanted.iter().all(|w| keep.contains(w)))
            });
            assert_eq!(found, wanted);
            assert!(asked < 120, "{asked} attempts");
        }
    }

    #[test]
    fn a_step_that_makes_another_droppable() {
        // 5 matters only while 9 is there.
        let found = shrink(12, |k| {
            Some(k.contains(&2) && (!k.contains(&9) || k.contains(&5)))
        });
        assert_eq!(found, [2]);
    }

    #[test]
    fn stops_when_told() {
        let mut left = 3;
        let found = shrink(8, |k| {
            left -= 1;
            (left > 0).then_some(k.contains(&0))
        });
        assert!(found.contains(&0) && found.len() < 8, "{found:?}");
        assert!(shrink(0, |_| Some(false)).is_empty());
    }
}
