//! The crate's log, one line a record, on stderr.
use log::{LevelFilter, Log, Metadata, Record};

struct StderrLog;

impl Log for StderrLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The layers below the crate (h2, hyper, tower) would drown what the protocol has to say.
        metadata.target().starts_with("blip")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}", record.level(), record.args());
        }
    }

    fn flush(&self) {}
}

pub fn install() {
    log::set_logger(&StderrLog).expect("no other logger is installed");
    log::set_max_level(LevelFilter::Info);
}
