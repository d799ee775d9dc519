//! Random input for everything that reads bytes from outside: nothing panics, nothing is read in two ways.
//!
//! A small mutating fuzzer in this process, without compiler support: what counts as new is not a branch but an answer (an
//! error's code, a kind of message, the form of a plan) that no input had before; such inputs are mutated further. A run is a
//! seed, so it can be repeated. What has been found lies as plain files in `tests/fuzz/corpus/<target>` and is tried at every
//! run.
//!
//! ```text
//! QUORATE_FUZZ_SECONDS=600 QUORATE_FUZZ_SEED=7 cargo test --test tests fuzz:: -- --nocapture
//! ```

mod bytes;
mod replicas;
mod text;

use crate::sim::random::Random;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One reader of bytes.
pub struct Target<'a> {
    pub name: &'static str,
    /// What it understands.
    pub examples: Vec<Vec<u8>>,
    /// Words that mean something to it.
    pub words: Vec<Vec<u8>>,
    /// Reads an input; what came of it, in short. Error: what must not be.
    pub read: &'a dyn Fn(&[u8]) -> Result<u64, String>,
    /// How many inputs to try when nothing else is asked for.
    pub tries: u64,
}

/// No input grows beyond this.
const LONGEST: usize = 4096;
/// Inputs that are mutated further.
const MOST: usize = 4000;

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let Ok(files) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("a file"))).collect()
}

fn show(input: &[u8]) -> String {
    input.iter().flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect()
}

impl Target<'_> {
    /// Panics of what reads are findings.
    fn judge(&self, input: &[u8]) -> Result<u64, String> {
        match catch_unwind(AssertUnwindSafe(|| (self.read)(input))) {
            Ok(result) => result,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                Err(format!("panic: {}", text.unwrap_or_default()))
            }
        }
    }

    /// Tries the corpus, and then what can be made of it.
    pub fn run(self) {
        let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let seed = setting("QUORATE_FUZZ_SEED").unwrap_or(1);
        let seconds = setting("QUORATE_FUZZ_SECONDS").map(Duration::from_secs);
        let fail = |input: &[u8], why: String| panic!("{}, seed {seed}: {why}\n  b\"{}\"", self.name, show(input));
        for (path, input) in corpus(self.name) {
            if let Err(why) = self.judge(&input) {
                panic!("{}: {why}", path.display());
            }
        }
        let mut random = Random::new(seed);
        let mut pool = Vec::new();
        let mut seen = BTreeSet::new();
        for input in self.examples.iter().cloned().chain(corpus(self.name).into_iter().map(|(_, input)| input)) {
            match self.judge(&input) {
                Ok(answer) => drop(seen.insert(answer)),
                Err(why) => fail(&input, why),
            }
            pool.push(input);
        }
        let begun = Instant::now();
        let mut tries = 0;
        while seconds.map_or(tries < self.tries, |limit| tries % 64 != 0 || begun.elapsed() < limit) {
            tries += 1;
            let input = self.mutate(&mut random, &pool);
            match self.judge(&input) {
                Ok(answer) if seen.insert(answer) => {
                    let place = if pool.len() < MOST { pool.len() } else { random.range(0, MOST as u64) as usize };
                    if place == pool.len() {
                        pool.push(input);
                    } else {
                        pool[place] = input;
                    }
                }
                Ok(_) => {}
                Err(why) => fail(&input, why),
            }
        }
        println!("{}: {tries} inputs in {:.1?}, {} different answers", self.name, begun.elapsed(), seen.len());
    }

    fn mutate(&self, random: &mut Random, pool: &[Vec<u8>]) -> Vec<u8> {
        let some = |random: &mut Random| &pool[random.range(0, pool.len() as u64) as usize];
        let mut input = some(random).clone();
        for _ in 0..random.pick(&[1, 1, 2, 4, 8]) {
            let length = input.len() as u64;
            let at = random.range(0, length + 1) as usize;
            let end = at + random.range(0, (length - at as u64).min(32) + 1) as usize;
            match random.range(0, 9) {
                0 if at < input.len() => input[at] ^= 1 << random.range(0, 8),
                1 if at < input.len() => {
                    input[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff, b'\'', b'\\', b'(', b',', b'-'])
                }
                2 if at < input.len() => input[at] = random.next() as u8,
                3 => drop(input.drain(at..end)),
                4 => {
                    let again = input[at..end].to_vec();
                    input.splice(at..at, again);
                }
                5 if !self.words.is_empty() => {
                    let word = &self.words[random.range(0, self.words.len() as u64) as usize];
                    input.splice(at..end, word.iter().copied());
                }
                6 if !self.words.is_empty() => {
                    let word = &self.words[random.range(0, self.words.len() as u64) as usize];
                    input.splice(at..at, word.iter().copied());
                }
                7 => {
                    let other = some(random);
                    let from = random.range(0, other.len() as u64 + 1) as usize;
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
                _ => {
                    let number = random.pick(&[0, 1, u64::MAX, 1 << 31, (1 << 31) - 1, 1 << 63, 65_536]);
                    let number = number.to_le_bytes();
                    let width = random.pick(&[1, 2, 4, 8]).min(input.len() - at);
                    input[at..at + width].copy_from_slice(&number[..width]);
                }
            }
            input.truncate(LONGEST);
        }
        input
    }
}

/// An answer in short.
pub fn hash(answer: impl std::hash::Hash) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(answer)
}
