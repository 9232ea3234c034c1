//! The cost of commands in a large room, in steps. A command iterates only over what its answer
//! contains.

use super::accounts::proven;
use super::moderation::{ban, ban_for, bans, from, kick, mute, unban, unmute};
use super::*;
use crate::chat::state_change::StateChange;
use crate::chat::work::steps_of;

const USERS: usize = 10_000;
/// The maximum of channels per account, each with the maximum of bans.
const FOUNDED: usize = 20;
const OF_CHANNEL: usize = 100;
/// Allows for the user, the moderator and the channel; far below a full iteration.
const FEW: usize = 30;

fn session(number: usize) -> SessionId {
    SessionId::new(1, number, 1).unwrap()
}

/// Ana, an operator, and many users from 100 networks.
fn crowd() -> Scene {
    let mut scene = Scene::new(500);
    scene.registry.settings.channels_per_user = 128;
    scene.registry.settings.absent_max = USERS;
    scene.protects(1, "ana", None);
    scene.does(ANA, proven("ana", 1));
    for number in 0..USERS {
        let address = format!("10.0.{}.1", number % 100);
        let nick = format!("user{number}");
        scene.does(session(number), from(&address, hello(&nick, None)));
    }
    scene
}

impl Scene {
    fn steps(&mut self, session: SessionId, command: Command) -> usize {
        steps_of(|| drop(self.does(session, command)))
    }

    /// Lets `user0` create channels and ban a hundred online users from each.
    fn founds(&mut self) {
        for channel in 0..FOUNDED {
            let channel = format!("#x{channel}");
            self.does(session(0), join(&channel));
            for number in 0..OF_CHANNEL {
                let nick = format!("user{}", number + 1);
                let told = self.does(session(0), ban(&nick, Some(&channel)));
                assert!(told[0].contains("Banned"), "{told:?}");
            }
        }
    }
}

/// Each ban was searched in all bans, and its user by the digest of every token.
#[test]
fn to_register_with_many_channels_walks_their_bans_alone() {
    let mut scene = crowd();
    scene.founds();
    scene.registry.take_changes();
    let steps = steps_of(|| scene.protects(2, "user0", Some(session(0))));
    assert!(steps <= FEW, "{steps}");
    let changes = scene.registry.take_changes().into_vec();
    let kept = changes.iter().filter(
        |change| matches!(change, StateChange::SanctionSaved(sanction) if sanction.is_persistent),
    );
    assert_eq!(kept.count(), FOUNDED * OF_CHANNEL);
    // A ban follows its user to another nick.
    scene.does(session(1), rename("else"));
    let told = scene.does(session(1), join("#x7"));
    assert_eq!(told, [format!("{}: banned_from_channel", session(1).slot)]);
    let steps = steps_of(|| scene.frees(2, "user0"));
    assert!(steps <= FEW, "{steps}");
    let changes = scene.registry.take_changes().into_vec();
    let lifted = changes
        .iter()
        .filter(|change| matches!(change, StateChange::SanctionRemoved(_)));
    assert_eq!(lifted.count(), FOUNDED * OF_CHANNEL);
    let told = scene.does(session(1), join("#x7"));
    assert!(told.join(" ").contains("joined #x7 else"), "{told:?}");
}

#[test]
fn a_founder_who_goes_leaves_bans_behind_that_are_taken_out_bit_by_bit() {
    let mut scene = crowd();
    scene.founds();
    let steps = steps_of(|| drop(scene.leaves(session(0))));
    assert!(steps <= FEW, "{steps}");
    assert_eq!(scene.registry.moderation.sanctions.count_in_channels(), 0);
    assert!(!scene.registry.moderation.sanctions.is_empty());
    for _ in 0..FOUNDED {
        scene.does(ANA, bans(None));
    }
    assert!(scene.registry.moderation.sanctions.is_empty());
}

#[test]
fn many_bans_that_end_at_once_are_taken_out_bit_by_bit() {
    let mut scene = Scene::new(500);
    scene.protects(1, "ana", None);
    scene.does(ANA, proven("ana", 1));
    for number in 0..2_000 {
        scene.does(ANA, ban_for(&format!("x{number}"), None, Some(10)));
    }
    scene.seconds = 10;
    let steps = scene.steps(LUIS, hello("x1999", None));
    assert!(steps <= 256 + FEW, "{steps}");
    assert!(scene.registry.users.at(LUIS).is_some());
    assert_eq!(scene.does(ANA, unban("x1998", None)), ["1: no_such_ban"]);
    for _ in 0..10 {
        scene.does(ANA, unmute("x1"));
    }
    assert!(scene.registry.moderation.sanctions.is_empty());
}

/// After a restart all sessions expire at once.
#[test]
fn many_users_whose_time_is_over_are_forgotten_bit_by_bit() {
    let mut scene = crowd();
    let token = scene.token(session(USERS - 1));
    for number in 0..USERS {
        scene.leaves(session(number));
    }
    scene.registry.take_changes();
    scene.seconds = 60;
    let last = format!("user{}", USERS - 1);
    let told = scene.does(LUIS, hello(&last, Some(token)));
    let welcome = format!("2: welcome {last} in #lobby");
    assert!(told.contains(&welcome), "{told:?}");
    let forgotten = scene.registry.take_changes().into_vec().len();
    assert!((2..=256 + FEW).contains(&forgotten), "{forgotten}");
    for _ in 0..USERS / 256 {
        scene.does(LUIS, rename("luis"));
        scene.does(LUIS, rename("luisito"));
    }
    assert!(scene.registry.resume_pool.is_empty());
}

#[test]
fn commands_of_moderation_walk_neither_users_nor_sanctions_of_others() {
    let mut scene = crowd();
    scene.founds();
    for number in 0..3_000 {
        scene.does(ANA, ban(&format!("x{number}"), None));
    }
    scene.does(session(500), join("#x0"));
    scene.protects(3, "user600", Some(session(600)));
    scene.does(session(600), rename("other"));
    scene.protects(4, "user700", Some(session(700)));
    scene.leaves(session(700));
    for command in [
        bans(Some("#x0")),
        kick("user500", Some("#x0")),
        ban("user501", Some("#x0")),
        unban("user501", Some("#x0")),
        mute("user502", None),
        unmute("user502"),
        ban("user503", None),
        unban("user503", None),
        ban("user600", None),
        ban("account user700", None),
        kick("user504", None),
    ] {
        let shown = format!("{command:?}");
        let steps = scene.steps(ANA, command);
        assert!(steps <= FEW + OF_CHANNEL, "{shown}: {steps}");
    }
    // The account under another nick, and the account of an absent user.
    assert!(scene.registry.users.at(session(600)).is_none());
    assert!(scene.registry.resume_pool.get("user700").is_none());
    for command in [
        hello("new", None),
        join("#new"),
        rename("newer"),
        part("#new"),
        say(None, "x"),
    ] {
        let shown = format!("{command:?}");
        let steps = scene.steps(LUIS, command);
        assert!(steps <= FEW, "{shown}: {steps}");
    }
    let steps = steps_of(|| drop(scene.changes_password(3, "user600", None)));
    assert!(steps <= FEW, "{steps}");
}

/// An account may have many connections under different nicks, and a network many users.
#[test]
fn many_users_are_put_out_bit_by_bit() {
    let mut scene = crowd();
    scene.protects(2, "mine", None);
    for number in 0..100 {
        scene.leaves(session(number));
        scene.does(session(number), proven("mine", 2));
        scene.does(session(number), rename(&format!("x{number}")));
    }
    scene.protects(2, "mine", None);
    let token = scene.token(session(90));
    let told = scene.changes_password(2, "mine", None);
    let closed = |told: &[String]| told.iter().filter(|line| line.ends_with("closes")).count();
    assert!((1..=8).contains(&closed(&told)), "{told:?}");
    // The other users can neither send requests nor resume.
    let slot = session(80).slot;
    let told = scene.does(session(80), say(None, "x"));
    assert!(told.contains(&format!("{slot}: signed_out")), "{told:?}");
    assert!(!told.join(" ").contains(">#lobby"), "{told:?}");
    scene.leaves(session(81));
    assert!(scene.registry.resume_pool.get("x81").is_none());
    let told = scene.does(LUIS, hello("x90", Some(token)));
    assert!(told.join(" ").contains("welcome x90 in #lobby"), "{told:?}");
    assert_ne!(scene.token(LUIS), token);
    let mut rounds = 0;
    while scene.registry.has_pending_removals() {
        let mut batch = Batch::default();
        scene.registry.disconnect_some(&mut batch);
        assert!(closed(&lines(batch)) <= 8);
        rounds += 1;
    }
    assert!(rounds >= 10, "{rounds}");
    for number in 0..100 {
        assert!(scene.registry.users.at(session(number)).is_none());
    }
    let told = scene.does(ANA, ban("10.0.7.0/24", None));
    assert!(closed(&told) <= 8, "{told:?}");
    assert!(scene.registry.has_pending_removals());
}
