// What the page knows: conversations, their messages in the order of `seq`, and what was said and is not
// recorded yet. It shows nothing and sends nothing.

export const fold = (name) => name.normalize("NFKC").toLowerCase();
export const isChannel = (name) => name.startsWith("#");

class Talk {
  constructor(name) {
    this.name = name;
    this.messages = [];
    this.unread = 0;
    this.mentions = 0;
    this.more = true; // There may be older ones.
    this.asked = false; // A page is on its way.
  }

  get first() { return this.messages[0]?.seq; }
  get last() { return this.messages.at(-1)?.seq; }

  /** Puts messages into their places; those that are new here. */
  add(messages) {
    const fresh = [];
    for (const message of messages) {
      let at = this.messages.length;
      while (at > 0 && this.messages[at - 1].seq > message.seq) at--;
      if (this.messages[at - 1]?.seq === message.seq) continue;
      this.messages.splice(at, 0, message);
      fresh.push(message);
    }
    return fresh;
  }

  /** Puts a page of older messages before all that are here. */
  addOlder(messages) {
    const first = this.first ?? Infinity;
    const older = messages.filter(({ seq }) => seq < first);
    this.messages = older.concat(this.messages);
    return older;
  }
}

export class Talks {
  constructor() {
    this.nick = null;
    this.all = new Map();
    this.channels = new Set(); // Folded names of those one is in.
    this.pending = new Map(); // id -> { id, to, text, failed }
    this.last = 0; // The highest seq seen.
    this.started = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.count = 0;
  }

  open(name) {
    const key = fold(name);
    if (!this.all.has(key)) this.all.set(key, new Talk(name));
    return this.all.get(key);
  }

  close(name) {
    this.all.delete(fold(name));
    this.channels.delete(fold(name));
  }

  isMe(nick) { return this.nick !== null && fold(nick) === fold(this.nick); }

  /** The conversation that a message is of. */
  of({ from, to }) {
    return this.open(isChannel(to) || !this.isMe(to) ? to : from);
  }

  /** Remembers what is said until it is recorded. */
  say(to, text) {
    const said = { id: `${this.started}-${++this.count}`, to, text, failed: null };
    this.pending.set(said.id, said);
    return said;
  }

  rename(before, after) {
    if (this.isMe(before)) this.nick = after;
    const talk = this.all.get(fold(before));
    if (!talk) return;
    this.all.delete(fold(before));
    talk.name = after;
    this.all.set(fold(after), talk);
  }

  /** Whether a text names me, as a word of its own. */
  mentionsMe({ from, text }) {
    if (this.isMe(from)) return false;
    const [inside, nick] = [fold(text), fold(this.nick)];
    for (let at = inside.indexOf(nick); at >= 0; at = inside.indexOf(nick, at + 1)) {
      const around = [inside.slice(0, at).slice(-1), inside.charAt(at + nick.length)];
      if (!around.some((neighbour) => /[\p{L}\p{N}_]/u.test(neighbour))) return true;
    }
    return false;
  }
}
