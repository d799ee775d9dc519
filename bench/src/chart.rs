//! Small line charts as SVG text: scales, ticks, series, marks. No scripts, no fonts, nothing to load.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 36.0;
/// Distinguishable with the usual colour blindnesses.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Linear,
    Log,
}

/// Maps values from `[low, high]` to `[0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
}

impl Scale {
    /// A scale that holds all values: linear ones start at 0 and end on a round number, logarithmic ones span decades.
    pub fn around(kind: Kind, values: impl Iterator<Item = f64>) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in values.filter(|v| v.is_finite() && (kind == Kind::Linear || *v > 0.0)) {
            low = low.min(v);
            high = high.max(v);
        }
        if low > high {
            (low, high) = (1.0, 1.0);
        }
        match kind {
            Kind::Linear => {
                let high = if high > 0.0 { high } else { 1.0 };
                let step = round_step(high / 5.0);
                Scale { kind, low: 0.0, high: (high / step).ceil() * step }
            }
            Kind::Log => {
                let (low, high) = (low.log10().floor(), high.log10().ceil());
                Scale { kind, low: 10f64.powf(low), high: 10f64.powf(high.max(low + 1.0)) }
            }
        }
    }

    /// A linear scale with exactly these ends.
    pub fn exactly(low: f64, high: f64) -> Scale {
        Scale { kind: Kind::Linear, low, high }
    }

    pub fn place(&self, value: f64) -> f64 {
        let share = match self.kind {
            Kind::Linear => (value - self.low) / (self.high - self.low),
            Kind::Log => (value.max(self.low) / self.low).log10() / (self.high / self.low).log10(),
        };
        share.clamp(0.0, 1.0)
    }

    pub fn ticks(&self) -> Vec<f64> {
        match self.kind {
            Kind::Linear => {
                let step = round_step((self.high - self.low) / 5.0);
                let count = ((self.high - self.low) / step + 1e-9).floor() as u32;
                (0..=count).map(|i| self.low + f64::from(i) * step).collect()
            }
            Kind::Log => {
                let decades = (self.high / self.low).log10().round() as i32;
                (0..=decades).map(|d| self.low * 10f64.powi(d)).collect()
            }
        }
    }
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= raw * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

pub struct Series {
    pub name: String,
    /// `None` interrupts the line.
    pub points: Vec<(f64, Option<f64>)>,
}

pub struct Chart<'a> {
    pub title: &'a str,
    pub x_label: &'a str,
    pub x: Scale,
    /// Positions and texts on the x axis; without any, the scale's own ticks.
    pub x_ticks: Vec<(f64, String)>,
    pub y: Scale,
    pub y_unit: fn(f64) -> String,
    pub series: Vec<Series>,
    /// Vertical lines with a text: the faults.
    pub marks: Vec<(f64, String)>,
}

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\"><text x=\"{LEFT}\" y=\"14\" \
             class=\"title\">{0}</text>",
            escape(self.title)
        );
        self.axes(&mut out);
        for (i, series) in self.series.iter().enumerate() {
            self.line(&mut out, i, series);
        }
        for (x, text) in &self.marks {
            let x = self.px(*x);
            let _ = write!(
                out,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\" class=\"mark\"/><text x=\"{:.1}\" \
                 y=\"{:.1}\" class=\"marktext\">{}</text>",
                HEIGHT - BOTTOM,
                x + 3.0,
                TOP + 10.0,
                escape(text)
            );
        }
        out.push_str("</svg>");
        out
    }

    fn px(&self, x: f64) -> f64 {
        LEFT + self.x.place(x) * (WIDTH - LEFT - RIGHT)
    }

    fn py(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(y) * (HEIGHT - TOP - BOTTOM)
    }

    fn axes(&self, out: &mut String) {
        for tick in self.y.ticks() {
            let y = self.py(tick);
            let _ = write!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"grid\"/><text x=\"{:.1}\" \
                 y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                escape(&(self.y_unit)(tick))
            );
        }
        let ticks = if self.x_ticks.is_empty() {
            self.x.ticks().into_iter().map(|t| (t, short(t))).collect()
        } else {
            self.x_ticks.clone()
        };
        for (tick, text) in ticks {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                self.px(tick),
                HEIGHT - BOTTOM + 14.0,
                escape(&text)
            );
        }
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            HEIGHT - 6.0,
            escape(self.x_label)
        );
    }

    fn line(&self, out: &mut String, index: usize, series: &Series) {
        let colour = COLOURS[index % COLOURS.len()];
        let mut path = String::new();
        let mut pen_down = false;
        for (x, y) in &series.points {
            let Some(y) = y else {
                pen_down = false;
                continue;
            };
            let command = if pen_down { 'L' } else { 'M' };
            let _ = write!(path, "{command}{:.1} {:.1}", self.px(*x), self.py(*y));
            pen_down = true;
        }
        let x = WIDTH - RIGHT - 120.0 * (self.series.len() - index) as f64;
        let _ = write!(
            out,
            "<path d=\"{path}\" stroke=\"{colour}\" fill=\"none\" stroke-width=\"1.3\" stroke-linecap=\"round\"/>\
             <rect x=\"{x:.1}\" y=\"6\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"15\">{}</text>",
            x + 14.0,
            escape(&series.name)
        );
    }
}

/// Text that is safe between tags and in attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number with few characters: 1500 is 1.5k.
pub fn short(v: f64) -> String {
    let trim = |v: f64, unit: &str| {
        let text = format!("{v:.1}");
        format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
    };
    match v.abs() {
        a if a >= 1e6 => trim(v / 1e6, "M"),
        a if a >= 1e3 => trim(v / 1e3, "k"),
        _ => trim(v, ""),
    }
}

/// Microseconds in a readable unit.
pub fn micros(us: f64) -> String {
    match us {
        u if u >= 1e6 => format!("{:.2} s", u / 1e6),
        u if u >= 1e5 => format!("{:.0} ms", u / 1e3),
        u if u >= 1e3 => format!("{:.2} ms", u / 1e3),
        u => format!("{u:.0} µs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_scales_start_at_zero_and_end_round() {
        let scale = Scale::around(Kind::Linear, [120.0, 870.0].into_iter());
        assert_eq!(scale, Scale { kind: Kind::Linear, low: 0.0, high: 1000.0 });
        assert_eq!(scale.ticks(), [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]);
        assert_eq!((scale.place(0.0), scale.place(500.0), scale.place(2000.0)), (0.0, 0.5, 1.0));
    }

    #[test]
    fn log_scales_span_whole_decades() {
        let scale = Scale::around(Kind::Log, [35.0, 4_200.0, 0.0].into_iter());
        assert_eq!(scale.ticks(), [10.0, 100.0, 1000.0, 10000.0]);
        assert!((scale.place(100.0) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(scale.place(0.0), 0.0);
    }

    #[test]
    fn scales_of_nothing_are_still_scales() {
        assert_eq!(Scale::around(Kind::Linear, [].into_iter()).place(0.5), 0.5);
        assert_eq!(Scale::around(Kind::Log, [].into_iter()).ticks(), [1.0, 10.0]);
        assert_eq!(Scale::around(Kind::Linear, [0.0].into_iter()).place(1.0), 1.0);
    }

    #[test]
    fn steps_are_round() {
        let steps: Vec<f64> = [0.7, 1.0, 1.1, 3.0, 24.0, 5100.0].into_iter().map(round_step).collect();
        assert_eq!(steps, [1.0, 1.0, 2.0, 5.0, 50.0, 10000.0]);
    }

    #[test]
    fn a_missing_point_lifts_the_pen_and_texts_are_escaped() {
        let chart = Chart {
            title: "a < b",
            x_label: "s",
            x: Scale::exactly(0.0, 4.0),
            x_ticks: Vec::new(),
            y: Scale::exactly(0.0, 1.0),
            y_unit: short,
            series: vec![Series {
                name: "n".into(),
                points: vec![(0.0, Some(0.0)), (1.0, Some(1.0)), (2.0, None), (3.0, Some(1.0)), (4.0, Some(0.0))],
            }],
            marks: vec![(2.0, "kill & co".into())],
        };
        let svg = chart.svg();
        let path = svg.split("d=\"").nth(1).and_then(|s| s.split('"').next()).unwrap();
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(path.matches('L').count(), 2);
        assert!(svg.contains("a &lt; b") && svg.contains("kill &amp; co"));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([short(0.0), short(1500.0), short(20000.0), short(2.5e6)], ["0", "1.5k", "20k", "2.5M"]);
        assert_eq!(
            [micros(17.0), micros(1234.0), micros(250_000.0), micros(2e6)],
            ["17 µs", "1.23 ms", "250 ms", "2.00 s"]
        );
    }
}
