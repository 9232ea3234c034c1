//! The curves as pictures: a line for each server, or where there is but one, for each of its figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::{Report, State};
use crate::error::{BenchError, Result};

const SIZE: (u32, u32) = (960, 500);
/// Left of the names of the lines.
const PLOT_WIDTH: u32 = 760;
const COLORS: [RGBColor; 6] = [
    RGBColor(0x88, 0x88, 0x88),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0x2c, 0xa0, 0x2c),
    RGBColor(0xff, 0x7f, 0x0e),
    RGBColor(0x94, 0x67, 0xbd),
];

/// The name of a curve in the report, what its axes say, and whether they are logarithmic.
struct Look {
    curve: &'static str,
    x: &'static str,
    y: &'static str,
    logarithmic: bool,
}

const LOOKS: [Look; 4] = [
    Look {
        curve: "receivers",
        x: "receivers in the channel",
        y: "server CPU-seconds per million deliveries",
        logarithmic: true,
    },
    Look {
        curve: "idle",
        x: "idle people beside a channel of 100",
        y: "server CPU-seconds per million deliveries",
        logarithmic: false,
    },
    Look {
        curve: "channels",
        x: "quiet channels of 10 beside 20 busy ones",
        y: "server CPU-seconds per million deliveries",
        logarithmic: false,
    },
    Look {
        curve: "history",
        x: "messages in the history",
        y: "milliseconds",
        logarithmic: true,
    },
];

type Lines = BTreeMap<String, Vec<(f64, f64)>>;

pub(super) fn write(report: &Report, path: &Path) -> Result<()> {
    for look in &LOOKS {
        let lines = lines(report, look.curve);
        if lines.is_empty() {
            continue;
        }
        let path = if look.curve == "receivers" {
            path.to_owned()
        } else {
            beside(path, look.curve)
        };
        let canvas = SVGBackend::new(&path, SIZE).into_drawing_area();
        draw(&canvas, look, &lines)
            .and_then(|()| canvas.present().map_err(|error| error.to_string()))
            .map_err(BenchError::Report)?;
    }
    Ok(())
}

/// `cost.svg` and `idle` make `cost-idle.svg`.
fn beside(path: &Path, curve: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{curve}.svg"))
}

fn lines(report: &Report, curve: &str) -> Lines {
    let mut lines = Lines::new();
    for row in &report.rows {
        let Some(point) = row.point.filter(|point| point.curve == curve) else {
            continue;
        };
        if row.state != State::Passed {
            continue;
        }
        if let Some(cost) = row.figures.cpu_s_per_million {
            lines
                .entry(row.server.to_owned())
                .or_default()
                .push((point.x, cost));
            continue;
        }
        for (name, value) in row
            .figures
            .more
            .iter()
            .filter(|(name, _)| name.ends_with(" ms"))
        {
            lines
                .entry((*name).to_owned())
                .or_default()
                .push((point.x, *value));
        }
    }
    for points in lines.values_mut() {
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
    }
    lines
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(canvas: &Canvas<'_>, look: &Look, lines: &Lines) -> std::result::Result<(), String> {
    let points = || lines.values().flatten();
    let most = |axis: fn(&(f64, f64)) -> f64| points().map(axis).fold(f64::MIN_POSITIVE, f64::max);
    let least =
        |axis: fn(&(f64, f64)) -> f64| points().map(axis).fold(f64::MAX, f64::min).max(1e-3);
    let (x_most, y_most) = (most(|point| point.0) * 1.1, most(|point| point.1) * 1.3);
    if look.logarithmic {
        let x = (least(|point| point.0) * 0.9..x_most).log_scale();
        let y = (least(|point| point.1) * 0.7..y_most).log_scale();
        draw_on(canvas, look, lines, x, y)
    } else {
        draw_on(canvas, look, lines, 0.0..x_most, 0.0..y_most)
    }
    .map_err(|error| error.to_string())
}

fn draw_on<X, Y>(
    canvas: &Canvas<'_>,
    look: &Look,
    lines: &Lines,
    x: X,
    y: Y,
) -> std::result::Result<(), Box<dyn std::error::Error>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    canvas.fill(&WHITE)?;
    let (plot, names) = canvas.split_horizontally(PLOT_WIDTH);
    let mut chart = ChartBuilder::on(&plot)
        .margin(15)
        .x_label_area_size(45)
        .y_label_area_size(65)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(look.x)
        .y_desc(look.y)
        .x_label_formatter(&written)
        .y_label_formatter(&written)
        .light_line_style(BLACK.mix(0.05))
        .draw()?;
    let mut lines: Vec<_> = lines.iter().zip(COLORS.iter().cycle()).collect();
    // The names stand in the order in which the lines end.
    let end = |points: &[(f64, f64)]| points.last().map_or(0.0, |point| point.1);
    lines.sort_by(|((_, one), _), ((_, other), _)| end(other).total_cmp(&end(one)));
    for (((name, points), color), y) in lines.into_iter().zip((40..).step_by(22)) {
        let style = color.stroke_width(2);
        chart.draw_series(LineSeries::new(points.iter().copied(), style).point_size(3))?;
        names.draw(&PathElement::new([(5, y), (25, y)], style))?;
        names.draw(&Text::new(name.as_str(), (32, y - 6), ("sans-serif", 13)))?;
    }
    Ok(())
}

/// A number at an axis: a sum of tenths is not quite one.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the library passes references"
)]
fn written(number: &f64) -> String {
    ((number * 1e3).round() / 1e3).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Figures, Point, Row};
    use super::*;
    use crate::servers::Kind;

    #[test]
    fn a_curve_becomes_a_picture() {
        let mut report = Report {
            unix_time: 0,
            machine: String::new(),
            rows: Vec::new(),
        };
        for (x, cost) in [(10.0, 0.25), (100.0, 0.08), (1_000.0, 0.07)] {
            let point = Some(Point {
                curve: "receivers",
                x,
            });
            let case = Case {
                mode: "fan-out",
                label: x.to_string(),
                wanted: None,
                point,
            };
            let figures = Figures {
                cpu_s_per_million: Some(cost),
                ..Figures::default()
            };
            report
                .rows
                .push(Row::new(&case, Kind::Limit, State::Passed, &[figures]));
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cost.svg");
        write(&report, &path).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        assert!(picture.contains("limit") && picture.contains("receivers in the channel"));
        assert!(picture.contains("\n0.3\n"), "{picture}");
        assert_eq!(beside(&path, "idle"), dir.path().join("cost-idle.svg"));
    }
}
