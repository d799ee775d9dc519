//! The `quorate` program; see `quorate::cli`.

/// For SQLite's memory as well: the crate's `override` replaces malloc in the whole program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    quorate::panics::install();
    if let Err(why) = quorate::engine::memory::install() {
        eprintln!("error: {why}");
        return std::process::ExitCode::FAILURE;
    }
    quorate::cli::run()
}
