//! The fault schedule: what is done to which node, and when. Parsing and expansion only; `cluster` carries it out.
//!
//! A fault is written `NAME@TIME` (or `NAME:TIME`), the time counted from the start of the measured window:
//! `kill-leader@10s`, `stop-leader@5s+2s` (continued after 2 s), `restart@20s`, `kill-follower@1500ms`.

use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long a stopped node stays stopped unless the schedule says otherwise.
const STOP_FOR: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// SIGKILL to the leader of the measured database.
    KillLeader,
    /// SIGKILL to one follower.
    KillFollower,
    /// SIGSTOP to the leader: it neither answers nor closes its connections.
    StopLeader,
    /// SIGSTOP to one follower.
    StopFollower,
    /// SIGCONT to every stopped node.
    Continue,
    /// Starts every killed node again.
    Restart,
}

/// One scheduled act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub action: Action,
    /// From the start of the measured window.
    pub at: Duration,
    /// For a stop: when to continue, counted from the stop.
    pub lasts: Option<Duration>,
}

impl Action {
    const NAMES: [(&'static str, Action); 7] = [
        ("kill-leader", Action::KillLeader),
        ("kill", Action::KillLeader),
        ("kill-follower", Action::KillFollower),
        ("stop-leader", Action::StopLeader),
        ("stop-follower", Action::StopFollower),
        ("continue", Action::Continue),
        ("restart", Action::Restart),
    ];

    fn stops(self) -> bool {
        matches!(self, Action::StopLeader | Action::StopFollower)
    }

    /// Whether it takes something away, so that the time without a success after it is of interest.
    pub fn harms(self) -> bool {
        !matches!(self, Action::Continue | Action::Restart)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Action::NAMES.iter().find(|(_, action)| action == self).map_or("?", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let (name, time) =
            text.split_once(['@', ':']).ok_or_else(|| format!("{text}: write NAME@TIME, such as kill-leader@10s"))?;
        let action =
            Action::NAMES.iter().find(|(known, _)| *known == name).map(|(_, action)| *action).ok_or_else(|| {
                let known: Vec<&str> = Action::NAMES.iter().map(|(known, _)| *known).collect();
                format!("{name} is no fault; there are {}", known.join(", "))
            })?;
        let (at, lasts) = match time.split_once('+') {
            Some((at, lasts)) if action.stops() => (at, Some(duration(lasts)?)),
            Some(_) => return Err(format!("{text}: only a stop has a length")),
            None => (time, action.stops().then_some(STOP_FOR)),
        };
        Ok(Fault { action, at: duration(at)?, lasts })
    }
}

/// `10s`, `1.5s`, `250ms`, `2m`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "m" => 60.0,
        _ => return Err(format!("{text}: a time is written 10s, 250ms or 2m")),
    };
    let number: f64 = number.parse().map_err(|_| format!("{text}: a time is written 10s, 250ms or 2m"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|e| format!("{text}: {e}"))
}

/// The acts in order of time, with a `continue` for the end of every stop.
pub fn expand(faults: &[Fault]) -> Vec<(Duration, Action)> {
    let mut acts: Vec<(Duration, Action)> = Vec::new();
    for fault in faults {
        acts.push((fault.at, fault.action));
        if let Some(lasts) = fault.lasts {
            acts.push((fault.at + lasts, Action::Continue));
        }
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Fault, String> {
        text.parse()
    }

    #[test]
    fn names_and_times() {
        let at = |ms| Duration::from_millis(ms);
        assert_eq!(parse("kill-leader@10s"), Ok(Fault { action: Action::KillLeader, at: at(10_000), lasts: None }));
        assert_eq!(parse("kill:10s"), parse("kill-leader@10"));
        assert_eq!(parse("kill-follower@250ms").map(|f| f.at), Ok(at(250)));
        assert_eq!(parse("restart@1.5m").map(|f| f.at), Ok(at(90_000)));
        assert_eq!(parse("stop-leader@1s").map(|f| f.lasts), Ok(Some(STOP_FOR)));
        assert_eq!(parse("stop-leader@1s+200ms").map(|f| f.lasts), Ok(Some(at(200))));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["kill-leader", "explode@1s", "kill-leader@", "kill-leader@1h", "kill@1s+2s", "stop-leader@-1s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_stop_brings_its_end_and_acts_are_in_order() {
        let faults = [parse("restart@4s").unwrap(), parse("stop-leader@1s+2s").unwrap(), parse("kill@2s").unwrap()];
        let text: Vec<String> = expand(&faults).iter().map(|(at, act)| format!("{}:{act}", at.as_secs())).collect();
        assert_eq!(text, ["1:stop-leader", "2:kill-leader", "3:continue", "4:restart"]);
    }
}
