//! `history export`: messages for programs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use chat_proto::Message;
use chat_server::store::log::Log;
use clap::{Args, ValueEnum};

use super::each;
use super::filter::Filter;
use super::progress::Progress;

/// `history export`.
#[derive(Debug, Clone, Args)]
pub(super) struct Export {
    #[command(flatten)]
    filter: Filter,
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Where to; standard output if left out. An existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How messages are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The lines of the history as they are
    Jsonl,
    /// seq,time,from,to,text,id with a header line
    Csv,
}

impl Export {
    pub(super) fn run(&self, log: &Log) -> anyhow::Result<()> {
        let (target, progress): (Box<dyn Write>, _) = match &self.output {
            Some(path) => {
                let file = File::create_new(path)
                    .with_context(|| format!("cannot make {}", path.display()))?;
                (Box::new(file), Progress::of_silent())
            }
            None => (Box::new(io::stdout().lock()), Progress::of_printing()),
        };
        let out = BufWriter::new(target);
        match self.format {
            Format::Jsonl => self.jsonl(log, progress, out),
            Format::Csv => self.csv(log, progress, out),
        }
    }

    fn jsonl(&self, log: &Log, progress: Progress, mut out: impl Write) -> anyhow::Result<()> {
        each(log, progress, |message, line| {
            if self.filter.has(message) {
                out.write_all(line)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        })?;
        Ok(out.flush()?)
    }

    fn csv(&self, log: &Log, progress: Progress, out: impl Write) -> anyhow::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(["seq", "time", "from", "to", "text", "id"])?;
        each(log, progress, |message, _| {
            if self.filter.has(message) {
                let Message {
                    seq,
                    time,
                    from,
                    to,
                    text,
                    id,
                } = message;
                let (seq, time) = (seq.to_string(), time.to_string());
                let id = id.as_deref().unwrap_or("");
                table.write_record([&seq, &time, &**from, &**to, &**text, id])?;
            }
            Ok(())
        })?;
        Ok(table.flush()?)
    }
}
