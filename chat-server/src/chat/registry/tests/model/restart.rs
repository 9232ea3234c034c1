//! The state after a restart, and the owners of direct messages and ids.

use super::super::accounts::account_id;
use super::*;
use crate::chat::dedup::{RecentMessageId, RecordedAt};
use crate::chat::moderation::{ChannelRecord, Sanction};
use crate::chat::state_change::{ResumableSession, StateChange};

/// A direct message and its ends: the nick, the token and the number of earlier nicks of each.
#[derive(Debug, Clone)]
pub(super) struct Direct {
    seq: u64,
    ends: [(Arc<str>, Token, usize); 2],
}

/// The persistent state, and the ids in the history.
#[derive(Debug, Default)]
pub(super) struct Kepts {
    tokens: BTreeMap<[u8; 32], ResumableSession>,
    sanctions: BTreeMap<u64, Sanction>,
    charters: BTreeMap<Arc<str>, ChannelRecord>,
    since: u64,
    ids: Vec<(u64, Arc<str>, Id)>,
}

impl Model {
    /// Remembers the last message.
    pub(super) fn is_said(&mut self, slot: u32, deed: &Deed) {
        let seq = self.last_seq;
        let end = |person: &Person| {
            let nick = fold(NICKS[person.nick]).into();
            (nick, person.token, person.renames)
        };
        let sender = &self.here[&slot];
        match *deed {
            Deed::Say { id: Some(id), .. } => {
                let (nick, _, renames) = end(sender);
                self.kepts.ids.push((seq, nick, id.to_string().into()));
                self.person(slot).said.insert(id, (seq, renames));
            }
            Deed::Tell { nick } => {
                let other = self.holder(nick).expect("it was said to them");
                let ends = [end(sender), end(&self.here[&other])];
                self.directs.push(Direct { seq, ends });
            }
            _ => {}
        }
    }

    /// Checks that each user who is online or can resume sees exactly their own direct messages.
    pub(super) fn directs_are_theirs_alone(&self) -> TestCaseResult {
        let registry = &self.scene.registry;
        let here = self.here.keys().map(|&slot| {
            let user = registry
                .users
                .at(self.session(slot))
                .expect("they are here");
            let user = &registry.users[user];
            (&self.here[&slot], user.tenures())
        });
        let away = self.away.iter().filter_map(|(&nick, person)| {
            let absent = registry.resume_pool.get(&fold(NICKS[nick]))?;
            Some((person, absent.tenures()))
        });
        for (person, held) in here.chain(away) {
            for direct in &self.directs {
                let is_shown = held.iter().any(|held| {
                    let in_time = direct.seq > held.since && direct.seq <= held.until;
                    in_time && direct.ends.iter().any(|(nick, ..)| *nick == held.nick)
                });
                let is_theirs = direct.ends.iter().any(|&(_, token, renames)| {
                    token == person.token && person.renames <= renames + PREVIOUS_NICKS_MAX
                });
                prop_assert_eq!(is_shown, is_theirs, "{:?} {:?} {:?}", person, held, direct);
            }
        }
        Ok(())
    }

    /// Persists the changes.
    pub(super) fn keeps(&mut self) {
        let kepts = &mut self.kepts;
        for change in self.scene.registry.take_changes().into_vec() {
            match change {
                StateChange::SessionSaved(kept) => drop(kepts.tokens.insert(kept.digest.0, *kept)),
                StateChange::SessionRemoved(digest) => drop(kepts.tokens.remove(&digest.0)),
                StateChange::AccountSince { since, .. } => kepts.since = since,
                StateChange::SanctionSaved(sanction) => {
                    kepts.sanctions.insert(sanction.number, (*sanction).clone());
                }
                StateChange::SanctionRemoved(number) => drop(kepts.sanctions.remove(&number)),
                StateChange::ChannelSaved(charter) => {
                    let channel = charter.channel.folded_arc();
                    kepts.charters.insert(channel, *charter);
                }
                StateChange::ChannelRemoved(channel) => drop(kepts.charters.remove(&channel)),
            }
        }
    }

    /// Starts a registry with the persistent state. The operator logs in again.
    pub(super) fn restarts(&mut self) {
        let settings = self.scene.registry.settings.clone();
        let remembered = self
            .kepts
            .ids
            .iter()
            .map(|(seq, from, id)| RecentMessageId {
                from: from.clone(),
                id: id.clone(),
                stamp: RecordedAt {
                    seq: *seq,
                    time: self.scene.registry.now,
                },
            });
        let now = self.scene.registry.now;
        let mut registry = Registry::new(settings, self.last_seq, remembered);
        registry.restore_account(Account {
            id: account_id(1),
            nick: Nick::new(NICKS[OPERATORS_NICK]).unwrap(),
            since: self.kepts.since,
        });
        for charter in self.kepts.charters.values() {
            registry.restore_channel(charter.clone());
        }
        for sanction in self.kepts.sanctions.values() {
            registry.restore_sanction(sanction.clone());
        }
        for kept in self.kepts.tokens.values() {
            registry.restore_session(kept.clone(), now);
        }
        self.scene.registry = registry;
        self.subscribed.clear();
        let channels = std::mem::take(&mut self.person(OPERATOR).channels);
        for slot in self.here.keys().copied().collect::<Vec<_>>() {
            match slot {
                OPERATOR => self.ends(slot),
                _ => self.goes(slot, true),
            }
        }
        self.channels_end();
        self.asks(OPERATOR, None, proven(NICKS[OPERATORS_NICK], 1));
        let token = self.scene.token(self.session(OPERATOR));
        self.renews(OPERATOR, token);
        for &channel in &channels {
            self.enters(channel, token);
        }
        self.person(OPERATOR).channels = channels;
    }

    /// Replaces the token of a user.
    fn renews(&mut self, slot: u32, token: Token) {
        let before = std::mem::replace(&mut self.person(slot).token, token);
        for (_, end, _) in self.directs.iter_mut().flat_map(|direct| &mut direct.ends) {
            if *end == before {
                *end = token;
            }
        }
        self.rulings.renew(before, token);
    }
}
