//! Runs the sandbox tenant as a program of its own.

fn main() -> std::process::ExitCode {
    aic_tests::tenant::program::main()
}
