//! The crate's log on stderr, one line a record, on the clock that the cuts are stamped with.
use crate::cut_line::unix_millis;
use log::{LevelFilter, Log, Metadata, Record};

struct StderrLog;

impl Log for StderrLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The layers below the crate (h2, hyper, tower) would drown what the protocol has to say.
        metadata.target().starts_with("blip")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {} {}", unix_millis(), record.level(), record.args());
        }
    }

    fn flush(&self) {}
}

pub fn install() {
    log::set_logger(&StderrLog).expect("no other logger is installed");
    log::set_max_level(LevelFilter::Info);
}
