//! Files that only their owner may read, and the names of files beside them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Access for the owner alone.
pub(super) const PRIVATE: u32 = 0o600;

/// Removes all access of the group and of others to a file. Does nothing if the file does not
/// exist.
pub(super) fn restrict(file: &Path) {
    let Ok(metadata) = fs::metadata(file) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() || mode & !PRIVATE == 0 {
        return;
    }
    match fs::set_permissions(file, fs::Permissions::from_mode(mode & PRIVATE)) {
        Ok(()) => log::warn!("{}: mode {mode:o} was set to 600", file.display()),
        Err(error) => log::warn!("{}: cannot set mode 600: {error}", file.display()),
    }
}

/// Returns `path` with `suffix` appended to the file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
