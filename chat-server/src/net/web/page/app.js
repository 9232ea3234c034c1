// Wires the page: what is typed and chosen goes to the link, what comes from it to the talks and the view.

import { Link } from "./link.js";
import { Talks, fold, isChannel } from "./talks.js";
import { inWords, t, translate } from "./words.js";
import * as view from "./view.js";

const $ = (id) => document.getElementById(id);
const LOBBY = "#lobby", PAGE = 50;

const talks = new Talks();
let current = talks.open(LOBBY);
let people = new Map(); // Of the channel that is shown, by folded name.
let total = 0;
let asked = []; // History questions that are unanswered, in order.
let token = null, password = null, welcomed = false, returning = false;
let recording = null, notifying = false, questions = 0;

const link = new Link(hello, (event) => handlers[event.type]?.(event), () => {
  asked = [];
  for (const talk of talks.all.values()) talk.asked = false;
  view.state(welcomed ? t("lost") : t("connecting"), true);
});

// -- coming and going

function hello() {
  const after = returning && talks.last ? talks.last : undefined;
  return { type: "hello", version: 1, client: "page", nick: talks.nick, token: token ?? undefined, after, password: password ?? undefined };
}

function enter(nick, secret) {
  talks.nick = nick;
  password = secret || null;
  $("refused").textContent = t("connecting");
  link.start();
}

function refused(error) {
  link.stop();
  welcomed = false;
  token = null;
  sessionStorage.clear();
  $("chat").hidden = true;
  $("enter").hidden = false;
  $("secret").hidden &&= error.code !== "auth_failed";
  $("refused").textContent = inWords(error);
  $(error.code === "auth_failed" ? "password" : "nick").focus();
}

function welcome(event) {
  talks.nick = event.nick;
  token = event.token;
  welcomed = true;
  sessionStorage.setItem("me", JSON.stringify({ nick: event.nick, token }));
  $("enter").hidden = true;
  $("refused").textContent = "";
  $("chat").hidden = false;
  view.state(t("youAre", event.nick));
  const before = new Set(talks.channels);
  talks.channels = new Set(event.joined.map(fold));
  for (const name of event.joined) talks.open(name);
  if (!returning) {
    talks.last = event.seq;
    if (event.motd) view.notice(event.motd);
    $("text").focus();
  }
  for (const key of before) {
    const talk = talks.all.get(key);
    if (!talks.channels.has(key)) link.send({ type: "join", channel: talk.name });
    else if (event.gap || (!event.resumed && key !== LOBBY)) catchUp(talk);
  }
  returning = true;
  for (const said of talks.pending.values()) if (!said.failed) send(said);
  show(current);
}

/** Asks for what was missed in a conversation. */
function catchUp(talk) {
  if (talk.last) askHistory(talk, { after: talk.last });
}

// -- messages

function askHistory(talk, range) {
  const id = `h${++questions}`;
  asked.push({ id, talk, range });
  talk.asked = true;
  link.send({ type: "history", with: talk.name, limit: PAGE, id, ...range });
}

function askOlder() {
  if (current.more && !current.asked && welcomed) askHistory(current, current.first ? { before: current.first } : {});
}

function history({ messages, more }) {
  const { talk, range } = asked.shift() ?? {};
  if (!talk) return;
  talk.asked = false;
  if (range.after) {
    take(talk, messages);
    if (more && messages.length) askHistory(talk, { after: messages.at(-1).seq });
    return;
  }
  talk.more = more;
  const older = talk.addOlder(messages);
  if (talk !== current) return;
  view.prepend(older, talks);
  $("older").hidden = !more;
  if (!range.before) view.toEnd();
}

function take(talk, messages) {
  const last = talk.last ?? 0;
  const fresh = talk.add(messages);
  if (!fresh.length) return;
  for (const { seq, id, from } of fresh) {
    talks.last = Math.max(talks.last, seq);
    if (id && talks.isMe(from)) talks.pending.delete(id);
  }
  if (recording) for (const one of fresh) recording.push(`${one.time} ${one.to} [${one.from}]: ${one.text}`);
  if (talk === current) {
    if (fresh[0].seq > last) view.append(fresh, talk, talks);
    else view.showTalk(talk, talks);
  }
  const others = fresh.filter(({ from }) => !talks.isMe(from));
  const wanted = others.filter((one) => !isChannel(one.to) || talks.mentionsMe(one));
  if (talk !== current || document.hidden) {
    talk.unread += others.length;
    talk.mentions += wanted.length;
    lists();
  }
  if (notifying && document.hidden) {
    for (const one of wanted.slice(-3)) new Notification(`${one.from} · ${talk.name}`, { body: one.text.slice(0, 200), tag: String(one.seq) });
  }
}

function send(said) {
  link.send({ type: "say", to: said.to, text: said.text, id: said.id });
}

function say(to, text) {
  const said = talks.say(to, text);
  if (talks.of({ from: talks.nick, to }) === current) view.showPending(said, talks);
  send(said);
}

function failed(said, error) {
  said.failed = inWords(error);
  view.showPending(said, talks, () => {
    said.failed = null;
    view.showPending(said, talks);
    send(said);
  });
}

// -- people

function askPeople() {
  people = new Map();
  total = 0;
  if (isChannel(current.name)) link.send({ type: "users", channel: current.name, limit: 500 });
  lists();
}

function come(nick, channel) {
  if (fold(channel) !== fold(current.name) || people.has(fold(nick))) return;
  people.set(fold(nick), nick);
  total++;
  view.notice(t("joined", nick));
  lists();
}

function leave(nick, words) {
  if (!people.delete(fold(nick))) return;
  total--;
  view.notice(words);
  lists();
}

function lists() {
  const all = [...talks.all.values()];
  const byName = (a, b) => fold(a.name).localeCompare(fold(b.name));
  view.fill("channels", all.filter(({ name }) => isChannel(name)).sort(byName), current, choose);
  view.fill("directs", all.filter(({ name }) => !isChannel(name)).sort(byName), current, choose);
  view.fill("people", [...people.values()].sort().map((name) => ({ name })), null, choose);
  $("people-count").textContent = total ? `(${total})` : "";
  const unread = all.reduce((sum, talk) => sum + talk.unread, 0);
  document.title = unread ? `(${unread}) ${current.name}` : current.name;
}

function show(talk) {
  current = talk;
  talk.unread = talk.mentions = 0;
  view.showTalk(talk, talks);
  $("leave").hidden = talk.name === LOBBY;
  $("older").hidden = !talk.more;
  askPeople();
  if (talk.messages.length < PAGE) askOlder();
}

function choose(name) {
  if (talks.isMe(name)) return;
  show(talks.open(name));
  openSide(false);
  $("text").focus();
}

// -- what comes

const handlers = {
  welcome,
  history,
  message: (event) => take(talks.of(event), [event]),
  ack({ id, seq }) {
    talks.pending.delete(id);
    view.markRecorded(seq);
    // Its message comes behind its ack, or came before.
    requestAnimationFrame(() => view.markRecorded(seq));
  },
  users(event) {
    if (fold(event.channel) !== fold(current.name)) return;
    for (const nick of event.users) people.set(fold(nick), nick);
    total = event.total;
    lists();
  },
  joined({ channel, nick }) {
    if (!talks.isMe(nick)) return come(nick, channel);
    talks.channels.add(fold(channel));
    const known = talks.all.has(fold(channel));
    const talk = talks.open(channel);
    if (known && talk.last) catchUp(talk);
    if (!known || talk === current) show(talk);
    else lists();
  },
  left({ channel, nick }) {
    if (talks.isMe(nick)) {
      talks.close(channel);
      if (fold(channel) === fold(current.name)) show(talks.open(LOBBY));
      else lists();
    } else if (fold(channel) === fold(current.name)) leave(nick, t("left", nick));
  },
  gone: ({ nick }) => leave(nick, t("gone", nick)),
  renamed({ nick, to }) {
    const mine = talks.isMe(nick);
    talks.rename(nick, to);
    if (people.delete(fold(nick))) people.set(fold(to), to);
    if (mine) {
      sessionStorage.setItem("me", JSON.stringify({ nick: to, token }));
      view.state(t("youAre", to));
    }
    view.notice(t("renamed", nick, to));
    lists();
  },
  error(event) {
    const said = talks.pending.get(event.id);
    if (said) return failed(said, event);
    if (asked[0]?.id === event.id) {
      const { talk } = asked.shift();
      talk.asked = talk.more = false;
      $("older").hidden = true;
      return;
    }
    if (event.code === "replaced") {
      link.stop();
      view.state(t("replaced"), true);
    } else if (["nick_taken", "nick_invalid", "auth_failed", "server_full", "bad_version"].includes(event.code) && !event.id) refused(event);
    else view.state(inWords(event), true);
  },
};

// -- what is typed and chosen

const commands = {
  join: (channel) => link.send({ type: "join", channel }),
  part: (channel) => link.send({ type: "part", channel: channel || current.name }),
  nick: (nick) => link.send({ type: "nick", nick, id: "nick" }),
  query: choose,
  tell(rest) {
    const [nick, ...words] = rest.split(" ");
    if (nick && words.length) say(nick, words.join(" "));
    lists();
  },
};
commands.msg = commands.tell;

function typed(text) {
  const [, name, rest] = /^\/([a-z]+)(?: +([^]*))?$/.exec(text) ?? [];
  if (!text.startsWith("/") || text.startsWith("//")) say(current.name, text.replace(/^\/\//, "/"));
  else if (name && Object.hasOwn(commands, name)) commands[name](rest ?? "");
  else view.state(t("unknownCommand", text.split(" ")[0]), true);
}

function openSide(open) {
  $("side").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

$("hello").onsubmit = (event) => {
  event.preventDefault();
  enter($("nick").value.trim(), $("password").value);
};
$("say").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text) typed(text);
  $("text").value = "";
};
$("text").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("say").requestSubmit();
};
$("join").onsubmit = (event) => {
  event.preventDefault();
  const name = $("channel").value.trim();
  commands.join(isChannel(name) ? name : `#${name}`);
  $("channel").value = "";
};
$("leave").onclick = () => {
  if (isChannel(current.name)) return commands.part(current.name);
  talks.close(current.name);
  show(talks.open(LOBBY));
};
$("menu").onclick = () => openSide(!$("side").classList.contains("open"));
$("scroll").onscroll = () => $("scroll").scrollTop < 200 && askOlder();
$("times").onclick = ({ target }) => {
  const hidden = document.body.classList.toggle("no-times");
  target.setAttribute("aria-pressed", String(!hidden));
};
$("record").onclick = ({ target }) => {
  target.setAttribute("aria-pressed", String(!recording));
  if (!recording) return void (recording = []);
  const file = document.createElement("a");
  file.href = URL.createObjectURL(new Blob([recording.map((one) => `${one}\n`).join("")], { type: "text/plain" }));
  file.download = `record_chat_${new Date().toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-")}.txt`;
  file.click();
  setTimeout(() => URL.revokeObjectURL(file.href), 10_000);
  recording = null;
};
$("notify").onclick = async ({ target }) => {
  notifying = !notifying && "Notification" in window && (await Notification.requestPermission()) === "granted";
  target.setAttribute("aria-pressed", String(notifying));
  if (!notifying && Notification?.permission === "denied") view.state(t("noNotify"), true);
};
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  current.unread = current.mentions = 0;
  lists();
});

translate();
const me = JSON.parse(sessionStorage.getItem("me"));
if (me) {
  token = me.token;
  enter(me.nick);
}
