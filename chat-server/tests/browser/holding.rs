//! How the page holds on to its connection, with servers and clocks that behave badly.

use super::browser::Browser;
use super::home;

/// `halfOpen` makes the connection silent without an end. Timers run 20 times as fast, and so does the
/// monotonic clock unless the machine `sleeps`; `shift` sets the other one.
const HALF_OPEN: &str = "
    const [every, timer, now] = [setInterval, setTimeout, performance.now.bind(performance)];
    const RealDate = Date, RealSocket = WebSocket, start = now();
    Object.assign(window, { shift: 0, halfOpen: false, awake: () => (now() - start) * 20 });
    window.setInterval = (run, ms) => every(run, ms / 20);
    window.setTimeout = (run, ms = 0) => timer(run, ms / 20);
    performance.now = awake;
    window.Date = class extends RealDate {
        constructor(...all) { if (all.length) super(...all); else super(Date.now()); }
        static now() { return RealDate.now() + shift; }
    };
    window.WebSocket = class extends RealSocket {
        set onmessage(heard) { super.onmessage = (event) => halfOpen || heard(event); }
        set onclose(closed) { super.onclose = (event) => halfOpen || closed(event); }
        send(data) { if (!halfOpen) super.send(data); }
    };";

#[test]
fn a_half_open_connection_is_noticed_within_a_minute_whatever_the_clocks_say() {
    let (_home, server) = home("");
    let Some(ana) = Browser::start() else {
        return;
    };
    ana.prepares(HALF_OPEN);
    ana.opens(&server);
    ana.enters("ana");
    ana.reads("nick-now", "ana");
    // Nothing happens; an hour back; an hour of sleep.
    for shift in ["0", "shift - 3_600_000", "shift + 3_600_000"] {
        ana.until("document.getElementById('state').innerText === 'Connected'");
        ana.js(&format!(
            "window.from = awake(); shift = {shift}; halfOpen = true;
             window.lostAt = 0;
             const look = () => {{
                 if (document.getElementById('state').innerText !== 'Connected') {{ lostAt = awake(); halfOpen = false; }}
                 else requestAnimationFrame(look);
             }};
             look();"
        ));
        let took = ana.until("lostAt && lostAt - from");
        assert!(took.as_f64().unwrap() < 62_000.0, "{shift}: {took}");
    }
}
