// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that must be whole, or say how far it came, whatever happens to the machine.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A form of report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// XML
    Junit,
    /// lab/report.schema.json
    Json,
}

impl Kind {
    fn option(self) -> &'static str {
        match self {
            Kind::Junit => "--junit",
            Kind::Json => "--json",
        }
    }
}

/// Where a report goes: written beside, then renamed.
pub struct Sink {
    kind: Kind,
    path: PathBuf,
    /// none: a device or a pipe, which is written once
    beside: Option<PathBuf>,
}

impl Sink {
    /// Sees whether it can be written.
    pub fn open(kind: Kind, path: &Path) -> Result<Sink, String> {
        // What a link leads to is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let error = |e| format!("{} {}: {e}", kind.option(), path.display());
        let regular = match fs::metadata(&path) {
            Ok(meta) => meta.is_file(),
            Err(_) => true,
        };
        let mut beside = None;
        if path.is_dir() || path.file_name().is_none() {
            return Err(format!(
                "{} {}: is a directory",
                kind.option(),
                path.display()
            ));
        } else if regular {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{}", std::process::id()));
            File::create(&name).map_err(error)?;
            fs::remove_file(&name).map_err(error)?;
            beside = Some(PathBuf::from(name));
        }
        Ok(Sink { kind, path, beside })
    }

    /// Writes the report anew.
    pub fn write(
        &mut self,
        last: bool,
        text: impl Fn(Kind) -> Result<String, String>,
    ) -> Result<(), String> {
        let to = match &self.beside {
            Some(beside) => beside,
            None if last => &self.path,
            None => return Ok(()),
        };
        let text = text(self.kind)?;
        let write = || {
            let mut file = File::create(to)?;
            file.write_all(text.as_bytes())?;
            if to != &self.path {
                file.sync_data()?;
                fs::rename(to, &self.path)?;
            }
            Ok(())
        };
        write().map_err(|e: std::io::Error| {
            format!("{} {}: {e}", self.kind.option(), self.path.display())
        })
    }
}

/// A copy of the stream that survives the machine.
pub struct TapFile {
    file: File,
    path: PathBuf,
}

impl TapFile {
    /// A new one; or, to see whether that can be done, the old one as it is.
    pub fn create(path: &Path, check: bool) -> Result<TapFile, String> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(!check)
            .open(path)
            .map_err(|e| format!("--tap {}: {e}", path.display()))?;
        Ok(TapFile {
            file,
            path: path.to_owned(),
        })
    }

    /// Adds a line; `hold`: it must be on the disk before anything else happens.
    pub fn line(&mut self, line: &str, hold: bool) -> Result<(), String> {
        let text = format!("{line}\n");
        let done = self.file.write_all(text.as_bytes());
        done.map_err(|e| format!("--tap {}: {e}", self.path.display()))?;
        if hold { self.sync() } else { Ok(()) }
    }

    /// Has the disk take all of it. A pipe has nothing to be synchronised.
    pub fn sync(&mut self) -> Result<(), String> {
        match self.file.sync_data() {
            Err(e) if e.kind() != std::io::ErrorKind::InvalidInput => {
                Err(format!("--tap {}: {e}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}
