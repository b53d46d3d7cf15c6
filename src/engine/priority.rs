//! Condensing gives way to the threads that move bytes: whoever waits for a relayed byte waits for nothing else, while a text
//! takes its tens of milliseconds anyway.
//!
//! On Linux a priority belongs to a thread, and threads that it starts inherit it, those of ONNX Runtime among them. On
//! other systems it belongs to the process, where it would lower everything alike; so there it stays.

/// Lets the threads that move bytes go before this one, and before those that it will start.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    // 0 is the calling thread. To lower a priority needs no right; where it is refused all the same, nothing is lost.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "condensing keeps the priority of the process");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {}

/// A tenth of a usual thread's weight: enough that a byte goes first, not so little that a busy neighbour starves condensing.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
