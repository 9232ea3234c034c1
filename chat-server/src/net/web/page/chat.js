// One person's chat: what is asked of the server, what comes, and what follows from it. It shows nothing;
// `ui` is told what has changed.

import { Crowd } from "./crowd.js";
import { fold } from "./fold.js";
import { load, save } from "./kept.js";
import { Link } from "./link.js";
import { LOBBY, Talks, isChannel } from "./talks.js";
import { inWords, reasonInWords, t } from "./words.js";

/** Errors that put somebody off the server. */
export const PUT_OUT = ["kicked", "banned"];
/** Errors after which the page comes back only by itself with another password. */
const ENDED = [...PUT_OUT, "signed_out"];
const PAGE = 200;
/** Bytes of a text, and of a name in any spelling: more could not even be sent as a frame. */
const TEXT_MAX = 8_192, NAME_MAX = 256;
const TYPED_MAX = 20;
const COUNT_MS = 60_000;
const SAVE_MS = 250;
/** Errors after which coming back may succeed; any other one before `welcome` is for the person to solve. */
const PASSING = ["server_full", "rate_limited", "shutting_down", "internal", "idle_timeout", "slow_consumer", "hello_timeout", "not_recorded"];

export class Chat {
  talks = new Talks();
  current = this.talks.open(LOBBY);
  crowd = new Crowd((request) => this.here && this.#send(request), () => this.ui.changed("people"));
  here = false; // Welcomed, and not lost since.
  returning = false; // What was missed is asked for.
  server = "chat";
  offered = []; // Channels one could enter.
  #asked = []; // History questions that are unanswered, in order.
  #typed = new Map(); // Requests with a text that took work: id -> { talk, text }.
  #token = null;
  #password = null; // For the time of this page only.
  #leaving = false;
  #entering = null; // The channel that is to be shown when one is in.

  constructor(ui) {
    this.ui = ui;
    this.link = new Link(() => this.#hello(), (event) => this.#on(event), () => this.#lost());
    setInterval(() => document.hidden || this.crowd.count(), COUNT_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.crowd.count());
    addEventListener("pagehide", () => this.#save());
  }

  // -- coming and going

  /** Goes on where this tab was before a reload: whether there is anything to go on with. */
  restore() {
    const kept = load();
    if (!kept) return false;
    const { talks } = this;
    for (const { name, ...rest } of kept.talks) Object.assign(talks.open(name), rest);
    talks.drafts = new Map(kept.drafts);
    for (const said of kept.pending) talks.pending.set(said.id, said);
    for (const name of kept.channels) talks.channels.set(fold(name), name);
    this.current = talks.open(kept.current);
    talks.last = kept.last;
    if (!kept.token) return false;
    talks.nick = kept.nick;
    this.#token = kept.token;
    this.returning = true;
    this.link.start();
    return true;
  }

  enter(nick, password) {
    this.talks.nick = nick;
    this.#token = null;
    this.#password = password || null;
    this.link.start();
  }

  /** Goodbye. What waits is kept for who comes back under the same name. */
  quit(reason) {
    this.#leaving = true;
    this.#token = null;
    if (this.talks.pending.size) this.#save();
    else save(null);
    this.returning = false;
    if (this.here) this.#send({ type: "quit", reason: reason || undefined });
    else this.ui.quit();
  }

  #hello() {
    const password = this.#token ? undefined : this.#password ?? undefined;
    return { type: "hello", version: 1, client: "page", nick: this.talks.nick, token: this.#token ?? undefined, password, after: this.returning ? this.talks.last : undefined };
  }

  #lost() {
    if (this.#leaving) return this.ui.quit();
    this.here = false;
    this.#asked = [];
    this.crowd.lost();
    for (const talk of this.talks.all.values()) talk.asked = false;
    this.ui.changed("state", "holes");
  }

  #refused(error) {
    this.link.stop();
    this.here = false;
    this.#token = null;
    this.#save();
    this.ui.refused(error);
  }

  #welcome(event) {
    const { talks } = this;
    talks.nick = event.nick;
    const same = event.resumed || (!this.#token && this.#password);
    this.#token = event.token;
    this.here = true;
    this.server = event.server.split("/")[0];
    this.offered = event.channels.map(({ name }) => name);
    const first = !this.returning;
    if (first) talks.last = event.seq;
    if (event.seq < talks.last) this.#begunAnew();
    const before = talks.channels;
    talks.channels = new Map(event.joined.map((name) => [fold(name), name]));
    for (const name of event.joined) talks.open(name);
    for (const [key, name] of before) if (!talks.channels.has(key)) this.#send({ type: "join", channel: name });
    if (!first && (event.gap || !event.resumed)) this.#catchUpAll();
    this.returning = true;
    for (const said of talks.ofAnother(this.#token, same)) said.failed = t(said.sent ? "mayBeSent" : "wasOther", said.nick, talks.nick);
    for (const said of talks.pending.values()) if (!said.failed) this.#sendSaid(said);
    this.#save();
    this.ui.entered(event, first);
    this.show(this.current);
  }

  #begunAnew() {
    this.talks.forget();
    this.current = this.talks.open(this.current.name);
  }

  // -- messages

  /** What was missed, where more than the server sends by itself. */
  #catchUpAll() {
    for (const talk of this.talks.all.values()) {
      const mine = !isChannel(talk.name) || this.talks.channels.has(fold(talk.name));
      if (mine && talk.seen !== undefined) this.fillHole(talk, talk.seen);
    }
  }

  /** Asks for what may be missing behind `after`. */
  fillHole(talk, after) {
    this.#askHistory(talk, { after });
  }

  #askHistory(talk, range) {
    const id = `history-${++this.talks.count}`;
    this.#asked.push({ id, talk, range });
    this.#send({ type: "history", with: talk.name, limit: PAGE, id, ...range });
  }

  askOlder() {
    const talk = this.current;
    if (!talk.more || talk.asked || !this.here) return;
    talk.asked = true;
    this.#askHistory(talk, talk.first ? { before: talk.first } : {});
  }

  #history({ messages: records, more }) {
    const { talk, range } = this.#asked.shift() ?? {};
    if (!talk) return;
    // A later server may have other kinds of records.
    const messages = records.filter(({ type }) => type === "message");
    if (range.after !== undefined) return this.#holeFilled(talk, range.after, messages, more);
    talk.asked = false;
    talk.more = more;
    for (const message of messages) message.named = this.talks.mentionsMe(message);
    this.ui.older(talk, talk.addOlder(messages));
  }

  #holeFilled(talk, after, messages, more) {
    talk.holes.delete(after);
    const next = talk.messages.find(({ seq }) => seq > after)?.seq ?? Infinity;
    const last = messages.at(-1)?.seq;
    this.#take(talk, messages);
    if (more && last < next) talk.holes.add(last);
    if (talk === this.current) this.ui.changed("holes");
  }

  #take(talk, messages) {
    const { talks, ui } = this;
    const { fresh, behind } = talk.add(messages);
    for (const message of fresh) {
      talks.last = Math.max(talks.last, message.seq);
      message.named = talks.mentionsMe(message);
      talks.arrived(message);
    }
    if (talks.settle()) ui.changed("pending");
    if (!fresh.length) return;
    const others = fresh.filter(({ from }) => !talks.isMe(from));
    const wanted = others.filter(({ to, named }) => named || !isChannel(to));
    if (!ui.sees(talk)) {
      if (others.length && talk.leaveUnread(others, wanted) && talk === this.current) ui.changed("holes");
      ui.changed("side");
    }
    if (talk === this.current) ui.changed(behind ? "newer" : "holes");
    else talk.trim(true);
    ui.told(talk, fresh, others, wanted);
    this.#saveSoon();
  }

  say(to, text) {
    const { talks } = this;
    const said = talks.say(to, text, this.#token);
    if (this.#isSendable(said) && this.here) this.#sendSaid(said);
    talks.of({ from: talks.nick, to });
    this.#save();
    this.ui.changed("pending", "side");
  }

  /** Says again what failed, as who one is now. */
  sayAgain(said) {
    Object.assign(said, { failed: null, nick: this.talks.nick, token: this.#token });
    if (this.#isSendable(said) && this.here) this.#sendSaid(said);
    this.#save();
    this.ui.changed("pending");
  }

  /** Takes back what failed: its text stands before what is typed in that conversation. */
  takeBack(said) {
    this.talks.open(said.to).giveBack(said.text);
    this.talks.pending.delete(said.id);
    this.#save();
    this.ui.changed("pending");
  }

  /** A draft has changed. */
  drafted() {
    this.#saveSoon();
  }

  /** A frame that is too large would close the connection, and be sent again on the next one. */
  #isSendable(said) {
    const bytes = (text) => new TextEncoder().encode(text).length;
    if (bytes(said.text) > TEXT_MAX) said.failed = t("text_too_long");
    else if (bytes(said.to) > NAME_MAX) said.failed = t("no_such_user");
    return !said.failed;
  }

  #sendSaid(said) {
    said.sent = true;
    this.#send({ type: "say", to: said.to, text: said.text, id: said.id });
  }

  // -- channels and people

  show(talk) {
    const { current } = this;
    this.current = talk;
    if (talk !== current && !current.unread) current.readTo = undefined;
    this.crowd.show(talk.name);
    if (!document.hidden) this.seen();
    this.ui.changed("talk", "people", "side");
    if (!talk.more || talk.messages.length >= PAGE) return;
    this.askOlder();
  }

  /** What is unread in the conversation that is shown has been seen. */
  seen() {
    this.current.unread = this.current.mentions = 0;
    this.ui.changed("side");
    this.#saveSoon();
  }

  choose(name) {
    if (isChannel(name) ? !this.talks.channels.has(fold(name)) : this.talks.isMe(name)) return;
    this.show(this.talks.open(name));
  }

  join(channel) {
    this.#entering = fold(channel);
    this.#request({ type: "join", channel });
  }

  part(name) {
    if (isChannel(name)) return this.#request({ type: "part", channel: name });
    this.talks.close(name);
    this.show(this.talks.open(LOBBY));
  }

  /** Sends a request. A refusal puts `typed`, which asked for it, back where it was typed. */
  ask(request, typed) {
    const id = `${request.type}-${++this.talks.count}`;
    this.#request({ ...request, id });
    if (typed) this.#typed.set(id, { talk: this.current, text: typed });
    if (this.#typed.size > TYPED_MAX) this.#typed.delete(this.#typed.keys().next().value);
  }

  askChannels() {
    this.#send({ type: "channels" });
  }

  #notice(talk, text) {
    const grown = talk.notice(text);
    if (talk === this.current) this.ui.noticed(grown);
  }

  #come(nick, channel) {
    if (this.crowd.comes(nick, channel)) this.#notice(this.current, t("joined", nick));
  }

  #go(nick, words) {
    if (!isChannel(this.current.name)) {
      if (fold(this.current.name) === fold(nick)) this.#notice(this.current, words);
      return;
    }
    if (this.crowd.goes(nick)) this.#notice(this.current, words);
  }

  #joined({ channel, nick }) {
    if (!this.talks.isMe(nick)) return this.#come(nick, channel);
    const key = fold(channel);
    this.talks.channels.set(key, channel);
    const talk = this.talks.open(channel);
    if (talk.seen !== undefined) this.fillHole(talk, talk.seen);
    if (this.#entering === key || talk === this.current) this.show(talk);
    if (this.#entering === key) this.#entering = null;
    this.ui.changed("side");
    this.#save();
  }

  #left({ channel, nick, reason }) {
    const isShown = fold(channel) === fold(this.current.name);
    if (!this.talks.isMe(nick)) return isShown && this.#go(nick, withReason(t("left", nick), reason));
    this.talks.close(channel);
    if (reason) this.ui.problem(withReason(t("youLeft", channel), reason));
    if (isShown) this.show(this.talks.open(LOBBY));
    this.ui.changed("side");
    this.#save();
  }

  #renamed({ nick, to }) {
    const isKnown = this.crowd.renames(nick, to);
    this.talks.rename(nick, to);
    if (isKnown) this.#notice(this.current, t("renamed", nick, to));
    this.ui.changed("people", "side", "state", "head");
    this.#save();
  }

  // -- what comes

  #on(event) {
    if (Object.hasOwn(this.#meet, event.type)) this.#meet[event.type](event);
  }

  #meet = {
    welcome: (event) => this.#welcome(event),
    history: (event) => this.#history(event),
    message: (event) => this.#take(this.talks.of(event), [event]),
    ack: (event) => this.#acked(event),
    users: (event) => this.crowd.answered(event),
    channels: (event) => this.#channels(event),
    joined: (event) => this.#joined(event),
    left: (event) => this.#left(event),
    gone: ({ nick, reason }) => this.#go(nick, withReason(t("gone", nick), reason)),
    renamed: (event) => this.#renamed(event),
    topic: (event) => this.#topic(event),
    muted: ({ nick, reason }) => this.#notice(this.current, withReason(t("isMuted", nick), reason)),
    unmuted: ({ nick }) => this.#notice(this.current, t("isUnmuted", nick)),
    registered: (event) => this.#registered(event),
    unregistered: ({ nick }) => this.#notice(this.current, t("unregistered", nick)),
    error: (event) => this.#error(event),
    bye: () => this.#leaving && this.ui.quit(),
  };

  /** The old token ends with the old password; what waits is of the same user. */
  #registered({ nick, token }) {
    if (token) {
      this.talks.renew(this.#token, token);
      this.#token = token;
      this.#save();
    }
    this.#notice(this.current, t("registered", nick));
  }

  /** Without `seq` it acknowledges a request that is no message, behind the event that says what was done. */
  #acked({ id, seq }) {
    if (seq === undefined) return void this.#typed.delete(id);
    this.talks.recorded(id, seq);
    this.talks.settle();
    this.ui.changed("pending");
    this.#saveSoon();
  }

  #topic({ channel, topic, by }) {
    const talk = this.talks.open(channel);
    talk.topic = topic;
    if (by && topic) this.#notice(talk, t("topicIs", by, topic));
    this.ui.changed("head");
  }

  #channels({ channels }) {
    this.offered = channels.map(({ name }) => name);
    this.ui.changed("offered");
  }

  #error(event) {
    const said = this.talks.pending.get(event.id);
    if (said) {
      said.failed = inWords(event);
      this.#save();
      return this.ui.changed("pending");
    }
    if (event.id && this.#asked[0]?.id === event.id) {
      const { talk, range } = this.#asked.shift();
      if (range.after === undefined) talk.asked = talk.more = false;
      return this.ui.changed("holes");
    }
    this.crowd.refused(event.id);
    const typed = this.#typed.get(event.id);
    if (typed) {
      this.#typed.delete(event.id);
      typed.talk.giveBack(typed.text);
      this.ui.gaveBack(typed.talk);
    }
    if (event.code === "replaced") {
      this.link.stop();
      this.#lost();
      return this.ui.replaced();
    }
    if (ENDED.includes(event.code)) return this.#refused(event);
    if (this.here) return this.ui.problem(inWords(event));
    if (PASSING.includes(event.code) && this.returning) return;
    if (event.code === "auth_failed" && this.#token && this.#password) {
      this.#token = null;
      return this.#send(this.#hello());
    }
    this.#refused(event);
  }

  #send(request) {
    return this.link.send(request);
  }

  /** Sends what a person has asked for, or says that it cannot be sent now. */
  #request(request) {
    if (!this.here || !this.#send(request)) this.ui.problem(t("notNow"));
  }

  // -- what outlives a reload

  #saveSoon() {
    this.saving ??= setTimeout(() => this.#save(), SAVE_MS);
  }

  #save() {
    clearTimeout(this.saving);
    this.saving = undefined;
    const { talks, current } = this;
    if (!this.returning) return;
    save({
      nick: talks.nick, token: this.#token, last: talks.last, current: current.name,
      channels: [...talks.channels.values()], pending: [...talks.pending.values()], drafts: [...talks.drafts],
      talks: [...talks.all.values()].map(({ name, unread, mentions, draft, readTo }) => ({ name, unread, mentions, draft, readTo: unread ? readTo : undefined })),
    });
  }
}

function withReason(words, reason) {
  return reason && reason !== "disconnected" ? `${words} (${reasonInWords(reason)})` : words;
}
