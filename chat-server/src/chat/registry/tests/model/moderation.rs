//! What of the promises is moderation (protocol, 10. Moderation): who may put whom out, and what
//! holds then.

use super::*;

/// What operators and founders have decided.
#[derive(Debug, Default)]
pub(super) struct Rulings {
    /// Nicks that are kept out.
    pub(super) banned: BTreeSet<usize>,
    /// Channels and the nicks that are kept out of them.
    bans: BTreeMap<(usize, usize), Ban>,
    /// Nicks, and who had them then.
    muted: BTreeMap<usize, Option<Token>>,
    founders: BTreeMap<usize, Token>,
    topics: BTreeMap<usize, &'static str>,
}

#[derive(Debug)]
struct Ban {
    /// Who had the nick then, or has left it behind.
    holder: Option<Token>,
    /// Longer than its channel.
    lasts: bool,
}

impl Model {
    /// Why what operators and founders may do is refused.
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

    /// Whether somebody is an operator, or the founder of a channel.
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

    /// By which nicks those are muted who have one, or had it.
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

    /// What operators and founders may do is done, and who has to know it is told.
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

    /// Whoever is meant and is in the channel is out of it; returns what has to be told.
    fn is_put_out(&mut self, by: u32, nick: usize, channel: usize, how: &str) -> Vec<String> {
        let end = format!("{} spam by {}", NICKS[nick], NICKS[self.here[&by].nick]);
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

    /// Who enters a channel that does not exist founds it.
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

    /// Whether a channel is what it is while nobody is in it, too.
    fn lasts(&self, channel: usize) -> bool {
        let account = &self.here[&OPERATOR].token;
        channel == 0 || self.rulings.founders.get(&channel) == Some(account)
    }

    /// What was decided in a channel ends with it.
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

    /// Who enters channels is told what they are about, and of no others.
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
