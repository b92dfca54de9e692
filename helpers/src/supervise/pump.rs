// SPDX-License-Identifier: GPL-2.0-or-later
//! Lines out of a pipe, without ever waiting for it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The reading end of a pipe, non-blocking.
pub struct Pump {
    file: File,
    partial: Vec<u8>,
    longest: usize,
    /// Nothing more can come.
    pub ended: bool,
}

impl Pump {
    /// Lines longer than `longest` bytes are cut in pieces. `fd` must be non-blocking.
    pub fn new(fd: OwnedFd, longest: usize) -> Pump {
        Pump {
            file: File::from(fd),
            partial: Vec::new(),
            longest,
            ended: false,
        }
    }

    /// The descriptor to poll.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Reads once, and returns the lines that are whole now.
    pub fn read(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut chunk = [0; 65536];
        match self.file.read(&mut chunk) {
            Ok(0) => self.ended = true,
            Ok(n) => self.cut(&chunk[..n], &mut lines),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.ended = true,
        }
        lines
    }

    /// Reads what is there now, up to `most` bytes or so, and the last line even if it has no end.
    pub fn drain(&mut self, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut chunk = [0; 65536];
        let mut total = 0;
        while total < most {
            match self.file.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => {
                    total += n;
                    self.cut(&chunk[..n], &mut lines);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.ended = true;
        if !self.partial.is_empty() {
            lines.push(String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned());
        }
        lines
    }

    fn cut(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            self.partial.extend_from_slice(piece);
            let whole = self.partial.last() == Some(&b'\n');
            if whole || self.partial.len() >= self.longest {
                if whole {
                    self.partial.pop();
                }
                lines.push(String::from_utf8_lossy(&self.partial).into_owned());
                self.partial.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::OFlag;
    use nix::unistd::{pipe2, write};

    #[test]
    fn whole_lines_only() {
        let (r, w) = pipe2(OFlag::O_NONBLOCK).unwrap();
        let mut pump = Pump::new(r, 100);
        write(&w, b"one\ntw").unwrap();
        assert_eq!(pump.read(), ["one"]);
        assert!(pump.read().is_empty());
        write(&w, b"o\nhalf").unwrap();
        assert_eq!(pump.drain(1000), ["two", "half"]);
        assert!(pump.ended);
    }
}
