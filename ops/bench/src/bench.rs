//! One run of the bench: what is compared, for how long, and how a case becomes rows of the report.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::deadline::{Deadline, check_interrupted};
use crate::error::{BenchError, Result};
use crate::procstat;
use crate::report::{Case, Figures, Report, Row, State};
use crate::servers::{Kind, Server, Site};

/// The generator runs before a measurement begins: caches, TCP windows, the scheduler.
pub(crate) const WARM_UP: Duration = Duration::from_millis(300);
/// How long what was sent may take to arrive when nothing more is sent.
pub(crate) const DRAIN: Duration = Duration::from_secs(15);
/// How long a crowd may take to arrive.
pub(crate) const ARRIVE: Duration = Duration::from_secs(60);

/// How much of a mode is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Quick,
    Full,
}

#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) site: Site,
    /// Who is to be compared.
    pub(crate) servers: Vec<Kind>,
    /// Each case is measured so often, the servers in turn; the medians count.
    pub(crate) rounds: usize,
    /// How long one measurement takes.
    pub(crate) measure: Duration,
    pub(crate) text_bytes: usize,
    pub(crate) report: Report,
    /// No new case is begun after this.
    pub(crate) budget: Option<Deadline>,
}

impl Bench {
    /// Measures a case on a fresh server of each kind and puts a row for each into the report.
    ///
    /// # Errors
    /// Only when the bench was told to stop: a server that fails has its row.
    pub(crate) fn compare(
        &mut self,
        case: &Case,
        kinds: &[Kind],
        measure: impl Fn(&Server) -> Result<Figures>,
    ) -> Result<()> {
        let site = self.site.clone();
        self.compare_with(case, kinds, |kind| {
            let server = Server::start(kind, &site)?;
            let measured = measure(&server);
            measured.map_err(|error| match (error, server.last_words()) {
                (error @ BenchError::Interrupted, _) => error,
                (error, said) if said.is_empty() => error,
                (error, said) => BenchError::Server(format!("{error}; it said: {said}")),
            })
        })
    }

    /// The same where a measurement starts its servers itself.
    pub(crate) fn compare_with(
        &mut self,
        case: &Case,
        kinds: &[Kind],
        measure: impl Fn(Kind) -> Result<Figures>,
    ) -> Result<()> {
        let kinds: Vec<Kind> = kinds
            .iter()
            .copied()
            .filter(|kind| self.servers.contains(kind))
            .collect();
        let mut rounds: Vec<Vec<Figures>> = kinds.iter().map(|_| Vec::new()).collect();
        let mut states: Vec<State> = kinds.iter().map(|_| State::Passed).collect();
        for _ in 0..self.rounds {
            for (index, &kind) in kinds.iter().enumerate() {
                if states[index] != State::Passed {
                    continue;
                }
                if kind.binary(&self.site).is_none() {
                    states[index] = State::Absent;
                    continue;
                }
                if self.out_of_time() {
                    if rounds[index].is_empty() {
                        states[index] = State::Skipped;
                    }
                    continue;
                }
                progress(&format!("{}: {}, {}", case.mode, case.label, kind.name()));
                match measure(kind) {
                    Ok(figures) => {
                        if let Some(fault) = figures.fault.clone() {
                            states[index] = State::Failed { why: fault };
                        }
                        rounds[index].push(figures);
                    }
                    Err(BenchError::Interrupted) => return Err(BenchError::Interrupted),
                    Err(error) => {
                        states[index] = State::Failed {
                            why: error.to_string(),
                        }
                    }
                }
                check_interrupted()?;
            }
        }
        for ((kind, state), figures) in kinds.into_iter().zip(states).zip(rounds) {
            self.report.rows.push(Row::new(case, kind, state, &figures));
        }
        Ok(())
    }

    fn out_of_time(&self) -> bool {
        self.budget
            .as_ref()
            .is_some_and(|budget| budget.check().is_err())
    }
}

/// Tells on standard error what is being done; the report alone goes to standard output.
pub(crate) fn progress(what: &str) {
    // Nobody to tell if standard error is closed.
    drop(writeln!(std::io::stderr().lock(), "{what}"));
}

/// Reads clocks at the beginning of a measured interval and again at its end.
pub(crate) struct Meter<'a> {
    server: &'a Server,
    begun: Instant,
    cpu: Duration,
    own_cpu: Duration,
    received: u64,
}

impl<'a> Meter<'a> {
    /// `received`: deliveries so far.
    pub(crate) fn start(server: &'a Server, received: u64) -> Result<Self> {
        let own_cpu = procstat::cpu_time(std::process::id())?;
        Ok(Self {
            server,
            cpu: server.cpu_time()?,
            own_cpu,
            begun: Instant::now(),
            received,
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn finish(&self, received: u64) -> Result<Figures> {
        let elapsed = self.begun.elapsed().as_secs_f64();
        let cpu = (self.server.cpu_time()? - self.cpu).as_secs_f64();
        let own_cpu = (procstat::cpu_time(std::process::id())? - self.own_cpu).as_secs_f64();
        let deliveries = (received - self.received) as f64;
        let mut figures = Figures {
            deliveries_per_s: Some(deliveries / elapsed),
            cpu_s_per_million: (deliveries > 0.0).then(|| cpu / deliveries * 1e6),
            ..Figures::default()
        };
        figures.more("server busy %", cpu / elapsed * 100.0);
        figures.more("generator busy %", own_cpu / elapsed * 100.0);
        Ok(figures)
    }
}
