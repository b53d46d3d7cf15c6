//! Files and folders for the eyes of the user alone who runs the proxy.

#[cfg(unix)]
use std::fs;
use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    path::Path,
};

/// How a file is opened that nobody else may read where it is made.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the folder of a file, which nobody else may enter, and those above it, where they are missing. From one that is
/// our `own` it takes others' rights with which it was made.
pub(crate) fn folder_of(file: &Path, own: bool) -> io::Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    if own {
        use std::os::unix::fs::PermissionsExt as _;
        let found = fs::metadata(folder)?.permissions();
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    let _ = own;
    Ok(())
}
