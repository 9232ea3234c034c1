//! Starts the full screen from the settings, the state folder and the environment.

use std::io;
use std::sync::mpsc::Receiver;

use actix::Recipient;
use jiff::tz::TimeZone;

use super::editor::{Editor, InputHistory};
use super::palette::{ColourDepth, NickColours};
use super::request::AppRequest;
use super::runtime::{RuntimeParts, TuiRuntime};
use super::state::TuiState;
use super::theme::Theme;
use super::{TuiHandle, TuiNotice, terminal};
use crate::cli::options::Options;
use crate::completion_names::CompletionNames;
use crate::notify::{Notifier, NotifyBackend};
use crate::prompt::KeysRequest;
use crate::read_state::ReadState;
use crate::{config, paths};

/// Terminals that would show the sequences of a link.
const WITHOUT_LINKS: [&str; 2] = ["linux", "vt"];

/// A full screen that is not drawn yet.
#[derive(Debug)]
pub struct TuiStartup {
    told: Receiver<TuiNotice>,
    tui: TuiHandle,
    state: TuiState,
    names: CompletionNames,
    notifier: Notifier,
    title: bool,
}

impl TuiStartup {
    /// Enters full screen; notices to the handle are shown once it is [opened](Self::open).
    ///
    /// # Errors
    /// The terminal cannot be configured.
    pub fn new(options: &Options, names: CompletionNames) -> io::Result<(Self, TuiHandle)> {
        let settings = &options.settings;
        let variable = |name: &str| std::env::var(name).ok();
        let term = variable("TERM").unwrap_or_default();
        let theme = Theme {
            depth: match settings.colours.depth {
                config::DepthSetting::Auto => ColourDepth::of(variable),
                config::DepthSetting::None => ColourDepth::None,
                config::DepthSetting::Sixteen => ColourDepth::Sixteen,
                config::DepthSetting::TwoHundred => ColourDepth::TwoHundred,
                config::DepthSetting::Full => ColourDepth::Full,
            },
            nicks: settings
                .colours
                .nicks
                .iter()
                .map(|colour| colour.0)
                .collect(),
            nick_colours: NickColours::default(),
            zone: if options.utc {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
            times: settings.screen.times,
            links: !WITHOUT_LINKS.iter().any(|prefix| term.starts_with(prefix)),
        };
        let history = paths::path().map(|folder| InputHistory::open(folder.join("history")));
        let entry = Editor::new(history.unwrap_or_default(), settings.keys.entry());
        let server = options.server();
        let remembered = ReadState::of_this_user(&server);
        let mut state = TuiState::new(theme, server, entry, remembered);
        state.keys = settings.keys.window();
        state.mouse = settings.screen.mouse;
        state.choose_on_arrival = options.choose_on_arrival;
        state.choose_at_first = true;
        let attention = settings.attention;
        let route = attention
            .notifications
            .then(|| NotifyBackend::of(|name| std::env::var_os(name)));
        let (tui, told) = TuiHandle::new();
        terminal::enter(state.mouse)?;
        let opening = Self {
            told,
            tui: tui.clone(),
            state,
            names,
            notifier: Notifier::new(attention.bell, route),
            title: attention.title,
        };
        Ok((opening, tui))
    }

    /// Begins to draw.
    ///
    /// # Errors
    /// There is no terminal, or no room for another thread.
    pub fn open(
        self,
        session: Recipient<AppRequest>,
        keyboard: Recipient<KeysRequest>,
    ) -> io::Result<()> {
        let parts = RuntimeParts {
            state: self.state,
            names: self.names,
            notifier: self.notifier,
            title: self.title,
            tui: self.tui,
            session,
            keyboard,
        };
        TuiRuntime::start(parts, self.told)
    }
}
