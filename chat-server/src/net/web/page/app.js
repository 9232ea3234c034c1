// Wires the page: what is typed and chosen goes to the chat, what changes there is shown once a frame.

import { Chat } from "./chat.js";
import * as colours from "./colours.js";
import { avatar, element, midnight, renameDays } from "./lines.js";
import { Log } from "./log.js";
import * as side from "./side.js";
import { LOBBY, isChannel } from "./talks.js";
import { isolated, plain } from "./text.js";
import * as tools from "./tools.js";
import { parse } from "./typed.js";
import { inWords, t, translate } from "./words.js";

const $ = (id) => document.getElementById(id);
/** In a tab that is hidden there are no frames. */
const HIDDEN_MS = 250;
/** How soon a new day is noticed. */
const DAY_MS = 5_000;

// -- what is shown

const dirty = new Set();
let due = false, toTell = [], newer = 0, today = midnight(Date.now());
/** The conversation whose draft stands in the entry. */
let inEntry = null;

function changed(...parts) {
  for (const part of parts) dirty.add(part);
  if (due) return;
  due = true;
  requestAnimationFrame(render);
  setTimeout(render, HIDDEN_MS);
}

const parts = {
  // First, as what is shown below has the colours of these people.
  people() {
    colours.among([...chat.crowd.people.keys()]);
    side.people(chat, choose);
  },
  talk() {
    for (const part of ["holes", "newer"]) dirty.delete(part);
    log.show(chat.current);
    if (inEntry !== chat.current) putDraft();
    newer = 0;
    for (const part of ["head", "older", "pending", "state"]) dirty.add(part);
  },
  holes: () => log.rebuild(),
  newer: () => log.append(),
  pending() {
    side.pending(chat, (said) => chat.sayAgain(said), edit);
    if (log.following) log.toEnd();
  },
  side: () => side.talks(chat, choose),
  head() {
    const { topic } = chat.current;
    $("title").replaceChildren(element("bdi", "", plain(chat.current.name)));
    $("topic").textContent = topic ? plain(topic) : "";
    $("topic").title = topic ?? "";
    $("leave").hidden = chat.current.name === LOBBY;
    $("text").setAttribute("aria-label", t("message", chat.current.name));
    $("text").placeholder = t("message", chat.current.name);
  },
  older() {
    $("older").textContent = chat.current.more ? t("older") : t("begins");
  },
  state() {
    const { nick } = chat.talks;
    $("server").textContent = chat.server;
    $("nick-now").textContent = plain(nick ?? "");
    $("face").replaceChildren(avatar(nick ?? "?"));
    $("state").textContent = chat.here ? t("connected") : t("connecting");
    $("me").classList.toggle("here", chat.here);
    if (chat.here) $("lost").replaceChildren();
    else if (!$("enter").hidden && chat.link.wanted) $("refused").textContent = t("lost");
    else if (!$("lost").childElementCount && chat.returning) away(t(navigator.onLine ? "lost" : "offline"), t("tryNow"), () => chat.link.now());
  },
  offered: () => $("offered").replaceChildren(...chat.offered.map((name) => Object.assign(element("option"), { value: name }))),
  told() {
    tools.tell(toTell);
    toTell = [];
  },
  below() {
    $("newer").hidden = log.following;
    $("newer").textContent = `↓ ${newer ? t("newerCount", newer) : t("newer")}`;
  },
};

function render() {
  if (!due) return;
  due = false;
  // In this order: what stands where is settled before what is counted.
  for (const part of Object.keys(parts)) if (dirty.delete(part)) parts[part]();
  newDay();
}

/** At midnight what was today becomes yesterday. */
function newDay() {
  if (today === midnight(Date.now())) return;
  today = midnight(Date.now());
  renameDays($("log"));
}

function away(words, offer, act) {
  const button = element("button", "", offer);
  button.onclick = act;
  $("lost").replaceChildren(element("span", "", words), button);
}

function showChat(shown) {
  $("enter").hidden = shown;
  $("chat").hidden = !shown;
}

// -- what the chat tells

const ui = {
  changed,
  sees: (talk) => talk === chat.current && !document.hidden,
  entered({ motd }, first) {
    const enters = $("chat").hidden;
    $("password").value = $("refused").textContent = "";
    showChat(true);
    $("lost").replaceChildren();
    if (first && motd) chat.current.notice(isolated(motd));
    changed("state", "offered");
    if (enters) $("text").focus();
  },
  refused(error) {
    showChat(false);
    $("secret").hidden &&= error.code !== "auth_failed";
    $("refused").textContent = inWords(error);
    $(error.code === "auth_failed" ? "password" : "nick").focus();
  },
  replaced() {
    away(t("replaced"), t("comeBack"), () => chat.link.start());
  },
  problem: (words) => void ($("problem").textContent = words),
  quit: () => location.reload(),
  gaveBack: (talk) => void (talk === inEntry && putDraft()),
  older(talk, older) {
    if (talk !== chat.current || dirty.has("talk") || dirty.has("holes")) return;
    log.prepend(older);
    changed("older");
  },
  noticed: (grown) => (grown ? log.refresh(grown) : changed("newer")),
  told(talk, fresh, others, wanted) {
    tools.record(fresh);
    tools.notify(talk, wanted, choose);
    if (talk !== chat.current) return;
    toTell.push(...others);
    if (!log.following) newer += others.length;
    changed("told", "below");
  },
};

const chat = new Chat(ui);
const log = new Log($("scroll"), $("log"), chat.talks, {
  askOlder: () => chat.askOlder(),
  fillHole: (talk, after) => chat.fillHole(talk, after),
  following(is) {
    if (is) newer = 0;
    changed("below");
  },
});

// -- what is typed and chosen

const commands = {
  help: () => ui.noticed(chat.current.notice(t("help"))),
  who() {
    const all = [...chat.crowd.people.values()].map(isolated).join(", ");
    ui.noticed(chat.current.notice(`${t("inChannel", chat.crowd.total)}: ${all}`));
  },
  time: tools.switchTimes,
  record: tools.switchRecording,
  quit: (reason) => chat.quit(reason),
  join: (channel) => chat.join(asChannel(channel)),
  part: (channel) => chat.part(channel ? asChannel(channel.split(" ")[0]) : chat.current.name),
  switch: (channel) => choose(asChannel(channel)),
  query: (nick) => choose(nick || LOBBY),
  nick: (nick) => chat.ask({ type: "nick", nick }),
  tell(rest) {
    // A text that begins on its own line keeps its indentation.
    const [, nick, text] = /^(\S+)(?:[^\S\n]*\n|\s+)([^]+)$/.exec(rest) ?? [];
    if (!nick) throw new Unfit(t("noName", "/tell"));
    chat.say(nick, text);
  },
  topic: (topic, typed) => chat.ask({ type: "topic", channel: chat.current.name, topic: topic === "-" ? "" : topic }, typed),
  kick(rest, typed) {
    const [, nick, reason] = /^(\S+)\s*([^]*)$/.exec(rest);
    const { name } = chat.current;
    chat.ask({ type: "kick", nick, reason: reason || undefined, channel: isChannel(name) && name !== LOBBY ? name : undefined }, typed);
  },
  register: () => askPassword("register", ["new"], (old, fresh) => ({ password: fresh })),
  password: () => askPassword("password", ["old", "new"], (old, fresh) => ({ old, new: fresh })),
  unregister: () => askPassword("unregister", ["old"], (old) => ({ password: old })),
};
const NEEDS_NAME = ["join", "kick", "nick", "switch", "tell", "topic"];
/** These work, or wait, without a connection. */
const WITHOUT_SERVER = ["help", "query", "quit", "record", "switch", "tell", "time", "who"];

/** Why a typed text stays where it is. */
class Unfit extends Error {}

const asChannel = (name) => (isChannel(name) ? name : `#${name}`);

function typed(text) {
  const { say, name, rest, unknown } = parse(text);
  if (unknown) throw new Unfit(t("noCommand", unknown));
  if (say !== undefined) {
    log.toEnd();
    return chat.say(chat.current.name, say);
  }
  if (!rest && NEEDS_NAME.includes(name)) throw new Unfit(t("noName", `/${name}`));
  if (!chat.here && !WITHOUT_SERVER.includes(name)) throw new Unfit(t("notNow"));
  commands[name](rest, text);
}

/** Does what the entry asks for. A text that is neither said nor a command stays in the entry. */
function submit() {
  keepDraft();
  // Another conversation has just come in place of the one that the text is for.
  if (inEntry !== chat.current) return putDraft();
  const field = $("text"), whole = field.value;
  $("problem").textContent = "";
  field.value = "";
  keepDraft();
  try {
    // Leading spaces belong to the text.
    if (whole.trim()) typed(whole.trimEnd());
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    field.value = whole;
    keepDraft();
    ui.problem(error.message);
  }
  grow();
}

/** Keeps what is typed with the conversation that it is for. */
function keepDraft() {
  inEntry ??= chat.current;
  inEntry.draft = $("text").value;
  chat.drafted();
}

/** Puts the draft of the conversation that is shown into the entry. */
function putDraft() {
  inEntry = chat.current;
  $("text").value = inEntry.draft;
  grow();
}

function askPassword(type, fields, request) {
  $("ask-title").textContent = `/${type}`;
  for (const field of ["old", "new"]) {
    $(`ask-${field}`).hidden = $(field).disabled = !fields.includes(field);
    $(field).required = fields.includes(field);
    $(field).value = "";
  }
  $("ask").onclose = () => {
    if ($("ask").returnValue === "yes") chat.ask({ type, ...request($("old").value, $("new").value) });
    $("old").value = $("new").value = "";
    $("text").focus();
  };
  $("ask").returnValue = "";
  $("ask").showModal();
}

function edit(said) {
  keepDraft();
  chat.takeBack(said);
  putDraft();
  $("text").focus();
  $("text").setSelectionRange(said.text.length, said.text.length);
}

function choose(name) {
  keepDraft();
  chat.choose(name);
  putDraft();
  openDrawer(null);
  // On a touch screen that would bring the keyboard over what was chosen.
  if (!matchMedia("(pointer: coarse)").matches) $("text").focus();
}

/** The text field is as high as its text, within bounds. */
function grow() {
  const field = $("text");
  field.style.height = "";
  field.style.height = `${field.scrollHeight + 2}px`;
}

/** On a narrow screen, what stands beside the messages comes over them. */
function openDrawer(id) {
  for (const [drawer, opener] of [["side", "menu"], ["crowd", "crowd-open"]]) {
    $(drawer).classList.toggle("open", drawer === id);
    $(opener).setAttribute("aria-expanded", String(drawer === id));
  }
  $("shade").classList.toggle("open", id !== null);
  if (id) $(id).querySelector("button").focus();
}

function neighbour(step) {
  const all = [...document.querySelectorAll("#side .entry")];
  const at = all.findIndex((one) => one.ariaCurrent === "page");
  choose(all[(at + step + all.length) % all.length].dataset.name);
}

$("hello").onsubmit = (event) => {
  event.preventDefault();
  $("refused").textContent = "";
  chat.enter($("nick").value.trim(), $("password").value);
};
$("say").onsubmit = (event) => {
  event.preventDefault();
  submit();
};
/** Whether a key is for the input method. Safari ends the composition before the key that ends it. */
const isComposing = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

$("text").onkeydown = (event) => {
  if (isComposing(event)) return;
  const page = { PageUp: -1, PageDown: 1 }[event.key];
  if (page) $("scroll").scrollBy({ top: page * 0.8 * $("scroll").clientHeight });
  else if (event.key !== "Enter" || event.shiftKey) return;
  else $("say").requestSubmit();
  event.preventDefault();
};
$("text").oninput = () => {
  keepDraft();
  $("problem").textContent = "";
  grow();
};
$("join").onsubmit = (event) => {
  event.preventDefault();
  chat.join(asChannel($("channel").value.trim()));
  // Without a connection it stays there.
  if (chat.here) $("channel").value = "";
};
$("channel").onfocus = () => chat.askChannels();
$("leave").onclick = () => chat.part(chat.current.name);
$("quit").onclick = () => chat.quit();
$("skip").onclick = () => $("text").focus();
$("newer").onclick = () => {
  log.toEnd();
  $("text").focus();
};
$("menu").onclick = () => openDrawer($("side").classList.contains("open") ? null : "side");
$("crowd-open").onclick = () => openDrawer($("crowd").classList.contains("open") ? null : "crowd");
$("shade").onclick = () => openDrawer(null);
$("times").onclick = tools.switchTimes;
$("record").onclick = tools.switchRecording;
$("notify").onclick = async () => {
  if (!(await tools.switchNotifying())) ui.problem(t("noNotify"));
};
addEventListener("keydown", (event) => {
  if (isComposing(event)) return;
  if (event.key === "Escape" && document.querySelector(".open")) {
    const opener = $("side").classList.contains("open") ? "menu" : "crowd-open";
    openDrawer(null);
    $(opener).focus();
  }
  const step = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  neighbour(step);
});
addEventListener("beforeunload", (event) => tools.isRecording() && event.preventDefault());
for (const change of ["online", "offline"]) addEventListener(change, () => {
  if (!chat.link.wanted) return;
  $("lost").replaceChildren();
  changed("state");
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  chat.seen();
  newDay();
});
setInterval(newDay, DAY_MS);

translate();
$("splash").remove();
const restored = chat.restore();
showChat(restored);
if (restored) changed("talk", "side", "state");
else $("nick").focus();
