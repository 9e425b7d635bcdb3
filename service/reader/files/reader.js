// What a script adds to pages that are complete without it: times as readers say them, names of countries and
// languages, what a key shows beyond the open data, and an open story as it changes.
"use strict";

const KEY = "parallax-key";
const AWAY = "The service cannot answer at the moment.";
const WELL_FORMED = /^plx_[0-9A-Za-z]{36}$/;
const AGES = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const regions = new Intl.DisplayNames("en", { type: "region", fallback: "code" });
const languages = new Intl.DisplayNames("en", { type: "language", fallback: "code" });

function since(time) {
  const seconds = (time - Date.now()) / 1000;
  const [unit, size] = AGES.find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", 60];
  return Math.abs(seconds) < 60 ? "just now" : ago.format(Math.trunc(seconds / size), unit);
}

function named(names, code) {
  try {
    return names.of(code);
  } catch {
    return code; // a code of no form that a browser knows
  }
}

function say(root) {
  for (const each of root.querySelectorAll("time[data-time]")) {
    const time = new Date(each.dateTime);
    if (!isNaN(time)) {
      each.textContent = since(time);
      each.title = whole.format(time);
    }
  }
  for (const each of root.querySelectorAll("[data-country]")) each.textContent = named(regions, each.dataset.country);
  for (const each of root.querySelectorAll("[data-language]")) each.textContent = named(languages, each.dataset.language);
}

function tell(text, link) {
  const news = document.getElementById("news");
  news.textContent = text;
  if (link) {
    const a = document.createElement("a");
    a.href = link.href;
    a.textContent = link.text;
    news.append(" ", a);
    return;
  }
  setTimeout(() => news.textContent === text && (news.textContent = ""), 6000);
}

// Where storage is forbidden, a key holds for this page.
let key = null;
function readKey() {
  try {
    key = sessionStorage.getItem(KEY);
  } catch { /* as without */ }
}
function keep(value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch { /* it holds for this page */ }
}

// Fails where there is none at the moment: what is shown is better than nothing.
async function fetchPage() {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch(location.pathname + location.search, { headers, cache: key ? "no-store" : "no-cache" });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = page.querySelector("main");
  if (!main || response.status === 429 || response.status >= 500) throw new Error(`status ${response.status}`);
  return { status: response.status, main, title: page.title };
}

// What has the focus goes on having it, where it is still there.
function withFocus(change) {
  const before = document.activeElement;
  change();
  if (before?.isConnected || !before || before === document.body) return;
  const href = before.getAttribute("href");
  const again = (before.id && document.getElementById(before.id))
    || (href && document.querySelector(`main a[href="${CSS.escape(href)}"]`));
  (again || document.getElementById("content")).focus({ preventScroll: true });
}

function openDetails(from, to) {
  const open = [...from.querySelectorAll("details")].map((each) => each.open);
  to.querySelectorAll("details").forEach((each, at) => (each.open = Boolean(open[at])));
}

// As they came, by id: what a page holds now has times in other words.
const asSent = new Map();
function remember(main) {
  for (const each of main.querySelectorAll("[data-live]")) asSent.set(each.id, each.outerHTML);
}

function showParts(main) {
  let changed = false;
  withFocus(() => {
    for (const part of main.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (!old || asSent.get(part.id) === part.outerHTML) continue;
      asSent.set(part.id, part.outerHTML);
      openDetails(old, part);
      say(part);
      offer(part);
      old.replaceWith(part);
      changed = true;
    }
  });
  return changed;
}

function showAll(page) {
  const main = document.getElementById("content");
  withFocus(() => {
    openDetails(main, page.main);
    remember(page.main);
    say(page.main);
    offer(page.main);
    for (const name of ["watch", "slug"]) {
      if (page.main.dataset[name]) main.dataset[name] = page.main.dataset[name];
    }
    main.replaceChildren(...page.main.childNodes);
  });
  document.title = page.title;
}

// A key: in this tab alone, and sent in a header.
function offer(root) {
  for (const each of root.querySelectorAll("[data-key-open]")) {
    each.hidden = false;
    each.textContent = key ? "Your key" : "Use a key";
  }
}

async function useKey(value, dialog) {
  const problem = dialog.querySelector(".problem");
  if (!WELL_FORMED.test(value)) {
    problem.textContent = "A key is plx_ and 36 letters and digits.";
    return;
  }
  const before = key;
  key = value;
  const page = await fetchPage().catch(() => null);
  if (!page || page.status === 401) {
    key = before;
    problem.textContent = page ? "This key is not accepted." : AWAY;
    return;
  }
  keep(value);
  showAll(page);
  offer(document);
  dialog.close();
  tell("This page now shows what your key includes.");
}

function prepareKey() {
  const dialog = document.getElementById("key");
  const field = document.getElementById("key-value");
  offer(document);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-key-open]")) return;
    dialog.querySelector(".problem").textContent = field.value = "";
    dialog.querySelector("[data-key-forget]").hidden = !key;
    dialog.showModal();
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    const choice = event.submitter?.value ?? "use";
    if (choice === "use") {
      event.preventDefault();
      void useKey(field.value.trim(), dialog);
    } else if (choice === "forget") {
      keep(null);
      location.reload();
    }
  });
}

// An open story: each change has the page asked for again, and what differs is put in its place. A page with what is
// related in it may be two seconds old, and what is older is given once more while it is made anew.
const UNTIL_IT_DIFFERS = [0, 2500, 800, 3000];
const ONCE_MADE_ANEW = [0, 800];
const REST = 5000; // between two changes: asking has its price
let stream = null;
let asking = false;
let again = false;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function refresh(waits) {
  again = true;
  if (asking) return;
  asking = true;
  while (again) {
    again = false;
    for (const wait of waits) {
      await pause(wait);
      if (await isNews()) break;
    }
    await pause(REST);
  }
  asking = false;
}

async function isNews() {
  const page = await fetchPage().catch(() => null); // away: it is asked for again
  if (page?.status === 404) {
    tell("This story is no longer here.");
    return true;
  }
  const changed = page?.status === 200 && showParts(page.main);
  if (changed) tell("This story has just been updated.");
  return changed;
}

function heard(event) {
  const main = document.getElementById("content");
  const change = JSON.parse(event.data).data?.storyChanged;
  if (!change) return;
  if (change.kind === "MERGED" && change.story && change.story.slug !== main.dataset.slug) {
    const href = `${document.body.dataset.root}/stories/${encodeURIComponent(change.story.slug)}`;
    tell("This story went into another:", { href, text: "read it there" });
  } else if (change.kind === "REMOVED") {
    tell("This story is no longer here.");
  } else {
    void refresh(UNTIL_IT_DIFFERS);
  }
}

// Only while it is looked at: a browser has few connections to a host.
function watch(after) {
  const { watch } = document.getElementById("content").dataset;
  if (!watch || stream || document.hidden) return;
  stream = new EventSource(watch);
  stream.addEventListener("next", heard);
  stream.addEventListener("complete", unwatch);
  if (after) void refresh(ONCE_MADE_ANEW);
}
function unwatch() {
  stream?.close();
  stream = null;
}

readKey();
remember(document);
say(document);
prepareKey();
if (key) {
  fetchPage().then((page) => {
    if (page.status === 401) {
      keep(null);
      offer(document);
      tell("Your key is no longer accepted.");
    } else showAll(page);
  }, () => tell(AWAY));
}
watch(false);
document.addEventListener("visibilitychange", () => (document.hidden ? unwatch() : watch(true)));
addEventListener("pagehide", unwatch);
addEventListener("pageshow", (event) => event.persisted && watch(true));
setInterval(() => say(document), 60000);
