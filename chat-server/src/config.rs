//! The configuration: `ops/server.toml` is its manual, every key at its default.
//!
//! A value is checked where it is read, so that an error points at its line: a file is either a whole,
//! legal [`Config`] or one sentence for people. Environment variables (`CHAT_LISTEN__TCP` for `tcp` in
//! `[listen]`) go over the file and are named in errors as the file's lines are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chat_proto::Nick;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::ConfigError;
use crate::host::Host;
use crate::ip::Network;

/// All that can be set. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What `welcome` calls this server.
    pub name: Line<64>,
    /// Shown to everyone on arrival.
    pub motd: Line<4096>,
    /// Threads that serve connections.
    pub workers: Count<1, 255>,
    /// The accounts whose people may do everything, see PROTOCOL.md, 10. Moderation.
    pub operators: Vec<Operator>,
    pub listen: Listen,
    pub history: History,
    pub accounts: Accounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    pub web: Web,
    pub limits: Limits,
}

/// `[listen]`: where the server can be reached; an empty address switches a listener off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    pub tcp: Address,
    /// The same over TLS, with `[tls]`.
    #[serde(skip_serializing_if = "Address::is_off")]
    pub tls: Address,
    /// The web page, its WebSocket and `/healthz`.
    #[serde(skip_serializing_if = "Address::is_off")]
    pub web: Address,
    /// `/metrics` for Prometheus, and `/healthz`.
    #[serde(skip_serializing_if = "Address::is_off")]
    pub metrics: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub irc: Option<NotBuilt>,
}

/// `[history]`: where messages are recorded, and what "recorded" promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    pub path: PathBuf,
    pub durability: Durability,
    pub interval: Span<1, 60_000>,
}

/// When recorded data is forced to the disk. In all three a message is in the file before anyone is
/// sent it: a crash of the server loses nothing, these say what a crash of the machine may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Never by the server: the operating system writes when it likes.
    None,
    /// At most `interval` later.
    Interval,
    /// Before the message is acknowledged or delivered.
    Batch,
}

/// `[accounts]`: where protected nicks are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    pub path: PathBuf,
}

/// `[tls]`: the certificate and its key, both in PEM form; read again on SIGHUP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// `[web]`: how the page is served on `listen.web`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Pages of other hosts that may talk to this server, each as browsers name it:
    /// `https://chat.example.org`. The server's own always may.
    pub origins: Vec<String>,
    /// Host names that HTTP requests may use, besides IP addresses and `localhost`. The hosts of
    /// `origins` are allowed too, and with `tls` the names in the certificate.
    pub hosts: Vec<Host>,
    /// Whose `X-Forwarded-For` is believed, so that limits by address count the person.
    pub proxies: Vec<Network>,
    /// Over HTTPS, with the certificate of `[tls]`.
    pub tls: bool,
}

/// `[limits]`: what one connection, one address and all together may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub connections: Count<1, 10_000_000>,
    pub connections_per_ip: Count<0, 10_000_000>,
    pub connects_per_second: Count<0, 1_000_000>,
    /// Short visits of users of one network in a second, ten times that at once.
    pub arrivals_per_second: Count<0, 1_000_000>,
    pub hello_timeout: Span<10, 3_600_000>,
    pub idle_timeout: Span<10, 86_400_000>,
    pub text_bytes: Count<1, 8192>,
    /// At least the longest message frame, at most what a session may reasonably pin.
    pub send_queue_bytes: Count<1024, 1_073_741_824>,
    pub send_queues_bytes: Count<1_048_576, 1_099_511_627_776>,
    pub presence_max: Count<0, 1_000_000>,
    pub replay_max: Count<0, 1_000_000>,
    pub resume_window: Span<0, 2_592_000_000>,
    /// `welcome` lists the channels one is in and has to fit into a frame: 128 of 261 bytes each, 50
    /// further ones and a message of the day take less than 65,536 bytes.
    pub channels_per_user: Count<1, 128>,
    pub rate_per_second: Count<0, 1_000_000>,
    pub rate_burst: Count<1, 1_000_000>,
    pub shutdown_grace: Span<0, 600_000>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: Line("chat-server".into()),
            motd: Line(String::new()),
            workers: Count(1),
            operators: Vec::new(),
            listen: Listen::default(),
            history: History::default(),
            accounts: Accounts::default(),
            tls: None,
            web: Web::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let tcp = Address(format!("127.0.0.1:{}", chat_proto::DEFAULT_PORT));
        Self {
            tcp,
            tls: Address(String::new()),
            web: Address(String::new()),
            metrics: Address(String::new()),
            irc: None,
        }
    }
}

impl Listen {
    /// Moves every enabled listener to 127.0.0.1 and keeps its port.
    pub fn keep_local(&mut self) {
        for address in [
            &mut self.tcp,
            &mut self.tls,
            &mut self.web,
            &mut self.metrics,
        ] {
            if !address.is_off() {
                *address = address.with(Some("127.0.0.1"), None);
            }
        }
    }
}

impl Default for History {
    fn default() -> Self {
        Self {
            path: "chat_history.log".into(),
            durability: Durability::Interval,
            interval: Span::millis(100),
        }
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            path: "chat_accounts.db".into(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Count(100_000),
            connections_per_ip: Count(0),
            connects_per_second: Count(0),
            arrivals_per_second: Count(100),
            hello_timeout: Span::millis(5_000),
            idle_timeout: Span::millis(60_000),
            text_bytes: Count(8192),
            send_queue_bytes: Count(1_048_576),
            send_queues_bytes: Count(1_073_741_824),
            presence_max: Count(500),
            replay_max: Count(1000),
            resume_window: Span::millis(3_600_000),
            channels_per_user: Count(50),
            rate_per_second: Count(20),
            rate_burst: Count(40),
            shutdown_grace: Span::millis(5_000),
        }
    }
}

impl Config {
    /// The configuration of `file`, or the defaults, with `environment` over it.
    ///
    /// # Errors
    /// The file cannot be read, or it or a variable has an unknown key or an illegal value.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = toml::Table::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
            let wrong = |source: toml::de::Error| ConfigError::Wrong {
                origin: path.display().to_string(),
                message: source.to_string().trim_end().to_owned(),
            };
            // Twice: the typed reading has the lines for its errors, the table is what variables go over.
            toml::from_str::<Self>(&text).map_err(wrong)?;
            table = toml::from_str(&text).map_err(wrong)?;
        }
        for (variable, value) in environment {
            let wrong = |message| ConfigError::Wrong {
                origin: format!("the variable {variable}"),
                message,
            };
            if let Some(path) = key_path(&variable) {
                table = overridden(&table, &path, &value).map_err(wrong)?;
            } else if let Some(meant) = misspelt_key(&variable) {
                return Err(wrong(format!("no such key; did you mean {meant}?")));
            }
        }
        let wrong = |message: &str| ConfigError::Wrong {
            origin: "the configuration".into(),
            message: message.to_owned(),
        };
        let config: Self = table
            .try_into()
            .map_err(|source: toml::de::Error| wrong(source.message()))?;
        if config.tls.is_none() && !config.listen.tls.is_off() {
            return Err(wrong(
                "`tls` in [listen] needs a certificate: `cert` and `key` in [tls]",
            ));
        }
        if config.tls.is_none() && config.web.tls {
            return Err(wrong(
                "`tls` in [web] needs a certificate: `cert` and `key` in [tls]",
            ));
        }
        Ok(config)
    }

    /// The whole configuration as a file of its own.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has nothing that TOML could not say")
    }
}

/// `CHAT_LIMITS__RATE_BURST` is `["limits", "rate_burst"]`. A variable without `__` counts only where
/// it is a key of the top level: CHAT_NICK and CHAT_SERVER are the client's.
fn key_path(variable: &str) -> Option<Vec<String>> {
    let path: Vec<String> = variable
        .strip_prefix("CHAT_")?
        .split("__")
        .map(str::to_lowercase)
        .collect();
    (path.len() > 1 || matches!(&*path[0], "name" | "motd" | "workers" | "operators"))
        .then_some(path)
}

/// Returns the variable that was meant where `variable` separates the section from the key by one
/// underscore: `CHAT_LISTEN_TCP` is no key, `CHAT_LISTEN__TCP` is. Variables that name no key of a
/// section, such as the client's `CHAT_NICK`, are none of the server's.
fn misspelt_key(variable: &str) -> Option<String> {
    let name = variable.strip_prefix("CHAT_")?;
    name.match_indices('_').find_map(|(at, _)| {
        let (section, key) = (&name[..at], &name[at + 1..]);
        let path = [section.to_lowercase(), key.to_lowercase()];
        is_key(&path).then(|| format!("CHAT_{section}__{key}"))
    })
}

/// Tells whether the configuration has the key `path[1]` in the section `path[0]`, whatever its value.
fn is_key(path: &[String; 2]) -> bool {
    let [section, key] = path;
    let inner = toml::Table::from_iter([(key.clone(), toml::Table::new().into())]);
    let outer = toml::Table::from_iter([(section.clone(), inner.into())]);
    // A table is no legal value of any key: the error tells whether the key is known.
    Config::deserialize(outer).is_err_and(|error| !error.message().starts_with("unknown field"))
}

/// `table` with `value` at `path`, which must make a legal configuration of it. The value is taken as
/// text, and where the key wants none, as the number, truth value or list that TOML reads in it.
fn overridden(table: &toml::Table, path: &[String], value: &str) -> Result<toml::Table, String> {
    let (key, tables) = path.split_last().expect("split yields at least one part");
    let with = |value: toml::Value| {
        let mut all = table.clone();
        let mut inner = &mut all;
        for name in tables {
            let entry = inner
                .entry(name)
                .or_insert_with(|| toml::Table::new().into());
            inner = entry
                .as_table_mut()
                .ok_or_else(|| format!("`{name}` is no table"))?;
        }
        inner.insert(key.clone(), value);
        Config::deserialize(all.clone())
            .map(|_| all)
            .map_err(|error| format!("{}: {}", path.join("."), error.message()))
    };
    with(value.into()).or_else(|error| match value.parse::<toml::Value>() {
        Ok(
            parsed @ (toml::Value::Integer(_)
            | toml::Value::Boolean(_)
            | toml::Value::Float(_)
            | toml::Value::Array(_)),
        ) => with(parsed),
        _ => Err(error),
    })
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Count<const MIN: usize, const MAX: usize>(usize);

impl<const MIN: usize, const MAX: usize> Count<MIN, MAX> {
    pub fn get(self) -> usize {
        self.0
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        usize::try_from(number)
            .ok()
            .filter(|count| (MIN..=MAX).contains(count))
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{number} is out of range: {MIN} to {MAX}")))
    }
}

/// A duration from `MIN` to `MAX` milliseconds, written `5s`, `100ms`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<const MIN: u64, const MAX: u64>(Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    pub fn get(self) -> Duration {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Span<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Span<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text).map_err(|error| {
            de::Error::custom(format!(
                "`{text}` is no duration such as 5s or 100ms: {error}"
            ))
        })?;
        let (min, max) = (Duration::from_millis(MIN), Duration::from_millis(MAX));
        if !(min..=max).contains(&span) {
            let (min, max) = (
                humantime::format_duration(min),
                humantime::format_duration(max),
            );
            return Err(de::Error::custom(format!(
                "`{text}` is out of range: {min} to {max}"
            )));
        }
        Ok(Self(span))
    }
}

/// Text for people of at most `MAX` bytes, without control characters other than newline and tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.is_empty() {
            chat_proto::Text::new(text.as_str(), MAX).map_err(de::Error::custom)?;
        }
        Ok(Self(text))
    }
}

/// An account by its nick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator(Nick);

impl Operator {
    pub fn nick(&self) -> &Nick {
        &self.0
    }

    /// The form by which nicks are compared.
    pub fn folded(&self) -> Arc<str> {
        self.0.folded_arc()
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Nick::new(&name)
            .map(Self)
            .map_err(|error| de::Error::custom(format!("operators: `{name}` is no nick: {error}")))
    }
}

/// `HOST:PORT`, or nothing: switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// The address to listen on, if any.
    pub fn get(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&self.0)
    }

    fn is_off(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with another host or port, as the flags ask for.
    pub fn with(&self, host: Option<&str>, port: Option<u16>) -> Self {
        let (old_host, old_port) = self.0.rsplit_once(':').unwrap_or(("127.0.0.1", ""));
        let host = match host {
            Some(host) if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            Some(host) => host.to_owned(),
            None => old_host.to_owned(),
        };
        let old_port = old_port.parse().unwrap_or(chat_proto::DEFAULT_PORT);
        Self(format!("{host}:{}", port.unwrap_or(old_port)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let legal = text.is_empty()
            || text
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if legal {
            Ok(Self(text))
        } else {
            Err(de::Error::custom(format!(
                "`{text}` is no address such as 127.0.0.1:12345 or [::1]:12345"
            )))
        }
    }
}

/// A key that is known and has nothing behind it yet; only switched off (`""`) it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotBuilt;

impl Serialize for NotBuilt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

impl<'de> Deserialize<'de> for NotBuilt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(address) if address.is_empty() => Ok(Self),
            _ => Err(de::Error::custom("not built yet: leave this key out")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(Some(file.path()), environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_manual_has_every_key_at_its_default() {
        let manual = include_str!("../../ops/server.toml");
        assert_eq!(load(manual, &[]).unwrap(), Config::default());
        for line in Config::default()
            .to_toml()
            .lines()
            .filter(|line| line.contains('='))
        {
            let key = line.split('=').next().unwrap();
            assert!(
                manual.contains(&format!("\n{key}=")),
                "{key} is not in ops/server.toml"
            );
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let config = load(
            "motd = \"¡hola!\"\n[limits]\nhello_timeout = \"1s\"\nconnections = 3\n",
            &[],
        )
        .unwrap();
        assert_eq!(load(&config.to_toml(), &[]).unwrap(), config);
    }

    #[test]
    fn an_error_names_key_line_and_what_was_expected() {
        for (text, words) in [
            ("[listen]\ntcp = 5\n", &["line 2", "tcp", "string"][..]),
            ("[lisen]\n", &["line 1", "lisen", "listen"]),
            (
                "[limits]\n\nhello_timeout = \"soon\"\n",
                &["line 3", "hello_timeout", "5s"],
            ),
            (
                "[limits]\nhello_timeout = \"2h\"\n",
                &["line 2", "hello_timeout", "1h"],
            ),
            (
                "[limits]\ntext_bytes = -1\n",
                &["line 2", "text_bytes", "1 to 8192"],
            ),
            (
                "[limits]\ntext_bytes = 9000\n",
                &["line 2", "text_bytes", "1 to 8192"],
            ),
            ("[limits]\nrate_burst = true\n", &["line 2", "rate_burst"]),
            (
                "[history]\ndurability = \"much\"\n",
                &["line 2", "durability", "batch"],
            ),
            (
                "[listen]\ntcp = \"nowhere\"\n",
                &["line 2", "tcp", "127.0.0.1:12345"],
            ),
            (
                "[listen]\ntls = \"0.0.0.0:1\"\n",
                &["tls", "[listen]", "certificate", "[tls]"],
            ),
            (
                "[listen]\nirc = \"0.0.0.0:1\"\n",
                &["line 2", "irc", "not built yet"],
            ),
            ("[tls]\ncert = \"c.pem\"\n", &["line 1", "key", "missing"]),
            (
                "[web]\nproxies = [\"10.0.0.0/33\"]\n",
                &["line 2", "10.0.0.0/33", "10.0.0.0/8"],
            ),
            (
                "[web]\nhosts = [\"https://chat.example.org\"]\n",
                &["line 2", "hosts", "https://", "chat.example.org"],
            ),
            (
                "name = \"x\"\noperators = [\"ana\", \"7x\"]\n",
                &["line 2", "operators", "7x", "no nick", "digit"],
            ),
            ("operators = \"ana\"\n", &["line 1", "operators"]),
            ("nonsense", &["line 1"]),
            ("name = 5", &["line 1", "name"]),
        ] {
            let error = load(text, &[]).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{word:?} is missing in: {error}");
            }
            assert!(error.lines().count() < 12, "{error}");
        }
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let file = "[listen]\ntcp = \"127.0.0.1:1\"\n";
        let config = load(
            file,
            &[
                ("CHAT_LISTEN__TCP", "0.0.0.0:2"),
                ("CHAT_LIMITS__RATE_BURST", "7"),
                ("CHAT_LIMITS__IDLE_TIMEOUT", "2s"),
                ("CHAT_NAME", "12"),
                ("CHAT_OPERATORS", "[\"Ana\", 'luis']"),
                ("CHAT_SERVER", "for the client"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(config.listen.tcp.get(), Some("0.0.0.0:2"));
        assert_eq!(config.limits.rate_burst.get(), 7);
        assert_eq!(config.limits.idle_timeout.get(), Duration::from_secs(2));
        assert_eq!(config.name.as_str(), "12");
        let operators: Vec<_> = config.operators.iter().map(Operator::folded).collect();
        assert_eq!(operators, ["ana".into(), "luis".into()]);
        for (variable, value) in [
            ("CHAT_LIMITS__RATE_BURST", "x"),
            ("CHAT_LIMIT__X", "1"),
            ("CHAT_LISTEN__TCP", "5"),
            ("CHAT_OPERATORS", "ana"),
        ] {
            let error = load(file, &[(variable, value)]).unwrap_err();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn a_variable_with_one_underscore_names_the_key_that_was_meant() {
        for (variable, meant) in [
            ("CHAT_LISTEN_TCP", "CHAT_LISTEN__TCP"),
            ("CHAT_LISTEN_METRICS", "CHAT_LISTEN__METRICS"),
            ("CHAT_LIMITS_RATE_BURST", "CHAT_LIMITS__RATE_BURST"),
            ("CHAT_TLS_CERT", "CHAT_TLS__CERT"),
            ("CHAT_HISTORY_PATH", "CHAT_HISTORY__PATH"),
        ] {
            let error = load("", &[(variable, "1")]).unwrap_err();
            assert!(error.contains(variable) && error.contains(meant), "{error}");
        }
        // The client's.
        for variable in [
            "CHAT_NICK",
            "CHAT_SERVER",
            "CHAT_TLS_PIN",
            "CHAT_PASSWORD_FILE",
        ] {
            load("", &[(variable, "1")]).unwrap();
        }
    }

    #[test]
    fn flags_change_host_and_port_apart() {
        let address = Address("127.0.0.1:12345".into());
        assert_eq!(address.with(Some("::1"), None).to_string(), "[::1]:12345");
        assert_eq!(address.with(None, Some(9)).to_string(), "127.0.0.1:9");
        assert_eq!(
            Address(String::new()).with(None, Some(9)).to_string(),
            "127.0.0.1:9"
        );
    }
}
