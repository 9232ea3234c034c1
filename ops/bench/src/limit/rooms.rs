//! Who is in which room, and what was said there this turn.

use std::mem::take;

#[derive(Default)]
pub(super) struct Rooms {
    rooms: Vec<Room>,
    /// In which something was said this turn, and all of that together.
    busy: Vec<usize>,
    said: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    batch: Vec<u8>,
}

impl Rooms {
    pub(super) fn enter(&mut self, member: usize, room: usize) {
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Room::default);
        }
        self.rooms[room].members.push(member);
    }

    /// While a room is fanned out its members are elsewhere; they are sifted when they are put back.
    pub(super) fn leave(&mut self, member: usize, room: usize) {
        self.rooms[room].members.retain(|&other| other != member);
    }

    pub(super) fn say(&mut self, room: usize, bytes: &[u8]) {
        let batch = &mut self.rooms[room].batch;
        if batch.is_empty() && !bytes.is_empty() {
            self.busy.push(room);
        }
        batch.extend_from_slice(bytes);
        self.said.extend_from_slice(bytes);
    }

    pub(super) fn take_busy(&mut self) -> Vec<usize> {
        take(&mut self.busy)
    }

    /// All that was said this turn.
    pub(super) fn said(&self) -> &[u8] {
        &self.said
    }

    /// The turn is over.
    pub(super) fn hush(&mut self) {
        self.said.clear();
    }

    /// The members of a room and what they are to be given, until they are put back.
    pub(super) fn take(&mut self, room: usize) -> (Vec<usize>, Vec<u8>) {
        let room = &mut self.rooms[room];
        (take(&mut room.members), take(&mut room.batch))
    }

    pub(super) fn put_back(
        &mut self,
        room: usize,
        mut members: Vec<usize>,
        mut batch: Vec<u8>,
        is_here: impl Fn(usize) -> bool,
    ) {
        members.retain(|&member| is_here(member));
        batch.clear();
        self.rooms[room] = Room { members, batch };
    }
}
