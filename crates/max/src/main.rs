//! The `max` command: reads the arguments, runs, ends the process. Nothing else does.

use std::process::ExitCode;

use max_app::launcher::Wired;

fn main() -> ExitCode {
    telemetry();
    #[cfg(debug_assertions)]
    if let Ok(specification) = std::env::var("MAX_FAILPOINTS")
        && let Err(error) = max_engine::fail::arm(&specification)
    {
        eprintln!("error: MAX_FAILPOINTS: {error}");
        return ExitCode::from(max_app::exit::Exit::Usage.code());
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return ExitCode::from(max_app::exit::Exit::Failed.code());
        }
    };
    let exit = runtime.block_on(max_app::cli::run(std::env::args_os(), &Wired));
    // What still blocks a thread (a read in flight) must not keep the command from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ExitCode::from(exit.code())
}

/// Log lines go to stderr; `MAX_LOG` chooses them as `tracing` directives do.
fn telemetry() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("MAX_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // A log on a full disk must not end the threads that write to it: telling of it on stderr would panic.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false).init();
}
