//! The state folder, and private files that are replaced atomically.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The mode of a file for its owner alone.
const PRIVATE: u32 = 0o600;

/// The folder of this user: `$XDG_STATE_HOME/chat` or `~/.local/state/chat` (XDG Base Directory
/// Specification).
pub fn path() -> Option<PathBuf> {
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("chat"))
}

/// The folder that a variable names; a relative one counts for nothing, as the specification has
/// it.
pub(crate) fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// Creates a folder for its owner alone, unless it exists.
///
/// # Errors
/// The folder cannot be created.
pub fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Opens a file and restricts it to its owner.
///
/// # Errors
/// It cannot be opened.
pub fn open(options: &mut fs::OpenOptions, file: &Path) -> io::Result<fs::File> {
    let open = options.mode(PRIVATE).open(file)?;
    if open.metadata()?.permissions().mode() & 0o077 != 0 {
        open.set_permissions(fs::Permissions::from_mode(PRIVATE))?;
    }
    Ok(open)
}

/// Replaces the content of a file atomically, readable by its owner alone.
///
/// # Errors
/// The file is unchanged.
pub fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    make(folder)?;
    let mut written = NamedTempFile::new_in(folder)?;
    written.write_all(bytes)?;
    written.as_file().sync_all()?;
    written.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_could_read_is_made_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history");
        fs::write(&file, "one\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        open(fs::OpenOptions::new().append(true), &file).unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/state");
        for bytes in ["a longer text", "short"] {
            replace(&file, bytes.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), bytes);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        // In the place of a folder nothing is put, and nothing is left over.
        replace(&folder.path().join("new"), b"x").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }
}
