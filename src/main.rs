//! The `quorate` program; see `quorate::cli`.

/// For SQLite's memory as well: the crate's `override` replaces malloc in the whole program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    /// `mimalloc.h`: frees what threads that are gone have left, and returns free pages, at once if forced.
    fn mi_collect(force: bool);
}

fn main() -> std::process::ExitCode {
    quorate::panics::install();
    if let Err(why) = quorate::engine::memory::install() {
        eprintln!("error: {why}");
        return std::process::ExitCode::FAILURE;
    }
    // SAFETY: the allocator's own housekeeping, which any thread may ask for.
    quorate::engine::memory::set_housekeeping(|| unsafe { mi_collect(true) });
    quorate::cli::run()
}
