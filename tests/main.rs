// SPDX-License-Identifier: GPL-2.0-or-later
//! All programs of the suite in one, which is what boards get: it is whichever program it is called by the name of.
//!
//! The programs share nearly all of their code, so one of them is hardly smaller than all together, and it is linked once.

/// Declares the programs as modules: tests/NAME.rs, its main() and its name.
macro_rules! programs {
    ($($name:ident)*) => {
        $(mod $name;)*
        const PROGRAMS: &[(&str, fn())] = &[$((stringify!($name), $name::main)),*];
    };
}

programs! {
    exec_stack explore file_shared fork_chain fork_design fork_dontfork fork_mlock fork_tree fork_vma fork_wipeonfork gup
    hugetlb khugepaged ksm ksm_unmerge memory_failure mlock numa_hint reclaim referenced swap thp thp_collapse uffd_fork uffd_move uffd_rwp uffd_wp vma_ops walks
}

fn main() {
    // An actor that a test executed anew is called by no program's name.
    helpers::actor::exec_entry();
    let called = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&called)
        .file_name()
        .unwrap_or_default();
    match PROGRAMS.iter().find(|(program, _)| name == *program) {
        Some((_, main)) => main(),
        None => {
            // Not eprintln!, which panics when standard error is closed.
            use std::io::Write;
            let names: Vec<&str> = PROGRAMS.iter().map(|(program, _)| *program).collect();
            let _ = writeln!(
                std::io::stderr(),
                "{}: no program of the suite; link me to one of these names: {}",
                name.display(),
                names.join(" ")
            );
            std::process::exit(1);
        }
    }
}
