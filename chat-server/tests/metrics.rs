//! What Prometheus is told: in its format, by its conventions, and what has been done is what is counted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use support::web::{Browser, CLOSE, ask, ask_at, home, request, socket};
use support::{Home, Server, TestClient};

/// The samples of a page, by name and labels.
type Samples = BTreeMap<String, f64>;

fn scrape(server: &Server) -> Samples {
    let answer = ask_at(server.metrics_address.unwrap(), "GET /metrics", CLOSE);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    read(body)
}

/// Reads a page as strictly as Prometheus' own checker: each family once, with its help and its type before
/// its samples, named by the conventions.
fn read(page: &str) -> Samples {
    let (mut samples, mut families) = (Samples::new(), BTreeSet::new());
    let (mut family, mut kind) = ("", "");
    assert!(page.ends_with('\n'));
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0;
            assert!(
                families.insert(family.to_owned()),
                "{family} stands there twice"
            );
            let described = lines.next().unwrap();
            kind = described
                .strip_prefix(&format!("# TYPE {family} "))
                .unwrap();
            assert_is_well_named(family, kind);
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let bare = name.split('{').next().unwrap();
        let part = bare
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("{line} is not of {family}"));
        let parts: &[&str] = match kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(parts.contains(&part), "{line}");
        let known = samples.insert(name.to_owned(), value.parse().unwrap());
        assert_eq!(known, None, "{name} stands there twice");
    }
    for family in &families {
        if samples.contains_key(&format!("{family}_count")) {
            assert_is_cumulative(page, family, samples[&format!("{family}_count")]);
        }
    }
    samples
}

fn assert_is_well_named(family: &str, kind: &str) {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    assert!(family.bytes().all(legal), "{family}");
    assert!(
        family.starts_with("chat_") || family.starts_with("process_"),
        "{family}"
    );
    assert_eq!(family.ends_with("_total"), kind == "counter", "{family}");
    let bare = family.trim_end_matches("_total");
    let odd = ["_ms", "_millis", "_us", "_kb", "_kib", "_percent"];
    assert!(!odd.iter().any(|unit| bare.ends_with(unit)), "{family}");
    assert!(
        kind != "histogram" || family.ends_with("_seconds"),
        "{family}"
    );
    assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
}

fn assert_is_cumulative(page: &str, family: &str, count: f64) {
    let start = format!("{family}_bucket{{le=\"");
    let buckets = page.lines().filter_map(|line| line.strip_prefix(&start));
    let buckets: Vec<(f64, f64)> = buckets
        .map(|rest| {
            let (bound, value) = rest.split_once("\"} ").unwrap();
            (bound.parse().unwrap(), value.parse().unwrap())
        })
        .collect();
    let grow = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
    assert!(buckets.windows(2).all(grow), "{family}: {buckets:?}");
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{family}");
}

/// What has been added to each sample.
fn since(before: &Samples, now: &Samples) -> Samples {
    let added = |name: &String, value: &f64| value - before.get(name).unwrap_or(&0.0);
    now.iter()
        .map(|(name, value)| (name.clone(), added(name, value)))
        .collect()
}

/// Three people, some words, and what is refused.
fn converse(server: &Server) -> (TestClient, TestClient, Browser) {
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    let mut browser = Browser::joins(server, "Browser");
    luis.barrier();
    luis.joins("#rust");
    let mut impostor = server.connect();
    impostor.send(&json!({"type": "hello", "version": 1, "nick": "ana"}));
    impostor.expect_error("nick_taken");
    for _ in 0..2 {
        luis.outcome_of(b"nonsense");
    }
    for number in 0..10 {
        ana.say("#lobby", "hola", &number.to_string());
    }
    browser.send(&json!({"type": "say", "to": "Luis", "text": "psst", "id": "direct"}));
    luis.say("#rust", "alone", "alone");
    luis.say("Luis", "to oneself", "self");
    while browser.next()["id"] != "direct" {}
    for person in [&mut ana, &mut luis] {
        person.barrier();
    }
    drop(impostor);
    server.logs(" as nobody, ");
    (ana, luis, browser)
}

#[test]
fn what_was_done_is_what_is_counted() {
    let home = home("send_queue_bytes = 1048576");
    home.configure("[accounts]", "durability = \"batch\"\n[accounts]");
    let server = home.start();
    let before = scrape(&server);
    assert_eq!(before["chat_channels"], 1.0);
    assert_eq!(before["chat_healthy"], 1.0);

    let _people = converse(&server);
    let now = scrape(&server);
    let done = since(&before, &now);
    for (name, wanted) in [
        ("chat_messages_total", 13.0),
        // Ten to three people, one to two, one in a channel of one, one to oneself.
        ("chat_deliveries_total", 34.0),
        ("chat_logins_total", 3.0),
        ("chat_users", 3.0),
        ("chat_channels", 1.0),
        ("chat_connections{transport=\"tcp\"}", 2.0),
        ("chat_connections{transport=\"web\"}", 1.0),
        ("chat_connections{transport=\"tls\"}", 0.0),
        ("chat_connections_opened_total{transport=\"tcp\"}", 3.0),
        ("chat_connections_opened_total{transport=\"web\"}", 1.0),
        ("chat_refusals_total{code=\"nick_taken\"}", 1.0),
        ("chat_refusals_total{code=\"bad_json\"}", 2.0),
        ("chat_refusals_total{code=\"not_recorded\"}", 0.0),
        ("chat_slow_consumers_total", 0.0),
        ("chat_outbox_bytes", 0.0),
        ("chat_room_waiting_messages", 0.0),
        ("chat_recorder_waiting_messages", 0.0),
        (
            "chat_history_bytes",
            std::fs::metadata(home.log()).unwrap().len() as f64,
        ),
    ] {
        assert_eq!(done[name], wanted, "{name}");
    }
    let batches = done["chat_record_seconds_count"];
    assert!((1.0..=13.0).contains(&batches), "{batches}");
    assert_eq!(done["chat_deliver_seconds_count"], batches);
    assert_eq!(done["chat_fsync_seconds_count"], batches);
    assert!(done["chat_deliver_seconds_sum"] >= done["chat_record_seconds_sum"]);
    assert!(done["chat_record_seconds_sum"] >= done["chat_fsync_seconds_sum"]);
    let sent = done["chat_sent_bytes_total"];
    assert!(
        sent > 34.0 * 100.0 && done["chat_received_bytes_total"] > 500.0,
        "{sent}"
    );
    let resident = now["process_resident_memory_bytes"];
    assert!(
        (resident - server.memory() as f64).abs() < 4e6,
        "{resident}"
    );
    assert!(now["process_open_fds"] > 8.0 && now["process_start_time_seconds"] > 1e9);

    // However many come, nobody makes the page longer.
    for number in 0..20 {
        let mut person = server.joins(&format!("nick{number}"));
        person.send(&json!({"type": "join", "channel": format!("#channel{number}")}));
        person.barrier();
    }
    assert_eq!(scrape(&server).len(), now.len());
}

#[test]
fn who_reads_too_slowly_and_what_waits_is_counted_on_every_thread() {
    let home = home("send_queue_bytes = 131072");
    home.configure("[listen]", "workers = 2\n[listen]");
    let server = home.start();
    let mut deaf: Vec<_> = (0..4)
        .map(|number| server.joins(&format!("Deaf{number}")))
        .collect();
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8192);
    let mut number = 0;
    while scrape(&server)["chat_slow_consumers_total"] < 4.0 {
        // Less than may wait for Ana herself.
        for _ in 0..10 {
            ana.send(&json!({"type": "say", "text": text, "id": number.to_string()}));
            number += 1;
        }
        ana.barrier();
    }
    let now = scrape(&server);
    assert_eq!(now["chat_refusals_total{code=\"slow_consumer\"}"], 4.0);
    assert_eq!(now["chat_messages_total"], f64::from(number));
    for deaf in &mut deaf {
        deaf.awaits("error");
    }
    drop(deaf);
    for _ in 0..4 {
        server.logs(" slow consumer");
    }
    let now = scrape(&server);
    assert_eq!(now["chat_connections{transport=\"tcp\"}"], 1.0);
    assert_eq!(now["chat_outbox_bytes"], 0.0);
    assert_eq!(now["chat_users"], 1.0);
}

#[test]
fn the_metrics_are_shown_on_their_own_listener_alone() {
    let plain = Home::new("");
    assert_eq!(plain.start().metrics_address, None);

    let home = home("connections = 1");
    let server = home.start();
    assert!(ask(&server, "GET /metrics", CLOSE).starts_with("HTTP/1.1 404 "));
    let address = server.metrics_address.unwrap();
    for (what, status) in [
        ("GET /", 404),
        ("GET /ws", 404),
        ("GET /app.js", 404),
        ("POST /metrics", 405),
        ("HEAD /metrics", 200),
        ("GET /healthz", 200),
    ] {
        let answer = ask_at(address, what, CLOSE);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{what}: {answer}"
        );
    }
    let mut socket = socket(&server);
    let request = request(&server);
    drop(tungstenite::client(request, &mut socket).unwrap());
    drop(socket);
    server.logs(" as nobody, ");
    let ws = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert!(ask_at(address, "GET /ws", ws).starts_with("HTTP/1.1 404 "));

    // Nobody takes the place of those who watch.
    let _ana = server.joins("Ana");
    server.connect().expect_error("server_full");
    assert_eq!(
        scrape(&server)["chat_refusals_total{code=\"server_full\"}"],
        1.0
    );
}

#[test]
fn dashboard_and_alerts_ask_for_what_there_is() {
    let home = home("");
    let samples = scrape(&home.start());
    let bare = |name: &String| name.split('{').next().unwrap().to_owned();
    let known: BTreeSet<_> = samples.keys().map(bare).collect();
    let dashboard: Value =
        serde_json::from_str(include_str!("../../ops/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut asked: Vec<&str> = targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let alerts = include_str!("../../ops/monitoring/alerts.yaml").lines();
    asked.extend(alerts.filter_map(|line| line.trim().strip_prefix("expr: ")));
    assert!(asked.len() > 30);
    let mut seen = BTreeSet::new();
    for question in asked {
        let words = question.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for name in words.filter(|word| word.starts_with("chat_") || word.starts_with("process_")) {
            assert!(
                known.contains(name),
                "{name} is not in /metrics: {question}"
            );
            seen.insert(name.trim_end_matches("_bucket"));
        }
    }
    // Nothing is counted that nobody looks at.
    for name in &known {
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(name);
        assert!(seen.contains(family), "{name} is on no dashboard");
    }
}
