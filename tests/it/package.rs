//! The Debian package: that it installs, runs and goes without a trace.

use std::process::Command;

use crate::support::{Run, program, project};

#[test]
fn the_debian_package_installs_runs_and_is_purged_without_a_trace() {
    let mut command = Command::new(project("packaging/test-deb.sh"));
    let run: Run = command.arg(program().get_program()).output().unwrap().into();
    print!("{}", run.stdout);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    let end = run.stdout.lines().last().unwrap_or_default();
    assert!(end.starts_with("skipped: ") || end.ends_with("nothing is left"), "{end}");
}
