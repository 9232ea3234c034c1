//! The own nick, the joined channels, and the target of a typed line.

use chat_proto::{Channel, Nick};

/// The channels that one can be in: more than a server allows, whatever it says.
const MAX_JOINED: usize = 1000;

/// Changes as soon as a command is typed, so that the next line has the new target, and changes
/// back if the server rejects the command.
#[derive(Debug)]
pub(super) struct Location {
    /// The own nick, as the server gave it.
    pub nick: String,
    channel: Channel,
    query: Option<Nick>,
    joined: Vec<Channel>,
}

impl Default for Location {
    fn default() -> Self {
        Self {
            nick: String::new(),
            channel: Channel::lobby(),
            query: None,
            joined: vec![Channel::lobby()],
        }
    }
}

impl Location {
    /// The channel one is in.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The channels one is in, the lobby among them.
    pub(super) fn joined(&self) -> &[Channel] {
        &self.joined
    }

    /// The person one talks to until `/query` alone.
    pub(super) fn query(&self) -> Option<&Nick> {
        self.query.as_ref()
    }

    /// Talk to a person, or no longer.
    pub(super) fn set_query(&mut self, nick: Option<Nick>) {
        self.query = nick;
    }

    /// Returns the target of a line: a nick or a channel.
    pub(super) fn to(&self) -> &str {
        match &self.query {
            Some(nick) => nick.as_str(),
            None => self.channel.as_str(),
        }
    }

    /// What a terminal shows before the line that is typed.
    pub(super) fn prompt(&self) -> String {
        match &self.query {
            Some(nick) => format!("-> {nick}> "),
            None => format!("{}> ", self.channel),
        }
    }

    /// Enters a channel and talks there; returns the channel one was in.
    pub(super) fn enter(&mut self, channel: Channel) -> Channel {
        self.add(&channel);
        self.query = None;
        std::mem::replace(&mut self.channel, channel)
    }

    /// Adds a joined channel; the target does not change.
    pub(super) fn add(&mut self, channel: &Channel) {
        if self.joined.len() < MAX_JOINED && !self.joined.contains(channel) {
            self.joined.push(channel.clone());
        }
    }

    /// Leaves a channel; if it was the current one, the lobby is.
    pub(super) fn leave(&mut self, channel: &Channel) {
        if *channel != Channel::lobby() {
            self.joined.retain(|joined| joined != channel);
        }
        if self.channel == *channel {
            self.channel = Channel::lobby();
        }
    }

    /// Talks in another channel that one is in; `false` where one is not.
    pub(super) fn switch(&mut self, channel: &Channel) -> bool {
        let known = self.joined.iter().find(|joined| *joined == channel);
        let Some(known) = known.cloned() else {
            return false;
        };
        self.channel = known;
        self.query = None;
        true
    }

    /// Makes a channel or a user the target.
    pub(super) fn go(&mut self, to: &str) {
        match Channel::new(to) {
            Ok(channel) => (self.channel, self.query) = (channel, None),
            Err(_) => self.query = Nick::new(to).ok(),
        }
    }

    /// Returns whether a nick is the own one.
    pub(super) fn is_me(&self, nick: &str) -> bool {
        chat_proto::name::fold(nick) == chat_proto::name::fold(&self.nick)
    }

    /// Applies a rename; returns whether it is the own one.
    pub(super) fn renamed(&mut self, nick: &str, to: &str) -> bool {
        if let Some(person) = &self.query
            && Nick::new(nick).is_ok_and(|nick| nick == *person)
        {
            self.query = Nick::new(to).ok();
        }
        let me = self.is_me(nick);
        if me {
            to.clone_into(&mut self.nick);
        }
        me
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> Channel {
        Channel::new(name).unwrap()
    }

    #[test]
    fn where_a_line_goes() {
        let mut place = Location::default();
        assert_eq!(
            (place.to(), place.prompt().as_str()),
            ("#lobby", "#lobby> ")
        );
        place.enter(channel("#rust"));
        assert_eq!(place.to(), "#rust");
        place.set_query(Some(Nick::new("luis").unwrap()));
        assert_eq!((place.to(), place.prompt().as_str()), ("luis", "-> luis> "));
        assert_eq!(place.channel(), &channel("#rust"));
        assert!(!place.renamed("luis", "lucho"));
        assert_eq!(place.to(), "lucho");
        assert!(place.switch(&channel("#LOBBY")));
        assert_eq!(place.to(), "#lobby");
        assert!(!place.switch(&channel("#other")));
        place.enter(channel("#rust"));
        place.leave(&channel("#rust"));
        assert_eq!(place.to(), "#lobby");
        assert!(!place.switch(&channel("#rust")));
    }

    #[test]
    fn ones_own_nick() {
        let mut place = Location {
            nick: "Ana".to_owned(),
            ..Location::default()
        };
        assert!(place.is_me("ANA") && !place.is_me("luis"));
        assert!(place.renamed("ana", "anita"));
        assert_eq!(place.nick, "anita");
    }
}
