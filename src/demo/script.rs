//! What can be done to a demo's nodes, and scripts of it.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What can be done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Kill,
    Pause,
    Resume,
    /// Nobody hears it, and it hears nobody.
    Cut,
    /// Whatever comes from it or goes to it takes longer.
    Slow,
    /// Takes both back.
    Heal,
    Restart,
    /// Let it lead everything.
    Lead,
    /// Its disk is lost; it comes back with an empty one.
    Wipe,
    /// Of all nodes at once; it comes back by itself.
    Power,
}

impl Action {
    const ALL: [(&'static str, Action); 10] = [
        ("kill", Action::Kill),
        ("pause", Action::Pause),
        ("resume", Action::Resume),
        ("cut", Action::Cut),
        ("slow", Action::Slow),
        ("heal", Action::Heal),
        ("restart", Action::Restart),
        ("lead", Action::Lead),
        ("wipe", Action::Wipe),
        ("power", Action::Power),
    ];
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Do(Action, String),
    End,
}

/// Reads lines of `SECONDS ACTION NODE` (a name, `leader`, `follower` or `all`) `SECONDS power` and `SECONDS end`; `#` begins
/// a comment.
pub fn parse_script(text: &str) -> Result<Vec<(Duration, Step)>, String> {
    let mut steps: Vec<(Duration, Step)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |why: &str| format!("line {number}: {why}\n  {line}");
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let (time, step) = match words[..] {
            [] => continue,
            [time, "end"] => (time, Step::End),
            [time, "power"] => (time, Step::Do(Action::Power, "all".into())),
            [_, "power", _] => return Err(wrong("power is that of all nodes: name none")),
            [time, action, node] => {
                let known = Action::ALL.iter().find(|(name, _)| *name == action);
                let (_, action) = known.ok_or_else(|| wrong("there is no such action"))?;
                (time, Step::Do(*action, node.to_owned()))
            }
            _ => return Err(wrong("it must be SECONDS ACTION NODE, SECONDS power or SECONDS end")),
        };
        let at = time.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let at = at.ok_or_else(|| wrong("it must begin with a number of seconds"))?;
        if steps.last().is_some_and(|(last, _)| *last > at) {
            return Err(wrong("it is earlier than the line before"));
        }
        steps.push((at, step));
    }
    match steps.last() {
        Some((_, Step::End)) => Ok(steps),
        _ => Err("the last line must be SECONDS end".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read() {
        let steps = parse_script("# a demo\n2 kill leader\n2.5 restart all # again\n\n8 power\n9 end\n").unwrap();
        assert_eq!(steps[0], (Duration::from_secs(2), Step::Do(Action::Kill, "leader".into())));
        assert_eq!(steps[1].0, Duration::from_millis(2500));
        assert_eq!(steps[2].1, Step::Do(Action::Power, "all".into()));
        assert_eq!(steps[3], (Duration::from_secs(9), Step::End));
        for (wrong, why) in [
            ("1 kill leader", "the last line"),
            ("1 burn leader\n2 end", "no such action"),
            ("x kill leader\n2 end", "number of seconds"),
            ("-1 end", "number of seconds"),
            ("3 kill leader\n2 end", "earlier"),
            ("1 kill\n2 end", "it must be"),
            ("1 power leader\n2 end", "name none"),
        ] {
            assert!(parse_script(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }
}
