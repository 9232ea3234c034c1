//! How the page holds on to its connection, with servers and clocks that behave badly.

use serde_json::json;

use super::browser::Browser;
use super::{home, tells};

/// A server inside of the page that closes behind each `welcome` until `stays`, and timers that run fast.
const CLOSING_SERVER: &str = "
    const [timer, now] = [setTimeout, performance.now.bind(performance)];
    Object.assign(window, { waits: [], sent: [], opened: 0, stays: false, later: 0, total: 0 });
    window.setTimeout = (run, ms = 0) => {
        if (ms >= 300) waits.push(ms);
        return timer(run, ms / 100);
    };
    performance.now = () => now() + later;
    window.WebSocket = class {
        static OPEN = 1;
        readyState = 0;
        constructor() {
            opened++;
            window.last = this;
            timer(() => { this.readyState = 1; this.onopen(); });
        }
        tell(event) { timer(() => this.readyState === 1 && this.onmessage({ data: JSON.stringify(event) })); }
        send(data) {
            const request = JSON.parse(data);
            sent.push(request.type);
            if (request.type === 'hello') {
                this.tell({ type: 'welcome', nick: 'ana', server: 'chat/1', token: 't', seq: 9, time: new Date().toISOString(), joined: ['#lobby'], channels: [], resumed: true, gap: true });
                if (!stays) timer(() => this.close(), 10);
            }
            // Another total each time, and never all of them.
            if (request.type === 'users') this.tell({ type: 'users', channel: '#lobby', users: ['ana'], total: ++total, more: true });
            if (request.type === 'history') this.tell({ type: 'history', with: '#lobby', messages: [], more: true });
        }
        close() {
            if (this.readyState === 3) return;
            this.readyState = 3;
            this.onclose?.();
        }
    };";

pub(crate) fn the_wait_grows_until_a_connection_has_lasted_and_no_request_is_repeated_without_bound()
 {
    let (_home, server) = home("");
    let ana = Browser::start();
    ana.prepares(CLOSING_SERVER);
    ana.opens(&server);
    ana.enters("ana");
    ana.until("opened >= 8");
    let waits: Vec<f64> = serde_json::from_value(ana.value("waits")).unwrap();
    assert!(
        waits.windows(2).take(5).all(|two| two[0] < two[1]),
        "{waits:?}"
    );
    assert!(waits[6] >= 20_000.0, "{waits:?}");
    let [sent, opened] = ["sent.length", "opened"].map(|what| ana.value(what).as_u64().unwrap());
    assert!(sent <= opened * 5, "{sent} requests, {opened} connections");

    // One that lasts ends the growth.
    ana.js("stays = true; window.before = opened");
    ana.until("opened > before && document.getElementById('state').innerText === 'Connected'");
    ana.until("sent.at(-1) !== 'hello'");
    ana.js("window.atRest = sent.length; document.dispatchEvent(new Event('visibilitychange'))");
    ana.until("sent.length > atRest");
    ana.js(
        "window.frames = 0; const look = () => { frames++; requestAnimationFrame(look) }; look()",
    );
    ana.until("frames > 30");
    let further = ana.value("sent.length - atRest");
    assert!(further.as_u64().unwrap() <= 4, "{}", ana.value("sent"));
    ana.js("later = 31_000; waits.length = 0; last.close()");
    ana.until("waits.length > 0");
    assert!(ana.value("waits[0]").as_f64().unwrap() < 700.0);
}

/// `halfOpen` makes the connection silent without an end. Long timers and the monotonic clock move with
/// `advance()` alone; `shift` sets the other clock, as a sleep of the machine does.
const HALF_OPEN: &str = "
    const [timer, clear] = [setTimeout, clearTimeout];
    const RealDate = Date, RealSocket = WebSocket, begin = RealDate.now(), SHORT_MS = 4_900;
    let due = [], ids = 0;
    Object.assign(window, { shift: 0, halfOpen: false, clock: 0 });
    const later = (run, ms, every) => {
        due.push({ id: --ids, at: clock + ms, every, run });
        return ids;
    };
    window.setInterval = (run, ms) => later(run, ms, ms);
    window.setTimeout = (run, ms = 0) => (ms < SHORT_MS ? timer(run, ms) : later(run, ms));
    window.clearTimeout = (id) => {
        due = due.filter((one) => one.id !== id);
        clear(id);
    };
    window.advance = () => {
        clock += 1_000;
        for (const one of due.filter(({ at }) => at <= clock)) {
            if (one.every) one.at += one.every;
            else due = due.filter((other) => other !== one);
            one.run();
        }
    };
    performance.now = () => clock;
    window.Date = class extends RealDate {
        constructor(...all) { if (all.length) super(...all); else super(Date.now()); }
        static now() { return begin + clock + shift; }
    };
    window.WebSocket = class extends RealSocket {
        set onmessage(heard) { super.onmessage = (event) => halfOpen || heard(event); }
        set onclose(closed) { super.onclose = (event) => halfOpen || closed(event); }
        send(data) { if (!halfOpen) super.send(data); }
    };";

pub(crate) fn a_half_open_connection_is_noticed_within_a_minute_whatever_the_clocks_say() {
    let (_home, server) = home("");
    let ana = Browser::start();
    ana.prepares(HALF_OPEN);
    ana.opens(&server);
    ana.enters("ana");
    ana.reads("nick-now", "ana");
    // Nothing happens; an hour back; an hour of sleep.
    for shift in ["0", "shift - 3_600_000", "shift + 3_600_000"] {
        ana.until("document.getElementById('state').innerText === 'Connected'");
        let took = ana.finishes(&format!(
            "const done = arguments[0], from = clock;
             shift = {shift};
             halfOpen = true;
             const look = () => {{
                 if (document.getElementById('state').innerText !== 'Connected' || clock > from + 200_000) {{
                     halfOpen = false;
                     return done(clock - from);
                 }}
                 advance();
                 requestAnimationFrame(look);
             }};
             look();"
        ));
        assert!(took.as_u64().unwrap() <= 60_000, "{shift}: {took}");
    }
}

pub(crate) fn what_was_said_meanwhile_in_a_server_that_was_empty_is_shown() {
    for limits in ["", "replay_max = 2"] {
        let (home, server) = home(limits);
        let ana = Browser::joins(&server, "ana");
        ana.reads("older", "This is where it begins.");
        ana.says("/join #rust");
        ana.until("document.title === '#rust'");
        ana.reads("older", "This is where it begins.");
        ana.says("/switch #lobby");
        ana.until("document.title === '#lobby'");
        home.until_kept("channels LIKE '%#rust%'", 1);
        ana.js("window.there = WebSocket; window.WebSocket = class { close() {} }");
        server.kill();
        ana.until("document.getElementById('lost').innerText !== ''");
        let server = home.start();
        let mut luis = server.joins("luis");
        for text in ["one", "two", "three"] {
            tells(&mut luis, "#lobby", text, text);
        }
        luis.joins("#rust");
        for text in ["four", "five", "six"] {
            tells(&mut luis, "#rust", text, text);
        }
        ana.js("window.WebSocket = there; document.querySelector('#lost button').click()");
        ana.shows(&["one", "two", "three"]);
        ana.clicks("#channels [data-name=\"#rust\"]");
        ana.shows(&["four", "five", "six"]);
        let texts: Vec<_> = home
            .lines()
            .iter()
            .map(|line| line["seq"].clone())
            .collect();
        assert_eq!(json!(texts), json!([1, 2, 3, 4, 5, 6]));
    }
}
