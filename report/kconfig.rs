// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration of the running kernel, as far as it matters here and can be found.

use flate2::read::GzDecoder;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

/// The options that the suite can make use of.
const WANTED: &str = include_str!("../config");

/// Where it was found, and what it says.
#[derive(Debug, Serialize)]
pub struct Kconfig {
    /// a path, or "unknown"
    pub source: String,
    /// `CONFIG_X` to `y`, `m`, `n` or a value; an option that this kernel does not have is not there
    pub options: BTreeMap<String, String>,
}

impl Default for Kconfig {
    fn default() -> Kconfig {
        Kconfig {
            source: "unknown".into(),
            options: BTreeMap::new(),
        }
    }
}

impl Kconfig {
    /// That of the kernel that is running.
    pub fn running() -> Kconfig {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = release.trim();
        let mut text = String::new();
        let gz = "/proc/config.gz";
        let unpacked = File::open(gz).and_then(|f| GzDecoder::new(f).read_to_string(&mut text));
        if unpacked.is_ok() {
            return Kconfig::parse(gz, &text);
        }
        let places = [
            format!("/boot/config-{release}"),
            format!("/lib/modules/{release}/config"),
            format!("/lib/modules/{release}/build/.config"),
        ];
        for place in places.iter().filter(|_| !release.is_empty()) {
            if let Ok(text) = std::fs::read_to_string(place) {
                return Kconfig::parse(place, &text);
            }
        }
        Kconfig::default()
    }

    fn parse(source: &str, text: &str) -> Kconfig {
        let wanted: Vec<&str> = WANTED.lines().filter_map(|l| Some(option(l)?.0)).collect();
        let options = text.lines().filter_map(option);
        Kconfig {
            source: source.into(),
            options: options
                .filter(|(name, _)| wanted.contains(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

/// `CONFIG_X=value` or `# CONFIG_X is not set`
fn option(line: &str) -> Option<(&str, &str)> {
    let (name, value) = match line.strip_prefix("# ") {
        Some(rest) => (rest.strip_suffix(" is not set")?, "n"),
        None => line.split_once('=')?,
    };
    name.starts_with("CONFIG_").then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let text =
            "CONFIG_KSM=y\nCONFIG_ZRAM=m\n# CONFIG_MEMORY_FAILURE is not set\nCONFIG_USB=y\n";
        let config = Kconfig::parse("x", text);
        let all: Vec<_> = config
            .options
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        assert_eq!(
            all,
            ["CONFIG_KSM=y", "CONFIG_MEMORY_FAILURE=n", "CONFIG_ZRAM=m"]
        );
    }
}
