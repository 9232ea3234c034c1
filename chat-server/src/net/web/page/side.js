// What stands beside the messages: channels, direct conversations, people, and what waits below them.

import { fold } from "./fold.js";
import { avatar, element, named, recordedMark } from "./lines.js";
import { isChannel } from "./talks.js";
import { isolated, plain } from "./text.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const byName = (a, b) => fold(a.name).localeCompare(fold(b.name));

/** Channels and direct conversations, each with what is unread and what of it is for me. */
export function talks({ talks: { all, channels }, current }, choose) {
  const every = [...all.values()];
  const isIn = ({ name }) => isChannel(name) && (channels.has(fold(name)) || name === current.name);
  fill($("channels"), every.filter(isIn).sort(byName).map((talk) => entry(talk, current, choose)));
  fill($("directs"), every.filter(({ name }) => !isChannel(name)).sort(byName).map((talk) => entry(talk, current, choose)));
  $("directs-title").hidden = !$("directs").childElementCount;
  const unread = every.reduce((sum, talk) => sum + talk.unread, 0);
  const mentions = every.reduce((sum, talk) => sum + talk.mentions, 0);
  document.title = `${mentions ? "@ " : ""}${unread ? `(${unread}) ` : ""}${isolated(current.name)}`;
  $("menu").classList.toggle("unread", unread > 0);
}

function entry(talk, current, choose) {
  const button = element("button", "entry");
  button.dataset.name = talk.name;
  const channel = isChannel(talk.name);
  button.append(channel ? element("span", "hash", "#") : avatar(talk.name));
  button.append(element("bdi", "name", plain(channel ? talk.name.slice(1) : talk.name)));
  if (talk.mentions) button.append(badge("mentions", `@${talk.mentions}`, t("mentions", talk.mentions)));
  if (talk.unread > talk.mentions) button.append(badge("count", talk.unread - talk.mentions, t("unread", talk.unread - talk.mentions)));
  if (talk === current) button.setAttribute("aria-current", "page");
  button.onclick = () => choose(talk.name);
  return element("li", "", button);
}

function badge(className, text, label) {
  const made = element("span", className, text);
  made.role = "img";
  made.ariaLabel = label;
  return made;
}

/** Who is in the channel that is shown. */
export function people({ crowd, talks }, choose) {
  const all = [...crowd.people.values()].sort((a, b) => fold(a).localeCompare(fold(b)));
  const entries = all.map((nick) => {
    const mine = talks.isMe(nick);
    const made = element(mine ? "span" : "button", "entry", avatar(nick), element("bdi", "name", plain(nick)));
    made.dataset.name = nick;
    if (mine) made.append(element("span", "dim", t("you")));
    else made.onclick = () => choose(nick);
    return element("li", "", made);
  });
  if (crowd.total > all.length && all.length) entries.push(element("li", "dim more", t("andMore", crowd.total - all.length)));
  fill($("people"), entries);
  $("people-count").textContent = crowd.total || "";
  $("about").textContent = crowd.total ? t("inChannel", crowd.total) : "";
}

/** Fills a list, and leaves the focus on the entry where it was. */
function fill(list, entries) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  list.replaceChildren(...entries);
  if (focused) list.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

/** What was said here and has not come as a message yet: waiting, recorded, or failed with ways to go on. */
export function pending(chat, again, edit) {
  const list = $("pending");
  const before = new Map([...list.children].map((item) => [item.dataset.pending, item]));
  const here = [...chat.talks.pending.values()].filter(({ to }) => fold(to) === fold(chat.current.name));
  const items = here.map((said) => {
    const state = `${said.failed ?? ""} ${said.seq ?? ""}`;
    const old = before.get(said.id);
    return old?.dataset.state === state ? old : waiting(said, state, again, edit);
  });
  // Those that stay are not touched: one of them may have the focus.
  for (const item of before.values()) if (!items.includes(item)) item.remove();
  items.forEach((item, at) => list.children[at] === item || list.insertBefore(item, list.children[at] ?? null));
}

function waiting(said, state, again, edit) {
  const text = element("p", "text", plain(said.text));
  text.dir = "auto";
  const item = element("li", `line head mine ${said.failed ? "failed" : "waiting"}`, avatar(said.nick), named(said.nick), text);
  Object.assign(item.dataset, { pending: said.id, state });
  if (said.failed) {
    const [retry, change] = [element("button", "", t("again")), element("button", "", t("edit"))];
    retry.onclick = () => again(said);
    change.onclick = () => edit(said);
    item.append(element("p", "why", element("span", "mark", `${t("failed")}: ${said.failed}`), retry, change));
  } else text.append(said.seq ? recordedMark() : element("span", "mark", `… ${t("waiting")}`));
  return item;
}
