//! What a process has used, from /proc.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::error::{BenchError, Doing, Result};

/// Time on a processor of all threads, in nanoseconds of the scheduler (`man 5 proc`, schedstat).
/// A thread that ended since is not in the sum; none of the servers here ends threads while it serves.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).doing("the server's tasks")?;
    let mut nanoseconds = 0;
    for task in tasks {
        let path = task.doing("the server's tasks")?.path().join("schedstat");
        let schedstat = match fs::read_to_string(path) {
            Err(error) if has_ended(&error) => continue,
            schedstat => schedstat.doing("schedstat")?,
        };
        nanoseconds += first_number(&schedstat)
            .ok_or_else(|| BenchError::Server("schedstat is empty".to_owned()))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

pub(crate) fn threads(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/task"))
        .doing("the server's tasks")?
        .count())
}

/// Resident memory in bytes, counted exactly: the counter in `status` may be off by some pages for
/// each core. Takes the longer the more memory there is.
pub(crate) fn exact_rss(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).doing("smaps_rollup")?;
    kilobytes(&rollup, "Rss:")
        .ok_or_else(|| BenchError::Server("smaps_rollup has no Rss".to_owned()))
}

/// Resident memory in bytes as the kernel's running counter has it: quick enough to sample.
pub(crate) fn quick_rss(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).doing("status")?;
    kilobytes(&status, "VmRSS:")
        .ok_or_else(|| BenchError::Server("the server has ended".to_owned()))
}

/// How many file descriptors it has open.
pub(crate) fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))
        .doing("the server's files")?
        .count())
}

/// Whether whose file it is has ended meanwhile: before the file was opened, or after.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// The value behind `key`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(first_number(value)? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc_are_found() {
        assert_eq!(first_number("0 51246 1\n"), Some(0));
        assert_eq!(
            kilobytes("Name: x\nVmRSS:\t  12 kB\n", "VmRSS:"),
            Some(12_288)
        );
        assert_eq!(kilobytes("Name: x\n", "VmRSS:"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        let pid = std::process::id();
        assert!(cpu_time(pid).unwrap() > Duration::ZERO);
        assert!(exact_rss(pid).unwrap() > 0 && quick_rss(pid).unwrap() > 0);
    }
}
