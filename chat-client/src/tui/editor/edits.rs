//! What the keys of the entry do.

use jiff::tz::TimeZone;
use rustyline::line_buffer::{DeleteListener, Direction, LineBuffer};
use rustyline::{At, Word};

use super::completion::Completion;
use super::{Editor, IgnoreChanges, KeyOutcome};
use crate::command::{self, TypedCommand};
use crate::completion_names::CompletionNames;
use crate::keys::edit_actions::Edit;
use crate::prompt::PromptKind;
use crate::text::wording::sentence;

impl Editor {
    pub(super) fn edit(&mut self, edit: Edit, names: &CompletionNames) -> KeyOutcome {
        match edit {
            Edit::Submit => return self.submit(),
            Edit::Drop => return self.drop_pending(),
            Edit::Editor => return self.in_editor(),
            Edit::Complete => return self.complete(false, names),
            Edit::CompleteBack => return self.complete(true, names),
            // The end of the input, where there is nothing to delete.
            Edit::DeleteRight if self.is_empty() => return KeyOutcome::Ignored,
            _ => {}
        }
        self.completion = None;
        self.remark = None;
        let cutting = std::mem::replace(&mut self.cutting, false);
        let before = self.text().len();
        match edit {
            Edit::Left => _ = self.line.move_backward(1),
            Edit::Right => _ = self.line.move_forward(1),
            Edit::WordLeft => _ = self.line.move_to_prev_word(Word::Emacs, 1),
            Edit::WordRight => _ = self.line.move_to_next_word(At::AfterEnd, Word::Emacs, 1),
            Edit::LineStart => _ = self.line.move_home(),
            Edit::LineEnd => _ = self.line.move_end(),
            Edit::Up => self.row(false),
            Edit::Down => self.row(true),
            Edit::HistoryBack => self.past(false),
            Edit::HistoryForward => self.past(true),
            Edit::DeleteLeft => _ = self.line.backspace(1, &mut IgnoreChanges),
            Edit::DeleteRight => _ = self.line.delete(1, &mut IgnoreChanges),
            Edit::KillWordLeft => {
                self.cut(cutting, |line, cut| {
                    line.delete_prev_word(Word::Emacs, 1, cut)
                });
            }
            Edit::KillBlankLeft => {
                self.cut(cutting, |line, cut| {
                    line.delete_prev_word(Word::Big, 1, cut)
                });
            }
            Edit::KillWordRight => {
                self.cut(cutting, |line, cut| {
                    line.delete_word(At::AfterEnd, Word::Emacs, 1, cut)
                });
            }
            Edit::KillLineLeft => self.cut(cutting, LineBuffer::discard_line),
            Edit::KillLineRight => self.cut(cutting, LineBuffer::kill_line),
            Edit::Yank => {
                let cut = self.cut.clone();
                self.insert(&cut);
            }
            Edit::Transpose => _ = self.line.transpose_chars(&mut IgnoreChanges),
            Edit::NewLine if self.purpose == PromptKind::Chat => self.insert("\n"),
            Edit::NewLine => {}
            Edit::Submit | Edit::Drop | Edit::Editor | Edit::Complete | Edit::CompleteBack => {}
        }
        self.snap_to_grapheme();
        if self.text().len() != before {
            // It is no longer what was pasted, but what one has made of it.
            self.pasted = None;
        }
        KeyOutcome::Changed
    }

    /// Enter. What would be refused stays, with the reason, to be mended.
    fn submit(&mut self) -> KeyOutcome {
        if self.purpose == PromptKind::Chat {
            match command::parse(self.text()) {
                Ok(TypedCommand::Nothing) => return KeyOutcome::Ignored,
                Ok(_) => {}
                Err(refusal) => {
                    self.settle_down();
                    // No time of day is in a refusal of what is typed.
                    let words = sentence(refusal.code, &refusal.detail, &TimeZone::UTC);
                    self.remark = Some(format!("! {words}"));
                    return KeyOutcome::Changed;
                }
            }
        }
        self.settle_down();
        let text = self.text().to_owned();
        if self.purpose == PromptKind::Chat {
            self.history.add(&text);
        }
        self.put("", 0);
        KeyOutcome::Submit(text)
    }

    /// Esc.
    fn drop_pending(&mut self) -> KeyOutcome {
        let pasted = self.pasted.take();
        let completed = self
            .completion
            .take()
            .map(|completion| completion.dropped());
        let Some((text, cursor)) = pasted.or(completed) else {
            return match self.remark.take() {
                Some(_) => KeyOutcome::Changed,
                None => KeyOutcome::Ignored,
            };
        };
        self.put(&text, cursor);
        KeyOutcome::Changed
    }

    fn in_editor(&self) -> KeyOutcome {
        if self.purpose == PromptKind::Chat {
            return KeyOutcome::Editor(self.text().to_owned());
        }
        KeyOutcome::Ignored
    }

    fn complete(&mut self, back: bool, names: &CompletionNames) -> KeyOutcome {
        if self.purpose == PromptKind::Password {
            return KeyOutcome::Changed;
        }
        let completion = match self.completion.take() {
            Some(mut completion) => {
                completion.turn(back);
                completion
            }
            None => {
                self.settle_down();
                match Completion::begin(self.text(), self.line.pos(), names) {
                    Some(completion) => completion,
                    None => return KeyOutcome::Changed,
                }
            }
        };
        let (text, cursor) = completion.chosen();
        if text.len() > super::MAX_BYTES {
            return KeyOutcome::Changed;
        }
        self.put(&text, cursor);
        self.completion = Some(completion);
        KeyOutcome::Changed
    }

    /// A row down or up; beyond the last or the first one, through what was entered before.
    fn row(&mut self, down: bool) {
        let look = self.look();
        let (text, cursor) = (self.line.as_str(), self.line.pos());
        let rows = look.rows(text, cursor);
        let (row, column) = look.place(text, &rows, cursor);
        let next = if down {
            Some(row + 1)
        } else {
            row.checked_sub(1)
        };
        match next.and_then(|next| rows.get(next)) {
            Some(next) => {
                let place = look.at_column(text, next, column);
                self.line.set_pos(place);
            }
            None => self.past(down),
        }
    }

    fn past(&mut self, forward: bool) {
        if self.purpose != PromptKind::Chat {
            return;
        }
        let entered = if forward {
            self.history.forward()
        } else {
            self.history.back(self.line.as_str())
        };
        if let Some(text) = entered.map(str::to_owned) {
            self.pasted = None;
            self.put(&text, text.len());
        }
    }

    /// Cuts, and keeps it: what is cut by several keys in a row is one. Of a password nothing is
    /// kept.
    fn cut(&mut self, further: bool, cut: impl FnOnce(&mut LineBuffer, &mut Cut) -> bool) {
        let mut taken = Cut::default();
        if !cut(&mut self.line, &mut taken) {
            self.cutting = further;
            return;
        }
        if self.purpose == PromptKind::Password {
            return;
        }
        self.cutting = true;
        if !further {
            self.cut.clear();
        }
        match taken.direction {
            Direction::Forward => self.cut += &taken.text,
            Direction::Backward => self.cut.insert_str(0, &taken.text),
        }
    }
}

/// What an edit takes out.
#[derive(Default)]
struct Cut {
    text: String,
    direction: Direction,
}

impl DeleteListener for Cut {
    fn delete(&mut self, _: usize, text: &str, direction: Direction) {
        text.clone_into(&mut self.text);
        self.direction = direction;
    }
}
