// SPDX-License-Identifier: GPL-2.0-or-later
//! Writing a cpio archive of the "newc" kind, which the kernel unpacks as its
//! first root file system.

use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;

/// An archive being written.
pub struct Archive<W: Write> {
    out: W,
    inode: u32,
    written: usize,
    dirs: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    /// A new archive that goes to `out`.
    pub fn new(out: W) -> Archive<W> {
        Archive {
            out,
            inode: 0,
            written: 0,
            dirs: BTreeSet::new(),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes)?;
        self.written += bytes.len();
        Ok(())
    }

    fn pad(&mut self) -> Result<()> {
        let gap = self.written.next_multiple_of(4) - self.written;
        self.bytes(&[0; 3][..gap])
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8], device: (u32, u32)) -> Result<()> {
        self.inode += 1;
        let fields = [
            self.inode,
            mode,
            0,
            0,
            1,
            0,
            u32::try_from(content.len())?,
            0,
            0,
            device.0,
            device.1,
            u32::try_from(name.len() + 1)?,
            0,
        ];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        self.bytes(header.as_bytes())?;
        self.bytes(name.as_bytes())?;
        self.bytes(&[0])?;
        self.pad()?;
        self.bytes(content)?;
        self.pad()
    }

    /// Adds a directory and those above it, each once.
    pub fn dir(&mut self, name: &str) -> Result<()> {
        if self.dirs.contains(name) {
            return Ok(());
        }
        if let Some((above, _)) = name.rsplit_once('/') {
            self.dir(above)?;
        }
        self.entry(name, 0o040_755, &[], (0, 0))?;
        self.dirs.insert(name.into());
        Ok(())
    }

    /// Adds a file; `name` has no leading slash.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<()> {
        if let Some((above, _)) = name.rsplit_once('/') {
            self.dir(above)?;
        }
        self.entry(name, 0o100_000 | (mode & 0o7777), content, (0, 0))
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, name: &str, to: &str) -> Result<()> {
        if let Some((above, _)) = name.rsplit_once('/') {
            self.dir(above)?;
        }
        self.entry(name, 0o120_777, to.as_bytes(), (0, 0))
    }

    /// Adds a character device.
    pub fn device(&mut self, name: &str, major: u32, minor: u32) -> Result<()> {
        if let Some((above, _)) = name.rsplit_once('/') {
            self.dir(above)?;
        }
        self.entry(name, 0o020_600, &[], (major, minor))
    }

    /// Writes the end mark.
    pub fn finish(mut self) -> Result<W> {
        self.entry("TRAILER!!!", 0, &[], (0, 0))?;
        self.out.flush()?;
        Ok(self.out)
    }
}
