//! How the full screen begins: what the settings, the state folder and the environment make of it.

use std::io;
use std::sync::mpsc::Receiver;

use actix::Recipient;
use jiff::tz::TimeZone;

use super::colour::{Depth, Seats};
use super::look::Look;
use super::painter::{Painter, Parts};
use super::state::State;
use super::wish::Wish;
use super::{Told, Window, stage};
use crate::attention::{Notifier, Route};
use crate::entry::{Entry, History};
use crate::names::Names;
use crate::options::Options;
use crate::settings;
use crate::state::{State as Remembered, folder};
use crate::stdin::NextKeys;

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
                settings::Depth::Auto => Depth::of(variable),
                settings::Depth::None => Depth::None,
                settings::Depth::Sixteen => Depth::Sixteen,
                settings::Depth::TwoHundred => Depth::TwoHundred,
                settings::Depth::Full => Depth::Full,
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
        let history = folder::path().map(|folder| History::open(folder.join("history")));
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
        stage::enter(state.mouse)?;
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
