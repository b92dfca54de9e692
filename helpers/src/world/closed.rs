// SPDX-License-Identifier: GPL-2.0-or-later
//! What a mapping's protection forbids. A walk that puts an entry back asks the VMA what it may say (remove_migration_pte(),
//! do_swap_page(), mk_pte() and pte_mkwrite() elsewhere); an entry that allows too much shows in nothing but an access that succeeds.

use super::World;
use super::check::Finding;
use super::model::Held;
use super::sight::Lie;
use crate::actor::{Cmd, Reply};
use crate::{Stop, TestResult};
use nix::libc::{PROT_NONE, PROT_READ, PROT_WRITE};

/// Addresses per command.
const CHUNK: usize = 1500;

impl World<'_> {
    /// The kernel can write for no actor to what the actor may only read, and read nothing that it may not read, that a guard is on, or that
    /// userfaultfd protects from any access ([`super::Keeper::shut`]); nor write to what userfaultfd write-protects, since the suite's answer faults of user space only (UFFD_USER_MODE_ONLY), unless a write takes the protection
    /// off ([`super::Actor::scan_written`]). A write that succeeds has put the byte there that was there.
    #[track_caller]
    pub(super) fn check_closed(&self) -> TestResult {
        let ids: Vec<usize> = self.model.borrow().living().collect();
        let mut cmds = Vec::new();
        for id in ids {
            let (mut unwritable, mut unreadable) = (Vec::new(), Vec::new());
            {
                let (model, guarded) = (self.model.borrow(), self.guarded.borrow());
                let waits = !self.scanned.borrow().contains(&id);
                for (&vpn, slot) in model.spaces[id].iter().flatten() {
                    // Nothing is brought in that nobody has touched.
                    if slot.held == Held::Nothing {
                        continue;
                    }
                    if slot.held == Held::Guard || self.is_shut((id, vpn)) {
                        unreadable.push(vpn * self.page);
                        continue;
                    }
                    match slot.prot & (PROT_READ | PROT_WRITE) {
                        PROT_READ => unwritable.push(vpn * self.page),
                        PROT_NONE => unreadable.push(vpn * self.page),
                        _ if waits && guarded.contains(&(id, vpn)) => {
                            // Merging does not carry the mark over (replace_page()).
                            let merged = matches!(slot.held, Held::Frame(f) if model.frames[f].ksm);
                            unwritable.extend((!merged).then_some(vpn * self.page));
                        }
                        _ => {}
                    }
                }
            }
            let write = |addrs: &[usize]| Cmd::ProbeWrite {
                addrs: addrs.to_vec(),
            };
            let read = |addrs: &[usize]| Cmd::Probe {
                addrs: addrs.to_vec(),
            };
            cmds.extend(unwritable.chunks(CHUNK).map(|c| (id, write(c))));
            cmds.extend(unreadable.chunks(CHUNK).map(|c| (id, read(c))));
        }
        if cmds.is_empty() {
            return Ok(());
        }
        for ((id, cmd), reply) in cmds.iter().zip(self.ask_all(&cmds)?) {
            let (addrs, access) = match cmd {
                Cmd::ProbeWrite { addrs } => (addrs, "write"),
                Cmd::Probe { addrs } => (addrs, "read"),
                other => return Err(Stop::error(format_args!("not a probe: {other:?}"))),
            };
            let Reply::Values(errnos) = reply else {
                return Err(Stop::error(format_args!("an unexpected reply {reply:?}")));
            };
            let lie = self.eye.lie == Some(Lie::Protection);
            if let Some(i) = errnos.iter().position(|&e| e == 0 || lie) {
                return Err(self.report(&Finding {
                    property: "a page can be read and written as its mapping allows, and not otherwise",
                    detail: format!("a {access} succeeded that must be refused"),
                    at: Some((*id, addrs[i] / self.page)),
                }));
            }
        }
        Ok(())
    }
}
