//! The settings file, `~/.config/chat/client.toml`: default arguments, named servers, colours and
//! keys. `chat-client config` prints its manual, every key at its default.
//!
//! A value is checked where it is read, so that an error points at its line.

mod default_file;
mod values;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::default_file::manual;
pub use self::values::{
    ColourSetting, DepthSetting, HostSetting, KeySetting, NickSetting, PathSetting, PinSetting,
};
use crate::keys::actions::{self, Action};
use crate::keys::edit_actions::Edit;
use crate::keys::{Keymap, clash, edit_actions};
use crate::net::address::ServerAddress;
use crate::net::tls::TlsTrust;
use crate::paths;

/// All settings. Unknown keys are errors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSettings {
    /// The default server: one of `[servers]`, or a host.
    pub server: HostSetting,
    /// The nickname to ask for.
    pub nick: NickSetting,
    pub password_file: PathSetting,
    /// On arrival at a terminal, offer the list of users to choose from.
    pub choose_on_arrival: bool,
    pub screen: ScreenSettings,
    pub attention: NotificationSettings,
    pub colours: ColourSettings,
    pub keys: KeySettings,
    pub servers: BTreeMap<String, ServerSettings>,
}

/// `[screen]`: how things are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScreenSettings {
    /// Line by line instead of a full screen.
    pub plain: bool,
    /// The wheel scrolls and a click chooses. The terminal's own selection needs Shift then.
    pub mouse: bool,
    /// The time before each message.
    pub times: bool,
    /// In UTC instead of local time.
    pub utc: bool,
}

impl Default for ScreenSettings {
    fn default() -> Self {
        Self {
            plain: false,
            mouse: true,
            times: false,
            utc: false,
        }
    }
}

/// `[attention]`: how the user is notified of [relevant messages](crate::notify).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotificationSettings {
    pub bell: bool,
    /// By the terminal or the desktop.
    pub notifications: bool,
    /// The terminal title shows the unread count.
    pub title: bool,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            bell: true,
            notifications: true,
            title: true,
        }
    }
}

/// `[colours]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColourSettings {
    pub depth: DepthSetting,
    /// Those that nicks have; none: the client's own, which can be read on dark and on light.
    pub nicks: Vec<ColourSetting>,
}

/// `[keys]`: for an action all of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct KeySettings(BTreeMap<values::ActionName, Vec<KeySetting>>);

/// Every action that has keys: its name, the keys it has by itself, and what it does.
pub(crate) fn actions()
-> impl Iterator<Item = (&'static str, &'static [&'static str], &'static str)> {
    let entry = edit_actions::BINDINGS.into_iter();
    let window = actions::BINDINGS.into_iter();
    entry
        .map(|(_, name, keys, does)| (name, keys, does))
        .chain(window.map(|(_, name, keys, does)| (name, keys, does)))
}

impl KeySettings {
    /// The keys of the entry.
    pub fn entry(&self) -> Keymap<Edit> {
        let actions = edit_actions::BINDINGS.map(|(edit, name, ..)| (edit, name));
        self.over(edit_actions::default(), &actions)
    }

    /// The keys of everything else in the full screen, which come first.
    pub fn window(&self) -> Keymap<Action> {
        let actions = actions::BINDINGS.map(|(action, name, ..)| (action, name));
        self.over(actions::default(), &actions)
    }

    /// The usual keys of some actions, with those that were set over them.
    fn over<A: Copy + PartialEq>(&self, mut usual: Keymap<A>, actions: &[(A, &str)]) -> Keymap<A> {
        // A configured key loses its default action.
        self.0
            .values()
            .flatten()
            .for_each(|keys| usual.unbind(keys.0));
        for (action, name) in actions {
            if let Some(keys) = self.0.get(*name) {
                usual.rebind(*action, keys.iter().map(|keys| keys.0));
            }
        }
        usual
    }

    /// Returns two actions with the same key, or with a key that begins the keys of the other.
    fn collision(&self) -> Option<(&str, &str)> {
        let each = || {
            let each = self.0.iter();
            each.flat_map(|(name, keys)| keys.iter().map(move |keys| (keys.0, name)))
        };
        each().find_map(|(keys, name)| {
            let clashes = |(other, named): &(_, _)| *named < name && clash(*other, keys);
            let (_, other) = each().find(clashes)?;
            Some((other.as_str(), name.as_str()))
        })
    }
}

/// `[servers.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    pub address: HostSetting,
    #[serde(default)]
    pub tls: bool,
    /// A file with the certificates that are trusted.
    #[serde(default)]
    pub ca: PathSetting,
    /// The fingerprint of the certificate that is trusted.
    pub pin: Option<PinSetting>,
    #[serde(default)]
    pub nick: NickSetting,
    #[serde(default)]
    pub password_file: PathSetting,
}

impl ServerSettings {
    /// Returns the trust setting of the server.
    pub fn trust(&self) -> Option<TlsTrust> {
        match (self.pin, self.ca.get()) {
            (Some(pin), _) => Some(TlsTrust::Pinned(pin.0)),
            (None, Some(ca)) => Some(TlsTrust::Authority(ca)),
            (None, None) => self.tls.then_some(TlsTrust::System),
        }
    }
}

/// Why the settings cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// `message` has the line and its number.
    #[error("{}: {message}", path.display())]
    Wrong { path: PathBuf, message: String },
}

impl ClientSettings {
    /// Loads the settings of `file`, which must exist if given; else those of the `usual` file, if
    /// it exists.
    ///
    /// # Errors
    /// The file cannot be read, or has an unknown key or a wrong value.
    pub fn load(file: Option<&Path>, usual: Option<&Path>) -> Result<Self, SettingsError> {
        let named = file.is_some();
        let Some(path) = file.or(usual).map(Path::to_owned) else {
            return Ok(Self::default());
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                Self::parse(&text).map_err(|message| SettingsError::Wrong { path, message })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(Self::default()),
            Err(source) => Err(SettingsError::Unreadable { path, source }),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |error: toml::de::Error| error.to_string().trim_end().to_owned();
        let settings: Self = toml::from_str(text).map_err(wrong)?;
        if let Some((one, other)) = settings.keys.collision() {
            return Err(format!("[keys] `{one}` and `{other}` have a key in common"));
        }
        for (name, server) in &settings.servers {
            let wrong = |what: &str| Err(format!("[servers.{name}] {what}"));
            if server.address.get().is_none() {
                return wrong("has an empty `address`");
            }
            if server.ca.get().is_some() && server.pin.is_some() {
                return wrong("has `ca` and `pin`, of which one can count");
            }
        }
        Ok(settings)
    }

    /// Returns the server of that name; a name has no port.
    pub fn named(&self, address: &ServerAddress) -> Option<&ServerSettings> {
        let name = address.port.is_none().then_some(&address.host)?;
        self.servers.get(name)
    }
}

/// Where the settings of this user are: `$XDG_CONFIG_HOME/chat/client.toml` or
/// `~/.config/chat/client.toml` (XDG Base Directory Specification).
pub fn path() -> Option<PathBuf> {
    let config = paths::absolute("XDG_CONFIG_HOME")
        .or_else(|| Some(paths::absolute("HOME")?.join(".config")))?;
    Some(config.join("chat/client.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyMatch, parse};

    #[test]
    fn the_manual_says_what_is_the_case() {
        let mut settings = ClientSettings::parse(&manual()).unwrap();
        assert_eq!(settings.keys.entry(), edit_actions::default());
        assert_eq!(settings.keys.window(), actions::default());
        settings.keys = KeySettings::default();
        assert_eq!(settings, ClientSettings::default());
        // What has no default is there as an example, which is right too.
        let all: String = manual()
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n")
            .collect();
        let settings = ClientSettings::parse(&all).unwrap();
        assert_eq!(
            settings.servers["work"].address.to_string(),
            "chat.example.org:12346"
        );
    }

    #[test]
    fn every_key_is_in_the_manual() {
        let manual: toml::Table = toml::from_str(&manual()).unwrap();
        for (section, keys) in [
            ("screen", &["plain", "mouse", "times", "utc"][..]),
            ("attention", &["bell", "notifications", "title"]),
            ("colours", &["depth", "nicks"]),
        ] {
            let mut known: Vec<_> = manual[section].as_table().unwrap().keys().collect();
            known.sort_unstable();
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            assert_eq!(known, keys, "{section}");
        }
        let keys = manual["keys"].as_table().unwrap();
        assert_eq!(keys.len(), actions().count());
    }

    #[test]
    fn what_can_be_set() {
        let settings = ClientSettings::parse(
            r##"
            server = "work"
            nick = "ana"
            [screen]
            mouse = false
            [colours]
            depth = "256"
            nicks = ["red", "#ff8800", "33"]
            [keys]
            submit = ["ctrl-s", "ctrl-x ctrl-s"]
            editor = []
            yank = ["ctrl-u", "f1"]
            page_up = ["f8"]
            [servers.work]
            address = "[::1]:7"
            tls = true
            nick = "anita"
            [servers."home"]
            address = "home.example.org"
            ca = "/cert.pem"
            "##,
        )
        .unwrap();
        assert!(!settings.screen.mouse && !settings.screen.times && settings.attention.bell);
        assert_eq!(settings.colours.depth, DepthSetting::TwoHundred);
        assert_eq!(settings.colours.nicks.len(), 3);
        assert_eq!(settings.servers["work"].trust(), Some(TlsTrust::System));
        let authority = TlsTrust::Authority("/cert.pem".into());
        assert_eq!(settings.servers["home"].trust(), Some(authority));
        for (address, name) in [
            ("work", Some("[::1]:7")),
            ("home", Some("home.example.org")),
            ("work:7", None),
            ("WORK", None),
            ("other", None),
        ] {
            let named = settings.named(&address.parse().unwrap());
            assert_eq!(
                named.map(|server| server.address.to_string()).as_deref(),
                name
            );
        }
        let keymap = settings.keys.entry();
        let find = |keys| {
            let (first, last) = parse(keys).unwrap();
            keymap.find(first, last)
        };
        assert_eq!(find("ctrl-s"), KeyMatch::Action(Edit::Submit));
        assert_eq!(find("ctrl-x ctrl-s"), KeyMatch::Action(Edit::Submit));
        assert_eq!(find("enter"), KeyMatch::Nothing);
        assert_eq!(find("ctrl-x ctrl-e"), KeyMatch::Nothing);
        assert_eq!(find("ctrl-w"), KeyMatch::Action(Edit::KillBlankLeft));
        assert_eq!(find("ctrl-u"), KeyMatch::Action(Edit::Yank));
        let window = settings.keys.window();
        let find = |keys| window.find(None, parse(keys).unwrap().1);
        assert_eq!(find("f8"), KeyMatch::Action(Action::PageUp));
        assert_eq!(find("page-up"), KeyMatch::Nothing);
        assert_eq!(find("page-down"), KeyMatch::Action(Action::PageDown));
        // The entry has it now.
        assert_eq!(find("f1"), KeyMatch::Nothing);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let pin = "0".repeat(63);
        for (text, line, key) in [
            ("\nnik = \"ana\"", 2, "nik"),
            ("nick = \"7up\"", 1, "nick"),
            ("nick = 7", 1, "nick"),
            ("[screen]\nmouse = \"yes\"", 2, "mouse"),
            ("[screen]\n\nmoose = true", 3, "moose"),
            ("[colours]\ndepth = \"blue\"", 2, "depth"),
            ("[colours]\nnicks = [\"blau\"]", 2, "blau"),
            ("[keys]\njump = [\"a\"]", 2, "jump"),
            ("[keys]\nsubmit = [\"hyper-a\"]", 2, "hyper-a"),
            ("[keys]\nsubmit = \"enter\"", 2, "submit"),
            ("[keys]\nsubmit = [\"ctrl-x ctrl-c\"]", 2, "ctrl-c"),
            ("[keys]\nsubmit = [\"ctrl-C\"]", 2, "ctrl-c"),
            ("[servers.work]\ntls = true", 1, "servers.work"),
            ("[servers.work]\naddress = \"a:b\"", 2, "address"),
            (
                &format!("[servers.w]\naddress = \"a\"\npin = \"{pin}\""),
                3,
                "pin",
            ),
            ("[servers.w]\naddress = \"a\"\nport = 7", 3, "port"),
            ("server = \"", 1, "server"),
        ] {
            let message = ClientSettings::parse(text).unwrap_err();
            assert!(message.contains(&format!("line {line}")), "{message}");
            assert!(message.contains(key), "{message}");
        }
        let both = format!("[servers.w]\naddress = \"a\"\nca = \"c\"\npin = \"0{pin}\"");
        let message =
            ClientSettings::parse("[keys]\nup = [\"f7\", \"f7\"]\ndown = [\"f7\"]").unwrap_err();
        assert!(message.contains("`down` and `up`"), "{message}");
        let message =
            ClientSettings::parse("[keys]\nup = [\"f7 a\"]\npage_up = [\"f7\"]").unwrap_err();
        assert!(message.contains("`page_up` and `up`"), "{message}");
        for text in [both.as_str(), "[servers.w]\naddress = \"\""] {
            let message = ClientSettings::parse(text).unwrap_err();
            assert!(message.contains("servers.w"), "{message}");
        }
    }

    #[test]
    fn a_file_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("client.toml");
        let error = ClientSettings::load(Some(&file), None).unwrap_err();
        assert!(error.to_string().contains("client.toml: "), "{error}");
        let settings = ClientSettings::load(None, Some(&file)).unwrap();
        assert_eq!(settings, ClientSettings::default());
        // One that is there and cannot be read is not passed over.
        ClientSettings::load(None, Some(folder.path())).unwrap_err();
    }
}
