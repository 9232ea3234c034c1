//! The text editor of the full screen, with history and completion. It does no terminal I/O.
//!
//! The editing itself is rustyline's (`LineBuffer`), so words and characters are the same here as
//! in line mode; the rest that rustyline has is bound to a terminal of its own.
//!
//! | file | what |
//! | --- | --- |
//! | this one | the entry and its state |
//! | `edits` | what each key does |
//! | `history` | the lines entered before |
//! | `completion` | what Tab makes of a word |
//! | `layout` | where a text wraps, and how it is shown |

mod completion;
mod edits;
mod history;
mod layout;

use std::cell::Cell;

use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::text::Line;
use rustyline::line_buffer::{ChangeListener, DeleteListener, Direction, LineBuffer};
use unicode_segmentation::GraphemeCursor;

use self::completion::Completion;
pub use self::history::InputHistory;
use self::layout::TextLayout;
use crate::command;
use crate::completion_names::CompletionNames;
use crate::keys::edit_actions::{self, Edit};
use crate::keys::{Chord, KeyMatch, Keymap};
use crate::prompt::PromptKind;

/// The most an entry holds, in bytes: room to shorten what is too long for a message. More than
/// this is not put in at all.
pub const MAX_BYTES: usize = 64 * 1024;

/// The effect of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOutcome {
    /// The key has no action in the editor.
    Ignored,
    /// The editor handled the key, and may look different.
    Changed,
    /// This text was entered, and the editor is empty.
    Submit(String),
    /// This is to be edited in `$EDITOR`; what comes of it belongs into [`Editor::set_text`].
    Editor(String),
}

/// An entry as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditorView {
    /// The rows with the cursor in them, and below them a remark, if there is one.
    pub lines: Vec<Line<'static>>,
    /// The column and the row of the cursor, from 0.
    pub cursor: (u16, u16),
}

/// The entry.
#[derive(Debug)]
pub struct Editor {
    line: LineBuffer,
    purpose: PromptKind,
    /// What was being typed when a question came: text and cursor.
    draft: Option<(String, usize)>,
    keymap: Keymap<Edit>,
    /// The first of two keys.
    first: Option<Chord>,
    history: InputHistory,
    /// What was cut last, and whether the last key did that.
    cut: String,
    cutting: bool,
    completion: Option<Completion>,
    /// What stood here before a paste that waits for a word: text and cursor.
    pasted: Option<(String, usize)>,
    /// Why the last key had no or less effect.
    remark: Option<String>,
    /// The columns in which it was last shown: Up and Down go by rows.
    width: Cell<u16>,
}

impl Default for Editor {
    fn default() -> Self {
        Self::new(InputHistory::default(), edit_actions::default())
    }
}

impl Editor {
    /// An empty entry.
    pub fn new(history: InputHistory, keymap: Keymap<Edit>) -> Self {
        Self {
            line: LineBuffer::with_capacity(MAX_BYTES),
            purpose: PromptKind::Chat,
            draft: None,
            keymap,
            first: None,
            history,
            cut: String::new(),
            cutting: false,
            completion: None,
            pasted: None,
            remark: None,
            width: Cell::new(u16::MAX),
        }
    }

    /// What was typed so far.
    pub fn text(&self) -> &str {
        self.line.as_str()
    }

    /// Nothing was typed so far.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Another text, with the cursor at its end. A text that is longer than [`MAX_BYTES`] is left
    /// out, and that is said.
    pub fn set_text(&mut self, text: &str) {
        let text = normal(text);
        self.settle_down();
        if text.len() > MAX_BYTES {
            self.remark = Some(left_out(text.len()));
        } else {
            self.put(&text, text.len());
        }
    }

    /// What the entry is for from now on. While a question is asked there is an empty entry for it,
    /// without history; a draft is there again when it is answered.
    pub fn set_purpose(&mut self, purpose: PromptKind) {
        if purpose == self.purpose {
            return;
        }
        if self.purpose == PromptKind::Chat {
            self.draft = Some((self.text().to_owned(), self.line.pos()));
        }
        self.settle_down();
        self.purpose = purpose;
        let (text, cursor) = match purpose {
            PromptKind::Chat => self.draft.take().unwrap_or_default(),
            PromptKind::Choice | PromptKind::Password | PromptKind::Nickname => Default::default(),
        };
        self.put(&text, cursor);
    }

    /// A key of the terminal.
    pub fn key(&mut self, key: KeyEvent, names: &CompletionNames) -> KeyOutcome {
        if key.kind == KeyEventKind::Release {
            return KeyOutcome::Ignored;
        }
        let chord = Chord::from(key);
        let found = self.keymap.follow(&mut self.first, chord);
        match (found, chord.character()) {
            (KeyMatch::Action(edit), _) => self.edit(edit, names),
            (KeyMatch::More, _) => KeyOutcome::Changed,
            (KeyMatch::Nothing, Some(c)) if !c.is_control() => {
                self.insert(c.encode_utf8(&mut [0; 4]));
                KeyOutcome::Changed
            }
            (KeyMatch::Nothing, _) => KeyOutcome::Ignored,
        }
    }

    /// The keys of the entry.
    pub fn keymap(&self) -> &Keymap<Edit> {
        &self.keymap
    }

    /// What that key would do here.
    pub fn find(&self, key: Chord) -> KeyMatch<Edit> {
        self.keymap.find(self.first, key)
    }

    /// Whether that key is what the first one of two waits for.
    pub fn awaits(&self, key: Chord) -> bool {
        self.first.is_some() && matches!(self.find(key), KeyMatch::Action(_))
    }

    /// The first one of two keys waits no longer: the next one was for something else.
    pub fn forget_first(&mut self) {
        self.first = None;
    }

    /// A paste, which the terminal tells from keys. It is only put in: of several lines it waits
    /// for [`Edit::Submit`], or for [`Edit::Drop`], which takes it back.
    pub fn paste(&mut self, pasted: &str) {
        let text = normal(pasted);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let several = text.contains('\n');
        if several && self.purpose != PromptKind::Chat {
            self.settle_down();
            self.remark = Some("several lines were pasted where one is asked for".to_owned());
            return;
        }
        let before = (self.text().to_owned(), self.line.pos());
        self.insert(text);
        self.pasted = (several && self.text() != before.0).then_some(before);
    }

    /// The entry in `width` columns, and as many rows of it around the cursor as there is room for.
    pub fn view(&self, width: u16, max_rows: u16) -> EditorView {
        let width = width.max(1);
        self.width.set(width);
        let look = self.look();
        let (text, cursor) = (self.text(), self.line.pos());
        let rows = look.rows(text, cursor);
        let (row, column) = look.place(text, &rows, cursor);
        let room = usize::from(max_rows.max(1));
        let note = self.note().filter(|_| room > 1);
        let room = room - usize::from(note.is_some());
        let top = row.saturating_sub(room / 2);
        let top = top.min(rows.len().saturating_sub(room));
        let shown = rows.iter().skip(top).take(room);
        let mut lines: Vec<_> = shown.map(|row| look.line(&text[row.clone()])).collect();
        lines.extend(note);
        let small = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        EditorView {
            lines,
            cursor: (small(column), small(row - top)),
        }
    }

    /// What is to be said below the entry.
    fn note(&self) -> Option<Line<'static>> {
        let look = TextLayout {
            masked: false,
            ..self.look()
        };
        if let Some((before, _)) = &self.pasted {
            let lines = |text: &str| text.split('\n').count();
            let pasted = lines(self.text()) + 1 - lines(before);
            let done = [(Edit::Submit, "sends"), (Edit::Drop, "drops")].map(|(edit, does)| {
                let key = self.keymap.spoken(edit)?;
                Some(format!("{key} {does}"))
            });
            let done: Vec<_> = done.into_iter().flatten().collect();
            let colon = if done.is_empty() { "" } else { ": " };
            let words = format!("{pasted} lines pasted{colon}{}", done.join(", "));
            return Some(look.note(&words));
        }
        if let Some((found, chosen)) = self.completion.as_ref().and_then(Completion::list) {
            return Some(look.choice(found, chosen));
        }
        if let Some(remark) = &self.remark {
            return Some(look.note(remark));
        }
        let long =
            self.purpose == PromptKind::Chat && self.text().len() > chat_proto::Text::MAX_BYTES;
        let refusal = long.then(|| command::parse(self.text()).err()).flatten()?;
        Some(look.note(&refusal.detail))
    }

    fn look(&self) -> TextLayout {
        TextLayout {
            width: usize::from(self.width.get().max(1)),
            masked: self.purpose == PromptKind::Password,
        }
    }

    /// Cancels pending keys, completion, paste and remark.
    fn settle_down(&mut self) {
        self.first = None;
        self.cutting = false;
        self.completion = None;
        self.pasted = None;
        self.remark = None;
        self.history.leave();
    }

    /// A text that is allowed, and a cursor.
    fn put(&mut self, text: &str, cursor: usize) {
        self.line.update(text, cursor, &mut IgnoreChanges);
        self.snap_to_grapheme();
    }

    fn insert(&mut self, text: &str) {
        self.settle_down();
        let whole = self.line.len() + text.len();
        if whole > MAX_BYTES {
            self.remark = Some(left_out(whole));
            return;
        }
        // An empty text is put in by leaving all as it is.
        self.line.yank(text, 1, &mut IgnoreChanges);
        self.snap_to_grapheme();
    }

    /// Moves the cursor to a grapheme boundary: an edit may join the characters around it.
    fn snap_to_grapheme(&mut self) {
        let (text, cursor) = (self.line.as_str(), self.line.pos());
        let mut place = GraphemeCursor::new(cursor, text.len(), true);
        if place.is_boundary(text, 0) != Ok(true) {
            let end = place.next_boundary(text, 0).ok().flatten();
            self.line.set_pos(end.unwrap_or(text.len()));
        }
    }
}

/// One kind of line end, and no control character that no message may have: what is pasted from a
/// terminal's output may be full of them.
fn normal(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "")
}

fn left_out(bytes: usize) -> String {
    format!("left out: it would be {bytes} bytes, with room for {MAX_BYTES}")
}

/// Ignores the changes of a line buffer.
struct IgnoreChanges;

impl DeleteListener for IgnoreChanges {
    fn delete(&mut self, _: usize, _: &str, _: Direction) {}
}

impl ChangeListener for IgnoreChanges {
    fn insert_char(&mut self, _: usize, _: char) {}
    fn insert_str(&mut self, _: usize, _: &str) {}
    fn replace(&mut self, _: usize, _: &str, _: &str) {}
}

#[cfg(test)]
mod tests;
