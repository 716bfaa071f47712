//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    isobar::cli::run(std::env::args_os().skip(1).collect()).into()
}
