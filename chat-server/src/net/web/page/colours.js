// Gives each nick a colour, so that people in one channel differ for as long as there are colours.

import { fold } from "./fold.js";

const KEY = "colours", COLOURS = 32, KEPT_MAX = 2_000;
/** Has no common divisor with `COLOURS`: the next colours that are tried differ in hue. */
const STEP = 13;

const given = new Map(load()); // Folded nick -> number of the colour.
let present = []; // Folded nicks of the channel that is shown.

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function save() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...given]));
  } catch {
    // Not allowed, or full: after a reload colours may differ.
  }
}
addEventListener("pagehide", save);

/** Sets the people among whom new nicks get a colour of their own. */
export function among(folded) {
  present = folded;
}

function preferred(key) {
  let hash = 7;
  for (const c of key) hash = (hash * 31 + c.codePointAt(0)) % 65_521;
  return hash % COLOURS;
}

/** Returns the colour that is used least: first by those who are present, then by all. */
function choose(key) {
  const uses = new Array(COLOURS).fill(0);
  for (const number of given.values()) uses[number]++;
  for (const other of present) if (given.has(other)) uses[given.get(other)] += KEPT_MAX + 1;
  let best = preferred(key);
  for (let at = best, tried = 1; tried < COLOURS; tried++) {
    at = (at + STEP) % COLOURS;
    if (uses[at] < uses[best]) best = at;
  }
  return best;
}

/** Returns the class of a nick's colour; it stays the same for this tab. */
export function colour(nick) {
  const key = fold(nick);
  if (!given.has(key)) {
    if (given.size >= KEPT_MAX) given.delete(given.keys().next().value);
    given.set(key, choose(key));
  }
  return `c${given.get(key)}`;
}
