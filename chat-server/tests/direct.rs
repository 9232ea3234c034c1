//! A direct message is for its two ends.

mod support;

use support::Home;

#[test]
fn nobody_else_hears() {
    let home = Home::new("");
    let server = home.start();
    let mut eva = server.joins("Eva");
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.says("Luis", "secreto", "1");
    ana.expect_message("Ana", "secreto");
    luis.expect_message("Ana", "secreto");
    assert!(eva.barrier().iter().all(|event| event["type"] == "joined"));
    ana.say("Nadie", "hola", "2");
    assert_eq!(ana.expect_error("no_such_user")["id"], "2");
}
