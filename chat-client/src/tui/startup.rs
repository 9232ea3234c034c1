//! How the full screen begins: what the settings, the state folder and the environment make of it.

use std::io;
use std::sync::mpsc::Receiver;

use actix::Recipient;
use jiff::tz::TimeZone;

use super::editor::{Entry, History};
use super::palette::{Depth, Seats};
use super::request::Wish;
use super::runtime::{Painter, Parts};
use super::state::State;
use super::theme::Look;
use super::{Told, Window, terminal};
use crate::cli::options::Options;
use crate::completion_names::Names;
use crate::notify::{Notifier, Route};
use crate::prompt::NextKeys;
use crate::read_state::State as Remembered;
use crate::{config, paths};

/// Terminals that would show the sequences of a link.
const WITHOUT_LINKS: [&str; 2] = ["linux", "vt"];

/// A full screen that was not drawn yet.
#[derive(Debug)]
pub struct Opening {
    told: Receiver<Told>,
    window: Window,
    state: State,
    names: Names,
    notifier: Notifier,
    title: bool,
}

impl Opening {
    /// Takes the terminal; what is told to the window is shown when it is [opened](Self::open).
    ///
    /// # Errors
    /// The terminal does not do as it is told.
    pub fn new(options: &Options, names: Names) -> io::Result<(Self, Window)> {
        let settings = &options.settings;
        let variable = |name: &str| std::env::var(name).ok();
        let term = variable("TERM").unwrap_or_default();
        let look = Look {
            depth: match settings.colours.depth {
                config::Depth::Auto => Depth::of(variable),
                config::Depth::None => Depth::None,
                config::Depth::Sixteen => Depth::Sixteen,
                config::Depth::TwoHundred => Depth::TwoHundred,
                config::Depth::Full => Depth::Full,
            },
            nicks: settings
                .colours
                .nicks
                .iter()
                .map(|colour| colour.0)
                .collect(),
            seats: Seats::default(),
            zone: if options.utc {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
            times: settings.screen.times,
            links: !WITHOUT_LINKS.iter().any(|prefix| term.starts_with(prefix)),
        };
        let history = paths::path().map(|folder| History::open(folder.join("history")));
        let entry = Entry::new(history.unwrap_or_default(), settings.keys.entry());
        let server = options.server();
        let remembered = Remembered::of_this_user(&server);
        let mut state = State::new(look, server, entry, remembered);
        state.keys = settings.keys.window();
        state.mouse = settings.screen.mouse;
        state.choose_on_arrival = options.choose_on_arrival;
        state.choose_at_first = true;
        let attention = settings.attention;
        let route = attention
            .notifications
            .then(|| Route::of(|name| std::env::var_os(name)));
        let (window, told) = Window::new();
        terminal::enter(state.mouse)?;
        let opening = Self {
            told,
            window: window.clone(),
            state,
            names,
            notifier: Notifier::new(attention.bell, route),
            title: attention.title,
        };
        Ok((opening, window))
    }

    /// Begins to draw.
    ///
    /// # Errors
    /// There is no terminal, or no room for another thread.
    pub fn open(self, session: Recipient<Wish>, keyboard: Recipient<NextKeys>) -> io::Result<()> {
        let parts = Parts {
            state: self.state,
            names: self.names,
            notifier: self.notifier,
            title: self.title,
            window: self.window,
            session,
            keyboard,
        };
        Painter::start(parts, self.told)
    }
}
