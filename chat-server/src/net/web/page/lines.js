// Entries of a conversation as elements. Text from outside becomes text nodes and nothing else.

import { fold } from "./talks.js";
import { language, t } from "./words.js";

const COLOURS = 8;
/** One's next message stands under the same name if it comes so soon. */
const TOGETHER_MS = 5 * 60_000;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "full" });

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** What could turn the direction of the text around it, or hide, is shown as its code. */
export function plain(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

/** The class of somebody's colour. */
export function colour(nick) {
  let hash = 7;
  for (const c of fold(nick)) hash = (hash * 31 + c.codePointAt(0)) % 65_521;
  return `c${hash % COLOURS}`;
}

/** The first letter of a name on its colour. */
export function avatar(nick) {
  const made = element("span", `avatar ${colour(nick)}`, String.fromCodePoint(nick.codePointAt(0)).toUpperCase());
  made.setAttribute("aria-hidden", "true");
  return made;
}

export function named(nick) {
  const made = element("bdi", `from ${colour(nick)}`, plain(nick));
  return made;
}

const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);

function dayInWords(time) {
  const days = Math.round((midnight(Date.now()) - midnight(time)) / 86_400_000);
  return days === 0 ? t("today") : days === 1 ? t("yesterday") : day.format(new Date(time));
}

function timeOf(message) {
  const date = new Date(message.time);
  const made = element("time", "", clock.format(date));
  made.dateTime = message.time;
  made.title = moment.format(date);
  return made;
}

/** A message; its name stands above it unless it goes on what the one before began. */
export function line(message, before, talks) {
  const mine = talks.isMe(message.from);
  const goesOn = before && !before.notices && before.from === message.from
    && new Date(message.time) - new Date(before.time) < TOGETHER_MS && midnight(message.time) === midnight(before.time);
  const item = element("li", `line${goesOn ? "" : " head"}${mine ? " mine" : ""}${message.named ? " named" : ""}`);
  item.dataset.seq = message.seq;
  const text = element("p", "text");
  text.dir = "auto";
  if (goesOn) text.append(element("span", "sr", `${plain(message.from)}: `));
  else item.append(avatar(message.from), named(message.from));
  text.append(plain(message.text));
  if (mine) text.append(recordedMark());
  item.append(timeOf(message), text);
  return item;
}

export function recordedMark() {
  const mark = element("span", "mark", "✓");
  mark.role = "img";
  mark.ariaLabel = t("recorded");
  return mark;
}

function notices(entry) {
  const item = element("li", "notice", entry.notices.map(plain).join(" · "));
  item.dir = "auto";
  return item;
}

function separator(className, text) {
  return element("li", `rule ${className}`, element("span", "", text));
}

/** An entry with what stands around it: a new day before it, a way to what is missing behind it. */
export function lines(entry, before, talk, talks, fillHole) {
  const all = [];
  if (!before || midnight(before.time) !== midnight(entry.time)) all.push(separator("day", dayInWords(entry.time)));
  if (entry.notices) return [...all, notices(entry)];
  if (before && talk.readTo !== undefined && before.seq <= talk.readTo && entry.seq > talk.readTo) all.push(separator("fresh", t("fresh")));
  all.push(line(entry, all.length ? undefined : before, talks));
  if (talk.holes.has(entry.seq)) {
    const button = element("button", "", t("hole"));
    button.onclick = () => {
      button.disabled = true;
      fillHole(talk, entry.seq);
    };
    all.push(element("li", "hole", button));
  }
  return all;
}
