// What outlives a reload of the page, in this tab: who one is, what was seen, and what waits to be recorded.

const KEY = "chat";

/** `null` where there is nothing, or nothing may be kept. */
export function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function save(state) {
  try {
    if (state) sessionStorage.setItem(KEY, JSON.stringify(state));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Not allowed, or full: the page goes on, and a reload asks for the name.
  }
}
