//! What is said in a channel reaches all its members, the same bytes, in order.

mod support;

use support::Home;

#[test]
fn all_see_the_same_bytes_and_the_sender_its_ack_first() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    for seq in 1..=3 {
        assert_eq!(ana.says("#lobby", "hola", &format!("i{seq}"))["seq"], seq);
        let own = ana.next_raw().unwrap();
        assert_eq!(own, luis.next_raw().unwrap());
    }
    assert_eq!(home.lines().len(), 3);
}
