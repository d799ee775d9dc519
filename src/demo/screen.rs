//! The terminal view of a harmed demo as lines of text, and what its keys mean. `terminal` puts them onto a screen.

use super::chaos::{Event, Picture, Shown};
use super::load::Second;
use super::script::Action;

/// How a piece of a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Plain,
    Strong,
    Soft,
    Good,
    Warn,
    Bad,
    /// The node that the keys mean.
    Chosen,
}

pub type Line = Vec<(Look, String)>;

/// What can be drawn on at least, in columns and lines; with the lines of all nodes beside it.
const LEAST: (usize, usize) = (64, 15);
/// Columns in front of the curve.
const LABEL: usize = 7;
const KEYS: [&str; 2] = [
    "↑↓ 1-9 a: choose  k kill  s start  p pause/resume  c cut  d slow  h heal  l lead",
    "w wipe its disk  o cut all power  q end the load and read every row back",
];

/// The whole screen: never more lines than it has, and none longer.
pub fn lines(picture: &Picture, chosen: Chosen, said: &str, (width, height): (usize, usize)) -> Vec<Line> {
    let nodes = picture.nodes.len();
    let rest = height.saturating_sub(8 + nodes);
    if width < LEAST.0 || height < LEAST.1 || rest < 6 {
        let (columns, rows) = (LEAST.0, LEAST.1.max(14 + nodes));
        let small = format!("{width}x{height} is too small: {columns}x{rows} it must be");
        return vec![cut(vec![(Look::Warn, small)], width)].into_iter().take(height).collect();
    }
    // Where there is room, what belongs together stands together.
    let blank = rest >= 11;
    let rest = rest - if blank { 3 } else { 0 };
    let high = (rest * 5 / 9).clamp(3, 12);
    let mut all = vec![title(picture), counters(picture)];
    let pause = |all: &mut Vec<Line>| {
        if blank {
            all.push(Vec::new());
        }
    };
    pause(&mut all);
    all.push(vec![(
        Look::Soft,
        format!("    {:<10}{:<9}{:>6}{:>10}{:>7}", "node", "state", "term", "applied", "port"),
    )]);
    all.extend(picture.nodes.iter().enumerate().map(|(at, node)| row(at, node, chosen)));
    pause(&mut all);
    all.extend(chart(&picture.curve, width, high));
    if blank {
        all.push(vec![(Look::Soft, format!("{:>9}  {:>8}  what was done", "at", "silence"))]);
    }
    let room = rest - high;
    all.extend(picture.events.iter().take(room).map(event));
    all.resize_with(height - 1 - KEYS.len(), Vec::new);
    all.push(vec![(Look::Warn, said.to_owned())]);
    all.extend(KEYS.map(|keys| vec![(Look::Soft, keys.to_owned())]));
    all.into_iter().map(|line| cut(line, width)).collect()
}

/// No longer than the screen is wide. A message of an error is text, whatever is in it.
fn cut(line: Line, width: usize) -> Line {
    let mut left = width;
    let piece = |(look, text): (Look, String)| {
        let kept: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(left).collect();
        left -= kept.chars().count();
        (look, kept)
    };
    line.into_iter().map(piece).filter(|(_, text)| !text.is_empty()).collect()
}

fn title(picture: &Picture) -> Line {
    let seconds = picture.curve.last().map_or(0, |last| last.at);
    vec![
        (Look::Strong, "Quorate: break it".into()),
        (
            Look::Soft,
            format!("   writers at every node count what they were told   {}:{:02}", seconds / 60, seconds % 60),
        ),
    ]
}

fn counters(picture: &Picture) -> Line {
    let failed: usize = picture.errors.values().sum();
    let mut line: Line = vec![
        (Look::Strong, number(picture.acknowledged)),
        (Look::Plain, " acknowledged   ".into()),
        (Look::Strong, number(picture.curve.last().map_or(0, |last| last.acknowledged))),
        (Look::Plain, "/s   ".into()),
        (if failed > 0 { Look::Warn } else { Look::Strong }, number(failed)),
        (Look::Plain, " errors   ".into()),
    ];
    match &picture.audit {
        None => line.push((Look::Soft, "all rows are read back every ten seconds".into())),
        Some(audit) => {
            for (count, what) in [(audit.lost, "lost "), (audit.doubled, "doubled ")] {
                line.push((if count > 0 { Look::Bad } else { Look::Good }, format!("{what}{count}")));
                line.push((Look::Plain, "   ".into()));
            }
            line.push((Look::Soft, format!("of {}", number(audit.acknowledged))));
        }
    }
    line
}

fn row(at: usize, node: &Shown, chosen: Chosen) -> Line {
    let is_chosen = chosen.0.is_none_or(|one| one == at);
    let state = match node.state {
        "up" => Look::Good,
        "killed" | "wiped" => Look::Bad,
        _ => Look::Warn,
    };
    let pointer = if is_chosen { ">" } else { " " };
    let name = if is_chosen { Look::Chosen } else { Look::Plain };
    // Beside what matters most.
    let also = [(node.cut, "cut"), (node.slow, "slow")].into_iter().filter(|(is, what)| *is && *what != node.state);
    let also: Vec<&str> = also.map(|(_, what)| what).collect();
    vec![
        (Look::Plain, format!("{pointer} {} ", at + 1)),
        (name, format!("{:<9}", node.name)),
        (Look::Plain, " ".into()),
        (state, format!("{:<9}", node.state)),
        (Look::Plain, format!("{:>6}{:>10}{:>7}  ", node.term, node.applied, node.postgres)),
        (Look::Good, if node.leads { "leads ".into() } else { String::new() }),
        (Look::Warn, also.join(", ")),
    ]
}

/// The latest seconds, one in a column, on a scale of powers of ten.
fn chart(curve: &[Second], width: usize, high: usize) -> Vec<Line> {
    let columns = (width - LABEL - 1).min(curve.len());
    let seconds = &curve[curve.len() - columns..];
    let most = seconds.iter().map(|one| one.p99.max(one.gap)).fold(1.0, f64::max);
    let powers = (most.log10().ceil() as i32).clamp(3, 6);
    // In eighths of a line.
    let level = |ms: f64| (ms.max(1.0).log10() / f64::from(powers) * (high * 8) as f64).round() as usize;
    let head = "Latency, each second:  █ 99 of 100  ░ longest silence  ! errors";
    let mut all = vec![vec![(Look::Soft, head.into())]];
    for line in (0..high).rev() {
        // The label of a power stands where its height is.
        let label = (0..=powers).find(|power| {
            let at = (*power as usize * high) / powers as usize;
            at.min(high - 1) == line
        });
        let label = label.map_or_else(String::new, |power| match power {
            0..=2 => format!("{} ms", 10u64.pow(power as u32)),
            _ => format!("{} s", 10u64.pow(power as u32 - 3)),
        });
        let mut pieces: Line = vec![(Look::Soft, format!("{label:>LABEL$}│"))];
        for one in seconds {
            let bar = level(one.p99).saturating_sub(line * 8);
            let piece = if one.acknowledged == 0 {
                (Look::Bad, if line == 0 { '×' } else { ' ' })
            } else if bar > 0 {
                (Look::Plain, ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][bar.min(8) - 1])
            } else if level(one.gap) > line * 8 {
                (Look::Warn, '░')
            } else {
                (Look::Plain, ' ')
            };
            match pieces.last_mut() {
                Some((look, text)) if *look == piece.0 => text.push(piece.1),
                _ => pieces.push((piece.0, piece.1.into())),
            }
        }
        all.push(pieces);
    }
    let begin = seconds.first().map_or_else(String::new, |one| format!("{} s", one.at));
    let marks = seconds.iter().map(|one| if one.errors > 0 { '!' } else { '─' }).collect::<String>();
    all.push(vec![(Look::Soft, format!("{begin:>LABEL$}└")), (Look::Soft, marks)]);
    all
}

/// When, for how long no write succeeded then, and what.
fn event(event: &Event) -> Line {
    let gap = event.gap.map_or_else(String::new, |gap| format!("{gap:.0} ms"));
    let what = (Look::Plain, event.text.clone());
    vec![(Look::Soft, format!("{:7.1} s  ", event.at)), (Look::Strong, format!("{gap:>8}  ")), what]
}

/// With its thousands apart.
fn number(count: usize) -> String {
    let digits = count.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    let pieces = digits.chars().enumerate().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit]));
    pieces.collect()
}

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Up,
    Down,
    Char(char),
}

/// What a terminal has sent. Sequences that mean nothing here are left out whole, so that none of their letters is a key.
pub fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after.first()) {
            (0x1b, Some(b'[' | b'O')) => {
                let end = after[1..].iter().position(|byte| (0x40..=0x7e).contains(byte));
                let Some(end) = end.map(|end| end + 1) else { return found };
                match after[end] {
                    b'A' => found.push(Key::Up),
                    b'B' => found.push(Key::Down),
                    _ => {}
                }
                rest = &after[end + 1..];
            }
            (0x1b, _) => {}
            (byte, _) => found.push(Key::Char(char::from(*byte))),
        }
    }
    found
}

/// Which node the keys mean: all of them if none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen(pub Option<usize>);

/// What a key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Nothing,
    End,
    Do(Action, String),
}

impl Chosen {
    pub fn press(&mut self, key: Key, nodes: &[Shown]) -> Wish {
        let last = nodes.len() - 1;
        match key {
            Key::Up => self.0 = Some(self.0.map_or(last, |at| at.saturating_sub(1))),
            Key::Down => self.0 = Some(self.0.map_or(0, |at| (at + 1).min(last))),
            Key::Char('a') => self.0 = None,
            Key::Char(digit @ '1'..='9') => {
                let at = digit as usize - '1' as usize;
                if at <= last {
                    self.0 = Some(at);
                }
            }
            // The control characters are Ctrl-C and Ctrl-D.
            Key::Char('q' | '\u{3}' | '\u{4}') => return Wish::End,
            Key::Char('o') => return Wish::Do(Action::Power, "all".into()),
            Key::Char(letter) => {
                let paused = |at: usize| nodes[at].state == "paused";
                let action = match letter {
                    'k' => Action::Kill,
                    's' => Action::Restart,
                    'p' if self.0.map_or_else(|| (0..=last).any(paused), paused) => Action::Resume,
                    'p' => Action::Pause,
                    'c' => Action::Cut,
                    'd' => Action::Slow,
                    'h' => Action::Heal,
                    // One of them at a time.
                    'l' | 'w' if self.0.is_none() => return Wish::Nothing,
                    'l' => Action::Lead,
                    'w' => Action::Wipe,
                    _ => return Wish::Nothing,
                };
                return Wish::Do(action, self.0.map_or_else(|| "all".into(), |at| nodes[at].name.clone()));
            }
        }
        Wish::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::load::Audit;
    use std::collections::BTreeMap;

    fn node(at: usize, state: &'static str) -> Shown {
        Shown {
            name: format!("node-{at}"),
            state,
            cut: false,
            slow: false,
            leads: at == 2,
            term: 7,
            applied: 12_345,
            postgres: 5432 + at as u16,
            http: 8000,
        }
    }

    fn second(at: u64, acknowledged: usize, p99: f64, gap: f64) -> Second {
        let mut second = Second::default();
        (second.at, second.acknowledged, second.p99, second.gap) = (at, acknowledged, p99, gap);
        second
    }

    fn picture(nodes: usize) -> Picture {
        let states = ["killed", "up", "joining", "up", "cut", "paused", "slow", "wiped", "up"];
        let mut curve: Vec<Second> = (10..40).map(|at| second(at, 300, 9.0, 11.0)).collect();
        curve[20] = second(30, 200, 12.0, 900.0);
        curve[20].errors = 2;
        curve[21] = second(31, 0, 0.0, 0.0);
        let event = |at: f64, text: &str, gap| {
            let mut event = Event::new(at, text.into());
            event.gap = gap;
            event
        };
        Picture {
            nodes: (1..=nodes).map(|at| node(at, states[at - 1])).collect(),
            acknowledged: 1_234_567,
            errors: BTreeMap::from([("57P03".to_owned(), 2)]),
            audit: Some(Audit { acknowledged: 1_200_000, found: 1_200_001, lost: 0, doubled: 0, unsure: 1 }),
            end: false,
            curve,
            events: vec![
                event(30.2, "kill node-1, which led", Some(12.4)),
                event(12.0, "wipe node-3: killed, its disk emptied", None),
            ],
        }
    }

    fn text(lines: &[Line]) -> Vec<String> {
        let line = |line: &Line| line.iter().map(|(_, text)| text.as_str()).collect::<String>().trim_end().to_owned();
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_screen_of_eighty_by_twenty_four() {
        let shown = text(&lines(&picture(3), Chosen(Some(1)), "node-3 is not up", (80, 24)));
        let expected = "\
Quorate: break it   writers at every node count what they were told   0:39
1,234,567 acknowledged   300/s   2 errors   lost 0   doubled 0   of 1,200,000

    node      state      term   applied   port
  1 node-1    killed        7     12345   5433
> 2 node-2    up            7     12345   5434  leads
  3 node-3    joining       7     12345   5435

Latency, each second:  █ 99 of 100  ░ longest silence  ! errors
    1 s│                    ░
 100 ms│                    ░
       │                    ░
  10 ms│▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▆ ▅▅▅▅▅▅▅▅
   1 ms│█████████████████████×████████
   10 s└────────────────────!─────────
       at   silence  what was done
   30.2 s     12 ms  kill node-1, which led
   12.0 s            wipe node-3: killed, its disk emptied
";
        let expected: Vec<&str> = expected.lines().collect();
        assert_eq!(shown[..expected.len()], expected[..], "{}", shown.join("\n"));
        assert_eq!(shown.len(), 24);
        assert_eq!(shown[21], "node-3 is not up");
        assert_eq!(shown[22..], KEYS);
    }

    #[test]
    fn every_size_is_kept_to() {
        for nodes in [1, 3, 9] {
            for width in [1, 40, 64, 80, 200] {
                for height in [1, 10, 16, 24, 60] {
                    let shown = text(&lines(&picture(nodes), Chosen(None), "said\n\x1b[2J", (width, height)));
                    assert!(shown.len() <= height, "{nodes} nodes on {width}x{height}: {}", shown.join("\n"));
                    assert!(shown.iter().all(|line| line.chars().count() <= width), "{}", shown.join("\n"));
                    assert!(!shown.iter().any(|line| line.contains(char::is_control)), "a message draws nothing");
                }
            }
            let shown = text(&lines(&picture(nodes), Chosen(None), "", (80, 24)));
            assert!(shown.iter().any(|line| line.contains("kill node-1")), "{}", shown.join("\n"));
        }
        let mut none = picture(3);
        (none.curve, none.audit) = (Vec::new(), None);
        assert_eq!(lines(&none, Chosen(None), "", (80, 24)).len(), 24, "as it begins");
    }

    #[test]
    fn keys_are_told_from_sequences() {
        assert_eq!(keys(b"\x1b[A\x1b[B"), [Key::Up, Key::Down]);
        assert_eq!(keys(b"\x1bOAk"), [Key::Up, Key::Char('k')]);
        assert_eq!(keys(b"\x1b[3~\x1b[1;5Cq"), [Key::Char('q')]);
        assert_eq!(keys(b"\x1b[200"), []);
        assert_eq!(keys(b"\x1b"), []);
    }

    #[test]
    fn keys_do_what_they_say() {
        let nodes = [node(1, "up"), node(2, "paused"), node(3, "up")];
        let mut chosen = Chosen(Some(0));
        let wish = |action, word: &str| Wish::Do(action, word.to_owned());
        let mut press = |key| chosen.press(Key::Char(key), &nodes);
        assert_eq!(press('p'), wish(Action::Pause, "node-1"));
        assert_eq!(press('2'), Wish::Nothing);
        assert_eq!(press('p'), wish(Action::Resume, "node-2"));
        assert_eq!(press('9'), Wish::Nothing, "there is none");
        assert_eq!(press('w'), wish(Action::Wipe, "node-2"));
        assert_eq!(press('a'), Wish::Nothing);
        assert_eq!(press('k'), wish(Action::Kill, "all"));
        assert_eq!(press('w'), Wish::Nothing, "one disk at a time");
        assert_eq!(press('o'), wish(Action::Power, "all"));
        assert_eq!(press('\u{3}'), Wish::End);
        assert_eq!(chosen.press(Key::Up, &nodes), Wish::Nothing);
        assert_eq!(chosen, Chosen(Some(2)));
        chosen.press(Key::Down, &nodes);
        assert_eq!(chosen, Chosen(Some(2)));
        chosen.press(Key::Up, &nodes);
        assert_eq!(chosen, Chosen(Some(1)));
    }
}
