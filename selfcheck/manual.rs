// SPDX-License-Identifier: GPL-2.0-or-later
//! The man page: well formed, and it knows every option.

use crate::reports::validator;
use crate::support::REPORT;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn it_is_well_formed() {
    let page = format!("{ROOT}/rmap-selftests.7");
    let checks: [(&str, &[&str], &[&str]); 2] = [
        ("mandoc", &["-Tlint", "-Wwarning"], &["/dev/null"]),
        ("man", &["--warnings", "-Tutf8", "-l"], &["--version"]),
    ];
    for (program, args, there) in checks {
        if !validator("the man page", program, there) {
            continue;
        }
        let out = Command::new(program)
            .args(args)
            .arg(&page)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(
            out.status.success() && said.is_empty(),
            "{program}: {said}\n{out:?}"
        );
    }
}

/// What `--help` tells and the page does not would be found by nobody.
#[test]
fn it_knows_every_option() {
    let page = std::fs::read_to_string(format!("{ROOT}/rmap-selftests.7")).unwrap();
    let script = format!("{ROOT}/run_tests.sh");
    for command in [[script.as_str(), "-h"], [REPORT, "--help"]] {
        let out = Command::new(command[0]).arg(command[1]).output().unwrap();
        let help = String::from_utf8(out.stdout).unwrap();
        let mut known = 0;
        for line in help.lines().filter_map(|l| l.strip_prefix("  -")) {
            let option = line.split([' ', ',']).next().unwrap();
            assert!(
                page.lines().any(|l| {
                    let item = l
                        .strip_prefix(".It Fl ")
                        .map(|l| l.split(' ').next().unwrap());
                    item == Some(option)
                }),
                "-{option} of {} is not in the man page",
                command[0]
            );
            known += 1;
        }
        assert!(known > 5, "no options in:\n{help}");
    }
}
