//! Applies joins, parts and renames to a conversation.

use chat_proto::{Event, Timestamp};

use super::conversation::ConversationState;
use super::members::MemberList;
use super::timeline::{LineKind, MembershipSummary, TimelineLine};
use crate::text::escape::word;

impl ConversationState {
    /// Records a join, part or rename, merging it into the previous such line. Returns whether it
    /// applies to this conversation.
    pub fn presence(&mut self, event: &Event<'_>, seq: u64) -> bool {
        let Some((only, time)) = self.moved(event) else {
            return false;
        };
        if let Event::Left { by: Some(_), .. } | Event::Gone { by: Some(_), .. } = event {
            // A kick has a line of its own.
            self.remark(LineKind::Notice(only.into()), seq, time);
            return true;
        }
        let folds = matches!(
            self.lines.last(),
            Some(TimelineLine {
                what: LineKind::Moved(_),
                ..
            })
        );
        if !folds {
            let what = LineKind::Moved(Box::new(MembershipSummary {
                only,
                ..MembershipSummary::default()
            }));
            self.remark(what, seq, time);
        }
        self.lines.change_last(|line| {
            let LineKind::Moved(moved) = &mut line.what else {
                return;
            };
            match event {
                Event::Joined { nick, .. } => moved.joined.add(nick.as_ref().into()),
                Event::Renamed { nick, to, .. } => {
                    moved.renamed.add(format!("{nick} → {to}").into());
                }
                Event::Left { nick, .. } | Event::Gone { nick, .. } => {
                    moved.left.add(nick.as_ref().into());
                }
                _ => {}
            }
        });
        true
    }

    /// Updates the members; returns the text if the event applies to this conversation.
    fn moved(&mut self, event: &Event<'_>) -> Option<(String, Timestamp)> {
        let moved = match event {
            Event::Joined {
                channel,
                nick,
                time,
            } if self.is(channel) => {
                self.people.add(nick);
                (format!("{} joined", word(nick)), *time)
            }
            Event::Left {
                channel,
                nick,
                time,
                reason,
                by,
            } if self.is(channel) => {
                self.people.remove(nick);
                let went = went("left", by.as_deref());
                let why = why(reason.as_deref());
                (format!("{} {went}{why}", word(nick)), *time)
            }
            Event::Gone {
                nick,
                time,
                reason,
                by,
            } if self.is(nick) || self.people.has(nick) => {
                self.people.remove(nick);
                let went = went("is gone", by.as_deref());
                (format!("{} {went}{}", word(nick), why(Some(reason))), *time)
            }
            Event::Renamed { nick, to, time } if self.is(nick) || self.people.has(nick) => {
                if self.people.has(nick) {
                    self.people.remove(nick);
                    self.people.add(to);
                }
                (
                    format!("{} is now known as {}", word(nick), word(to)),
                    *time,
                )
            }
            _ => return None,
        };
        Some(moved)
    }

    /// Sets the members of the channel.
    pub fn set_people(&mut self, nicks: &[String], total: usize) {
        self.people = MemberList::default();
        for nick in nicks {
            self.people.add(nick);
        }
        self.people.others = total.saturating_sub(nicks.len());
    }
}

/// Returns the verb: a departure or a kick.
fn went(by_themselves: &str, by: Option<&str>) -> String {
    match by {
        Some(by) => format!("was kicked by {}", word(by)),
        None => by_themselves.to_owned(),
    }
}

fn why(reason: Option<&str>) -> String {
    let reason = reason.filter(|reason| !reason.is_empty());
    reason.map_or(String::new(), |reason| format!(" ({})", word(reason)))
}
