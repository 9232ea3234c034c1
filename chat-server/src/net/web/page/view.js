// What the page shows. Text from outside becomes text nodes and nothing else.

import { language, t } from "./words.js";

const $ = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "full" });

/** Messages that stay on the screen of a conversation that is read at its end. */
const SHOWN_MAX = 1_000, SHOWN_LESS = 500;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** What could turn the direction of the text around it, or hide, is shown as its code. */
function plain(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

function line(message, talks) {
  const item = element("li", talks.isMe(message.from) ? "mine" : "");
  const time = element("time", "", clock.format(new Date(message.time)));
  time.dateTime = message.time;
  item.dataset.seq = message.seq;
  item.dataset.day = new Date(message.time).toDateString();
  item.append(time, element("span", "from", message.from), document.createTextNode(plain(message.text)));
  if (talks.mentionsMe(message)) item.classList.add("mention");
  return item;
}

function separator(message) {
  const date = new Date(message.time);
  const today = date.toDateString() === new Date().toDateString();
  const item = element("li", "day", today ? t("today") : day.format(date));
  item.dataset.separates = date.toDateString();
  return item;
}

/** Lines with a separator before each new day. */
function lines(messages, talks, before) {
  const all = document.createDocumentFragment();
  for (const message of messages) {
    const made = line(message, talks);
    if (made.dataset.day !== before) all.append(separator(message));
    before = made.dataset.day;
    all.append(made);
  }
  return all;
}

function lastDay() {
  const all = $("log").querySelectorAll("[data-seq]");
  return all.item(all.length - 1)?.dataset.day;
}

export function atEnd() {
  const box = $("scroll");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

export function toEnd() { $("scroll").scrollTop = $("scroll").scrollHeight; }

/** Shows a conversation from scratch, its newest messages. */
export function showTalk(talk, talks) {
  // A screen reader is told what comes, not all that was there.
  $("log").setAttribute("aria-live", "off");
  $("log").replaceChildren(lines(talk.messages, talks));
  $("title").textContent = talk.name;
  for (const said of talks.pending.values()) if (talks.of({ from: talks.nick, to: said.to }) === talk) showPending(said, talks);
  toEnd();
  requestAnimationFrame(() => $("log").setAttribute("aria-live", "polite"));
}

/** Appends messages that are newer than all that are shown. */
export function append(messages, talk, talks) {
  const follow = atEnd();
  const first = $("log").querySelector("[data-pending]");
  for (const { id, from } of messages) if (id && talks.isMe(from)) $("log").querySelector(`[data-pending="${CSS.escape(id)}"]`)?.remove();
  const made = lines(messages, talks, lastDay());
  first?.isConnected ? first.before(made) : $("log").append(made);
  if (follow) {
    trim(talk);
    toEnd();
  }
}

function trim(talk) {
  const log = $("log");
  if (log.childElementCount <= SHOWN_MAX) return;
  while (log.childElementCount > SHOWN_LESS) log.firstElementChild.remove();
  const seq = Number(log.querySelector("[data-seq]")?.dataset.seq ?? Infinity);
  talk.messages = talk.messages.filter((message) => message.seq >= seq);
  talk.more = true;
}

/** Puts older messages before all that are shown; what one looks at stays where it is. */
export function prepend(messages, talks) {
  if (!messages.length) return;
  const [box, log] = [$("scroll"), $("log")];
  const below = box.scrollHeight - box.scrollTop;
  const made = lines(messages, talks);
  if (log.firstElementChild?.dataset.separates === new Date(messages.at(-1).time).toDateString()) log.firstElementChild.remove();
  log.setAttribute("aria-live", "off");
  log.prepend(made);
  box.scrollTop = box.scrollHeight - below;
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
}

/** What was said and is not recorded: waiting, or failed with a way to try again. */
export function showPending(said, talks, retry) {
  const shown = $("log").querySelector(`[data-pending="${CSS.escape(said.id)}"]`);
  const item = element("li", said.failed ? "mine failed" : "mine waiting");
  item.dataset.pending = said.id;
  const mark = element("span", "mark", said.failed ? t("failed", said.failed) : `… ${t("waiting")}`);
  item.append(element("span", "from", talks.nick), document.createTextNode(plain(said.text)), mark);
  if (said.failed && retry) {
    const again = element("button", "", t("again"));
    again.onclick = retry;
    item.append(" ", again);
  }
  shown ? shown.replaceWith(item) : $("log").append(item);
  toEnd();
}

/** Marks an own message as recorded. */
export function markRecorded(seq) {
  const item = $("log").querySelector(`[data-seq="${seq}"]`);
  if (!item || item.querySelector(".mark")) return;
  const mark = element("span", "mark", "✓");
  mark.setAttribute("aria-label", t("recorded"));
  mark.setAttribute("role", "img");
  item.append(mark);
}

export function notice(text) {
  const follow = atEnd();
  $("log").append(element("li", "notice", text));
  if (follow) toEnd();
}

function entry({ name, unread = 0, mentions = 0 }, current, choose) {
  const item = element("li");
  const button = element("button");
  button.append(element("span", "name", name));
  if (unread) {
    const badge = element("span", "unread", mentions ? `@ ${unread}` : `${unread}`);
    badge.setAttribute("aria-label", `${unread} ${t("unread")}`);
    badge.setAttribute("role", "img");
    button.append(badge);
  }
  if (current) button.setAttribute("aria-current", "true");
  button.onclick = () => choose(name);
  item.append(button);
  return item;
}

/** Fills a list of the side, and leaves the focus where it was. */
export function fill(id, entries, current, choose) {
  const list = $(id);
  const focused = list.contains(document.activeElement) ? document.activeElement.querySelector(".name").textContent : null;
  list.replaceChildren(...entries.map((one) => entry(one, one === current, choose)));
  if (focused !== null) [...list.querySelectorAll("button")].find((b) => b.querySelector(".name").textContent === focused)?.focus();
}

export function state(text, bad = false) {
  $("state").textContent = text;
  $("state").classList.toggle("bad", bad);
}
