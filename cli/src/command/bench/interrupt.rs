//! Ends a measurement early, with what was measured before.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;
use crate::failure::Failure;

/// Is set by Ctrl-C, a request to end and a terminal that goes away. The second such signal ends the program at once.
pub(super) fn interruption() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [Some(SIGINT), Some(SIGTERM), hang_up()].into_iter().flatten() {
        // In this order: the first signal must not find what it sets itself.
        flag::register_conditional_shutdown(signal, Exit::Tool.code().into(), interrupted.clone())
            .and_then(|_| flag::register(signal, interrupted.clone()))
            .map_err(|error| Failure::Tool(format!("signals cannot be listened to: {error}")))?;
    }
    Ok(interrupted)
}

/// The signal of a terminal that goes away, unless `nohup` had this program started without it.
#[cfg(unix)]
fn hang_up() -> Option<i32> {
    let status = std::fs::read_to_string("/proc/self/status").ok();
    let ignored = status.as_deref().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    let signal = signal_hook::consts::SIGHUP;
    let is_ignored = ignored.is_some_and(|ignored| ignored & (1 << (signal - 1)) != 0);
    (!is_ignored).then_some(signal)
}

#[cfg(not(unix))]
fn hang_up() -> Option<i32> {
    None
}
