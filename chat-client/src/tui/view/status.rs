//! The status line: the connection, where one is, what waits elsewhere, the server's time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::channel_list;
use super::wrap::{columns, shortened};
use crate::keys::actions::Action;
use crate::keys::edit_actions::Edit;
use crate::text::escape::word;
use crate::text::spinner;
use crate::tui::state::conversation::{ConversationState, ScrollPosition};
use crate::tui::state::{ConnectionStatus, TuiState};
use crate::tui::width_quirks::put;

/// What unread messages and mentions out of sight are worth: a mention is dropped last.
const ELSEWHERE: u8 = 5;
const MENTIONED: u8 = 12;

/// Draws it: what matters most stays where there is little room.
pub fn draw(state: &TuiState, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let style = Style::new().add_modifier(Modifier::REVERSED);
    buffer.set_style(area, style);
    let width = usize::from(area.width);
    let clock = state.heard.map_or(String::new(), |time| {
        format!(" {} ", state.theme.clock(time))
    });
    let clock = if width >= 30 { clock } else { String::new() };
    let room = width.saturating_sub(columns(&clock));
    let mut parts = parts(state, width);
    if columns(&line(parts.iter().filter(|(worth, _)| *worth >= ELSEWHERE))) > room {
        // The short form of the mentions leaves room for what else matters.
        let mentions = state.mentions_out_of_sight();
        for (_, text) in parts.iter_mut().filter(|(worth, _)| *worth == MENTIONED) {
            *text = format!("{mentions} @");
        }
    }
    let text = fitting(&parts, room);
    put(buffer, (area.x, area.y), &text, room, style);
    let x = area.x + u16::try_from(room).unwrap_or(area.width);
    buffer.set_string(x, area.y, clock, style);
}

/// The parts, with what each is worth.
fn parts(state: &TuiState, width: usize) -> Vec<(u8, String)> {
    let here = state.here();
    let mut parts = vec![(9, connection(state))];
    let elsewhere = elsewhere(state);
    if let Some(hint) = &state.hint {
        parts.extend(elsewhere.filter(|(worth, _)| *worth == MENTIONED));
        parts.push((10, hint.clone()));
        return parts;
    }
    if state.connection == ConnectionStatus::New {
        return parts;
    }
    let name = word(&here.to);
    let people = match here.people.count() {
        0 => String::new(),
        1 => " · 1 person".to_owned(),
        many => format!(" · {many} people"),
    };
    parts.push((7, name));
    if here.is_channel() && !people.is_empty() {
        parts.push((3, people.trim_start_matches(" · ").to_owned()));
    }
    if here.muted {
        parts.push((1, "muted".to_owned()));
    }
    parts.extend(below(state).map(|below| (8, below)));
    parts.extend(elsewhere);
    parts.extend(search(state).map(|search| (6, search)));
    if width >= 60 {
        parts.push((0, word(&state.me)));
        let key = state.keys.spoken(Action::Help);
        parts.push((
            0,
            key.map_or("/help".to_owned(), |key| format!("{key} help")),
        ));
    }
    parts
}

/// Returns what is unread in conversations that the list does not show, with what that is worth.
fn elsewhere(state: &TuiState) -> Option<(u8, String)> {
    let unread: usize = state.out_of_sight().map(|other| other.unread).sum();
    match (unread, state.mentions_out_of_sight()) {
        (0, 0) => None,
        (unread, 0) => Some((ELSEWHERE, format!("{unread} elsewhere"))),
        (0, mentions) => Some((MENTIONED, format!("{mentions} @"))),
        (unread, mentions) => Some((MENTIONED, format!("{unread} elsewhere, {mentions} @"))),
    }
}

impl TuiState {
    /// Returns the conversations beside the current one that the list does not show.
    fn out_of_sight(&self) -> impl Iterator<Item = &ConversationState> {
        let list = self.areas().conversations;
        let listed = if list.is_empty() {
            0..0
        } else {
            channel_list::shown(self, list.height)
        };
        let others = self.conversations.iter().enumerate();
        let others = others.filter(move |(index, other)| {
            *index != self.current && !listed.contains(index) && !other.muted
        });
        others.map(|(_, other)| other)
    }

    /// Returns the mentions that are neither on the screen nor counted in the list: the current
    /// conversation counts while it is scrolled up.
    fn mentions_out_of_sight(&self) -> usize {
        let here = self.here();
        let below = if here.muted { 0 } else { here.mentions };
        below
            + self
                .out_of_sight()
                .map(|other| other.mentions)
                .sum::<usize>()
    }
}

/// What is below what is looked at, and the key that leads there.
fn below(state: &TuiState) -> Option<String> {
    let here = state.here();
    if here.view == ScrollPosition::End {
        return None;
    }
    let key = state.key_to_newest();
    let by = key
        .as_deref()
        .map_or(String::new(), |key| format!(" ({key})"));
    match (here.below(), here.unread) {
        (0, _) => key.map(|key| format!("{key}: newest")),
        (below, 0) => Some(format!("{below} below{by}")),
        (_, unread) => Some(format!("{unread} new below{by}")),
    }
}

/// What is searched for, with the keys that go on and end it.
fn search(state: &TuiState) -> Option<String> {
    let search = shortened(&word(state.search.as_ref()?), 20);
    let on = state.keys.spoken(Action::SearchOn);
    let end = state.entry.keymap().spoken(Edit::Drop);
    let keys: Vec<_> = on.into_iter().chain(end).collect();
    let by = match keys[..] {
        [] => String::new(),
        _ => format!(" ({})", keys.join(", ")),
    };
    Some(format!("/{search}{by}"))
}

fn connection(state: &TuiState) -> String {
    let tick = spinner::frame(state.frame);
    match (&state.busy, state.connection) {
        (Some(busy), _) => format!("{tick} {busy}"),
        (None, ConnectionStatus::New) => "○ not connected".to_owned(),
        (None, ConnectionStatus::Away) => "○ away".to_owned(),
        (None, ConnectionStatus::Up) if state.here().fetching.is_some() => {
            format!("{tick} fetching")
        }
        (None, ConnectionStatus::Up) => "● online".to_owned(),
    }
}

fn line<'p>(parts: impl Iterator<Item = &'p (u8, String)>) -> String {
    let texts: Vec<&str> = parts.map(|(_, text)| text.as_str()).collect();
    format!(" {}", texts.join(" · "))
}

/// The parts that fit, in their order: what is worth least goes first.
fn fitting(parts: &[(u8, String)], room: usize) -> String {
    let mut kept: Vec<&(u8, String)> = parts.iter().collect();
    loop {
        let line = line(kept.iter().copied());
        if columns(&line) <= room || kept.len() <= 1 {
            return shortened(&line, room);
        }
        let least = kept.iter().map(|(worth, _)| *worth).min();
        let index = kept.iter().rposition(|(worth, _)| Some(*worth) == least);
        index.map(|index| kept.remove(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_most_stays() {
        let parts = [(9, "online"), (7, "#lobby"), (3, "3 people"), (0, "help")];
        let parts = parts.map(|(worth, text)| (worth, text.to_owned()));
        for (room, want) in [
            (80, " online · #lobby · 3 people · help"),
            (30, " online · #lobby · 3 people"),
            (20, " online · #lobby"),
            (10, " online"),
            (4, " on…"),
        ] {
            assert_eq!(fitting(&parts, room), want);
        }
    }
}
