//! The whole screen, drawn from the state and nothing else.

pub mod channel_list;
pub mod help;
pub mod layout;
pub mod links;
pub mod member_list;
pub mod messages;
pub mod picker;
mod scroll;
pub mod status;
pub mod wrap;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use self::layout::Areas;
use self::messages::MessageRow;
use self::wrap::{plain_rows, shortened};
use super::state::{ConnectionStatus, Mode, TuiState};
use super::width_quirks;
use crate::keys::edit_actions::Edit;
use crate::prompt::PromptKind;
use crate::text::escape::word;

/// Draws everything.
pub fn draw(state: &TuiState, frame: &mut Frame<'_>) {
    let (areas, all) = (layout::areas(state), frame.area());
    let buffer = frame.buffer_mut();
    channel_list::draw(state, areas.conversations, buffer);
    member_list::draw(state, areas.people, buffer);
    if state.connection == ConnectionStatus::New {
        greeting(state, areas.messages, buffer);
    } else {
        topic(state, areas.topic, buffer);
        messages(state, areas.messages, buffer);
    }
    status::draw(state, areas.status, buffer);
    let cursor = entry(state, areas, buffer);
    match &state.mode {
        Mode::Choose(picker) => picker::draw(state, picker, picker::area(picker, &areas), buffer),
        Mode::Help(top) => help::draw(state, *top, all, buffer),
        Mode::Talk | Mode::Asked(..) => {}
    }
    width_quirks::write_whole(buffer);
    if !matches!(state.mode, Mode::Help(_)) && !areas.entry.is_empty() {
        frame.set_cursor_position(cursor);
    }
}

fn topic(state: &TuiState, area: Rect, buffer: &mut Buffer) {
    let style = Style::new().add_modifier(Modifier::UNDERLINED);
    buffer.set_style(area, style);
    if !area.is_empty() {
        let text = shortened(&word(&state.here().topic), usize::from(area.width));
        width_quirks::put(
            buffer,
            (area.x, area.y),
            &text,
            usize::from(area.width),
            style,
        );
    }
}

fn messages(state: &TuiState, area: Rect, buffer: &mut Buffer) {
    let rows = state
        .canvas()
        .visible(state.here(), usize::from(area.height));
    // Few messages stand above what is typed, as if more were to come from below.
    let empty = usize::from(area.height) - rows.len();
    for (row, y) in rows.into_iter().zip((area.y..).skip(empty)) {
        let MessageRow {
            spans,
            links,
            style,
            ..
        } = row;
        let line = Line::from(spans).style(style);
        width_quirks::put_line(buffer, (area.x, y), &line, area.width);
        if state.theme.links {
            links::apply(
                &line,
                &links,
                Position::new(area.x, y),
                area.right(),
                buffer,
            );
        }
    }
}

/// What is seen before one is in.
fn greeting(state: &TuiState, area: Rect, buffer: &mut Buffer) {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let dim = Style::new().add_modifier(Modifier::DIM);
    let red = state.theme.depth.colour(Color::Red);
    let mut lines = vec![
        Line::styled("chat", bold),
        Line::styled(word(&state.address), dim),
        Line::raw(""),
    ];
    let width = usize::from(area.width);
    let words = state.last_words.iter();
    let words = words.flat_map(|words| plain_rows(words, width));
    lines.extend(words.map(|words| Line::styled(words, red)));
    if matches!(state.mode, Mode::Asked(_, PromptKind::Nickname)) && state.last_words.is_empty() {
        let key = state.entry.keymap().spoken(Edit::Submit);
        let any = key.map_or(String::new(), |key| format!("; {key} alone takes any"));
        lines.push(Line::styled(format!("type it below{any}"), dim));
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.y + area.height.saturating_sub(height) / 2;
    for (line, y) in lines.into_iter().zip(top..area.bottom()) {
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        let x = area.x + area.width.saturating_sub(width) / 2;
        width_quirks::put_line(buffer, (x, y), &line, area.width);
    }
}

/// What is typed; returns where the cursor is.
fn entry(state: &TuiState, areas: Areas, buffer: &mut Buffer) -> Position {
    let Areas {
        prompt,
        entry: area,
        ..
    } = areas;
    let style = Style::new().add_modifier(Modifier::BOLD);
    let text = layout::prompt(state);
    width_quirks::put(
        buffer,
        (prompt.x, prompt.y),
        text,
        usize::from(prompt.width),
        style,
    );
    let view = state.entry.view(area.width, area.height);
    for (line, y) in view.lines.iter().zip(area.y..area.bottom()) {
        width_quirks::put_line(buffer, (area.x, y), line, area.width);
    }
    let (column, row) = view.cursor;
    Position::new(
        (area.x + column).min(area.right().saturating_sub(1)),
        (area.y + row).min(area.bottom().saturating_sub(1)),
    )
}
