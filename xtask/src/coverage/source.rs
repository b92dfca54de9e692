// SPDX-License-Identifier: GPL-2.0-or-later
//! The functions of a source file in the kernel's style, where a body is between braces in the first column. gcov
//! knows an inlined function's lines, but not whose they are.

use std::ops::RangeInclusive;

/// A function and its lines, counted from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// its name
    pub name: String,
    /// from the first line of its head to the closing brace
    pub lines: RangeInclusive<usize>,
}

/// The name in front of the first parenthesis of a definition's head; of a system call, the first name behind it.
pub fn name(head: &str) -> Option<&str> {
    let (begin, rest) = head.split_once('(')?;
    let begin = begin.trim_end();
    let at = begin
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map_or(0, |at| at + 1);
    match &begin[at..] {
        "" => None,
        name if name.starts_with("SYSCALL_DEFINE") => rest.split([',', ')']).next(),
        name => Some(name),
    }
}

/// All functions, in order.
pub fn functions(text: &str) -> Vec<Function> {
    let mut all = Vec::new();
    // The lines of a definition so far, since the last line that cannot be a part of one.
    let mut head = String::new();
    let mut first = 0;
    let mut open: Option<String> = None;
    for (at, line) in text.lines().enumerate() {
        if open.is_some() {
            if line.starts_with('}') {
                all.push(Function {
                    name: open.take().unwrap_or_default(),
                    lines: first..=at + 1,
                });
                head.clear();
            }
        } else if line.starts_with('{') {
            open = name(&head).map(String::from);
        } else if line.is_empty()
            || line.starts_with(['#', '/', '}'])
            || line.starts_with(" *")
            || line.ends_with([';', ':', '}'])
        {
            head.clear();
        } else {
            if head.is_empty() {
                first = at + 1;
            }
            head.push_str(line);
            head.push(' ');
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_the_kernels_style() {
        let text = "\
#include <x.h>

/*
 * one() is no definition
 */
static inline struct x *one(void)
{
\tif (a) {
\t}
}

struct s {
\tint a;
};

static __always_inline
int two(struct folio *folio,
\t\tint b)
{
}

SYSCALL_DEFINE5(mremap, unsigned long, addr)
{
}
int proto(void);
static inline void empty(void) {}
const struct x y[] =
{
\t1,
};
";
        let found = functions(text);
        let seen: Vec<_> = found.iter().map(|f| (&*f.name, f.lines.clone())).collect();
        assert_eq!(
            seen,
            [("one", 6..=10), ("two", 16..=20), ("mremap", 22..=24)]
        );
    }
}
