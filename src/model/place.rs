//! Where a package puts what the program needs besides itself: in the program's own folder, as the container image and
//! archives have it, or in `share/headroom` beside a `bin` folder, as Python wheels and distributions do.

use std::path::{Path, PathBuf};

/// `name` in every such folder, the nearest first; whether it is there is not looked at.
pub(super) fn installed(name: impl AsRef<Path>) -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(|program| program.canonicalize());
    program.map(|program| around(&program, name.as_ref())).unwrap_or_default()
}

fn around(program: &Path, name: &Path) -> Vec<PathBuf> {
    let Some(folder) = program.parent() else { return Vec::new() };
    let shared = folder.parent().map(|prefix| prefix.join("share/headroom").join(name));
    [Some(folder.join(name)), shared].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_its_files_beside_the_program_or_in_share() {
        let found = around(Path::new("/opt/venv/bin/headroom"), Path::new("models/small"));
        assert_eq!(
            found,
            [Path::new("/opt/venv/bin/models/small"), Path::new("/opt/venv/share/headroom/models/small")]
        );
        assert_eq!(around(Path::new("/"), Path::new("models")), Vec::<PathBuf>::new());
    }
}
