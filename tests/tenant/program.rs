//! The program `aic-sandbox`: a tenant with a control path that lives as long as its standard input.

use std::io::Write as _;
use std::process::ExitCode;

use tokio::io::AsyncReadExt as _;

use super::{Options, Tenant};

const USAGE: &str = "usage: aic-sandbox [--port N] [--redirect-uri URI]... [--auto-login] [--user NAME]\n";

/// Runs the program: prints the tenant's address and its lines for `config.toml`, then serves until standard input closes.
pub fn main() -> ExitCode {
    let options = match read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(words) => return fail(2, &format!("{words}\n{USAGE}")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // reading standard input blocks a thread that nobody waits for once the tenant is told to leave
    let served = runtime.and_then(|runtime| {
        let served = runtime.block_on(run(options));
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &format!("aic-sandbox: {error}\n")),
    }
}

fn fail(code: u8, words: &str) -> ExitCode {
    let _ = std::io::stderr().write_all(words.as_bytes());
    ExitCode::from(code)
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { control: true, ..Options::default() };
    let mut redirect_uris = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--port" => options.port = value()?.parse().map_err(|_| "--port needs a number".to_owned())?,
            "--redirect-uri" => redirect_uris.push(value()?),
            "--auto-login" => options.switches.auto_login = true,
            "--user" => options.switches.user = value()?,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if !redirect_uris.is_empty() {
        options.redirect_uris = redirect_uris;
    }
    Ok(options)
}

async fn run(options: Options) -> std::io::Result<()> {
    let redirect_uri = options.redirect_uris.first().cloned().unwrap_or_default();
    let tenant = Tenant::start(options).await?;
    let base = tenant.base_url();
    let lines = format!(
        "{base}\n\n[tenants.sandbox]\nbase_url = \"{base}\"\nenvironment = \"sandbox\"\nredirect_uri = \"{redirect_uri}\"\n"
    );
    let mut output = std::io::stdout();
    output.write_all(lines.as_bytes())?;
    output.flush()?;
    tokio::select! {
        () = input_ends() => {}
        () = told_to_stop() => {}
    }
    Ok(())
}

async fn input_ends() {
    let mut input = tokio::io::stdin();
    let mut drain = [0; 256];
    while input.read(&mut drain).await.is_ok_and(|count| count > 0) {}
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn arguments(line: &str) -> Result<Options, String> {
        read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read() {
        let options =
            arguments("--port 8080 --auto-login --user ada@example.com --redirect-uri http://localhost:4000").unwrap();

        assert_eq!(options.port, 8080);
        assert!(options.switches.auto_login);
        assert_eq!(options.redirect_uris, ["http://localhost:4000"]);
    }

    #[test]
    fn bad_arguments_are_refused() {
        for line in ["--port", "--port x", "--frobnicate", "extra"] {
            assert!(arguments(line).is_err(), "{line}");
        }
    }
}
