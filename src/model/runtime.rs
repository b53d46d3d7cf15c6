//! ONNX Runtime: where its library is found, and the one environment of the process.

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ort::environment::Environment;

use super::manifest::hash as sha256;

/// The loaded library.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// Sessions are made in it; a process may have one only.
    pub(crate) environment: Environment,
    /// The library that was loaded.
    pub(crate) library: PathBuf,
    /// Whether its file was compared with a checksum first.
    pub(crate) checked: bool,
}

/// Why no library was loaded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RuntimeError {
    /// Somebody named a library, and it cannot be loaded; no other is tried.
    #[error(
        "ORT_DYLIB_PATH is {path}, which cannot be loaded ({why}): name ONNX Runtime's shared library, 1.17 or \
             later, or unset the variable"
    )]
    Named {
        /// As named.
        path: PathBuf,
        /// What the loader says.
        why: String,
    },
    /// Nobody named one, and none was found where it could be.
    #[error(
        "ONNX Runtime's shared library was not found ({tried}): set ORT_DYLIB_PATH to it (1.17 or later), put it \
             beside the program, or build again where `python3 -m pip` reaches a package index"
    )]
    NotFound {
        /// Each place with what was wrong there.
        tried: String,
    },
    /// Somebody named a library and its checksum, and they don't fit.
    #[error(
        "ORT_DYLIB_PATH is {path}, whose SHA-256 is not the one of ORT_DYLIB_SHA256: name the file that it was taken \
             of, or take it anew"
    )]
    Differs {
        /// As named.
        path: PathBuf,
    },
    /// It was loaded, but doesn't start.
    #[error("ONNX Runtime from {library} does not start: {why}")]
    NotStarted {
        /// The library.
        library: PathBuf,
        /// What it says.
        why: String,
    },
}

/// The process's runtime, loaded when first asked for.
///
/// A global because the library is one: it can be loaded once and refuses a second environment, and tests of one
/// binary share a process.
///
/// # Errors
/// When there is no library or it doesn't start; the same error every time.
pub(crate) fn runtime() -> Result<&'static Runtime, RuntimeError> {
    static RUNTIME: OnceLock<Result<Runtime, RuntimeError>> = OnceLock::new();
    RUNTIME.get_or_init(|| load(&Places::of_process())).as_ref().map_err(Clone::clone)
}

/// The library's file as build.rs takes it out of its package.
const LIBRARY: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.1.31.1.dylib"
} else {
    "libonnxruntime.so.1.31.1"
};

/// Where a library may be.
#[derive(Debug, Default)]
struct Places {
    /// `ORT_DYLIB_PATH`: if set, the only place.
    named: Option<PathBuf>,
    /// In the order in which they are tried.
    files: Vec<PathBuf>,
    /// For the system's loader to find.
    system: PathBuf,
    /// SHA-256 of what was named, in hex, if somebody gave it.
    named_hash: Option<String>,
    /// SHA-256 of the library that the program was built with.
    built_hash: Option<&'static str>,
}

impl Places {
    fn of_process() -> Self {
        let system = format!("{}onnxruntime{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        let with_program = super::place::installed(&system);
        // Where the build put it, and the same place of whoever runs the program now.
        let baked = option_env!("HEADROOM_ORT_BAKED").map(|folder| Path::new(folder).join(LIBRARY));
        let cached =
            option_env!("HEADROOM_ORT_IN_CACHE").and_then(|folder| Some(cache_folder()?.join(folder).join(LIBRARY)));
        Self {
            named: env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from),
            files: with_program.into_iter().chain(baked).chain(cached).collect(),
            system: system.into(),
            named_hash: env::var("ORT_DYLIB_SHA256").ok().filter(|hash| !hash.is_empty()),
            built_hash: option_env!("HEADROOM_ORT_SHA256"),
        }
    }
}

fn load(places: &Places) -> Result<Runtime, RuntimeError> {
    if let Some(path) = &places.named {
        let hash = places.named_hash.as_deref();
        if hash.is_some_and(|hash| !is(path, hash)) {
            return Err(RuntimeError::Differs { path: path.clone() });
        }
        return start(path, hash.is_some()).map_err(|why| RuntimeError::Named { path: path.clone(), why })?;
    }
    let mut tried = Vec::new();
    for path in &places.files {
        if !path.is_file() {
            tried.push(format!("not at {}", path.display()));
            continue;
        }
        // Code that runs in the process: another file in the place of the one that was built with is not loaded.
        if places.built_hash.is_some_and(|hash| !is(path, hash)) {
            tried.push(format!("at {} is another library (ORT_DYLIB_PATH would name it)", path.display()));
            continue;
        }
        match start(path, places.built_hash.is_some()) {
            Ok(result) => return result,
            Err(why) => tried.push(why),
        }
    }
    start(&places.system, false).unwrap_or_else(|_| {
        tried.push(format!("no {} in the system's search path", places.system.display()));
        Err(RuntimeError::NotFound { tried: tried.join("; ") })
    })
}

/// Loads the library (the outer error: another may do) and starts it (the inner error: it's this one, and it's broken).
fn start(path: &Path, checked: bool) -> Result<Result<Runtime, RuntimeError>, String> {
    let builder = ort::init_from(path).map_err(|error| error.to_string())?;
    let library = path.to_owned();
    Ok(match builder.with_name("headroom").with_telemetry(false).build() {
        Ok(environment) => Ok(Runtime { environment, library, checked }),
        Err(error) => Err(RuntimeError::NotStarted { library, why: error.to_string() }),
    })
}

/// Whether a file has this SHA-256.
fn is(path: &Path, hash: &str) -> bool {
    sha256(path).is_ok_and(|(_, found)| found.eq_ignore_ascii_case(hash.trim()))
}

/// The user's cache folder; build.rs follows the same custom.
pub(super) fn cache_folder() -> Option<PathBuf> {
    let of = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        of("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Caches"))
    } else {
        of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_that_the_build_obtained_is_found() {
        let runtime = runtime().unwrap();
        assert!(runtime.library.file_name().is_some());
        assert!(ort::info().contains("ORT Build Info"), "{}", ort::info());
    }

    /// A process loads a library once, so what happens without one is seen in a process of its own: this test's
    /// program, told to run [`alone`] only.
    fn in_a_process_of_its_own(named: &str) -> String {
        let output = std::process::Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "model::runtime::tests::alone"])
            .env("ORT_DYLIB_PATH", named)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    #[ignore = "run by other tests, with an environment of their own"]
    fn alone() {
        let nowhere = Places { files: vec!["/nowhere/a.so".into()], system: "nowhere.so".into(), ..Places::default() };
        println!("without: {}", load(&nowhere).unwrap_err());
        println!("process: {}", runtime().map_or_else(|error| error.to_string(), |_| "loaded".to_owned()));
    }

    #[test]
    fn a_library_that_was_named_but_cannot_be_loaded_stops_the_search() {
        let told = in_a_process_of_its_own("/nowhere/libonnxruntime.so");
        assert!(
            told.contains("process: ORT_DYLIB_PATH is /nowhere/libonnxruntime.so, which cannot be loaded"),
            "{told}"
        );
        assert!(told.contains("or unset the variable"), "{told}");
    }

    #[test]
    fn a_library_is_compared_with_its_checksum_before_it_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let planted = folder.path().join("libonnxruntime.so");
        std::fs::write(&planted, b"another library").unwrap();
        let built = "0".repeat(64);
        let built_hash: Option<&'static str> = Some(Box::leak(built.into_boxed_str()));
        let system = "nowhere.so".into();
        let places = Places { files: vec![planted.clone()], built_hash, system, ..Places::default() };
        let error = load(&places).unwrap_err().to_string();
        assert!(error.contains("is another library"), "{error}");
        let named = Places { named: Some(planted.clone()), named_hash: Some("1".repeat(64)), ..Places::default() };
        assert!(matches!(load(&named), Err(RuntimeError::Differs { .. })));
        assert!(is(&planted, &sha256(&planted).unwrap().1.to_uppercase()));
    }

    #[test]
    fn without_a_library_the_error_says_where_it_was_sought_and_what_to_do() {
        let told = in_a_process_of_its_own("");
        assert!(told.contains("without: ONNX Runtime's shared library was not found (not at /nowhere/a.so;"), "{told}");
        assert!(told.contains("set ORT_DYLIB_PATH to it"), "{told}");
        assert!(told.contains("process: loaded"), "a place that failed leaves the next ones usable: {told}");
    }
}
