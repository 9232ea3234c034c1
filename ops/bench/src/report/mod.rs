//! What was measured: one row for each case and server, with its ratio to the `limit` of the same run.

mod svg;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::error::{BenchError, Doing, Result};
use crate::launch::cores_of_this_machine;
use crate::servers::Kind;

/// What one measurement found; what it does not tell is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// CPU-seconds of the server for a million deliveries.
    pub(crate) cpu_s_per_million: Option<f64>,
    pub(crate) deliveries_per_s: Option<f64>,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// Resident memory of the server for each connection.
    pub(crate) bytes_per_connection: Option<f64>,
    pub(crate) connections_per_s: Option<f64>,
    /// What only this mode has, by name and unit.
    pub(crate) more: BTreeMap<&'static str, f64>,
    /// What was wrong with the deliveries.
    #[serde(skip)]
    pub(crate) fault: Option<String>,
}

/// What is measured, the same for every server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) mode: &'static str,
    pub(crate) label: String,
    /// What chat-server is meant to reach, for people.
    pub(crate) wanted: Option<&'static str>,
    /// The curve this is a point of.
    pub(crate) point: Option<Point>,
}

/// Where a case stands on a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Point {
    pub(crate) curve: &'static str,
    pub(crate) x: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Passed,
    /// A message was lost, repeated or out of order, or the server did not do the work at all.
    Failed {
        why: String,
    },
    /// Not on this machine.
    Absent,
    /// The time of the whole run was over.
    Skipped,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) mode: &'static str,
    pub(crate) case: String,
    pub(crate) server: &'static str,
    pub(crate) state: State,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// Least and most CPU-seconds for a million deliveries of all rounds.
    pub(crate) cpu_spread: Option<[f64; 2]>,
    /// To the limit server in this run, by figure.
    pub(crate) ratio: BTreeMap<&'static str, f64>,
    pub(crate) wanted: Option<&'static str>,
    pub(crate) point: Option<Point>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) unix_time: u64,
    pub(crate) machine: String,
    pub(crate) rows: Vec<Row>,
}

impl Figures {
    pub(crate) fn more(&mut self, name: &'static str, value: f64) {
        self.more.insert(name, value);
    }

    /// Those that are told as a ratio to the limit.
    fn compared(&self) -> [(&'static str, Option<f64>); 5] {
        [
            ("cpu", self.cpu_s_per_million),
            ("p50", self.p50_ms),
            ("p99", self.p99_ms),
            ("bytes", self.bytes_per_connection),
            ("connections/s", self.connections_per_s),
        ]
    }

    /// Figure by figure, the median of several rounds.
    fn median(rounds: &[Self]) -> Self {
        let of = |figure: &dyn Fn(&Self) -> Option<f64>| {
            median(rounds.iter().filter_map(figure).collect())
        };
        let mut more = BTreeMap::new();
        for &name in rounds.iter().flat_map(|round| round.more.keys()) {
            if let Some(value) = of(&|round| round.more.get(name).copied()) {
                more.insert(name, value);
            }
        }
        Self {
            cpu_s_per_million: of(&|round| round.cpu_s_per_million),
            deliveries_per_s: of(&|round| round.deliveries_per_s),
            p50_ms: of(&|round| round.p50_ms),
            p99_ms: of(&|round| round.p99_ms),
            bytes_per_connection: of(&|round| round.bytes_per_connection),
            connections_per_s: of(&|round| round.connections_per_s),
            more,
            fault: None,
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 {
        upper
    } else {
        f64::midpoint(values[middle - 1], upper)
    })
}

impl Row {
    pub(crate) fn new(case: &Case, kind: Kind, state: State, rounds: &[Figures]) -> Self {
        let costs: Vec<f64> = rounds
            .iter()
            .filter_map(|round| round.cpu_s_per_million)
            .collect();
        let least = costs.iter().copied().min_by(f64::total_cmp);
        let most = costs.iter().copied().max_by(f64::total_cmp);
        Self {
            mode: case.mode,
            case: case.label.clone(),
            server: kind.name(),
            state,
            figures: Figures::median(rounds),
            cpu_spread: least.zip(most).map(|(least, most)| [least, most]),
            ratio: BTreeMap::new(),
            wanted: case.wanted.filter(|_| kind == Kind::Chat),
            point: case.point,
        }
    }
}

impl Report {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            unix_time: now.as_secs(),
            machine: machine(),
            rows: Vec::new(),
        }
    }

    /// Fills in the ratios, when all rows are there.
    pub(crate) fn settle(&mut self) {
        let limits: Vec<Row> = self
            .rows
            .iter()
            .filter(|row| row.server == Kind::Limit.name())
            .cloned()
            .collect();
        for row in &mut self.rows {
            let Some(limit) = limits
                .iter()
                .find(|limit| limit.mode == row.mode && limit.case == row.case)
            else {
                continue;
            };
            for ((name, ours), (_, bare)) in row
                .figures
                .compared()
                .into_iter()
                .zip(limit.figures.compared())
            {
                if let (Some(ours), Some(bare)) = (ours, bare)
                    && bare > 0.0
                {
                    row.ratio.insert(name, ours / bare);
                }
            }
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.state, State::Failed { .. }))
    }

    /// The tables, one for each mode.
    pub(crate) fn tables(&self) -> String {
        table::render(self)
    }

    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write_json(&self, path: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)
            .map_err(|error| BenchError::Report(error.to_string()))?;
        json.push('\n');
        fs::write(path, json).doing("writing the JSON report")
    }

    /// One picture for each curve that has points: that of the receivers in `path` itself, any other
    /// beside it under its name.
    ///
    /// # Errors
    /// When a picture cannot be drawn or written.
    pub(crate) fn write_svg(&self, path: &Path) -> Result<()> {
        svg::write(self, path)
    }
}

/// Processor, cores, memory and kernel, as far as /proc tells.
fn machine() -> String {
    let field = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processor =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = cores_of_this_machine();
    format!(
        "{processor}, {cores} cores, {memory} of memory, Linux {}",
        kernel.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cost: f64) -> Figures {
        Figures {
            cpu_s_per_million: Some(cost),
            ..Figures::default()
        }
    }

    #[test]
    fn a_row_tells_the_median_the_spread_and_the_ratio_to_the_limit() {
        let case = Case {
            mode: "fan-out",
            label: "10".to_owned(),
            wanted: Some("cpu <= 1.3"),
            point: None,
        };
        let mut report = Report {
            unix_time: 0,
            machine: String::new(),
            rows: Vec::new(),
        };
        let limit = [figures(0.3), figures(0.1), figures(0.2)];
        report
            .rows
            .push(Row::new(&case, Kind::Limit, State::Passed, &limit));
        report
            .rows
            .push(Row::new(&case, Kind::Chat, State::Passed, &[figures(0.3)]));
        report
            .rows
            .push(Row::new(&case, Kind::Nats, State::Absent, &[]));
        report.settle();
        assert_eq!(report.rows[0].figures.cpu_s_per_million, Some(0.2));
        assert_eq!(report.rows[0].cpu_spread, Some([0.1, 0.3]));
        assert!((report.rows[1].ratio["cpu"] - 1.5).abs() < 1e-9);
        assert_eq!(
            (report.rows[1].wanted, report.rows[0].wanted),
            (Some("cpu <= 1.3"), None)
        );
        assert!(report.rows[2].ratio.is_empty() && !report.failed());
        assert!(report.tables().contains("1.50"));
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
