//! The model of moderation (protocol, 10. Moderation): permissions and effects.

use super::*;

/// The decisions of operators and channel owners.
#[derive(Debug, Default)]
pub(super) struct Rulings {
    /// Banned nicks.
    pub(super) banned: BTreeSet<usize>,
    /// Channels and the nicks that are banned from them.
    bans: BTreeMap<(usize, usize), Ban>,
    /// Muted nicks, and their users at that time.
    muted: BTreeMap<usize, Option<Token>>,
    founders: BTreeMap<usize, Token>,
    topics: BTreeMap<usize, &'static str>,
}

#[derive(Debug)]
struct Ban {
    /// The user of the nick then, online or absent.
    holder: Option<Token>,
    /// Whether it outlives its channel.
    lasts: bool,
}

impl Model {
    /// Returns the error of a moderation command.
    pub(super) fn may(&self, slot: u32, deed: &Deed) -> Result<(), ErrorCode> {
        let refuse = |when, code| if when { Err(code) } else { Ok(()) };
        let (Deed::Kick { channel, .. }
        | Deed::Ban { channel, .. }
        | Deed::Unban { channel, .. }
        | Deed::Topic { channel, .. }) = *deed
        else {
            return self.may_silence(slot, deed);
        };
        self.rules(slot, channel)?;
        match *deed {
            Deed::Kick { nick, .. } => {
                let other = self.holder(nick).ok_or(ErrorCode::NoSuchUser)?;
                refuse([slot, OPERATOR].contains(&other), ErrorCode::NotPermitted)?;
                let is_in = self.here[&other].channels.contains(&channel);
                refuse(!is_in, ErrorCode::NotInChannel)
            }
            Deed::Ban { nick, .. } => {
                let own = self.here[&slot].nick == nick;
                refuse(own || nick == OPERATORS_NICK, ErrorCode::NotPermitted)
            }
            Deed::Unban { nick, channel: 0 } => {
                refuse(!self.rulings.banned.contains(&nick), ErrorCode::NoSuchBan)
            }
            Deed::Unban { nick, channel } => {
                let bans = &self.rulings.bans;
                refuse(!bans.contains_key(&(channel, nick)), ErrorCode::NoSuchBan)
            }
            _ => refuse(self.is_muted(slot), ErrorCode::Muted),
        }
    }

    fn may_silence(&self, slot: u32, deed: &Deed) -> Result<(), ErrorCode> {
        self.rules(slot, 0)?;
        match *deed {
            Deed::Mute { nick } => match self.holder(nick) {
                None => Err(ErrorCode::NoSuchUser),
                Some(other) if other == slot => Err(ErrorCode::NotPermitted),
                Some(_) => Ok(()),
            },
            Deed::Unmute { nick } if self.mutes_of(nick).is_empty() => Err(ErrorCode::NoSuchBan),
            _ => Ok(()),
        }
    }

    /// Checks whether a user is an operator or the owner of a channel.
    fn rules(&self, slot: u32, channel: usize) -> Result<(), ErrorCode> {
        let Person {
            channels, token, ..
        } = &self.here[&slot];
        let founded = self.rulings.founders.get(&channel) == Some(token);
        match slot {
            _ if self.members(channel).is_empty() => Err(ErrorCode::NoSuchChannel),
            OPERATOR => Ok(()),
            _ if founded && channels.contains(&channel) => Ok(()),
            _ => Err(ErrorCode::NotPermitted),
        }
    }

    /// Returns the nicks of the mutes that apply to the user of a nick.
    fn mutes_of(&self, nick: usize) -> Vec<usize> {
        let holder = self.holder(nick).map(|slot| self.here[&slot].token);
        let muted = self.rulings.muted.iter();
        muted
            .filter(|&(&by, &then)| by == nick || then.is_some() && then == holder)
            .map(|(&by, _)| by)
            .collect()
    }

    pub(super) fn is_muted(&self, slot: u32) -> bool {
        !self.mutes_of(self.here[&slot].nick).is_empty()
    }

    pub(super) fn is_banned_from(&self, channel: usize, person: &Person) -> bool {
        let mut bans = self.rulings.bans.iter();
        bans.any(|(&(of, nick), ban)| {
            of == channel && (nick == person.nick || ban.holder == Some(person.token))
        })
    }

    /// Applies a moderation command to the model, and checks the events.
    pub(super) fn is_ruled(&mut self, slot: u32, deed: &Deed, told: &[String]) -> TestCaseResult {
        let both =
            |other: Option<u32>| other.map_or(slot.to_string(), |other| format!("{slot}+{other}"));
        let answers = match *deed {
            Deed::Kick { nick, channel } => self.is_put_out(slot, nick, channel, "kicked"),
            Deed::Ban { nick, channel: 0 } => {
                self.rulings.banned.insert(nick);
                self.away.remove(&nick);
                self.is_put_out(slot, nick, 0, "banned")
            }
            Deed::Ban { nick, channel } => {
                let here = self.holder(nick).map(|other| self.here[&other].token);
                let holder = here.or_else(|| Some(self.away.get(&nick)?.token));
                let lasts = slot == OPERATOR || self.lasts(channel);
                let ban = Ban { holder, lasts };
                self.rulings.bans.insert((channel, nick), ban);
                self.is_put_out(slot, nick, channel, "banned")
            }
            Deed::Unban { nick, channel } => {
                self.rulings.bans.remove(&(channel, nick));
                if channel == 0 {
                    self.rulings.banned.remove(&nick);
                }
                vec![format!("{slot}: Unbanned")]
            }
            Deed::Mute { nick } => {
                let other = self.holder(nick);
                let holder = other.map(|other| self.here[&other].token);
                self.rulings.muted.insert(nick, holder);
                vec![format!("{}: Muted", both(other))]
            }
            Deed::Unmute { nick } => {
                for by in self.mutes_of(nick) {
                    self.rulings.muted.remove(&by);
                }
                vec![format!("{}: Unmuted", both(self.holder(nick)))]
            }
            Deed::Topic { channel, words } => {
                self.rulings.topics.insert(channel, words);
                vec![format!("topic {} {words:?}", CHANNELS[channel])]
            }
            _ => Vec::new(),
        };
        for answer in answers {
            let answered = told.iter().any(|line| line.starts_with(&answer));
            prop_assert!(answered, "{deed:?}: {answer}: {told:?}");
        }
        Ok(())
    }

    /// Removes a matching member from the channel; returns the expected events.
    fn is_put_out(&mut self, by: u32, nick: usize, channel: usize, how: &str) -> Vec<String> {
        // A muted moderator removes a user without a reason.
        let why = if self.is_muted(by) { how } else { "spam" };
        let end = format!("{} {why} by {}", NICKS[nick], NICKS[self.here[&by].nick]);
        match self.holder(nick) {
            Some(other) if channel == 0 => {
                self.goes(other, false);
                vec![format!("gone {end}"), format!("{other}: {how}")]
            }
            Some(other) if self.members(channel).contains(&other) => {
                self.parts(other, channel);
                vec![format!("left {} {end}", CHANNELS[channel])]
            }
            _ => Vec::new(),
        }
    }

    /// A user who creates a channel owns it.
    pub(super) fn enters(&mut self, channel: usize, token: Token) {
        if self.members(channel).is_empty() {
            self.rulings.founders.entry(channel).or_insert(token);
        }
    }

    pub(super) fn parts(&mut self, slot: u32, channel: usize) {
        let person = self.person(slot);
        person.channels.remove(&channel);
        let token = person.token;
        if slot != OPERATOR && self.rulings.founders.get(&channel) == Some(&token) {
            self.rulings.founders.remove(&channel);
        }
    }

    /// Returns whether decisions in a channel outlive it.
    fn lasts(&self, channel: usize) -> bool {
        let account = &self.here[&OPERATOR].token;
        channel == 0 || self.rulings.founders.get(&channel) == Some(account)
    }

    /// Ends the temporary decisions of ended channels.
    pub(super) fn channels_end(&mut self) {
        for channel in 0..CHANNELS.len() {
            if self.members(channel).is_empty() && !self.lasts(channel) {
                self.rulings.founders.remove(&channel);
                self.rulings.topics.remove(&channel);
                let bans = &mut self.rulings.bans;
                bans.retain(|&(of, _), ban| of != channel || ban.lasts);
            }
        }
    }

    /// Checks that a user receives the topics of the entered channels, and no others.
    pub(super) fn hears_topics(
        &self,
        told: &[String],
        channels: &BTreeSet<usize>,
    ) -> TestCaseResult {
        let topics = channels.iter().filter_map(|channel| {
            let words = self.rulings.topics.get(channel)?;
            (!words.is_empty()).then(|| format!("topic {} {words:?}", CHANNELS[*channel]))
        });
        let heard = told.iter().filter(|line| line.starts_with("topic"));
        prop_assert_eq!(heard.cloned().collect::<BTreeSet<_>>(), topics.collect());
        Ok(())
    }
}

impl Rulings {
    /// Replaces the token of a user.
    pub(super) fn renew(&mut self, before: Token, now: Token) {
        let founders = self.founders.values_mut();
        founders
            .filter(|token| **token == before)
            .for_each(|token| *token = now);
    }
}
