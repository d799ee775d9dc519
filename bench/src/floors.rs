//! What the machine itself costs, measured beside every run: a disk flush, a loopback round trip, the load.

use crate::stats::{Latencies, Summary};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

const FLUSHES: u32 = 100;
const ROUND_TRIPS: u32 = 500;
const BLOCK: usize = 4096;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Floors {
    /// fdatasync after overwriting 4 KiB of a file that was written before, in the file system of the report.
    pub fdatasync: Summary,
    /// One byte to another thread and back over loopback TCP.
    pub loopback: Summary,
    /// Load averages of 1, 5 and 15 minutes.
    pub load: [f64; 3],
}

pub fn measure(dir: &Path) -> Result<Floors, String> {
    let problem = |e: std::io::Error| format!("cannot measure in {}: {e}", dir.display());
    Ok(Floors {
        load: load_average(),
        fdatasync: fdatasync(&dir.join("floor.tmp")).map_err(problem)?,
        loopback: loopback().map_err(problem)?,
    })
}

fn fdatasync(path: &Path) -> std::io::Result<Summary> {
    let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
    file.write_all(&vec![1; BLOCK * FLUSHES as usize])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let mut latencies = Latencies::default();
    for i in 0..FLUSHES {
        let begun = Instant::now();
        file.write_all(&[i as u8; BLOCK])?;
        file.sync_data()?;
        latencies.record(begun.elapsed().as_nanos() as u64);
    }
    std::fs::remove_file(path)?;
    Ok(latencies.summary())
}

fn loopback() -> std::io::Result<Summary> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let echo = std::thread::spawn(move || {
        let mut byte = [0; 1];
        while far.read_exact(&mut byte).and_then(|()| far.write_all(&byte)).is_ok() {}
    });
    let mut latencies = Latencies::default();
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        near.write_all(&[7])?;
        near.read_exact(&mut [0; 1])?;
        latencies.record(begun.elapsed().as_nanos() as u64);
    }
    drop(near);
    let _ = echo.join();
    Ok(latencies.summary())
}

fn load_average() -> [f64; 3] {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap_or(f64::NAN));
    std::array::from_fn(|_| numbers.next().unwrap_or(f64::NAN))
}
