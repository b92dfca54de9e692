// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading and writing one-value files.

use std::io;
use std::path::Path;

/// The trimmed content. For files with a choice ("always [madvise] never") see [`chosen`].
pub fn read(_path: impl AsRef<Path>) -> io::Result<String> {
    unimplemented!()
}
/// The content as a number.
pub fn read_u64(_path: impl AsRef<Path>) -> io::Result<u64> {
    unimplemented!()
}
/// Writes the value with one write(2).
pub fn write(_path: impl AsRef<Path>, _value: &str) -> io::Result<()> {
    unimplemented!()
}
/// The word in brackets, or the whole content when there is none: what has to be written back to restore the file.
pub fn chosen(_content: &str) -> &str {
    unimplemented!()
}
