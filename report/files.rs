// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that must be whole, or say how far it came, whatever happens to the machine.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Refuses a file that would take the place of what is read, or of another. `files`: with the options
/// that name them; `log`: what is read, where that is known.
pub fn apart(files: &[(&str, &Path)], log: Option<&Metadata>) -> Result<(), String> {
    let log = log.filter(|log| log.is_file());
    for (i, (option, path)) in files.iter().enumerate() {
        let there = fs::metadata(path).ok();
        let same = |a: &Metadata, b: &Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        if let (Some(log), Some(there)) = (log, &there)
            && same(log, there)
        {
            return Err(format!("{option} {}: is what is read", path.display()));
        }
        // Two may write to /dev/null, and lose nothing by it.
        if there.is_some_and(|there| there.file_type().is_char_device()) {
            continue;
        }
        let mut before = files[..i].iter();
        if let Some((other, _)) = before.find(|(_, other)| place(other) == place(path)) {
            let path = path.display();
            return Err(format!("{option} {path}: is the file of {other} too"));
        }
    }
    Ok(())
}

/// Where a path leads, also when nothing is there yet.
fn place(path: &Path) -> PathBuf {
    let found = fs::canonicalize(path).ok().or_else(|| {
        let dir = match path.parent()? {
            dir if dir.as_os_str().is_empty() => Path::new("."),
            dir => dir,
        };
        Some(fs::canonicalize(dir).ok()?.join(path.file_name()?))
    });
    found.unwrap_or_else(|| path.to_owned())
}

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
    /// Sees whether there can be one, and leaves everything as it is.
    pub fn check(path: &Path) -> Result<(), String> {
        let there = fs::metadata(path).ok();
        // The reader of a pipe would go away when it is closed again, and opening it waits for one;
        // a device may do anything.
        if there.as_ref().is_some_and(|t| !t.is_file() && !t.is_dir()) {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let tried = options.open(path).and_then(|_| match there {
            Some(_) => Ok(()),
            // Behind a link that led nowhere, the link stays.
            None => fs::remove_file(fs::canonicalize(path)?),
        });
        tried.map_err(|e| format!("--tap {}: {e}", path.display()))
    }

    /// A new one.
    pub fn create(path: &Path) -> Result<TapFile, String> {
        let file = File::create(path).map_err(|e| format!("--tap {}: {e}", path.display()))?;
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
