// What the page knows: conversations, their messages in the order of `seq`, and what was said and is not
// recorded yet. It shows nothing and sends nothing.

import { fold, mentions } from "./fold.js";

export const LOBBY = "#lobby";
export const isChannel = (name) => name.startsWith("#");

/** Notices that stand in one line, and messages that are kept while one reads the newest or older ones. */
const DRAFTS_MAX = 100, NOTICES_MAX = 5, KEPT_AT_END = 5_000, KEPT_LESS = 2_000, KEPT_MAX = 60_000;

class Talk {
  constructor(name) {
    this.name = name;
    this.messages = []; // And notices, which have the `seq` of the message before them.
    this.first = this.last = undefined; // The `seq` of its ends.
    this.holes = new Set(); // Behind these `seq` some may be missing.
    this.unread = 0;
    this.mentions = 0;
    this.readTo = undefined; // What is behind it was new when the conversation was opened.
    this.more = true; // There may be older ones.
    this.asked = false; // A page of them is on its way.
    this.place = null; // Where one was reading, if not at the end.
    this.topic = "";
    this.draft = "";
  }

  /** The `seq` behind which further messages are missed: 0 where there are none, `undefined` where none are loaded. */
  get seen() {
    return this.last ?? (this.more ? undefined : 0);
  }

  /** Puts a text back for its writer to change, before what is typed already. */
  giveBack(text) {
    this.draft = this.draft.trim() ? `${text}\n${this.draft}` : text;
  }

  /** Counts messages of others as unread; returns whether the line above the first of them has moved. */
  leaveUnread(others, wanted) {
    const first = others[0].seq - 1, before = this.readTo;
    this.readTo = this.unread ? Math.min(this.readTo ?? first, first) : first;
    this.unread += others.length;
    this.mentions += wanted.length;
    return this.readTo !== before;
  }

  /** Puts messages into their places: those that are new here, and whether all of them are behind the others. */
  add(messages) {
    const fresh = [];
    let behind = true;
    for (const message of messages) {
      let at = this.messages.length;
      while (at > 0 && isBehind(this.messages[at - 1], message)) at--;
      if (at > 0 && this.messages[at - 1].seq === message.seq && !this.messages[at - 1].notices) continue;
      behind &&= at === this.messages.length;
      this.messages.splice(at, 0, message);
      this.first = Math.min(this.first ?? Infinity, message.seq);
      this.last = Math.max(this.last ?? 0, message.seq);
      fresh.push(message);
    }
    return { fresh, behind };
  }

  /** Puts a page of older messages before all that are here; those that are new here. */
  addOlder(messages) {
    const older = messages.filter(({ seq }) => seq < (this.first ?? Infinity));
    if (!older.length) return older;
    this.messages = older.concat(this.messages);
    this.first = older[0].seq;
    this.last ??= older.at(-1).seq;
    return older;
  }

  /** A notice behind all that is here; one that is there already takes it in. */
  notice(text) {
    const last = this.messages.at(-1);
    // A clock that is behind makes no day of its own.
    const time = new Date(Math.max(Date.now(), last ? Date.parse(last.time) : 0)).toISOString();
    if (!last?.notices) return void this.messages.push({ seq: this.last ?? 0, time, notices: [text] });
    last.notices = [...last.notices, text].slice(-NOTICES_MAX);
    return last;
  }

  /** Forgets the oldest where there are many: whether there were. */
  trim(atEnd) {
    if (this.messages.length <= (atEnd ? KEPT_AT_END : KEPT_MAX)) return false;
    this.messages.splice(0, this.messages.length - (atEnd ? KEPT_LESS : KEPT_MAX * 0.8));
    this.first = this.messages.find(({ notices }) => !notices)?.seq;
    this.more = true;
    return true;
  }
}

/** Whether an entry stands behind the place of a message that comes. */
function isBehind(entry, message) {
  return entry.seq > message.seq || (entry.seq === message.seq && entry.notices);
}

export class Talks {
  constructor() {
    this.nick = null;
    this.all = new Map();
    this.drafts = new Map(); // Of conversations that were closed: folded name -> text.
    this.channels = new Map(); // Those one is in: folded name -> name.
    this.pending = new Map(); // id -> { id, nick, token, to, text, sent, failed, seq }
    this.last = 0; // The highest seq seen.
    this.started = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.count = 0;
  }

  open(name) {
    const key = fold(name);
    if (!this.all.has(key)) {
      this.all.set(key, Object.assign(new Talk(name), { draft: this.drafts.get(key) ?? "" }));
      this.drafts.delete(key);
    }
    return this.all.get(key);
  }

  close(name) {
    const { draft } = this.all.get(fold(name)) ?? {};
    if (draft) this.drafts.set(fold(name), draft);
    if (this.drafts.size > DRAFTS_MAX) this.drafts.delete(this.drafts.keys().next().value);
    this.all.delete(fold(name));
    this.channels.delete(fold(name));
  }

  isMe(nick) { return this.nick !== null && fold(nick) === fold(this.nick); }

  /** The conversation that a message is of. */
  of({ from, to }) {
    return this.open(isChannel(to) || !this.isMe(to) ? to : from);
  }

  /** Forgets every message: the server has begun another history. */
  forget() {
    this.last = 0;
    for (const [key, { name, draft }] of this.all) this.all.set(key, Object.assign(new Talk(name), { draft }));
  }

  /** Remembers what is said, and who one is, until it is recorded. */
  say(to, text, token) {
    const said = { id: `${this.started}-${++this.count}`, nick: this.nick, token, to, text, sent: false, failed: null };
    this.pending.set(said.id, said);
    return said;
  }

  /** What waits and was said by another user; `same`: the nick is that of the same user. It would be recorded twice if it had arrived. */
  ofAnother(token, same) {
    return [...this.pending.values()].filter((said) => !said.failed && said.token !== token && (!this.isMe(said.nick) || (said.sent && !same)));
  }

  /** The same user has another token. */
  renew(before, now) {
    for (const said of this.pending.values()) if (said.token === before) said.token = now;
  }

  /** What was said with that id has the number `seq`. It goes when all up to there have been seen. */
  recorded(id, seq) {
    const said = this.pending.get(id);
    if (said) Object.assign(said, { seq, failed: null });
  }

  /** A message may be what waits, said by me now or by who I was then. Others can know an id, too. */
  arrived({ id, seq, from }) {
    const said = this.pending.get(id);
    if (said && [fold(said.nick), fold(this.nick)].includes(fold(from))) this.recorded(id, seq);
  }

  /** Whether anything that waited has been seen as a message now. */
  settle() {
    const before = this.pending.size;
    for (const { id, seq } of this.pending.values()) if (seq <= this.last) this.pending.delete(id);
    return this.pending.size < before;
  }

  rename(before, after) {
    if (this.isMe(before)) this.nick = after;
    const [key, talk] = [fold(after), this.all.get(fold(before))];
    // A conversation with somebody who had that name stays what it was.
    if (!talk || (key !== fold(before) && this.all.has(key))) return;
    this.all.delete(fold(before));
    talk.name = after;
    this.all.set(key, talk);
  }

  /** Whether a text names me, as a word of its own. */
  mentionsMe({ from, text }) {
    return !this.isMe(from) && mentions(text, this.nick);
  }
}
