//! Protected nicks and persistent state.

use super::*;
use crate::chat::accounts::{AccountChange, AccountId};
use crate::chat::state_change::{ResumableSession, StateChange};

pub(super) fn account_id(id: i64) -> AccountId {
    AccountId(id.try_into().unwrap())
}

impl Scene {
    /// Protects a nick, at the request of `by`.
    pub(super) fn protects(&mut self, id: i64, nick: &str, by: Option<SessionId>) {
        let account = Account {
            id: account_id(id),
            nick: Nick::new(nick).unwrap(),
            since: self.registry.last_seq,
        };
        self.account_changes(AccountChange::Protected { account, by });
    }

    pub(super) fn frees(&mut self, id: i64, nick: &str) {
        let (id, nick) = (account_id(id), Nick::new(nick).unwrap());
        self.account_changes(AccountChange::Freed { nick, id });
    }

    /// Changes the password of an account, at the request of `by`.
    pub(super) fn changes_password(
        &mut self,
        id: i64,
        nick: &str,
        by: Option<SessionId>,
    ) -> Vec<String> {
        let (id, nick) = (account_id(id), Nick::new(nick).unwrap());
        self.account_changes(AccountChange::PasswordChanged {
            nick,
            id,
            by,
            request: None,
        })
    }

    fn account_changes(&mut self, change: AccountChange) -> Vec<String> {
        let mut batch = Batch::default();
        self.registry
            .account_changed(change, Token::random(), &mut batch);
        lines(batch)
    }

    /// Returns the message after which a user sees direct messages.
    fn since(&self, session: SessionId) -> u64 {
        self.registry.users[self.registry.users.at(session).unwrap()].since
    }

    /// Returns the changes since the last call: `+nick channels` or `-`.
    pub(super) fn kept(&mut self) -> Vec<String> {
        let changes = self.registry.take_changes().into_vec().into_iter();
        let mut lines: Vec<String> = changes
            .map(|change| match change {
                StateChange::SessionSaved(kept) => {
                    let gone = if kept.until.is_some() { " gone" } else { "" };
                    format!("+{} {:?}{gone}", kept.nick, kept.channels)
                }
                StateChange::SessionRemoved(_) => "-".into(),
                StateChange::AccountSince { account, since } => {
                    format!("{} from {since}", account.0)
                }
                StateChange::SanctionSaved(sanction) => format!("ban {}", sanction.number),
                StateChange::SanctionRemoved(number) => format!("no ban {number}"),
                StateChange::ChannelSaved(charter) => format!("founded {}", charter.channel),
                StateChange::ChannelRemoved(channel) => format!("not founded {channel}"),
            })
            .collect();
        lines.sort();
        lines
    }
}

pub(super) fn proven(nick: &str, id: i64) -> Command {
    Command::Hello(Box::new(Hello {
        nick: Some(Nick::new(nick).unwrap()),
        token: None,
        after: None,
        account: Some(account_id(id)),
        origin: origin("192.0.2.1"),
        random: LoginRandom::generate(),
    }))
}

#[test]
fn a_protected_nick_is_for_its_account() {
    let mut scene = Scene::new(10);
    scene.protects(1, "Ana", None);
    assert_eq!(
        scene.does(LUIS, hello("ana", None)),
        ["2: auth_failed", "2 strikes"]
    );
    assert_eq!(
        scene.does(LUIS, proven("ana", 2)),
        ["2: auth_failed", "2 strikes"],
        "an account that is no more"
    );
    assert_eq!(
        scene.does(ANA, proven("ana", 1)),
        ["1: welcome ana in #lobby", "1 in c0"]
    );
    scene.does(LUIS, hello("luis", None));
    assert_eq!(
        scene.does(LUIS, rename("ANA")),
        ["2: auth_failed", "2 strikes"]
    );
    scene.frees(2, "ana");
    assert_eq!(scene.does(LUIS, rename("ANA"))[0], "2: auth_failed");
    scene.frees(1, "ana");
    assert_eq!(scene.does(LUIS, rename("ANA")), ["2: nick_taken"]);
    scene.leaves(ANA);
    assert_eq!(scene.does(LUIS, rename("ANA"))[0], "2: renamed luis ANA");
}

#[test]
fn only_a_token_of_the_account_is_worth_something() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    let stranger = scene.token(ANA);
    scene.protects(1, "ana", None);
    assert_eq!(
        scene.does(LUIS, hello("ana", Some(stranger)))[0],
        "2: auth_failed"
    );
    // The owner logs in, which ends the session of the other user.
    assert_eq!(
        scene.does(LUIS, proven("ana", 1)),
        [
            "1: replaced",
            "1 closes",
            "2: welcome ana in #lobby",
            "2 in c0"
        ]
    );
    let own = scene.token(LUIS);
    scene.leaves(LUIS);
    assert_eq!(
        scene.does(ANA, hello("ana", Some(stranger)))[0],
        "1: auth_failed"
    );
    assert_eq!(
        scene.does(ANA, hello("ana", Some(own)))[0],
        "1: welcome ana in #lobby back"
    );
    // The password alone resumes the session as well.
    assert_eq!(
        scene.does(EVA, proven("ana", 1)),
        [
            "1: replaced",
            "1 closes",
            "3: welcome ana in #lobby back",
            "3 in c0"
        ]
    );
}

#[test]
fn what_was_said_to_a_stranger_is_not_for_the_owner() {
    let mut scene = Scene::new(0);
    scene.does(ANA, hello("ana", None));
    scene.does(LUIS, hello("luis", None));
    scene.protects(1, "ana", None);
    scene.does(LUIS, say(Some("ana"), "to the stranger"));
    scene.kept();
    scene.does(EVA, proven("ana", 1));
    assert_eq!(scene.since(EVA), 1);
    assert_eq!(scene.kept(), ["+ana []", "-", "1 from 1"]);
    scene.leaves(EVA);
    assert_eq!(scene.kept(), ["+ana [] gone"], "that was the owner");
}

#[test]
fn who_registers_keeps_what_they_have() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.asks(ANA, Some("k"), say(None, "a"));
    scene.protects(1, "ana", Some(ANA));
    let token = scene.token(ANA);
    assert_eq!(scene.since(ANA), 0);
    scene.does(ANA, rename("anita"));
    assert_eq!(scene.does(ANA, rename("ana"))[0], "1: renamed anita ana");
    assert_eq!(scene.since(ANA), 1, "from the account's beginning on");
    scene.leaves(ANA);
    assert_eq!(
        scene.does(ANA, hello("ana", Some(token)))[0],
        "1: welcome ana in #lobby back"
    );
}

#[test]
fn what_is_said_to_an_account_that_is_away_is_recorded() {
    let mut scene = Scene::new(10);
    scene.protects(1, "Eva", None);
    scene.does(ANA, hello("ana", None));
    assert_eq!(
        scene.asks(ANA, Some("k"), say(Some("eva"), "a")),
        ["1: ack 1", "1+1: 1 ana>Eva a"]
    );
    scene.frees(1, "eva");
    assert_eq!(scene.does(ANA, say(Some("eva"), "b")), ["1: no_such_user"]);
}

#[test]
fn whoever_may_come_back_is_kept_and_whoever_may_not_is_forgotten() {
    let mut scene = Scene::new(0);
    scene.does(ANA, hello("ana", None));
    assert_eq!(scene.kept(), ["+ana []"]);
    assert_eq!(scene.kept(), [""; 0]);
    scene.does(ANA, join("#x"));
    scene.does(ANA, rename("anita"));
    assert_eq!(scene.kept(), [r##"+anita [Channel("#x")]"##]);
    scene.leaves(ANA);
    assert_eq!(scene.kept(), [r##"+anita [Channel("#x")] gone"##]);
    scene.does(LUIS, hello("anita", None));
    assert_eq!(scene.kept(), ["+anita []", "-"]);
    scene.does(LUIS, Command::Quit { reason: None });
    assert_eq!(scene.kept(), ["-"]);
    for nick in ["one", "two", "three"] {
        scene.does(ANA, hello(nick, None));
        scene.leaves(ANA);
    }
    assert_eq!(
        scene.kept().last().map(String::as_str),
        Some("-"),
        "no room"
    );
}

#[test]
fn who_was_here_before_a_restart_is_back() {
    let mut before = Scene::new(0);
    before.does(ANA, hello("ana", None));
    before.does(ANA, join("#x"));
    let token = before.token(ANA);
    let mut changes = before.registry.take_changes().into_vec();
    let Some(StateChange::SessionSaved(kept)) = changes.pop() else {
        panic!("nobody is kept");
    };
    let restarted = |kept: &ResumableSession| {
        let mut scene = Scene::new(0);
        scene
            .registry
            .restore_session(kept.clone(), Timestamp::from_millis(0));
        scene
    };
    let mut scene = restarted(&kept);
    assert_eq!(
        scene.does(LUIS, hello("Ana", Some(token))),
        ["2: welcome Ana in #lobby,#x back", "2 in c0", "2 in c1"]
    );
    assert_eq!(scene.token(LUIS).digest(), token.digest());
    // The window has begun at the start.
    let mut scene = restarted(&kept);
    scene.seconds = 60;
    assert_eq!(
        scene.does(LUIS, hello("ana", Some(token)))[0],
        "2: welcome ana in #lobby"
    );
    assert_eq!(scene.kept(), ["+ana []", "-"]);
}

#[test]
fn a_changed_password_ends_every_token_but_gives_a_new_one_to_the_asker() {
    let mut scene = Scene::new(10);
    scene.protects(1, "ana", None);
    scene.does(ANA, proven("ana", 1));
    scene.does(ANA, rename("anita"));
    let anitas = scene.token(ANA);
    scene.does(EVA, proven("ana", 1));
    let before = scene.token(EVA);
    scene.leaves(EVA);
    scene.does(LUIS, proven("ana", 1));
    let stolen = scene.token(LUIS);
    scene.does(LUIS, join("#x"));
    assert_eq!(
        scene.changes_password(1, "ana", Some(LUIS)),
        [
            "2: gone anita signed out",
            "1: signed_out",
            "1 closes",
            "2: registered ana anew"
        ]
    );
    assert_ne!(scene.token(LUIS).digest(), stolen.digest());
    for token in [stolen, anitas, before] {
        let told = scene.does(ANA, hello("ana", Some(token)));
        assert_eq!(told[0], "1: auth_failed");
    }
    assert_eq!(
        scene.does(ANA, hello("anita", Some(anitas)))[1],
        "1: welcome anita in #lobby"
    );
    let own = scene.token(LUIS);
    scene.leaves(LUIS);
    let back = scene.does(LUIS, hello("ana", Some(own)));
    assert!(back.contains(&"2: welcome ana in #lobby,#x back".into()));
    // A change from outside ends all sessions and the tokens of absent users.
    assert_eq!(
        scene.changes_password(1, "ana", None)[1..],
        ["2: signed_out", "2 closes"]
    );
    assert_eq!(
        scene.does(LUIS, hello("ana", Some(own)))[0],
        "2: auth_failed"
    );
    assert_eq!(
        scene.does(LUIS, proven("ana", 1))[1],
        "2: welcome ana in #lobby"
    );
    let own = scene.token(LUIS);
    scene.leaves(LUIS);
    scene.changes_password(1, "ana", None);
    assert_eq!(
        scene.does(LUIS, hello("ana", Some(own)))[0],
        "2: auth_failed"
    );
    assert_eq!(scene.changes_password(2, "ana", None), [""; 0]);
}

#[test]
fn another_token_evades_no_sanction_and_loses_no_channel() {
    let mut scene = Scene::new(10);
    scene.registry.settings.channels_per_user = 30;
    scene.protects(1, "luz", None);
    scene.does(ANA, proven("luz", 1));
    scene.does(ANA, rename("lucita"));
    scene.does(EVA, hello("zoe", None));
    scene.does(EVA, join("#x"));
    scene.does(EVA, super::moderation::ban("lucita", Some("#x")));
    scene.does(ANA, rename("luz"));
    // The last one exceeds the maximum of an account, therefore its owner is temporary.
    for n in 0..21 {
        let channel = format!("#{n}");
        scene.does(ANA, join(&channel));
        scene.does(ANA, super::moderation::topic(&channel, "mine"));
    }
    scene.does(LUIS, hello("luis", None));
    scene.does(LUIS, join("#20"));
    scene.changes_password(1, "luz", Some(ANA));
    let kick = super::moderation::kick("luis", Some("#20"));
    let told = scene.does(ANA, kick);
    assert!(told[0].contains("left #20 luis"), "{told:?}");
    let token = scene.token(ANA);
    scene.leaves(ANA);
    let back = scene.does(ANA, hello("luz", Some(token)));
    assert!(back.iter().any(|line| line.ends_with("back")), "{back:?}");
    assert_eq!(scene.does(ANA, join("#x")), ["1: banned_from_channel"]);
}
