//! `quorate demo --tui`: puts the view of `screen` onto a terminal, and takes its keys.
//!
//! What is needed of a terminal is small (raw mode, its size, whether a key was pressed), the same on every Unix, and libc has it:
//! no library for it. However this ends, the terminal is as it was: at the end, after a signal, and when there is a panic.

use super::chaos::Chaos;
use super::screen::{self, Chosen, Line, Look, Wish};
use super::script::Step;
use parking_lot::Mutex;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two pictures, if no key is pressed.
const FRAME: Duration = Duration::from_millis(200);
/// What a terminal that does not say its size has.
const USUAL: (usize, usize) = (80, 24);
/// The other screen, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";

/// How the terminal was, as long as it is not so.
static BEFORE: Mutex<Option<libc::termios>> = Mutex::new(None);

/// Looks on, and does what keys say, until somebody has had enough or the script is at its end.
pub fn run(chaos: &Arc<Chaos>, script: Option<Vec<(Duration, Step)>>, stop: &Arc<AtomicBool>) -> Result<(), String> {
    let mut terminal = Terminal::open()?;
    let script = script.map(|steps| {
        let (chaos, stop) = (chaos.clone(), stop.clone());
        std::thread::spawn(move || chaos.play(&steps, &stop))
    });
    let said: Arc<Mutex<String>> = Arc::default();
    let mut chosen = Chosen(Some(0));
    while !stop.load(Ordering::SeqCst) && !script.as_ref().is_some_and(|script| script.is_finished()) {
        chaos.reap();
        let picture = chaos.picture();
        let lines = screen::lines(&picture, chosen, &said.lock(), terminal.size());
        let Ok(Some(bytes)) = terminal.draw(&lines).and_then(|()| terminal.read(FRAME)) else {
            // It hung up.
            stop.store(true, Ordering::SeqCst);
            break;
        };
        for key in screen::keys(&bytes) {
            match chosen.press(key, &picture.nodes) {
                Wish::Nothing => {}
                Wish::End => stop.store(true, Ordering::SeqCst),
                Wish::Do(action, word) => {
                    // Some of them take a while, and the picture goes on.
                    let (chaos, said) = (chaos.clone(), said.clone());
                    said.lock().clear();
                    std::thread::spawn(move || {
                        if let Err(why) = chaos.act(action, &word) {
                            *said.lock() = why;
                        }
                    });
                }
            }
        }
    }
    drop(terminal);
    if let Some(script) = script {
        let _ = script.join();
    }
    Ok(())
}

/// Whether there is a terminal to draw on and to take keys from.
pub fn check() -> Result<(), String> {
    for (is, what) in [(io::stdout().is_terminal(), "output"), (io::stdin().is_terminal(), "input")] {
        if !is {
            return Err(format!(
                "--tui needs a terminal, and standard {what} is none\n  \
                 use --chaos and a browser, or --script FILE"
            ));
        }
    }
    Ok(())
}

/// A terminal that is drawn on.
struct Terminal {
    shown: String,
    coloured: bool,
}

impl Terminal {
    fn open() -> Result<Terminal, String> {
        check()?;
        // SAFETY: tcgetattr(3) writes all of a termios if it says so.
        let before = unsafe {
            let mut before = std::mem::zeroed();
            if libc::tcgetattr(libc::STDIN_FILENO, &raw mut before) != 0 {
                return Err(format!("the terminal does not say how it is set: {}", io::Error::last_os_error()));
            }
            before
        };
        *BEFORE.lock() = Some(before);
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            report(info);
        }));
        let mut raw = before;
        // SAFETY: both are of this frame.
        unsafe {
            libc::cfmakeraw(&raw mut raw);
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const raw);
        }
        let terminal = Terminal { shown: String::new(), coloured: std::env::var_os("NO_COLOR").is_none() };
        terminal.put(ENTER).map_err(|error| error.to_string())?;
        Ok(terminal)
    }

    /// Columns and lines.
    fn size(&self) -> (usize, usize) {
        // SAFETY: TIOCGWINSZ writes a winsize, if it says so.
        let size = unsafe {
            let mut size: libc::winsize = std::mem::zeroed();
            let done = libc::ioctl(io::stdout().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size);
            (done == 0).then_some((usize::from(size.ws_col), usize::from(size.ws_row)))
        };
        size.filter(|size| *size != (0, 0)).unwrap_or(USUAL)
    }

    fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        let mut text = String::from("\x1b[H");
        for (at, line) in lines.iter().enumerate() {
            // None behind the last: that would scroll.
            text.push_str(if at > 0 { "\r\n" } else { "" });
            for (look, piece) in line {
                let code = self.code(*look);
                text.push_str(&format!("{code}{piece}{}", if code.is_empty() { "" } else { "\x1b[0m" }));
            }
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J");
        if text == self.shown {
            return Ok(());
        }
        self.put(&text)?;
        self.shown = text;
        Ok(())
    }

    fn code(&self, look: Look) -> &'static str {
        match look {
            Look::Plain => "",
            Look::Strong => "\x1b[1m",
            Look::Chosen => "\x1b[7m",
            _ if !self.coloured => "",
            Look::Soft => "\x1b[2m",
            Look::Good => "\x1b[32m",
            Look::Warn => "\x1b[33m",
            Look::Bad => "\x1b[31m",
        }
    }

    fn put(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// What was typed within that time: nothing is something, but the end of the input is `None`.
    fn read(&self, within: Duration) -> io::Result<Option<Vec<u8>>> {
        let mut input = io::stdin().lock();
        let mut poll = libc::pollfd { fd: input.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd, of this frame.
        let ready = unsafe { libc::poll(&raw mut poll, 1, within.as_millis() as libc::c_int) };
        if ready <= 0 {
            // A signal is as good as a key that means nothing.
            return Ok(Some(Vec::new()));
        }
        let mut bytes = vec![0; 256];
        match input.read(&mut bytes) {
            Ok(0) => Ok(None),
            Ok(read) => Ok(Some(bytes[..read].to_vec())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Some(Vec::new())),
            // What a terminal says that is gone.
            Err(_) => Ok(None),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Once, whoever comes first.
fn restore() {
    if let Some(before) = BEFORE.lock().take() {
        let mut out = io::stdout().lock();
        let _ = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
        // SAFETY: tcsetattr(3) reads a termios that tcgetattr has written.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const before) };
    }
}
