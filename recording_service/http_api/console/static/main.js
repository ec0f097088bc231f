// Puts the page together: what is live, what is shown, what is open.

import { note, say, tellChange } from "./announcements.js";
import { ask, Failure } from "./api.js";
import { byId, setText } from "./dom.js";
import { Filters } from "./filters.js";
import { List } from "./list.js";
import { Live } from "./live.js";
import { wordsOf } from "./marking.js";
import { Panel } from "./panel.js";
import { Searching } from "./searching.js";
import { Session } from "./session.js";
import { bindShortcuts } from "./shortcuts.js";
import { keyOf, Store } from "./store.js";
import { bindTheme } from "./theme.js";
import { callOf, stateOf, timeOfDay } from "./words.js";

/** How many recordings are looked at when the page opens, and how many more "Show older" brings. */
const SNAPSHOT = 200;
const PAGE = 100;
/** How many are kept of a list that grows all day; more if somebody has asked for older ones. */
const KEPT = 500;
/** The largest page that the service gives. */
const LARGEST_PAGE = 1000;
const TAB_STATES = {
  all: "",
  waiting: "RECORDING_STATE_QUEUED,RECORDING_STATE_DOWNLOADING",
  ready: "RECORDING_STATE_READY",
  failed: "RECORDING_STATE_FAILED",
};

const store = new Store();
/** Of each tab: where its older pages go on. `undefined`: not asked yet; empty: nothing older. */
let pages = {};
let kept = KEPT;
let isComplete = false;
let connection = { name: "connecting" };
/** When the list was last known to be right, in milliseconds. */
let rightUntil;
let drawing = false;

const session = new Session(() => {
  openStream();
  panel.resume();
});
const searching = new Searching({
  load: loading,
  looked: showSought,
  refused: (failure) => {
    filters.words = "";
    search();
    const [wrong] = failure.fields.filter(({ field }) => field === "words");
    filters.complain(wrong ? `What is looked for ${wrong.description}.` : failure.message);
  },
});
/** What is shown while words are looked for. */
const { found } = searching;
const filters = new Filters({ tab: showTab, sids: startAnew, words: search, find: (sid) => void find(sid) });
const list = new List({
  open: (recording, { byKey }) => open(recording, { focusPanel: byKey }),
  play: (recording) => open(recording, { play: true }),
  retry: (recording) => {
    open(recording);
    void panel.retry(recording);
  },
});
const panel = new Panel({
  // What is open need not be in the list: another filter may be set.
  changed: (recording) => {
    found.update(recording);
    if (store.get(keyOf(recording))) take(recording);
    else panel.update(recording);
  },
  gone: (recording) => {
    remove(recording);
    // It isn't there for whoever looks now: somebody else may have signed in.
    if (panel.recording) panel.close();
  },
  signedOut,
  closed: (recording) => {
    list.select(undefined);
    remember();
    list.focus(keyOf(recording));
  },
  filter: (name, sid) => filters.add(name, sid),
  soughtIn: (recording) => {
    const match = found.matchOf(recording);
    return match ? wordsOf(match) : [];
  },
});
const live = new Live({
  state: showConnection,
  signedOut,
  begin: () => store.beginSnapshot(),
  recording: (recording) => (recording.matches ? take(recording) : remove(recording)),
  complete: () => {
    store.endSnapshot();
    isComplete = true;
    kept = KEPT;
    pages = store.number < SNAPSHOT ? { all: "", waiting: "", ready: "", failed: "" } : {};
    draw();
    void fillTab();
    searching.again();
    if (panel.recording && !store.get(keyOf(panel.recording))) void panel.refresh();
  },
});

// What is live

function openStream() {
  live.open({ snapshot_size: SNAPSHOT, ...filters.query });
}

/** Other calls or accounts: another list. */
function startAnew() {
  isComplete = false;
  store.clear();
  pages = {};
  search();
  openStream();
}

function signedOut() {
  live.close();
  showConnection({ name: "signed-out" });
  session.ended();
}

function take(recording) {
  const before = store.take(recording);
  searching.take(recording, before);
  if (isComplete && before && before.state !== recording.state) tellChange(recording);
  panel.update(store.get(keyOf(recording)));
  if (isComplete && store.number > kept + PAGE) {
    store.keepNewest(kept);
    pages = {};
  }
  draw();
}

function remove(recording) {
  store.remove(keyOf(recording));
  found.remove(keyOf(recording));
  if (panel.recording && keyOf(panel.recording) === keyOf(recording) && recording.state === "RECORDING_STATE_DELETED") {
    panel.close();
    note("The recording that was open has been deleted.");
  }
  draw();
}

const CONNECTION_WORDS = {
  connecting: "Connecting…",
  reconnecting: "Connecting again…",
  live: "Live",
  lost: "Connection lost",
  refused: "Not allowed",
  "signed-out": "Signed out",
};

function showConnection(state) {
  if (connection.name === "live" && state.name !== "live") rightUntil = Date.now();
  if (state.name === "live") rightUntil = undefined;
  connection = state;
  byId("connection").dataset.state = state.name;
  setText(byId("connection-words"), CONNECTION_WORDS[state.name]);
  byId("connection-now").hidden = state.name !== "lost";
  document.title = state.name === "lost" ? "(connection lost) Recordings" : "Recordings";
  const banner = byId("banner");
  banner.hidden = !["lost", "refused", "signed-out"].includes(state.name) && !(state.name === "reconnecting" && !banner.hidden);
  if (!banner.hidden && state.name !== "reconnecting") {
    const since = rightUntil ? ` The list is as it was at ${timeOfDay(rightUntil)}.` : "";
    setText(banner, `${state.words ?? "Nobody is signed in."}${since}`);
  }
  document.body.classList.toggle("is-stale", !["live", "connecting"].includes(state.name) && rightUntil !== undefined);
  drawWait();
  draw();
}

function drawWait() {
  const seconds = connection.name === "lost" ? Math.max(1, Math.ceil((connection.until - Date.now()) / 1000)) : 0;
  setText(byId("connection-wait"), seconds ? `again in ${seconds} s` : "");
}

// What is shown

/** At most once a frame: hundreds of changes may come together. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawNow();
  });
}

function drawNow() {
  const shown = shownStore().list(filters.tab);
  list.show(shown, (recording) => (filters.words ? found.matchOf(recording) : undefined));
  drawCounts();
  const waitsForFirst = !isListed() && !shownStore().number;
  byId("skeleton").hidden = !waitsForFirst || Boolean(searching.failure) || ["refused", "signed-out"].includes(connection.name);
  byId("empty").hidden = !(isListed() || searching.failure) || shown.length > 0 || (isLoading() && !filters.words);
  setText(byId("empty-words"), emptyWords());
  byId("empty-clear").hidden = filters.isEmpty && filters.tab === "all";
  byId("older").hidden = !isListed() || !hasOlder(filters.tab);
  setText(byId("older-words"), isListed() && shown.length && !hasOlder(filters.tab) ? "That is all." : "");
}

function shownStore() {
  return filters.words ? found.store : store;
}

/** Whether it is known what belongs into the list. */
function isListed() {
  return filters.words ? found.isKnown : isComplete;
}

function drawCounts() {
  const counts = shownStore().counts();
  for (const [tab, count] of Object.entries(counts)) {
    const more = isListed() && hasOlder(tab);
    const element = byId(`count-${tab}`);
    setText(element, isListed() ? `${count}${more ? "+" : ""}` : "");
    element.title = more ? "Of those that are loaded here; there may be older ones" : "";
  }
}

function emptyWords() {
  if (searching.failure) return `${searching.failure} It is tried again.`;
  if (filters.words) return "Nobody says that, in any recording that has a transcript.";
  if (!filters.isEmpty) return "No recording matches.";
  const words = { waiting: "Nothing is waiting.", ready: "No recording is ready.", failed: "Nothing has failed." };
  return words[filters.tab] ?? "No recordings yet. Each appears here as soon as Twilio reports it.";
}

function showTab() {
  remember();
  draw();
  void fillTab();
}

function hasOlder(tab) {
  return filters.words ? found.hasMore : pages.all !== "" && pages[tab] !== "";
}

let loads = 0;

function isLoading() {
  return loads > 0;
}

/** A tab of states has older recordings than the newest of all: the first page of its own. */
async function fillTab() {
  const { tab } = filters;
  if (!filters.words && isComplete && hasOlder(tab) && pages[tab] === undefined && tab !== "all") await loadOlder();
}

async function loadOlder() {
  const { tab } = filters;
  const known = pages;
  await loading(async () => {
    // The first page begins with what is here already.
    const size = pages[tab] === undefined ? Math.min(store.list(tab).length + PAGE, LARGEST_PAGE) : PAGE;
    const query = { ...filters.query, states: TAB_STATES[tab], page_size: size, page_token: pages[tab] };
    const page = await ask("recordings", { query });
    // The filters may have changed meanwhile, or the list begun anew.
    if (known !== pages) return;
    pages[tab] = page.next_page_token;
    for (const recording of page.recordings) store.take(recording);
    kept = Math.max(KEPT, store.number);
  });
}

/** Asks the service for recordings, and says what the matter is where there are none to be had. */
async function loading(load, failed = (failure) => note(failure.message)) {
  const button = byId("older");
  loads += 1;
  button.disabled = true;
  try {
    await load();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.status === 401) signedOut();
    else failed(failure);
  } finally {
    loads -= 1;
    button.disabled = false;
    draw();
  }
}

// What is looked for

/** Other words, or none. */
function search() {
  searching.begin(filters.words ? { words: filters.words, ...filters.query } : undefined);
  remember();
  draw();
  void fillTab();
  showSought();
}

/** In what is open, too. */
function showSought() {
  if (panel.recording) panel.update(panel.recording);
}

// What is open

function open(recording, { play = false, focusPanel = false } = {}) {
  panel.open(recording, { play });
  list.select(keyOf(recording));
  list.reveal(keyOf(recording));
  remember();
  say(`Opened: ${callOf(recording)}, ${stateOf(recording).word.toLowerCase()}.`);
  if (focusPanel) byId(stateOf(recording).key === "ready" ? "play" : "panel-title").focus();
}

function move(step) {
  const recording = list.neighbour(step);
  if (!recording) return;
  open(recording);
  list.focus(keyOf(recording));
}

/** Opens a recording that may be older than what is listed. */
async function find(recordingSid) {
  try {
    const recording = await ask(`recordings/${recordingSid}`);
    open(recording);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.status === 401) signedOut();
    else filters.complain(failure.message);
  }
}

// What the address remembers: reloading and sharing it bring the same back

function remember() {
  const parts = new URLSearchParams();
  if (filters.tab !== "all") parts.set("state", filters.tab);
  if (filters.words) parts.set("words", filters.words);
  for (const [name, value] of Object.entries(filters.query)) if (value) parts.set(name, value);
  if (panel.recording) parts.set("recording", panel.recording.recording_sid);
  history.replaceState(null, "", parts.size ? `#${parts}` : location.pathname + location.search);
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  filters.tab = parts.get("state") ?? "all";
  filters.words = parts.get("words") ?? "";
  for (const name of Object.keys(filters.query)) {
    for (const sid of (parts.get(name) ?? "").split(",")) filters.put(name, sid);
  }
  const recordingSid = parts.get("recording") ?? "";
  return /^RE[0-9a-fA-F]{32}$/.test(recordingSid) ? recordingSid : "";
}

// An address that was pasted, or the browser's Back: everything anew.
addEventListener("hashchange", () => location.reload());
// Not by the address, which has something else to remember.
for (const link of document.querySelectorAll(".skip")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    byId(link.hash.slice(1)).focus();
  });
}

// The beginning

bindTheme();
bindShortcuts({
  j: () => move(1),
  k: () => move(-1),
  " ": () => panel.player.isLoaded && panel.player.toggle(),
  ArrowLeft: () => panel.player.isLoaded && panel.player.skip(-10),
  ArrowRight: () => panel.player.isLoaded && panel.player.skip(10),
  m: () => panel.player.isLoaded && panel.player.toggleMute(),
  "/": () => filters.focus(),
  Escape: () => panel.close(),
});
byId("older").addEventListener("click", () => (filters.words ? searching.more() : void loadOlder()));
byId("connection-now").addEventListener("click", () => live.retryNow());
setInterval(() => {
  drawWait();
  list.tick();
  panel.tick();
}, 1000);

async function begin() {
  const recordingSid = recall();
  try {
    if (!(await session.begin())) {
      showConnection({ name: "signed-out" });
      return;
    }
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    // Whether there are sessions will be seen when the stream is open.
  }
  if (filters.words) search();
  openStream();
  if (recordingSid) await find(recordingSid);
}

draw();
await begin();
