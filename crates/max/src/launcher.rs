//! What commands may start, implemented over the wiring.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use max_adapters::agency::Agency;
use max_adapters::sandbox::Sandbox;
use max_adapters::signals::yaml::{FileKind, parse, to_yaml};
use max_core::signal::Signal;
use serde_json::Value;
use tokio::signal::unix::{Signal as Caught, SignalKind, signal};

use crate::bench::documents::{self, DocumentsOptions};
use crate::bench::pipeline::{self, PipelineOptions};
use crate::cli::launch::{BenchOptions, Launcher, Role, Running, ScriptCheck, ServeOptions};
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::wiring::{self, Host};

/// How many leads go through workload W.
const PIPELINE_LEADS: usize = 10_000;
/// How many leads get their documents.
const DOCUMENTS_LEADS: usize = 1_000;
/// How often each document is written.
const ROUNDS: usize = 100;

/// Starts servers and benchmarks of this build.
pub struct Wired;

/// A server in this process.
struct Here {
    host: Host,
    /// Once somebody may ask it to stop.
    asked: Option<Asked>,
}

impl Launcher for Wired {
    fn serve<'a>(
        &'a self,
        config: &'a Config,
        role: Role,
        options: ServeOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, Failure>> {
        Box::pin(async move {
            let host = wiring::serve(config, role, options, None).await;
            let host = host.map_err(|error| Failure::new(Exit::Failed, format!("MAX cannot start: {error:#}")))?;
            Ok(Box::new(Here { host, asked: None }) as Box<dyn Running>)
        })
    }

    fn write_agency(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
        let written = Agency::write_defaults(folder).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        Ok(written.into_iter().map(|name| folder.join(name)).collect())
    }

    fn check_agency(&self, folder: &Path) -> Vec<String> {
        Agency::load(Some(folder)).err().map(|error| error.to_string()).into_iter().collect()
    }

    fn check_voices(&self, config: &Config) -> Vec<(String, String)> {
        // A fault in the agency folder is told by `check_agency`.
        wiring::check_voices(config).unwrap_or_default()
    }

    fn check_scripts<'a>(&'a self, folder: &'a Path) -> BoxFuture<'a, ScriptCheck> {
        Box::pin(async move {
            let agency = Agency::load(folder.is_dir().then_some(folder));
            let scripts = agency.map(|agency| agency.onboarding.scripts.into_iter().map(|s| s.id).collect());
            ScriptCheck { scripts: scripts.unwrap_or_default(), sandbox: Sandbox::check().await }
        })
    }

    fn read_signal(&self, file: &Path) -> Result<Value, String> {
        let bytes = std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let markdown = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("md"));
        let kind = if markdown { FileKind::Markdown } else { FileKind::Yaml };
        let mut signal = parse(&bytes, kind).map_err(|reason| reason.0)?;
        if signal.id.is_none() {
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            signal.id = Some(max_core::signal::derived_id(&name, &bytes));
        }
        serde_json::to_value(signal).map_err(|error| error.to_string())
    }

    fn signal_text(&self, signal: &Signal) -> String {
        to_yaml(signal)
    }

    fn bench(&self, options: BenchOptions) -> BoxFuture<'_, Result<(Value, String), Failure>> {
        Box::pin(async move {
            match options.name.as_str() {
                "pipeline" => {}
                "documents" => return bench_documents(&options).await,
                other => {
                    let advice = format!("there is no benchmark `{other}`; use pipeline or documents");
                    return Err(Failure::new(Exit::Usage, advice));
                }
            }
            let folder = options.folder.clone().unwrap_or_else(std::env::temp_dir);
            let leads = options.leads.unwrap_or(PIPELINE_LEADS);
            let wanted = PipelineOptions { leads, in_flight: options.concurrency, store: options.store, folder };
            let report = pipeline::run(&wanted, |what| eprintln!("measuring: {what}")).await;
            let report =
                report.map_err(|error| Failure::new(Exit::Failed, format!("the benchmark failed: {error:#}")))?;
            let figures = serde_json::to_value(&report).unwrap_or_default();
            Ok((figures, report.table()))
        })
    }
}

/// Writes documents, on a thread that may be busy.
async fn bench_documents(options: &BenchOptions) -> Result<(Value, String), Failure> {
    let wanted = DocumentsOptions { rounds: ROUNDS, leads: options.leads.unwrap_or(DOCUMENTS_LEADS) };
    let failed = |error: anyhow::Error| Failure::new(Exit::Failed, format!("the benchmark failed: {error:#}"));
    let report = tokio::task::spawn_blocking(move || documents::run(&wanted, |what| eprintln!("measuring: {what}")));
    let report = report.await.map_err(|error| failed(error.into()))?.map_err(failed)?;
    Ok((serde_json::to_value(&report).unwrap_or_default(), report.table()))
}

impl Running for Here {
    fn address(&self) -> SocketAddr {
        self.host.address
    }

    fn sign_in_link(&self) -> &str {
        &self.host.sign_in_link
    }

    fn admin_token(&self) -> Option<&str> {
        self.host.new_token.as_deref()
    }

    fn watch(&mut self) -> Result<(), Failure> {
        let asked = Asked::watch();
        let asked = asked.map_err(|error| Failure::new(Exit::Failed, format!("signals cannot be watched: {error}")))?;
        self.asked = Some(asked);
        Ok(())
    }

    fn wait(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            if self.asked.is_none() {
                self.watch()?;
            }
            let Some(mut asked) = self.asked.take() else { return Ok(()) };
            asked.asked().await;
            eprintln!("stopping: turns that run may end; interrupt again to cut");
            // The second one does not wait for anybody: what was acknowledged is durable already.
            tokio::spawn(async move {
                asked.asked().await;
                std::process::abort();
            });
            Ok(())
        })
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.host.stop())
    }
}

/// SIGINT and SIGTERM, noticed from the moment they are watched.
struct Asked {
    interrupt: Caught,
    terminate: Caught,
}

impl Asked {
    fn watch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
