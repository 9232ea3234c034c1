//! The power goes: what was not forced to the disk is there in part, in any order, or not at all. Every
//! moment of a journal of the real server, and many ways in which it may have come out, are opened again.

use std::fs;
use std::path::Path;

use chat_server::error::HistoryError;
use chat_server::store::log::recovery;
use serde_json::Value;

use crate::disk::{self, Done};
use crate::support::Home;

/// What reaches the disk as a whole, or not at all.
const SECTOR: usize = 512;

/// Ways in which it may come out, tried at each moment.
const WAYS: usize = 8;

/// Chance that comes out the same at every run.
struct Chance(u64);

impl Chance {
    fn is(&mut self, of: u64) -> bool {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33).is_multiple_of(of)
    }
}

/// The file as the disk has it, and what is on its way there.
#[derive(Default)]
struct Disk {
    file: Vec<u8>,
    under_way: Vec<Done>,
}

impl Disk {
    fn does(&mut self, done: &Done) {
        match done {
            Done::Synced => {
                for done in std::mem::take(&mut self.under_way) {
                    apply(&mut self.file, &done, &mut |_| true);
                }
            }
            Done::DirectorySynced => {}
            Done::Write { .. } | Done::Cut { .. } => self.under_way.push(done.clone()),
        }
    }

    /// The file after a cut: of what was under way, some.
    fn after_a_cut(&self, way: usize, chance: &mut Chance) -> Vec<u8> {
        let mut file = self.file.clone();
        for done in &self.under_way {
            match way {
                0 => {}
                1 => apply(&mut file, done, &mut |_| true),
                // In order, but for the end; any sectors; all but a few.
                2 => {
                    let mut torn = false;
                    apply(&mut file, done, &mut |_| {
                        torn |= chance.is(8);
                        !torn
                    });
                    if torn {
                        break;
                    }
                }
                odd if odd % 2 == 1 => apply(&mut file, done, &mut |_| chance.is(2)),
                _ => apply(&mut file, done, &mut |_| !chance.is(10)),
            }
        }
        file
    }
}

/// Does that to the file, as far as the sectors `arrive`; what does not is as it was, or zeros.
fn apply(file: &mut Vec<u8>, done: &Done, arrive: &mut dyn FnMut(usize) -> bool) {
    match done {
        Done::Write { at, bytes } => {
            let end = at + bytes.len();
            for sector in at / SECTOR..end.div_ceil(SECTOR) {
                if !arrive(sector) {
                    continue;
                }
                let from = (sector * SECTOR).max(*at);
                let upto = ((sector + 1) * SECTOR).min(end);
                if file.len() < upto {
                    file.resize(upto, 0);
                }
                file[from..upto].copy_from_slice(&bytes[from - at..upto - at]);
            }
        }
        Done::Cut { to } if arrive(0) => file.truncate(*to),
        Done::Cut { .. } | Done::Synced | Done::DirectorySynced => {}
    }
}

/// Opens it as a server does that starts after the cut; what is left.
fn opened_again(path: &Path, file: &[u8]) -> Vec<u8> {
    fs::write(path, file).unwrap();
    let opened = loop {
        match recovery::open(path) {
            // By the child of another test, which has everything open until it is another program.
            Err(HistoryError::Locked { .. }) => std::thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    let left = fs::read(path).unwrap();
    assert_eq!(opened.end, left.len() as u64);
    let lines = left.split_inclusive(|&byte| byte == b'\n');
    let mut count = 0;
    for line in lines {
        count += 1;
        let line: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(line["seq"], count);
    }
    assert_eq!(opened.last_seq, count);
    left
}

#[test]
fn batch_loses_nothing_that_was_acked_when_the_power_goes() {
    let home = Home::new("");
    home.configure("[history]\n", "[history]\ndurability = \"batch\"\n");
    let server = disk::start(&home);
    let mut people: Vec<_> = ["Ana", "Luis", "Eva"].map(|nick| server.joins(nick)).into();
    let mut acked = 0;
    for n in 0..20 {
        for who in &mut people {
            // More than a sector, less, and many at once.
            for part in 0..n % 7 {
                let text = "palabra ".repeat(1 + (n * 37 + part * 11) % 300);
                who.say("#lobby", &text, &format!("{n}.{part}"));
            }
        }
        for who in &mut people {
            for event in who.barrier() {
                if event["type"] == "ack" {
                    acked = acked.max(event["seq"].as_u64().unwrap());
                }
            }
        }
    }
    server.kill();

    let journal = disk::journal(&home);
    assert_eq!(
        journal.first(),
        Some(&Done::DirectorySynced),
        "its name is on the disk"
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (mut disk, mut chance) = (Disk::default(), Chance(4));
    let mut lost_some = 0;
    for done in &journal {
        disk.does(done);
        if disk.under_way.is_empty() {
            continue;
        }
        for way in 0..WAYS {
            let file = disk.after_a_cut(way, &mut chance);
            let left = opened_again(&path, &file);
            assert!(left.starts_with(&disk.file), "what was forced is there");
            lost_some += usize::from(left.len() < file.len());
        }
    }
    assert!(lost_some > 20, "{lost_some}");
    // All that anybody was told of is among what was forced.
    let forced = disk.file.iter().filter(|&&byte| byte == b'\n').count();
    assert!(acked > 150 && forced as u64 >= acked, "{forced} of {acked}");
}

/// Behind a hole nothing was confirmed; it is put aside all the same.
#[test]
fn what_stands_behind_a_hole_is_put_aside() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for n in 1..=3 {
        ana.says("#lobby", "hola", &n.to_string());
        ana.expect("message");
    }
    server.kill();
    let whole = fs::read(home.log()).unwrap();
    let line = whole.len() / 3;
    let mut holed = whole.clone();
    holed[line + 7..line + 60].fill(0);
    fs::write(home.log(), &holed).unwrap();
    let server = home.start();
    assert_eq!(home.lines().len(), 1);
    let aside = home.file(&format!("log.cut-{line}"));
    assert!(fs::read(aside).unwrap() == holed[line..]);
    assert_eq!(server.joins("Ana").says("#lobby", "hola", "2")["seq"], 2);
}
