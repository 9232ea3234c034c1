//! Did every receiver get every message once and in order? One counter for each receiver and sender of its
//! channel; where the protocol numbers messages, `seq` must grow for each receiver as well.

use super::short;
use crate::wire::Stamp;

/// `channels` of `members` each, numbered one channel after the other; the first `senders` of each speak.
#[derive(Debug)]
pub(crate) struct Ledger {
    members: usize,
    senders: usize,
    echoes: bool,
    /// The counter that is due, at `conn * senders + sender of the channel`.
    due: Vec<u32>,
    last_seq: Vec<u64>,
    /// By sender, numbered through all channels.
    sent: Vec<u32>,
    received: u64,
    repeated: u64,
    skipped: u64,
    strange: u64,
    seq_back: u64,
}

impl Ledger {
    pub(crate) fn new(channels: usize, members: usize, senders: usize, echoes: bool) -> Self {
        Self {
            members,
            senders,
            echoes,
            due: vec![0; channels * members * senders],
            last_seq: vec![0; channels * members],
            sent: vec![0; channels * senders],
            received: 0,
            repeated: 0,
            skipped: 0,
            strange: 0,
            seq_back: 0,
        }
    }

    /// The stamp of the next message of a sender.
    pub(crate) fn next_stamp(&mut self, sender: usize) -> Stamp {
        let counter = self.sent[sender];
        self.sent[sender] += 1;
        Stamp {
            sender: short(sender),
            counter,
        }
    }

    pub(crate) fn senders(&self) -> usize {
        self.sent.len()
    }

    /// On which connection a sender speaks.
    pub(crate) fn conn_of(&self, sender: usize) -> usize {
        sender / self.senders * self.members + sender % self.senders
    }

    /// On which connection it shows that a sender's message has arrived: their own, or if one does not
    /// hear oneself, that of the next member.
    pub(crate) fn witness_of(&self, sender: usize) -> usize {
        if self.echoes {
            return self.conn_of(sender);
        }
        sender / self.senders * self.members + (sender % self.senders + 1) % self.members
    }

    /// Notes a delivery; `false` if it is none of this crowd's.
    pub(crate) fn deliver(&mut self, conn: usize, seq: u64, stamp: Stamp) -> bool {
        let sender = stamp.sender as usize;
        let Some(last_seq) = self.last_seq.get_mut(conn) else {
            self.strange += 1;
            return false;
        };
        let local = sender.wrapping_sub(conn / self.members * self.senders);
        if local >= self.senders {
            self.strange += 1;
            return false;
        }
        if seq != 0 {
            self.seq_back += u64::from(seq <= *last_seq);
            *last_seq = seq;
        }
        let due = &mut self.due[conn * self.senders + local];
        if stamp.counter < *due {
            self.repeated += 1;
            return false;
        }
        self.skipped += u64::from(stamp.counter - *due);
        *due = stamp.counter + 1;
        self.received += 1;
        true
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.iter().copied().map(u64::from).sum()
    }

    /// How many deliveries all that was sent makes.
    pub(crate) fn expected(&self) -> u64 {
        let receivers = if self.echoes {
            self.members
        } else {
            self.members - 1
        };
        self.sent() * receivers as u64
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.received >= self.expected()
    }

    /// What is wrong, shortly; `None` if every receiver got every message once and in order.
    pub(crate) fn fault(&self) -> Option<String> {
        let missing = self.expected().saturating_sub(self.received);
        let counts = [
            (missing, "missing"),
            (self.skipped, "skipped"),
            (self.repeated, "repeated"),
            (self.strange, "of strangers"),
            (self.seq_back, "against the order of seq"),
        ];
        let said: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sender: u32, counter: u32) -> Stamp {
        Stamp { sender, counter }
    }

    #[test]
    fn two_channels_in_which_everyone_gets_everything_are_in_order() {
        let mut ledger = Ledger::new(2, 3, 1, true);
        for counter in 0..2 {
            for sender in 0..2 {
                assert_eq!(ledger.next_stamp(sender), stamp(short(sender), counter));
            }
        }
        assert_eq!((ledger.conn_of(1), ledger.witness_of(1)), (3, 3));
        for conn in 0..6 {
            for counter in 0..2 {
                assert!(ledger.deliver(
                    conn,
                    u64::from(counter) + 1,
                    stamp(short(conn) / 3, counter)
                ));
            }
        }
        assert!(ledger.is_complete());
        assert_eq!(ledger.fault(), None);
    }

    #[test]
    fn whatever_is_not_once_and_in_order_is_told() {
        let mut ledger = Ledger::new(1, 2, 1, true);
        for _ in 0..3 {
            ledger.next_stamp(0);
        }
        assert!(ledger.deliver(0, 5, stamp(0, 0)));
        assert!(!ledger.deliver(0, 5, stamp(0, 0)), "again");
        assert!(ledger.deliver(0, 6, stamp(0, 2)), "one left out");
        assert!(!ledger.deliver(0, 7, stamp(9, 0)), "nobody's");
        let fault = ledger.fault().unwrap();
        assert_eq!(
            fault,
            "4 missing, 1 skipped, 1 repeated, 1 of strangers, 1 against the order of seq"
        );
    }

    #[test]
    fn where_one_does_not_hear_oneself_a_neighbour_is_the_witness() {
        let mut ledger = Ledger::new(1, 3, 3, false);
        assert_eq!((ledger.witness_of(0), ledger.witness_of(2)), (1, 0));
        ledger.next_stamp(0);
        assert_eq!(ledger.expected(), 2);
        assert!(ledger.deliver(1, 0, stamp(0, 0)) && ledger.deliver(2, 0, stamp(0, 0)));
        assert_eq!(ledger.fault(), None);
    }
}
