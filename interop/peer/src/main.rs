//! One member of a mesh on the published crate `blip`, driven and observed like `blip agent --json`:
//! the same flags, and the same line on stdout for each view change. Logs and panics go to stderr.
mod cut_line;
mod flags;
mod stderr_log;

use blip::{service::Cache, Mesh, MeshService, MultiNodeCut, Subscription};
use cut_line::CutLine;
use flags::{Detection, Flags};
use std::{
    io::{self, Write},
    process::ExitCode,
    sync::mpsc,
    thread,
};
use tokio::{
    select,
    signal::unix::{signal, SignalKind},
};

#[tokio::main]
async fn main() -> ExitCode {
    let flags = match Flags::parse(std::env::args().skip(1)) {
        Ok(flags) => flags,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::from(2);
        }
    };
    stderr_log::install();
    if flags.hold {
        hold();
    }

    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");

    // The crate knows no leave: the others find out by their probes.
    select! {
        _ = terminate.recv() => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::SUCCESS,
        ended = serve(flags) => {
            eprintln!("the mesh ended: {ended:?}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for a line on stdin, so that whoever started many members can let them join at the same moment, and
/// sees to it that this one ends when its stdin does.
fn hold() {
    let read_line = || (io::stdin().read_line(&mut String::new())).is_ok_and(|bytes| bytes > 0);

    eprintln!("holding");
    if !read_line() {
        std::process::exit(0);
    }
    thread::spawn(move || {
        while read_line() {}
        std::process::exit(0);
    });
}

async fn serve(flags: Flags) -> blip::overlay::Result {
    let addr = flags.listen;

    let mut mesh = match flags.detection {
        Detection::Default => Mesh::new(),
        Detection::LowLatency => Mesh::low_latency(),
    };
    if let Some(timeout) = flags.fault_timeout {
        mesh = mesh.fault_timeout(timeout);
    }
    if let Some(strikes) = flags.fault_strikes {
        mesh = mesh.fault_strikes(strikes);
    }
    if let Some(cut) = flags.cut {
        mesh = mesh.cd_config(cut);
    }
    if let Some(seed) = flags.seed {
        mesh = mesh.join_seed(seed, flags.tls.is_some());
    }
    if let Some(tls) = flags.tls {
        mesh = mesh.server_tls_config(tls.server);
        mesh = mesh.client_tls_config(tls.client);
    }
    mesh = mesh
        .add_metadata(flags.meta)
        .add_mesh_service(Reporter::start(flags.json));

    match flags.cache {
        None => mesh.serve(addr).await,
        Some(max_keys) => {
            let cache = Cache::from_fn(max_keys, move |key| {
                [key, format!("@{addr}").as_bytes()].concat()
            });
            mesh.add_service(cache).serve(addr).await
        }
    }
}

/// Prints each view change. A thread of its own does the writing, because a reader that is slow to empty the
/// pipe would otherwise block a thread that the protocol runs on.
struct Reporter {
    lines: mpsc::Sender<String>,
    json: bool,
}

impl Reporter {
    fn start(json: bool) -> Self {
        let (lines, written) = mpsc::channel::<String>();
        thread::spawn(move || {
            for line in written {
                let mut out = io::stdout().lock();
                if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                    // Nobody reads any more, and a member that nobody watches must not stay behind.
                    std::process::exit(0);
                }
            }
        });
        Self { lines, json }
    }

    fn report(&self, cut: &MultiNodeCut, skipped: u64) {
        let line = CutLine::new(cut, skipped);
        let text = if self.json {
            line.to_json()
        } else {
            line.to_text()
        };
        // Sending fails only once the writer has given up, and then the process is about to exit.
        let _ = self.lines.send(text);
    }
}

#[blip::async_trait]
impl MeshService for Reporter {
    async fn accept(self: Box<Self>, mut cuts: Subscription) {
        while let Ok(cut) = cuts.recv().await {
            let mut skipped = cut.skipped();

            // A subscriber that lagged is given the newest cut first, and then once more everything that is
            // still queued, older cuts included. Only the newest is news.
            if skipped > 0 {
                while let Ok(queued) = cuts.recv().await {
                    if queued.conf_id() == cut.conf_id() {
                        break;
                    }
                    skipped += 1;
                }
            }
            self.report(&cut, skipped);
        }
    }
}
