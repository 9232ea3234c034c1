//! The report for people: a table for each mode, with the columns that this mode fills.

use std::collections::BTreeSet;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::{Figures, Report, Row, State};

type Column = (&'static str, fn(&Figures) -> Option<f64>);

const COLUMNS: [Column; 6] = [
    ("CPU-s / million", |figures| figures.cpu_s_per_million),
    ("deliveries / s", |figures| figures.deliveries_per_s),
    ("p50 ms", |figures| figures.p50_ms),
    ("p99 ms", |figures| figures.p99_ms),
    ("bytes / connection", |figures| figures.bytes_per_connection),
    ("connections / s", |figures| figures.connections_per_s),
];

pub(super) fn render(report: &Report) -> String {
    let mut text = format!("{}\n", report.machine);
    let mut modes: Vec<&str> = Vec::new();
    for row in &report.rows {
        if !modes.contains(&row.mode) {
            modes.push(row.mode);
        }
    }
    for mode in modes {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.mode == mode).collect();
        text.push_str(&format!("\n{mode}\n\n{}\n", table(&rows)));
        for row in rows {
            if let State::Failed { why } = &row.state {
                text.push_str(&format!("\nFAILED: {}, {}: {why}\n", row.case, row.server));
            }
        }
    }
    text
}

fn table(rows: &[&Row]) -> Table {
    let columns: Vec<Column> = COLUMNS
        .into_iter()
        .filter(|(_, figure)| rows.iter().any(|row| figure(&row.figures).is_some()))
        .collect();
    let more: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.figures.more.keys().copied())
        .collect();
    let compared = rows.iter().any(|row| !row.ratio.is_empty());
    let wanted = rows.iter().any(|row| row.wanted.is_some());

    let mut header = vec!["case", "server"];
    header.extend(columns.iter().map(|(title, _)| *title));
    header.extend(compared.then_some("x limit"));
    header.extend(wanted.then_some("wanted"));
    header.extend(more.iter().copied());
    header.push("check");
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(&header);
    for row in rows {
        let mut cells = vec![row.case.clone(), row.server.to_owned()];
        cells.extend(
            columns
                .iter()
                .map(|(_, figure)| figure(&row.figures).map(digits).unwrap_or_default()),
        );
        cells.extend(compared.then(|| ratios(row)));
        cells.extend(wanted.then(|| row.wanted.unwrap_or_default().to_owned()));
        cells.extend(more.iter().map(|name| {
            row.figures
                .more
                .get(name)
                .copied()
                .map(digits)
                .unwrap_or_default()
        }));
        cells.push(check(&row.state).to_owned());
        table.add_row(cells);
    }
    for index in 2..header.len() - 1 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn ratios(row: &Row) -> String {
    match row.ratio.len() {
        1 => row
            .ratio
            .values()
            .map(|ratio| format!("{ratio:.2}"))
            .collect(),
        _ => row
            .ratio
            .iter()
            .map(|(name, ratio)| format!("{name} {ratio:.2}"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn check(state: &State) -> &'static str {
    match state {
        State::Passed => "ok",
        State::Failed { .. } => "FAILED",
        State::Absent => "absent",
        State::Skipped => "skipped: out of time",
    }
}

/// Three significant digits below a thousand, groups of three above.
fn digits(value: f64) -> String {
    if value.abs() >= 1_000.0 {
        let whole = format!("{value:.0}");
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        return grouped;
    }
    let decimals = match value.abs() {
        large if large >= 100.0 => 0,
        large if large >= 10.0 => 1,
        one if one >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_with_three_digits_or_in_groups() {
        for (value, text) in [
            (0.0771, "0.077"),
            (1.257, "1.26"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1_234_567.8, "1,234,568"),
        ] {
            assert_eq!(digits(value), text);
        }
    }
}
