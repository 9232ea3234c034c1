//! The server says goodbye.

mod support;

use support::Home;

#[test]
fn sigterm_tells_everyone_and_ends_with_0() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    server.terminate();
    ana.expect_error("shutting_down");
    let goodbye = ana.next();
    assert_eq!(
        (&goodbye["type"], &goodbye["reason"]),
        (&"bye".into(), &"shutting_down".into())
    );
    drop(ana);
    assert_eq!(server.ended().code(), Some(0));
}
