//! Nothing but what the configuration names is ever called.

/// Keeps ONNX Runtime from reporting its use to its maker.
///
/// Its released Linux libraries hold a client that uploads events (host, model shapes, timings) as soon as they are
/// loaded, before the interface's own switch (`DisableTelemetryEvents`, which is pressed too) can be reached. They obey
/// a variable, which has to stand in the environment before the library is loaded; so the program starts itself again
/// with it, under the same process id.
#[cfg(unix)]
pub(crate) fn onnx_runtime() {
    use std::{env, os::unix::process::CommandExt as _, process::Command};

    if env::var_os(SWITCH).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Comes back only if it failed, and then the interface's own switch is what there is.
    let _ = again.args(arguments).env(SWITCH, "1").exec();
}

/// Elsewhere events go to the operating system's own log, which the interface's switch governs.
#[cfg(not(unix))]
pub(crate) fn onnx_runtime() {}

#[cfg(unix)]
const SWITCH: &str = "ORT_DISABLE_TELEMETRY";
