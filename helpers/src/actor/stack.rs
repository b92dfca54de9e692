// SPDX-License-Identifier: GPL-2.0-or-later
//! The stack that execve(2) makes: an actor executes its program anew with an environment of many pages, which the kernel copies to the end of the
//! address space and then moves to where the stack is to be (shift_arg_pages()).

use nix::errno::Errno;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

/// Bytes of one string of the environment: below MAX_ARG_STRLEN (32 pages of 4 KiB).
const STRING: usize = 100 << 10;

/// An environment of at least so many bytes, and nothing else in it. The same for the same number.
pub fn environment(bytes: usize) -> Vec<CString> {
    (0..bytes.div_ceil(STRING))
        .map(|n| {
            let mut text = format!("RMAP{n}=").into_bytes();
            text.extend((0..STRING).map(|i| letter(n, i)));
            CString::new(text).expect("no NUL among the letters")
        })
        .collect()
}

/// Unlike for neighbouring places, so that a shifted string differs.
fn letter(string: usize, i: usize) -> u8 {
    let z = (string as u64 * STRING as u64 + i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    b'!' + ((z >> 32) % 90) as u8
}

/// Where the strings of this program's environment are, `(first byte, one past the last)`, when they are what [`environment`] made.
///
/// # Errors
/// EBADMSG when they are not; the errno of a read of /proc/self/stat.
pub fn verified(bytes: usize) -> Result<(usize, usize), Errno> {
    let wanted = environment(bytes);
    let mut seen = 0;
    for (name, value) in std::env::vars_os() {
        let Some(string) = wanted.get(seen) else {
            return Err(Errno::EBADMSG);
        };
        let text = [name.as_bytes(), b"=", value.as_bytes()].concat();
        if text != string.as_bytes() {
            return Err(Errno::EBADMSG);
        }
        seen += 1;
    }
    if seen != wanted.len() {
        return Err(Errno::EBADMSG);
    }
    let stat = procfs::process::Process::myself().and_then(|p| p.stat());
    let stat = stat.map_err(|_| Errno::EIO)?;
    match (stat.env_start, stat.env_end) {
        (Some(start), Some(end)) if start < end => Ok((start as usize, end as usize)),
        _ => Err(Errno::EIO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_as_large_as_asked_and_the_same_again() {
        let env = environment(STRING + 1);
        assert_eq!(env.len(), 2);
        assert!(env.iter().all(|s| s.as_bytes().len() > STRING));
        assert_eq!(env, environment(STRING + 1));
        assert_ne!(env[0].as_bytes()[6..], env[1].as_bytes()[6..]);
        // Not this program's.
        assert_eq!(verified(0), Err(Errno::EBADMSG));
    }
}
