// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading and writing one-value files.
//!
//! Errors keep the kernel's errno (`raw_os_error`): callers tell a missing knob from a refused
//! value by it, and name the path when they report.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The trimmed content. For files with a choice (`always [madvise] never`) see [`chosen`].
///
/// # Errors
/// Those of open(2) and read(2).
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

/// The content as a number, decimal.
///
/// # Errors
/// Those of open(2) and read(2); `InvalidData` for what is no number.
pub fn read_u64(path: impl AsRef<Path>) -> io::Result<u64> {
    let text = read(path)?;
    text.parse().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("not a number: {text:?}"),
        )
    })
}

/// Writes the value with one write(2): each write is one order to the kernel, half of it another.
/// Creates no file, so a knob that is missing stays missing also in a test's scratch directory.
///
/// # Errors
/// Those of open(2) and write(2); `WriteZero` when the kernel took only a part.
pub fn write(path: impl AsRef<Path>, value: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    loop {
        return match file.write(value.as_bytes()) {
            Ok(n) if n == value.len() => Ok(()),
            Ok(_) => Err(io::ErrorKind::WriteZero.into()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => Err(e),
        };
    }
}

/// The word in brackets, or the whole content when there is none: what has to be written back to restore the file.
pub fn chosen(content: &str) -> &str {
    content
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or(content.trim(), |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_word() {
        assert_eq!(chosen("always [madvise] never\n"), "madvise");
        assert_eq!(chosen("lzo [lzo-rle]"), "lzo-rle");
        assert_eq!(chosen(" 60\n"), "60");
        assert_eq!(chosen("]odd["), "]odd[");
    }

    #[test]
    fn files() {
        assert_eq!(read("/proc/sys/kernel/ostype").unwrap(), "Linux");
        assert!(read_u64("/proc/sys/kernel/pid_max").unwrap() > 0);
        assert_eq!(
            read_u64("/proc/sys/kernel/ostype").unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        let e = write("/proc/sys/kernel/no-such-knob", "1").unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::NotFound);
        // The caller's own; written back as it was.
        let score = read("/proc/self/oom_score_adj").unwrap();
        write("/proc/self/oom_score_adj", &score).unwrap();
        assert_eq!(read("/proc/self/oom_score_adj").unwrap(), score);
    }
}
