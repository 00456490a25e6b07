//! Starts aic-mcp.

fn main() -> std::process::ExitCode {
    aic_shim::main()
}
