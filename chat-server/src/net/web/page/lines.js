// Entries of a conversation as elements. Text from outside becomes text nodes and nothing else.

import { colour } from "./colours.js";
import { plain } from "./text.js";
import { dayInWords, momentInWords, t, timeInWords } from "./words.js";

/** One's next message stands under the same name if it comes so soon. */
const TOGETHER_MS = 5 * 60_000;

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
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

/** The beginning of a day of the reader; some days have 23 or 25 hours, and some no midnight. */
export const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);

function dayName(time) {
  const days = Math.round((midnight(Date.now()) - midnight(time)) / 86_400_000);
  return days === 0 ? t("today") : days === 1 ? t("yesterday") : dayInWords(new Date(time));
}

function dayRule(time) {
  const made = separator("day", dayName(time));
  made.dataset.time = time;
  return made;
}

/** Names the days anew, as today has become yesterday. */
export function renameDays(list) {
  for (const rule of list.querySelectorAll(".rule.day")) rule.firstChild.textContent = dayName(rule.dataset.time);
}

function timeOf(message, short) {
  const date = new Date(message.time);
  const made = element("time", "", timeInWords(date, short));
  made.dateTime = message.time;
  made.title = momentInWords(date);
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
  // Outside of the text, whose direction is its own.
  if (goesOn) item.append(element("bdi", "sr", `${plain(message.from)}: `));
  else item.append(avatar(message.from), named(message.from));
  text.append(plain(message.text));
  if (mine) text.append(recordedMark());
  item.append(timeOf(message, goesOn), text);
  return item;
}

export function recordedMark() {
  const mark = element("span", "mark", "✓");
  mark.role = "img";
  mark.ariaLabel = t("recorded");
  return mark;
}

function notices(entry) {
  return element("li", "notice", entry.notices.join(" · "));
}

function separator(className, text) {
  return element("li", `rule ${className}`, element("span", "", text));
}

/** An entry with what stands around it: a new day before it, a way to what is missing behind it. */
export function lines(entry, before, talk, talks, fillHole) {
  const all = [];
  if (!before || midnight(before.time) !== midnight(entry.time)) all.push(dayRule(entry.time));
  if (entry.notices) return [...all, notices(entry)];
  const isFirstUnread = entry.seq > talk.readTo && !(before?.seq > talk.readTo);
  if (isFirstUnread) all.push(separator("fresh", t("fresh")));
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
