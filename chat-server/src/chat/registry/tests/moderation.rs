//! Operators and channel owners: permissions and effects.

use super::accounts::{account_id, proven};
use super::*;
use crate::chat::moderation::{BanRequest, ModerationCommand, Sanction, Target};
use crate::chat::registry::moderation::ownership;
use crate::chat::state_change::StateChange;

/// Luis and Zoe have no rights, ana is an operator.
const ZOE: SessionId = SessionId {
    slot: 4,
    generation: 4,
};

fn act(act: ModerationCommand) -> Command {
    Command::Moderate(Box::new(act))
}

fn reason(words: &str) -> Option<Text> {
    Text::new(words, 100).ok()
}

pub(super) fn kick(nick: &str, channel: Option<&str>) -> Command {
    act(ModerationCommand::Kick {
        nick: nick.into(),
        channel: channel.map(Into::into),
        reason: reason("spam"),
    })
}

/// Parses `luis`, `account luis` or an address.
fn target(whom: &str) -> Target {
    if let Some(account) = whom.strip_prefix("account ") {
        return Target::Account(Nick::new(account).unwrap());
    }
    match whom.parse() {
        Ok(network) => Target::Network(network),
        Err(_) => Target::Nick(Nick::new(whom).unwrap()),
    }
}

pub(super) fn ban_for(whom: &str, channel: Option<&str>, seconds: Option<u64>) -> Command {
    act(ModerationCommand::Ban(BanRequest {
        target: target(whom),
        channel: channel.map(Into::into),
        seconds,
        reason: reason("spam"),
    }))
}

pub(super) fn ban(whom: &str, channel: Option<&str>) -> Command {
    ban_for(whom, channel, None)
}

pub(super) fn unban(whom: &str, channel: Option<&str>) -> Command {
    act(ModerationCommand::Unban {
        target: target(whom),
        channel: channel.map(Into::into),
    })
}

pub(super) fn mute(nick: &str, seconds: Option<u64>) -> Command {
    act(ModerationCommand::Mute {
        nick: nick.into(),
        seconds,
        reason: None,
    })
}

pub(super) fn unmute(nick: &str) -> Command {
    act(ModerationCommand::Unmute { nick: nick.into() })
}

pub(super) fn topic(channel: &str, words: &str) -> Command {
    act(ModerationCommand::Topic {
        channel: channel.into(),
        topic: reason(words),
    })
}

pub(super) fn bans(channel: Option<&str>) -> Command {
    act(ModerationCommand::Bans {
        channel: channel.map(Into::into),
        after: 0,
        limit: 500,
    })
}

pub(super) fn from(address: &str, command: Command) -> Command {
    match command {
        Command::Hello(hello) => Command::Hello(Box::new(Hello {
            origin: origin(address),
            ..*hello
        })),
        other => other,
    }
}

/// Ana is an operator. Luis, Eva and Zoe come from different addresses. All are in #x, which Luis
/// owns.
fn scene() -> Scene {
    let mut scene = Scene::new(10);
    scene.protects(1, "ana", None);
    scene.does(ANA, proven("ana", 1));
    for (session, nick, address) in [
        (LUIS, "luis", "192.0.2.2"),
        (EVA, "eva", "192.0.2.3"),
        (ZOE, "zoe", "2001:db8::4"),
    ] {
        scene.does(session, from(address, hello(nick, None)));
    }
    for session in [LUIS, EVA, ZOE, ANA] {
        scene.does(session, join("#x"));
    }
    scene
}

/// Returns the effects that clients notice.
fn told(lines: &[String]) -> Vec<&str> {
    let told = lines.iter().map(String::as_str);
    told.filter(|line| line.contains(": ")).collect()
}

#[test]
fn only_an_account_that_is_named_is_an_operator() {
    let mut scene = scene();
    // Eva is configured as well, but has not authenticated.
    for session in [LUIS, EVA] {
        for command in [
            kick("zoe", None),
            kick("zoe", Some("#lobby")),
            ban("zoe", None),
            ban("192.0.2.0/24", None),
            unban("zoe", None),
            mute("zoe", None),
            unmute("zoe"),
            bans(None),
            topic("#lobby", "x"),
        ] {
            let shown = format!("{command:?}");
            let told = scene.does(session, command);
            assert_eq!(
                told,
                [format!("{}: not_permitted", session.slot)],
                "{shown}"
            );
        }
    }
    scene.protects(2, "eva", None);
    assert_eq!(scene.does(EVA, kick("zoe", None)), ["3: not_permitted"]);
    scene.protects(2, "eva", Some(EVA));
    // An operator keeps the rights under any nick, while the settings name the account.
    scene.does(EVA, rename("evita"));
    assert_eq!(
        scene.does(EVA, kick("zoe", None)),
        ["1+2+3: gone zoe spam by evita", "4: kicked", "4 closes"]
    );
    let mut settings = scene.registry.settings.clone();
    settings.operators = Default::default();
    scene
        .registry
        .configure(settings, Timestamp::from_millis(0));
    assert_eq!(scene.does(EVA, kick("luis", None)), ["3: not_permitted"]);
    assert_eq!(scene.does(ANA, kick("luis", None)), ["1: not_permitted"]);
}

#[test]
fn who_is_kicked_may_come_back_but_not_by_token() {
    let mut scene = scene();
    let token = scene.token(ZOE);
    scene.does(ANA, kick("ZOE", None));
    assert_eq!(
        scene.does(ZOE, hello("zoe", Some(token))).last().unwrap(),
        "4 in c0"
    );
    assert_ne!(scene.token(ZOE), token);
}

#[test]
fn a_founder_rules_the_channel_and_nothing_else() {
    let mut scene = scene();
    assert_eq!(
        scene.does(EVA, kick("zoe", Some("#x"))),
        ["3: not_permitted"]
    );
    assert_eq!(
        scene.does(LUIS, kick("zoe", Some("#X"))),
        ["c1: left #x zoe spam by luis", "4 out c1"]
    );
    for (command, code) in [
        (kick("zoe", Some("#x")), "not_in_channel"),
        (kick("nobody", Some("#x")), "no_such_user"),
        (kick("zoe", Some("#y")), "no_such_channel"),
        (kick("luis", Some("#x")), "not_permitted"),
        (kick("ana", Some("#x")), "not_permitted"),
        (ban("ana", Some("#x")), "not_permitted"),
        (ban("account ana", Some("#x")), "not_permitted"),
        (ban("192.0.2.9", Some("#x")), "not_permitted"),
    ] {
        let shown = format!("{command:?}");
        assert_eq!(scene.does(LUIS, command), [format!("2: {code}")], "{shown}");
    }
    assert_eq!(
        scene.does(LUIS, topic("#x", "crabs")),
        [r##"c1: topic #x "crabs""##]
    );
    assert_eq!(
        scene.does(ZOE, join("#x")).last().unwrap(),
        r##"4: topic #x "crabs""##
    );
    // An operator has rights in all channels, as a member or not.
    scene.does(ANA, part("#x"));
    assert_eq!(
        scene.does(ANA, kick("luis", Some("#x"))),
        [
            "c1: left #x luis spam by ana",
            "1: left #x luis spam by ana",
            "2 out c1"
        ]
    );
    // A user without an account owns the channel while they are a member.
    scene.does(LUIS, join("#x"));
    assert_eq!(
        scene.does(LUIS, kick("zoe", Some("#x"))),
        ["2: not_permitted"]
    );
}

#[test]
fn a_founder_without_an_account_is_one_again_by_token() {
    let mut scene = scene();
    let token = scene.token(LUIS);
    scene.leaves(LUIS);
    scene.does(LUIS, hello("luis", Some(token)));
    assert!(scene.does(LUIS, kick("zoe", Some("#x")))[0].starts_with("c1: left"));
    // An ended channel has no owner.
    scene.does(LUIS, ban("zoe", Some("#x")));
    for session in [LUIS, EVA, ANA] {
        scene.does(session, part("#x"));
    }
    assert_eq!(scene.does(ZOE, join("#x"))[1], "4: joined #x zoe");
    assert!(scene.does(ZOE, topic("#x", "mine"))[0].starts_with("c1: topic"));
    assert_eq!(scene.does(LUIS, topic("#x", "no")), ["2: not_permitted"]);
}

/// A user who was alone in a channel lost the ownership with a short interruption.
#[test]
fn who_comes_back_to_a_channel_that_has_ended_founds_it() {
    let mut scene = scene();
    scene.does(EVA, join("#y"));
    let token = scene.token(EVA);
    scene.leaves(EVA);
    scene.does(EVA, hello("eva", Some(token)));
    assert_eq!(
        scene.does(EVA, topic("#y", "mine")),
        [r##"c2: topic #y "mine""##]
    );
    // Like any user who creates it.
    scene.does(ZOE, join("#y"));
    let (eva, zoe) = (scene.token(EVA), scene.token(ZOE));
    scene.leaves(EVA);
    scene.leaves(ZOE);
    scene.does(ZOE, hello("zoe", Some(zoe)));
    scene.does(EVA, hello("eva", Some(eva)));
    assert_eq!(scene.does(EVA, topic("#y", "no")), ["3: not_permitted"]);
    assert!(scene.does(ZOE, topic("#y", "mine"))[0].starts_with("c2: topic"));
}

#[test]
fn an_account_founds_for_good() {
    let mut scene = scene();
    scene.kept();
    scene.protects(3, "luis", Some(LUIS));
    assert_eq!(
        scene.kept().last().unwrap(),
        "founded #x",
        "who registers keeps what they have founded"
    );
    scene.does(LUIS, topic("#x", "crabs"));
    scene.does(LUIS, ban("zoe", Some("#x")));
    for session in [LUIS, EVA, ANA] {
        scene.does(session, part("#x"));
    }
    for ask in [unban("zoe", Some("#x")), bans(Some("#x"))] {
        assert_eq!(scene.does(LUIS, ask), ["2: no_such_channel"]);
    }
    assert_eq!(scene.does(ZOE, join("#x")), ["4: banned_from_channel"]);
    scene.does(EVA, join("#x"));
    assert_eq!(scene.does(EVA, topic("#x", "mine")), ["3: not_permitted"]);
    assert_eq!(
        scene.does(LUIS, unban("zoe", Some("#x")))[0],
        r##"2: Unbanned(Unbanned { target: Nick("zoe"), channel: Some("#x"), by: Some("luis"), time: Timestamp(0) })"##
    );
    // A removed account leaves nothing.
    scene.does(LUIS, ban("zoe", Some("#x")));
    scene.kept();
    scene.frees(3, "luis");
    assert_eq!(scene.kept(), ["+luis []", "no ban 2", "not founded #x"]);
    assert_eq!(scene.does(LUIS, bans(Some("#x"))), ["2: not_permitted"]);
    assert!(scene.does(ZOE, join("#x"))[0].starts_with("c1: joined"));
}

#[test]
fn what_an_account_may_found_is_bounded() {
    let mut scene = Scene::new(10);
    scene.protects(3, "luis", None);
    scene.does(LUIS, proven("luis", 3));
    for number in 0..100 {
        let channel = format!("#c{number}");
        scene.does(LUIS, join(&channel));
        if number % 2 == 0 {
            scene.does(LUIS, topic(&channel, "kept"));
        }
        scene.does(LUIS, part(&channel));
    }
    let kept = scene.kept();
    let founded = kept
        .iter()
        .filter(|line| line.starts_with("founded"))
        .count();
    assert_eq!(founded, ownership::OWNED_MAX, "{kept:?}");
    // The first ones, with a topic, are persistent, the others temporary.
    assert!(kept.contains(&"founded #c0".to_owned()), "{kept:?}");
    scene.does(LUIS, join("#passing"));
    assert!(scene.does(LUIS, topic("#passing", "x"))[0].starts_with("c1: topic"));
    scene.does(LUIS, part("#passing"));
    assert!(!scene.kept().iter().any(|line| line.contains("passing")));
}

#[test]
fn whom_a_ban_means() {
    // The target, the logins that follow, each with nick, account and address, and whether they are
    // banned.
    for (whom, nick, account, address, is_banned) in [
        ("zoe", "Zoe", None, "192.0.2.9", true),
        ("zoe", "zoey", None, "192.0.2.9", false),
        ("luis", "luis", Some(3), "192.0.2.9", true),
        ("account luis", "luis", Some(3), "192.0.2.9", true),
        ("account luis", "zoe", None, "192.0.2.9", false),
        ("192.0.2.9", "zoe", None, "192.0.2.9", true),
        ("192.0.2.9", "zoe", None, "192.0.2.8", false),
        ("192.0.2.8/30", "zoe", None, "192.0.2.9", true),
        ("2001:db8::7", "zoe", None, "2001:db8::8", true),
        ("2001:db8::7", "zoe", None, "2001:db8:0:1::7", false),
    ] {
        let mut scene = Scene::new(10);
        scene.protects(1, "ana", None);
        scene.protects(3, "luis", None);
        scene.does(ANA, proven("ana", 1));
        assert!(scene.does(ANA, ban(whom, None))[0].starts_with("1: Banned"));
        let comes = match account {
            Some(id) => proven(nick, id),
            None => hello(nick, None),
        };
        let lines = scene.does(ZOE, from(address, comes));
        let expected = if is_banned { "4: banned" } else { "welcome" };
        assert!(
            told(&lines).iter().any(|line| line.contains(expected)),
            "{whom} {nick}: {lines:?}"
        );
    }
}

#[test]
fn who_is_banned_goes_and_does_not_come_back() {
    let mut scene = scene();
    let token = scene.token(ZOE);
    assert_eq!(
        scene.does(ANA, ban("2001:db8::/48", None))[1..],
        [
            "bar 2001:db8::/48",
            "1+2+3: gone zoe spam by ana",
            "4: banned",
            "4 closes"
        ]
    );
    let elsewhere = from("192.0.2.9", hello("zoe", Some(token)));
    assert!(!scene.does(ZOE, elsewhere).concat().contains("back"));
    // An absent user cannot resume either, and the nick stays blocked.
    let token = scene.token(EVA);
    scene.leaves(EVA);
    scene.does(ANA, ban("eva", None));
    assert_eq!(
        scene.does(EVA, hello("eva", Some(token))),
        ["3: banned", "3 closes"]
    );
    assert_eq!(scene.does(LUIS, rename("EVA")), ["2: not_permitted"]);
    scene.does(ANA, unban("eva", None));
    assert!(
        !scene
            .does(EVA, hello("eva", Some(token)))
            .concat()
            .contains("back")
    );
    assert_eq!(scene.does(ANA, unban("eva", None)), ["1: no_such_ban"]);
}

#[test]
fn an_account_is_banned_under_any_nick() {
    let mut scene = scene();
    scene.protects(3, "luis", Some(LUIS));
    scene.does(LUIS, rename("lucho"));
    scene.does(ZOE, rename("luisa"));
    let lines = scene.does(ANA, ban("luis", None));
    assert_eq!(
        told(&lines)[1..],
        ["1+3+4: gone lucho spam by ana", "2: banned"]
    );
    assert_eq!(
        scene.does(LUIS, proven("luis", 3)),
        ["2: banned", "2 closes"]
    );
    assert_eq!(
        scene.does(ANA, ban("account nobody", None)),
        ["1: not_registered"]
    );
}

#[test]
fn nobody_bans_themselves() {
    let mut scene = scene();
    for whom in [
        "ana",
        "account ana",
        "192.0.2.1",
        "192.0.0.0/8",
        "0.0.0.0/0",
    ] {
        for channel in [None, Some("#x")] {
            assert_eq!(
                scene.does(ANA, ban(whom, channel)),
                ["1: not_permitted"],
                "{whom}"
            );
        }
    }
    scene.does(ANA, rename("anita"));
    assert_eq!(scene.does(ANA, ban("ana", None)), ["1: not_permitted"]);
    assert_eq!(scene.does(ANA, mute("anita", None)), ["1: not_permitted"]);
    assert_eq!(scene.does(ANA, kick("anita", None)), ["1: not_permitted"]);
}

/// Eva can be kicked, because she has not authenticated, but not banned.
#[test]
fn an_operators_nick_without_an_account_is_a_nick_like_others() {
    let mut scene = scene();
    let lines = scene.does(LUIS, ban("eva", Some("#x")));
    assert_eq!(told(&lines)[1..], ["c1: left #x eva spam by luis"]);
    assert_eq!(scene.does(EVA, join("#x")), ["3: banned_from_channel"]);
    scene.protects(2, "eva", None);
    assert_eq!(
        scene.does(LUIS, ban("eva", Some("#x"))),
        ["2: not_permitted"],
        "it is the operator's now, also while another has it"
    );
}

#[test]
fn another_nick_does_not_evade_the_ban_of_a_channel() {
    let mut scene = scene();
    let lines = scene.does(LUIS, ban("zoe", Some("#x")));
    assert_eq!(told(&lines)[1..], ["c1: left #x zoe spam by luis"]);
    assert_eq!(scene.does(ZOE, join("#x")), ["4: banned_from_channel"]);
    scene.does(ZOE, rename("zeta"));
    assert_eq!(scene.does(ZOE, join("#x")), ["4: banned_from_channel"]);
    // Also after a resume.
    let token = scene.token(ZOE);
    scene.leaves(ZOE);
    scene.does(ZOE, hello("zeta", Some(token)));
    assert_eq!(scene.does(ZOE, join("#x")), ["4: banned_from_channel"]);
    scene.does(LUIS, unban("zoe", Some("#x")));
    assert!(scene.does(ZOE, join("#x"))[0].starts_with("c1: joined"));
}

#[test]
fn who_was_away_when_banned_from_a_channel_is_not_in_it_again() {
    let mut scene = scene();
    let token = scene.token(ZOE);
    scene.leaves(ZOE);
    scene.does(LUIS, ban("zoe", Some("#x")));
    let lines = scene.does(ZOE, hello("zoe", Some(token)));
    assert!(
        told(&lines).contains(&"4: welcome zoe in #lobby back"),
        "{lines:?}"
    );
    scene.does(ZOE, rename("zeta"));
    assert_eq!(scene.does(ZOE, join("#x")), ["4: banned_from_channel"]);
    // Operators enter all channels.
    scene.does(ANA, part("#x"));
    let lines = scene.does(ANA, ban("192.0.2.2/31", Some("#x")));
    let out = ["left #x eva spam by ana", "left #x luis spam by ana"];
    for left in out {
        assert!(told(&lines).contains(&&*format!("1: {left}")), "{lines:?}");
    }
    scene.protects(2, "eva", Some(EVA));
    scene.does(EVA, ban("ana", Some("#x")));
    assert_eq!(scene.does(LUIS, join("#x")), ["2: banned_from_channel"]);
    assert!(scene.does(ANA, join("#x")).concat().contains("joined"));
}

#[test]
fn who_is_muted_is_heard_by_operators_alone() {
    let mut scene = scene();
    assert_eq!(
        scene.does(ANA, mute("zoe", Some(60))),
        [
            "1+4: Muted(Muted { nick: \"zoe\", by: Some(\"ana\"), time: Timestamp(0), until: Some(Timestamp(60000)), reason: None })"
        ]
    );
    let words = || Text::new("heard", 100).ok();
    assert_eq!(scene.does(ZOE, say(None, "a")), ["4: muted"]);
    assert_eq!(scene.does(ZOE, say(Some("#x"), "a")), ["4: muted"]);
    assert_eq!(scene.does(ZOE, say(Some("luis"), "a")), ["4: muted"]);
    assert_eq!(
        scene.does(ZOE, say(Some("ana"), "why?")),
        ["4+1: 1 zoe>ana why?"]
    );
    scene.does(ZOE, rename("zeta"));
    assert_eq!(scene.does(ZOE, say(None, "a")), ["4: muted"]);
    let token = scene.token(ZOE);
    scene.leaves(ZOE);
    scene.does(ZOE, hello("zeta", Some(token)));
    assert_eq!(scene.does(ZOE, say(None, "a")), ["4: muted"]);
    // Nor do texts that accompany other commands.
    let part = Command::Part {
        channel: "#x".into(),
        reason: words(),
    };
    assert_eq!(scene.does(ZOE, part)[0], "c1: left #x zeta");
    scene.does(ZOE, join("#y"));
    assert_eq!(scene.does(ZOE, topic("#y", "heard")), ["4: muted"]);
    scene.seconds = 60;
    assert_eq!(scene.does(ZOE, say(None, "a")), ["c0: 2 zeta>#lobby a"]);
    scene.does(ANA, mute("zeta", None));
    assert_eq!(
        scene.does(ZOE, Command::Quit { reason: words() })[0],
        "1+2+3: gone zeta quit"
    );
    assert_eq!(scene.does(ANA, mute("nobody", None)), ["1: no_such_user"]);
}

#[test]
fn a_mute_is_lifted_by_the_nick_of_then_and_of_now() {
    let mut scene = scene();
    scene.does(ANA, mute("zoe", None));
    scene.does(ZOE, rename("zeta"));
    assert!(scene.does(ANA, unmute("zeta"))[0].starts_with("1+4: Unmuted"));
    assert_eq!(scene.does(ZOE, say(None, "a")), ["c0: 1 zeta>#lobby a"]);
    assert_eq!(scene.does(ANA, unmute("zoe")), ["1: no_such_ban"]);
    scene.does(ANA, mute("zeta", None));
    scene.does(ZOE, rename("zoe"));
    assert!(scene.does(ANA, unmute("zeta"))[0].starts_with("1: Unmuted"));
    assert_eq!(scene.does(ZOE, say(None, "a")), ["c0: 2 zoe>#lobby a"]);
}

#[test]
fn what_has_ended_holds_no_longer_and_is_forgotten() {
    let mut scene = scene();
    scene.does(ANA, ban_for("zoe", None, Some(10)));
    scene.does(ANA, ban_for("eva", Some("#x"), Some(20)));
    scene.does(ANA, ban_for("192.0.2.99", None, Some(10)));
    scene.kept();
    scene.seconds = 9;
    assert_eq!(
        scene.does(ZOE, hello("zoe", None)),
        ["4: banned", "4 closes"]
    );
    scene.seconds = 10;
    let lines = scene.does(ZOE, hello("zoe", None));
    assert_eq!(lines[0], "unbar 192.0.2.99");
    assert!(
        told(&lines).contains(&"4: welcome zoe in #lobby"),
        "{lines:?}"
    );
    assert_eq!(scene.kept()[1..], ["no ban 1", "no ban 3"]);
    scene.seconds = 20;
    assert!(scene.does(EVA, join("#x"))[0].contains("joined"));
}

#[test]
fn whoever_is_banned_is_named_as_registered() {
    let mut scene = scene();
    scene.protects(3, "Maria", None);
    scene.leaves(EVA);
    for (whom, name) in [
        ("ZOE", r#"Nick("zoe")"#),
        ("EVA", r#"Nick("eva")"#),
        ("MARIA", r#"Nick("Maria")"#),
        ("account MARIA", r#"Account("Maria")"#),
        ("Nobody", r#"Nick("Nobody")"#),
    ] {
        let banned = scene.does(ANA, ban(whom, Some("#x"))).concat();
        let listed = scene.does(ANA, bans(Some("#x"))).concat();
        let lifted = scene.does(ANA, unban(whom, Some("#x"))).concat();
        for told in [banned, listed, lifted] {
            assert!(told.contains(name), "{whom}: {told}");
        }
    }
}

#[test]
fn lists_show_addresses_to_operators_alone() {
    let mut scene = scene();
    scene.does(ANA, ban("zoe", None));
    scene.does(ANA, ban("eva", Some("#x")));
    scene.does(ANA, ban("198.51.100.0/24", Some("#x")));
    scene.does(ANA, mute("luis", None));
    let numbers = |lines: Vec<String>| -> Vec<u64> {
        let numbers = lines[0].split("number: ").skip(1);
        numbers
            .map(|rest| rest.split(',').next().unwrap().parse().unwrap())
            .collect()
    };
    assert_eq!(numbers(scene.does(ANA, bans(None))), [1, 4]);
    assert_eq!(numbers(scene.does(ANA, bans(Some("#x")))), [2, 3]);
    assert_eq!(numbers(scene.does(LUIS, bans(Some("#x")))), [2]);
    // Only operators see the address in a ban.
    let lines = scene.does(ANA, ban("luis", Some("#x")));
    assert!(
        lines[0].contains(r#"came_from: Some("192.0.2.2")"#),
        "{lines:?}"
    );
}

#[test]
fn pages_of_bans_are_bounded_by_the_frame() {
    let mut scene = scene();
    let long = "\"".repeat(500);
    for number in 0..200 {
        let sentence = BanRequest {
            target: target(&format!("198.51.{number}.0/24")),
            channel: None,
            seconds: None,
            reason: Text::new(&*long, 512).ok(),
        };
        scene.does(ANA, act(ModerationCommand::Ban(sentence)));
    }
    let page = |after| {
        act(ModerationCommand::Bans {
            channel: None,
            after,
            limit: 500,
        })
    };
    let (mut after, mut seen) = (0, 0);
    loop {
        let lines = scene.does(ANA, page(after));
        let count = lines[0].matches("number: ").count() as u64;
        assert!(count > 0);
        seen += count;
        after += count;
        if lines[0].ends_with("more: false, id: None }") {
            break;
        }
    }
    assert_eq!(seen, 200);
}

#[test]
fn a_channel_has_so_many_bans_and_no_more() {
    let mut scene = scene();
    for number in 0..100 {
        let lines = scene.does(LUIS, ban(&format!("nick{number}"), Some("#x")));
        assert!(lines[0].contains("Banned"), "{lines:?}");
    }
    assert_eq!(
        scene.does(LUIS, ban("one_more", Some("#x"))),
        ["2: rate_limited"]
    );
    let lines = scene.does(LUIS, ban("nick5", Some("#x")));
    assert!(lines[0].contains("Banned"), "in the place of another");
    assert!(
        scene.kept().iter().all(|line| !line.contains("ban")),
        "not for good"
    );
}

#[test]
fn what_was_decided_holds_after_a_restart() {
    let mut before = scene();
    before.protects(3, "luis", Some(LUIS));
    before.does(LUIS, topic("#x", "crabs"));
    before.does(LUIS, ban("zoe", Some("#x")));
    before.does(ANA, mute("eva", None));
    before.does(ANA, ban("203.0.113.0/24", None));
    before.does(ZOE, rename("zeta"));
    let (zoe, eva) = (before.token(ZOE), before.token(EVA));
    let mut scene = Scene::new(10);
    scene.registry.settings.absent_max = 10;
    scene.protects(1, "ana", None);
    scene.protects(3, "luis", None);
    for change in before.registry.take_changes().into_vec() {
        match change {
            StateChange::SessionSaved(kept) => scene
                .registry
                .restore_session(*kept, Timestamp::from_millis(0)),
            StateChange::ChannelSaved(charter) => scene.registry.restore_channel(*charter),
            StateChange::SanctionSaved(sanction) => {
                let Sanction { number, .. } = *sanction;
                let barred = scene.registry.restore_sanction((*sanction).clone());
                assert_eq!(barred.is_some(), number == 3);
            }
            other => panic!("{other:?}"),
        }
    }
    let lines = scene.does(ZOE, hello("zeta", Some(zoe)));
    assert!(
        told(&lines).contains(&"4: welcome zeta in #lobby back"),
        "{lines:?}"
    );
    let lines = scene.does(EVA, hello("eva", Some(eva)));
    assert!(
        told(&lines).contains(&r##"3: topic #x "crabs""##),
        "{lines:?}"
    );
    assert_eq!(scene.does(EVA, say(None, "a")), ["3: muted"]);
    let barred = from("203.0.113.7", hello("x", None));
    assert_eq!(scene.does(LUIS, barred), ["2: banned", "2 closes"]);
    scene.does(LUIS, proven("luis", 3));
    assert!(scene.does(LUIS, kick("eva", Some("#x")))[0].contains("left"));
    assert_eq!(account_id(3).0.get(), 3);
}
