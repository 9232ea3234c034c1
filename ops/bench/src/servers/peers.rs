//! What people use today, with every brake off: no penalty for fast talkers, no look-ups, no logs.

use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::Path;

use super::{words, write_config};
use crate::error::Result;

pub(super) fn nats(addr: SocketAddrV4, dir: &Path) -> Result<Vec<OsString>> {
    let text = format!("listen: \"{addr}\"\nmax_connections: 100000\nlogtime: false\n");
    Ok(words(
        &["--config"],
        &[write_config(dir, "nats.conf", &text)?],
    ))
}

pub(super) fn ngircd(addr: SocketAddrV4, dir: &Path) -> Result<Vec<OsString>> {
    let text = format!(
        "[Global]
Name = irc.bench.test
Info = bench
AdminInfo1 = bench
AdminEMail = bench@bench.test
Listen = {ip}
Ports = {port}
MotdPhrase = bench
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 120
PongTimeout = 120
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local7
",
        ip = addr.ip(),
        port = addr.port(),
    );
    Ok(words(
        &["--nodaemon", "--config"],
        &[write_config(dir, "ngircd.conf", &text)?],
    ))
}

pub(super) fn inspircd(addr: SocketAddrV4, dir: &Path) -> Result<Vec<OsString>> {
    let text = format!(
        r#"<server name="irc.bench.test" description="bench" network="bench" id="0BB">
<admin name="bench" nick="bench" email="bench@bench.test">
<bind address="{ip}" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="120" hardsendq="100M" softsendq="100M" recvq="1M"
         localmax="100000" globalmax="100000" maxconnwarn="no" resolvehostnames="no" useident="no"
         commandrate="1000000000" fakelag="no" maxchans="100" limit="100000" threshold="1000000">
<performance softlimit="100000" somaxconn="4096" netbuffersize="65534" nouserdns="yes">
<options prefixquit="Quit: " defaultmodes="nt">
<security announceinvites="none">
<dns server="127.0.0.1" timeout="1">
<pid file="{pid}">
"#,
        ip = addr.ip(),
        port = addr.port(),
        pid = dir.join("inspircd.pid").display(),
    );
    Ok(words(
        &["--nofork", "--nolog", "--runasroot", "--config"],
        &[write_config(dir, "inspircd.conf", &text)?],
    ))
}
