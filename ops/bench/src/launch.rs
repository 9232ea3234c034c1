//! What a server goes through before it is itself: `chat-bench launch` ties it to its cores, raises its
//! file limit, asks the kernel to end it with the bench, and becomes it. So no child outlives the bench,
//! however that ends, and the process id is the server's own.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{
    Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::error::{BenchError, Doing, Result};

/// Becomes `command`; returns only if that fails.
///
/// # Errors
/// When the bench has gone already or the command cannot be executed.
pub(crate) fn become_command(
    cores: &[usize],
    parent: Option<i32>,
    command: &[OsString],
) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).doing("parent-death signal")?;
    let ours = getppid().map(|pid| pid.as_raw_nonzero().get());
    if parent.is_some() && parent != ours {
        return Err(BenchError::Interrupted);
    }
    pin_to(cores)?;
    raise_file_limit();
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| BenchError::Server("no command to launch".to_owned()))?;
    let error: io::Error = Command::new(program).args(arguments).exec();
    Err(error).doing(&program.to_string_lossy())
}

/// Ties this process to these cores; to none in particular if there are none.
///
/// # Errors
/// When the machine has no such core.
pub(crate) fn pin_to(cores: &[usize]) -> Result<()> {
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    sched_setaffinity(None, &set).doing(&format!("pinning to core {cores:?}"))
}

/// As many descriptors as this user may have, beyond the hard limit if they are allowed to.
pub(crate) fn raise_file_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    for wanted in [Some(1 << 20), limit.maximum] {
        let maximum = limit.maximum.max(wanted);
        if setrlimit(
            Resource::Nofile,
            Rlimit {
                current: wanted,
                maximum,
            },
        )
        .is_ok()
        {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many cores there are, whatever this process is tied to.
pub(crate) fn cores_of_this_machine() -> usize {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count()
        .max(1)
}
