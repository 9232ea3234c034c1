// What one can switch on for oneself: times, a recording, notifications.

import { element } from "./lines.js";
import { isolated, plain } from "./text.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const TOLD_MAX = 8, NOTIFIED_MAX = 3, EXCERPT = 200;

const press = (id, on) => $(id).setAttribute("aria-pressed", String(on));

export function switchTimes() {
  press("times", !document.body.classList.toggle("no-times"));
}

// -- a recording of what is seen, to be downloaded when it ends

let recording = null;

export const isRecording = () => recording !== null;

/** Messages as the client for terminals shows them. */
export function record(messages) {
  if (!recording) return;
  for (const { from, to, text } of messages) {
    const who = to.startsWith("#") ? from : `${from} -> ${to}`;
    recording.push(`${to.startsWith("#") && to !== "#lobby" ? `${to} ` : ""}[${who}]: ${plain(text).replaceAll("\n", "\n    ")}\n`);
  }
  $("record").textContent = t("recording", recording.length);
}

export function switchRecording() {
  press("record", !recording);
  if (!recording) {
    recording = [];
    return record([]);
  }
  const file = element("a");
  file.href = URL.createObjectURL(new Blob(recording, { type: "text/plain" }));
  file.download = `record_chat_${localTime(new Date())}.txt`;
  file.click();
  setTimeout(() => URL.revokeObjectURL(file.href), 10_000);
  recording = null;
  $("record").textContent = t("record");
}

/** `2026-11-23_18-50-00` */
function localTime(date) {
  const two = (number) => String(number).padStart(2, "0");
  const [day, time] = [[date.getMonth() + 1, date.getDate()], [date.getHours(), date.getMinutes(), date.getSeconds()]];
  return `${date.getFullYear()}-${day.map(two).join("-")}_${time.map(two).join("-")}`;
}

// -- notifications

let notifying = false;

/** Asks the browser only now, as it was asked for. Whether they are on, or the browser does not allow them. */
export async function switchNotifying() {
  const wanted = !notifying;
  notifying = wanted && "Notification" in window && (await Notification.requestPermission()) === "granted";
  press("notify", notifying);
  return notifying === wanted;
}

export function notify(talk, messages, choose) {
  if (!notifying || !document.hidden) return;
  for (const { from, text, seq } of messages.slice(-NOTIFIED_MAX)) {
    try {
      const told = new Notification(`${isolated(from)} · ${isolated(talk.name)}`, { body: plain(text).slice(0, EXCERPT), tag: String(seq), icon: "icon.svg" });
      told.onclick = () => {
        focus();
        choose(talk.name);
        told.close();
      };
    } catch {
      // Some phones allow them to service workers only; the title still counts.
    }
  }
}

// -- what a screen reader is told

/** New messages of the conversation that is shown; of very many their number. */
export function tell(messages) {
  const words = messages.length > TOLD_MAX ? [t("toldMany", messages.length)] : messages.map(({ from, text }) => `${plain(from)}: ${plain(text)}`);
  for (const one of words) $("told").append(element("p", "", one));
  while ($("told").childElementCount > TOLD_MAX) $("told").firstElementChild.remove();
}
