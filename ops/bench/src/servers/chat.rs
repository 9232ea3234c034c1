//! chat-server as it comes, history on, but for the limits that would refuse a load generator.

use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::Path;

use super::{words, write_config};
use crate::error::Result;

/// The log of the history in a server's directory.
pub(crate) const HISTORY: &str = "chat_history.log";

/// With this listener alone.
pub(super) fn configure(listener: &str, addr: SocketAddrV4, dir: &Path) -> Result<Vec<OsString>> {
    let tcp = match listener {
        "tcp" => "",
        _ => "tcp = \"\"\n",
    };
    let text = format!(
        r#"[listen]
{tcp}{listener} = "{addr}"

[history]
path = "{history}"
durability = "interval"

[accounts]
path = "{accounts}"

[limits]
connections = 100000
connections_per_ip = 0
arrivals_per_second = 0
rate_per_second = 1000000
rate_burst = 1000000
"#,
        history = dir.join(HISTORY).display(),
        accounts = dir.join("chat_accounts.db").display(),
    );
    Ok(words(
        &["--config"],
        &[write_config(dir, "server.toml", &text)?],
    ))
}
