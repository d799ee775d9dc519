//! Numbers without IO: latency histograms, the time line, gaps, medians, and a small generator of random numbers.
//!
//! The time line counts successes per 10 ms and keeps the exact first and last success of each slot. So every gap that
//! is longer than a slot is known exactly, in memory that does not grow with the number of operations.

use hdrhistogram::Histogram;
use serde::Serialize;

pub const SLOT_MS: u64 = 10;
const SLOT_US: u64 = SLOT_MS * 1000;
/// Latencies above this are recorded as this.
const MAX_LATENCY_NS: u64 = 3_600_000_000_000;

/// Latencies in nanoseconds with three significant digits.
#[derive(Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        let histogram = Histogram::new_with_bounds(1, MAX_LATENCY_NS, 3);
        Latencies(histogram.unwrap_or_else(|e| unreachable!("constant bounds are valid: {e}")))
    }
}

impl Latencies {
    pub fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    pub fn merge(&mut self, other: &Latencies) {
        self.0 += &other.0;
    }

    pub fn summary(&self) -> Summary {
        let at = |q: f64| self.0.value_at_quantile(q) as f64 / 1000.0;
        Summary {
            count: self.0.len(),
            mean: self.0.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: if self.0.is_empty() { 0.0 } else { self.0.max() as f64 / 1000.0 },
        }
    }

    /// Points (quantile, microseconds), denser towards 1, as far as the number of samples carries.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let nines = (self.0.len() as f64).log10();
        let steps = (nines * 20.0).ceil() as u32;
        (0..=steps)
            .map(|i| 1.0 - 10f64.powf(-(f64::from(i) / 20.0).min(nines)))
            .map(|q| (q, self.0.value_at_quantile(q) as f64 / 1000.0))
            .collect()
    }
}

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub count: u64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slot {
    pub ok: u32,
    pub errors: u32,
    /// Exact times of the first and last success, in microseconds from the start; meaningless while `ok` is 0.
    first_us: u64,
    last_us: u64,
    total_ns: u64,
    pub max_ns: u64,
}

impl Slot {
    pub fn mean_us(&self) -> Option<f64> {
        (self.ok > 0).then(|| self.total_ns as f64 / f64::from(self.ok) / 1000.0)
    }
}

/// Successes and errors over the measured window.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    pub slots: Vec<Slot>,
}

/// A time without a success, in microseconds from the start of the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    pub from_us: u64,
    pub to_us: u64,
    /// No success followed up to the end of what was looked at: the gap is at least this long.
    pub open: bool,
}

impl Gap {
    pub fn ms(&self) -> f64 {
        (self.to_us - self.from_us) as f64 / 1000.0
    }
}

impl Timeline {
    pub fn new(window_us: u64) -> Timeline {
        Timeline { slots: vec![Slot::default(); window_us.div_ceil(SLOT_US) as usize] }
    }

    /// What lies outside of the window is not counted.
    pub fn success(&mut self, at_us: u64, latency_ns: u64) {
        let Some(slot) = self.slots.get_mut((at_us / SLOT_US) as usize) else { return };
        slot.first_us = if slot.ok == 0 { at_us } else { slot.first_us.min(at_us) };
        slot.last_us = slot.last_us.max(at_us);
        slot.ok += 1;
        slot.total_ns += latency_ns;
        slot.max_ns = slot.max_ns.max(latency_ns);
    }

    pub fn error(&mut self, at_us: u64) {
        if let Some(slot) = self.slots.get_mut((at_us / SLOT_US) as usize) {
            slot.errors += 1;
        }
    }

    pub fn merge(&mut self, other: &Timeline) {
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            if theirs.ok > 0 {
                mine.first_us = if mine.ok == 0 { theirs.first_us } else { mine.first_us.min(theirs.first_us) };
                mine.last_us = mine.last_us.max(theirs.last_us);
            }
            mine.ok += theirs.ok;
            mine.errors += theirs.errors;
            mine.total_ns += theirs.total_ns;
            mine.max_ns = mine.max_ns.max(theirs.max_ns);
        }
    }

    pub fn successes(&self) -> u64 {
        self.slots.iter().map(|s| u64::from(s.ok)).sum()
    }

    /// The longest time between two successes of which some part lies in `[from_us, until_us)`. It may have begun before
    /// `from_us`; one that goes on at `until_us` is cut there and marked open, as what follows has another cause. The
    /// start of the window counts as a success. Gaps inside one slot are not seen.
    pub fn longest_gap(&self, from_us: u64, until_us: u64) -> Gap {
        let mut longest = Gap { from_us, to_us: from_us, open: false };
        let mut consider = |from: u64, to: u64| {
            let gap = Gap { from_us: from, to_us: to.min(until_us), open: to > until_us };
            if to > from_us && from < until_us && gap.ms() > longest.ms() {
                longest = gap;
            }
        };
        let mut last = 0;
        for slot in self.slots.iter().filter(|s| s.ok > 0) {
            consider(last, slot.first_us);
            last = slot.last_us;
        }
        consider(last, u64::MAX);
        longest
    }

    /// The longest row of slots without a success that touches `[from_us, until_us)`, cut at its end, in milliseconds.
    pub fn longest_silence_ms(&self, from_us: u64, until_us: u64) -> u64 {
        let (first, end) = ((from_us / SLOT_US) as usize, until_us.div_ceil(SLOT_US) as usize);
        let (mut longest, mut start) = (0, 0);
        for (i, slot) in self.slots.iter().chain([&Slot { ok: 1, ..Slot::default() }]).enumerate() {
            if slot.ok > 0 {
                if i > first && start < end {
                    longest = longest.max(i.min(end) - start);
                }
                start = i + 1;
            }
        }
        longest as u64 * SLOT_MS
    }
}

/// The middle value, or the mean of the two middle ones.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(sorted[n / 2]),
        _ => Some((sorted[n / 2 - 1] + sorted[n / 2]) / 2.0),
    }
}

/// The smallest value that at least `q` of all values do not exceed (nearest rank).
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// splitmix64: enough to choose keys, and without state beyond one word.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(window_ms: u64, successes_us: &[u64]) -> Timeline {
        let mut timeline = Timeline::new(window_ms * 1000);
        for at in successes_us {
            timeline.success(*at, 1000);
        }
        timeline
    }

    #[test]
    fn a_gap_is_exact_to_the_microsecond() {
        let t = timeline(1000, &[5_000, 99_123, 340_456, 345_000, 995_000]);
        assert_eq!(t.longest_gap(100_000, 342_000), Gap { from_us: 99_123, to_us: 340_456, open: false });
        assert_eq!(t.longest_gap(100_000, 1_000_000), Gap { from_us: 345_000, to_us: 995_000, open: false });
    }

    #[test]
    fn a_gap_that_began_before_the_fault_counts_and_one_that_ended_does_not() {
        let t = timeline(1000, &[1_000, 301_000, 311_000, 351_000, 361_000, 999_000]);
        assert_eq!(t.longest_gap(320_000, 355_000).ms(), 40.0);
    }

    #[test]
    fn without_a_success_to_the_end_the_gap_is_open() {
        let t = timeline(1000, &[100_000]);
        assert_eq!(t.longest_gap(150_000, 1_000_000), Gap { from_us: 100_000, to_us: 1_000_000, open: true });
        assert_eq!(t.longest_gap(150_000, 200_000), Gap { from_us: 100_000, to_us: 200_000, open: true });
        assert_eq!(timeline(50, &[]).longest_gap(0, 50_000).ms(), 50.0);
    }

    #[test]
    fn silence_counts_whole_slots() {
        let t = timeline(200, &[5_000, 15_000, 61_000, 150_000, 195_000]);
        assert_eq!(t.longest_silence_ms(20_000, 60_000), 40);
        assert_eq!(t.longest_silence_ms(0, 200_000), 80);
        assert_eq!(t.longest_silence_ms(160_000, 200_000), 30);
        assert_eq!(timeline(100, &[5_000]).longest_silence_ms(10_000, 20_000), 10);
    }

    #[test]
    fn merging_keeps_the_outer_times() {
        let mut a = timeline(100, &[12_000, 55_000]);
        a.merge(&timeline(100, &[11_000, 14_000, 75_000]));
        assert_eq!(a.successes(), 5);
        assert_eq!((a.slots[1].first_us, a.slots[1].last_us), (11_000, 14_000));
        assert_eq!(a.longest_gap(14_500, 60_000), Gap { from_us: 14_000, to_us: 55_000, open: false });
    }

    #[test]
    fn outside_of_the_window_nothing_is_counted() {
        let t = timeline(100, &[100_000, 5_000_000]);
        assert_eq!(t.successes(), 0);
    }

    #[test]
    fn medians_and_quantiles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.99), Some(99.0));
        assert_eq!(quantile(&[7.0, 9.0], 0.99), Some(9.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_summary_is_in_microseconds() {
        let mut latencies = Latencies::default();
        for us in 1..=1000u64 {
            latencies.record(us * 1000);
        }
        let s = latencies.summary();
        assert!((s.p50 - 500.0).abs() < 1.0 && (s.p99 - 990.0).abs() < 2.0 && (s.max - 1000.0).abs() < 2.0, "{s:?}");
        let curve = latencies.curve();
        assert_eq!(curve[0].0, 0.0);
        assert!((curve.last().unwrap().0 - 0.999).abs() < 1e-9);
    }
}
