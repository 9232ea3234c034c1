//! What is measured, a file for each.

pub(crate) mod channels;
pub(crate) mod curves;
pub(crate) mod fanout;
pub(crate) mod history;
pub(crate) mod idle;
pub(crate) mod overload;
mod pace;
pub(crate) mod paced;
mod pager;
mod past;
mod saturate;
pub(crate) mod soak;
pub(crate) mod workers;

use crate::bench::{Bench, Scale};
use crate::error::Result;

/// Every mode, one after the other.
pub(crate) fn all(bench: &mut Bench, scale: Scale) -> Result<()> {
    fanout::run(bench, scale)?;
    paced::run(bench, scale)?;
    channels::run(bench, scale)?;
    idle::run(bench, scale)?;
    history::run(bench, scale)?;
    overload::run(bench, scale)?;
    if scale == Scale::Full {
        curves::run(bench)?;
        workers::run(bench)?;
    }
    Ok(())
}
