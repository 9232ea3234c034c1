//! More than one core: chat-server with one and with two `workers`, on its one core and on all of them.
//! With two cores the generator shares the second one with the server, so the speed there says little;
//! CPU-seconds and the check still count.

use super::saturate::{Shape, saturate};
use crate::bench::Bench;
use crate::error::Result;
use crate::procstat;
use crate::report::Case;
use crate::servers::{Kind, Server};

/// The setting, as the environment has it.
const SETTING: &str = "CHAT_WORKERS";

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let all_cores: Vec<usize> = (0..crate::launch::cores_of_this_machine()).collect();
    let one_core = bench.site.cores.clone();
    for (workers, cores, place) in [
        (1, &one_core, "its core"),
        (1, &all_cores, "all cores"),
        (2, &all_cores, "all cores"),
    ] {
        for (name, shape) in shapes(bench.text_bytes) {
            let mut site = bench.site.clone();
            site.cores.clone_from(cores);
            site.settings
                .push((SETTING.to_owned(), workers.to_string()));
            let case = Case {
                mode: "workers",
                label: format!("{name}, {workers} on {place}"),
                ..Case::default()
            };
            let seconds = bench.measure;
            bench.compare_with(&case, &[Kind::Chat], |kind| {
                let server = Server::start(kind, &site)?;
                let mut figures = saturate(&server, &shape, seconds)?;
                figures.more("server threads", procstat::threads(server.pid())? as f64);
                Ok(figures)
            })?;
        }
    }
    Ok(())
}

fn shapes(text_bytes: usize) -> [(&'static str, Shape); 3] {
    let many = Shape {
        channels: 200,
        ..Shape::channel_of(10, 1, 8, text_bytes)
    };
    [
        (
            "channel of 1000",
            Shape::channel_of(1_000, 10, 51, text_bytes),
        ),
        ("channel of 10", Shape::channel_of(10, 10, 51, text_bytes)),
        ("200 channels of 10", many),
    ]
}
