//! What one, one address and all together may use.

mod support;

use serde_json::json;
use support::{Home, frame};

#[test]
fn limits_are_read_again_on_sighup_and_wrong_ones_change_nothing() {
    let home = Home::new("text_bytes = 10");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let long = json!({"type": "say", "text": "x".repeat(20)});
    assert_eq!(ana.ask(&long)["code"], "text_too_long");
    home.configure("text_bytes = 10", "text_bytes = 20\nconnections_per_ip = 1");
    server.signal("HUP");
    server.logs("the limits are read again");
    assert_eq!(ana.ask(&long)["type"], "message");
    server.connect().expect_error("server_full");

    home.configure("text_bytes = 20", "text_bytes = \"many\"");
    server.signal("HUP");
    server.logs("the configuration stays as it was");
    assert_eq!(ana.ask(&long)["type"], "message");
}

#[test]
fn who_connects_too_fast_is_refused() {
    let home = Home::new("connects_per_second = 2");
    let server = home.start();
    let mut answers: Vec<_> = (0..3)
        .map(|n| {
            server
                .connect()
                .ask(&json!({"type": "hello", "version": 1, "nick": format!("n{n}")}))
        })
        .collect();
    assert_eq!(answers.remove(2)["code"], "server_full");
    assert!(
        answers.iter().all(|answer| answer["type"] == "welcome"),
        "{answers:?}"
    );
}

/// Three who do not read may have a megabyte each, but together no more than one: two are let go.
#[test]
fn what_waits_for_all_together_is_bounded() {
    let home = Home::new("send_queue_bytes = 1048576\nsend_queues_bytes = 1048576");
    let server = home.start();
    let slow = ["Uno", "Dos", "Tres"].map(|nick| server.joins(nick));
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8000);
    let mut gone = 0;
    for n in 0..5000 {
        ana.say("#lobby", &text, &n.to_string());
        for _ in 0..2 {
            gone += usize::from(ana.next()["type"] == "gone");
        }
        if gone == slow.len() {
            return;
        }
    }
    panic!("{gone} of three are gone");
}

#[test]
fn without_file_descriptors_the_server_waits_and_goes_on() {
    let home = Home::new("");
    let server = home.start_with("ulimit -n 64");
    let mut ana = server.joins("Ana");
    let mut crowd: Vec<_> = (0..64).map(|_| server.connect()).collect();
    server.logs("no connection can be taken");
    let ack = ana.says("#lobby", "hola", "1");
    assert_eq!(ack["seq"], 1);
    crowd.clear();
    let mut late = server.connect();
    late.send_raw(&frame(&json!({"type": "hello", "version": 1})));
    late.expect("welcome");
}

/// Beyond the rate a hello is refused, others hear nothing of it, and the client may try again. Users who
/// stay do not count.
#[test]
fn short_visits_of_one_network_that_others_are_told_of_are_limited() {
    let home = Home::new("arrivals_per_second = 1");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let crowd: Vec<_> = (0..30).map(|n| server.joins(&format!("C{n}"))).collect();
    for _ in &crowd {
        ana.expect("joined");
    }
    let hello = |nick: &str| json!({"type": "hello", "version": 1, "nick": nick});
    let (mut admitted, mut refused) = (0, 0);
    for n in 0..60 {
        let mut client = server.connect();
        match client.ask(&hello(&format!("N{n}")))["type"].as_str() {
            Some("welcome") => {
                admitted += 1;
                drop(client);
                ana.awaits("gone");
            }
            _ => refused += 1,
        }
    }
    assert!(
        (9..40).contains(&admitted) && refused > 20,
        "{admitted} {refused}"
    );
    assert_eq!(ana.barrier(), Vec::<serde_json::Value>::new());
    // Not fatal.
    let mut client = server.connect();
    let end = std::time::Instant::now() + support::DEADLINE;
    loop {
        let answer = client.ask(&hello("Later"));
        if answer["type"] == "welcome" {
            break;
        }
        assert_eq!(answer["code"], "rate_limited");
        assert!(std::time::Instant::now() < end);
    }
}
