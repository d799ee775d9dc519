//! Mistakes on purpose in what applies the log, so that tests can show what becomes of a cluster that has one. Not in a release.
//!
//! `QUORATE_DEFECT=ends:WORD` ends the process whenever a statement with the word is applied, `hangs:WORD` never gets past it,
//! and can be interrupted; `hangs-hard:WORD` cannot.

use crate::command::Write;
use crate::consensus::brake::Brake;
use std::sync::OnceLock;
use std::time::Duration;

/// Does what is asked for in the environment, if this is the write that it is about. True: it was interrupted.
pub(super) fn strike(write: &Write, brake: &Brake) -> bool {
    static WANTED: OnceLock<Option<(String, String)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("QUORATE_DEFECT").ok()?;
        text.split_once(':').map(|(how, word)| (how.to_owned(), word.to_owned()))
    });
    let Some((how, word)) = wanted else { return false };
    if !write.steps.iter().any(|step| format!("{step:?}").contains(word.as_str())) {
        return false;
    }
    match how.as_str() {
        "ends" => std::process::abort(),
        "hangs" => {
            while !brake.interrupts() {
                std::thread::sleep(Duration::from_millis(5));
            }
            true
        }
        _ => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
    }
}
