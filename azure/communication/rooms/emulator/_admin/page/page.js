// Reads the emulator's data once a second and shows it. Data enters the page as text, never as HTML.

const INTERVAL = 1000;
const ANNOUNCEMENT_INTERVAL = 15000;
const STATES = ["upcoming", "open", "ended"];
const [MINUTE, HOUR, DAY] = [60e3, 3600e3, 86400e3];
const TICKS = [[30 * MINUTE, "30 min"], [DAY, "1 d", "minor"], [30 * DAY, "1 mo"]];
const EFFECTS = { "drop-before": { drop: "before" }, "drop-after": { drop: "after" }, truncate: { truncate: true } };

const byId = (id) => document.getElementById(id);
const view = { state: "", search: "", sort: "", page: 1, errors: "", path: "" };
let rooms = new Map();
let calls = new Map();
let etag = "";
let clockOffset = 0;
let nextOpening = null;
let isPaused = false;
let timer = 0;
let request = new AbortController();
let announcedAt = 0;
let announced = "";

function element(name, className, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

const fromTemplate = (id) => byId(id).content.firstElementChild.cloneNode(true);

// A node that moves loses keyboard focus, so this moves only those that must.
function setChildren(parent, nodes) {
  for (const node of [...parent.children]) {
    if (nodes.includes(node)) continue;
    if (node.contains(document.activeElement)) parent.closest("section").focus();
    node.remove();
  }
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function copyButton(text, label) {
  const button = fromTemplate("copy");
  button.hidden = !navigator.clipboard; // browsers have none on http, except for this machine's addresses
  button.setAttribute("aria-label", `Copy ${label}`);
  button.title = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 2000);
    announce("Copied", true);
  });
  return button;
}

// Times

const now = () => Date.now() + clockOffset;
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const requestTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const fullTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const relativeTime = new Intl.RelativeTimeFormat("en");

const yearOf = (time) => new Date(time).getFullYear();

function dayOf(time, withYear) {
  const options = { day: "numeric", month: "short", year: withYear ? "numeric" : undefined };
  return new Intl.DateTimeFormat("en-GB", options).format(time);
}

function lifetimeText({ from, until }) {
  const start = dayOf(from, yearOf(from) !== yearOf(until));
  const end = dayOf(until, yearOf(from) !== yearOf(now()) || yearOf(until) !== yearOf(now()));
  if (until - from >= 7 * DAY) return `${start} – ${end}`;
  const [opening, closing] = [clockTime.format(from), clockTime.format(until)];
  if (dayOf(from, true) === dayOf(until, true)) return `${end}, ${opening} – ${closing}`;
  return `${start}, ${opening} – ${end}, ${closing}`;
}

function distanceText(distance) {
  const units = [["day", DAY], ["hour", HOUR], ["minute", MINUTE], ["second", 1000]];
  const [unit, length] = units.find(([, length]) => Math.abs(distance) >= length) ?? units[3];
  return relativeTime.format(Math.trunc(distance / length), unit);
}

function relativeText(room) {
  if (room.state === "upcoming") return `opens ${distanceText(room.from - now())}`;
  return `${room.state === "open" ? "ends" : "ended"} ${distanceText(room.until - now())}`;
}

// The timeline is logarithmic in both directions from now, to show both half an hour and half a year.
function percent(time) {
  const distance = time - now();
  const scaled = Math.log1p(Math.abs(distance) / 5000) / Math.log1p((240 * DAY) / 5000);
  return 50 + 50 * Math.sign(distance) * Math.min(scaled, 1);
}

function addTicks(node, withLabels) {
  const ticks = TICKS.flatMap(([distance, label, className]) =>
    [[-distance, `${label} ago`, className], [distance, `in ${label}`, className]]);
  for (const [distance, label, className] of [...ticks, [0, "now", "now"]]) {
    const tick = element("span", className, withLabels ? label : "");
    tick.style.left = `${percent(now() + distance)}%`;
    node.prepend(tick);
  }
}

// Rooms

function newRoom(id) {
  const body = fromTemplate("room");
  const find = (selector) => body.querySelector(selector);
  const entry = { body, find, details: find(".details"), toggle: find(".participants button"), items: new Map() };
  addTicks(find(".track"), false);
  find(".mono").textContent = id;
  find(".mono").after(copyButton(() => id, `room ID ${id}`));
  entry.details.id = `participants-${id}`;
  entry.toggle.setAttribute("aria-controls", entry.details.id);
  entry.toggle.addEventListener("click", () => {
    entry.details.hidden = !entry.details.hidden;
    entry.toggle.setAttribute("aria-expanded", String(!entry.details.hidden));
  });
  find(".delete button").setAttribute("aria-label", `Delete room ${id}`);
  find(".delete button").addEventListener("click", () =>
    confirmThen(`Delete room ${id}?`, "Delete", () => act("DELETE", `rooms/${id}`, undefined, "Room deleted.")));
  return entry;
}

function newParticipant(rawId, role) {
  const copy = copyButton(() => rawId, `raw ID ${rawId}`);
  return element("li", "", element("span", "role", role), element("span", "raw-id mono", rawId), copy);
}

function showRoom(entry, room) {
  const { find, details, toggle } = entry;
  entry.room = { ...room, from: Date.parse(room.validFrom), until: Date.parse(room.validUntil) };
  find(".badge").className = `badge ${room.state}`;
  setText(find(".badge"), room.state);
  find(".dial-out").hidden = !room.pstnDialOutEnabled;
  setText(find(".dates"), lifetimeText(entry.room));
  find(".dates").title = `${room.validFrom} – ${room.validUntil}`;
  find(".bar").className = `bar ${room.state}`;
  const count = room.participants.length;
  find(".none").hidden = count > 0;
  toggle.hidden = count === 0;
  details.hidden ||= count === 0;
  toggle.setAttribute("aria-expanded", String(!details.hidden));
  setText(toggle, `${count}${room.hasMoreParticipants ? "+" : ""}`);
  toggle.setAttribute("aria-label", `${toggle.textContent} participant${count === 1 ? "" : "s"} of room ${room.id}`);
  entry.items = new Map(room.participants.map(({ rawId, role }) =>
    [rawId + role, entry.items.get(rawId + role) ?? newParticipant(rawId, role)]));
  const more = room.hasMoreParticipants ? [element("li", "none", `Only the first ${count} are shown.`)] : [];
  setChildren(find("ul"), [...entry.items.values(), ...more]);
}

function showTimes() {
  setText(byId("clock"), fullTime.format(now()));
  byId("clock").dateTime = new Date(now()).toISOString();
  const isAhead = clockOffset > 5000; // a smaller offset is latency
  setText(byId("ahead"), isAhead ? `${distanceText(clockOffset + 1000).replace("in ", "")} ahead` : "real time");
  for (const { room, find } of rooms.values()) {
    setText(find(".lifetime .note"), relativeText(room));
    find(".bar").style.left = `${percent(room.from)}%`;
    find(".bar").style.width = `${percent(room.until) - percent(room.from)}%`;
  }
}

function showRooms(data) {
  rooms = new Map(data.rooms.map((room) => [room.id, rooms.get(room.id) ?? newRoom(room.id)]));
  for (const room of data.rooms) showRoom(rooms.get(room.id), room);
  const table = byId("room-table");
  setChildren(table, [table.tHead, ...Array.from(rooms.values(), ({ body }) => body)]);
  const total = STATES.reduce((sum, state) => sum + data.counts[state], 0);
  for (const button of byId("states").children) {
    const { state } = button.dataset;
    setText(button.querySelector(".count"), (state ? data.counts[state] : total).toLocaleString("en"));
  }
  table.hidden = data.rooms.length === 0;
  byId("no-rooms").hidden = data.rooms.length > 0;
  const isFiltered = total > 0 || view.search !== "";
  setText(byId("no-rooms"), isFiltered ? "No rooms match." : "Rooms appear here when a program creates them.");
  view.page = data.page;
  byId("pages").hidden = data.pages === 1;
  // A disabled button would lose keyboard focus.
  byId("previous").setAttribute("aria-disabled", String(data.page === 1));
  byId("next").setAttribute("aria-disabled", String(data.page === data.pages));
  setText(byId("page-position"), `Page ${data.page.toLocaleString("en")} of ${data.pages.toLocaleString("en")}`);
  const counts = STATES.map((state) => `${data.counts[state]} ${state}`).join(", ");
  return `${total} ${total === 1 ? "room" : "rooms"}${view.search ? " found" : ""}: ${counts}`;
}

// Requests and faults

function statusNode(status) {
  const kind = /^[123]/.test(status) ? "success" : status === "waiting" ? "" : "failure";
  return element("span", `status ${kind}`, status);
}

function outcome({ fault, reason }) {
  const nodes = [];
  if (fault) nodes.push(element("p", "fault", fault));
  if (reason) nodes.push(element("p", "reason", reason));
  return nodes;
}

function attemptNode(attempt, start) {
  const seconds = (Date.parse(attempt.receivedAt) - start) / 1000;
  const after = element("span", "after", `+${seconds.toFixed(2)} s`);
  return element("li", "", statusNode(attempt.status), after, element("div", "", ...outcome(attempt)));
}

function bodyText(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // it is not JSON, or it is cut off
  }
}

function newCall() {
  const nodes = { summary: element("summary"), opened: element("dl", "opened"), outcome: element("div", "outcome") };
  nodes.opened.tabIndex = 0; // because it scrolls
  const item = element("li", "", element("details", "", nodes.summary, nodes.opened), nodes.outcome);
  return { item, nodes };
}

function showCall(entry, call) {
  const key = JSON.stringify(call);
  if (entry.key === key) return;
  entry.key = key;
  const { nodes } = entry;
  const [first] = call.attempts;
  const last = call.attempts.at(-1);
  const target = element("span", "target mono", `${call.method} `);
  for (const part of call.path.split(/(?=\/)/)) target.append(element("wbr"), part);
  const time = element("time", "", requestTime.format(Date.parse(last.receivedAt)));
  time.dateTime = last.receivedAt;
  nodes.summary.replaceChildren(statusNode(last.status), target, time);
  const duration = call.duration && `${(call.duration * 1000).toFixed(1)} ms`;
  const entries = [["created", call.createdId], ["duration", duration], ["response", bodyText(call.response)],
    ["query", call.query], ["request", bodyText(call.body)], ...Object.entries(call.headers)];
  nodes.opened.replaceChildren(...entries.filter(([, value]) => value).flatMap(([name, value]) =>
    [element("dt", "", name), element("dd", "mono", value)]));
  if (call.createdId) nodes.opened.querySelector("dd").append(copyButton(() => call.createdId, `ID ${call.createdId}`));
  nodes.outcome.replaceChildren();
  if (call.attempts.length === 1) {
    nodes.outcome.append(...outcome(first));
  } else {
    const retries = call.attempts.length - 1;
    nodes.outcome.append(element("p", "note", `${retries} ${retries === 1 ? "retry" : "retries"}`));
    const attempts = call.attempts.map((attempt) => attemptNode(attempt, Date.parse(first.receivedAt)));
    nodes.outcome.append(element("ol", "attempts", ...attempts));
  }
}

function showRequests(data) {
  calls = new Map(data.calls.map((call) => [call.id, calls.get(call.id) ?? newCall()]));
  for (const call of data.calls) showCall(calls.get(call.id), call);
  setChildren(byId("calls"), Array.from(calls.values(), ({ item }) => item));
  byId("no-calls").hidden = data.calls.length > 0;
  setText(byId("no-calls"), view.errors || view.path ? "No requests match." : "No requests yet.");
  setText(byId("fault-count"), `${data.pendingFaults.length}`);
  byId("clear-faults").hidden = data.pendingFaults.length === 0;
  byId("fault-list").replaceChildren(...data.pendingFaults.map(({ text, target }) =>
    element("li", "", element("span", "mono", target), element("span", "fault", text))));
}

// Connection

function announce(text, isUrgent) {
  if (!isUrgent && (text === announced || Date.now() - announcedAt < ANNOUNCEMENT_INTERVAL)) return;
  announced = text;
  announcedAt = Date.now();
  byId("announcement").textContent = text;
}

function showConnection(state, text) {
  const node = byId("connection");
  const before = node.dataset.state;
  node.dataset.state = state;
  setText(node, text);
  if (state === "lost" || before === "lost") announce(text, state !== before);
}

async function load(signal) {
  const headers = etag ? { "If-None-Match": etag } : {};
  try {
    const path = `/_emulator/data?${new URLSearchParams(view)}`;
    const response = await fetch(path, { headers, signal, cache: "no-store" });
    return { response, text: await response.text() };
  } catch {
    return null;
  }
}

function show({ response, text }, isUserAction) {
  clockOffset = Date.parse(response.headers.get("Emulator-Time")) - Date.now();
  if (isPaused) showConnection("paused", "Paused");
  else showConnection("live", "Live");
  if (response.status === 200) {
    const data = JSON.parse(text);
    etag = response.headers.get("ETag");
    setText(byId("connection-string"), data.connectionString);
    setText(byId("exports"), data.exports);
    nextOpening = Date.parse(data.nextOpening);
    byId("next-opening").setAttribute("aria-disabled", String(!data.nextOpening));
    const summary = showRooms(data);
    showRequests(data);
    announce(summary, isUserAction);
  }
  showTimes();
}

async function poll(isUserAction = false) {
  clearTimeout(timer);
  request.abort();
  request = new AbortController();
  const { signal } = request;
  const loaded = await load(signal);
  if (signal.aborted) return; // a newer poll has taken over
  if (!isPaused && !document.hidden) timer = setTimeout(poll, INTERVAL);
  if (!loaded) showConnection("lost", "The emulator is not responding");
  else if (![200, 304].includes(loaded.response.status)) showConnection("lost", errorText(loaded.text));
  else show(loaded, isUserAction);
}

function change(values) {
  Object.assign(view, values);
  etag = "";
  poll(true);
}

// Actions

function errorText(text) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text;
  }
}

function showError(text) {
  setText(byId("error").firstElementChild, text);
  byId("error").hidden = !text;
}

async function act(method, path, body, done) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  try {
    const response = await fetch(`/_emulator/${path}`, { method, headers, body: JSON.stringify(body) });
    showError(response.ok ? "" : errorText(await response.text()));
    if (response.ok) announce(done, true);
  } catch {
    showError("The emulator is not responding.");
  }
  poll();
}

function confirmThen(question, verb, action) {
  const dialog = byId("confirm");
  setText(byId("question"), question);
  setText(byId("confirmed"), verb);
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue && action();
  dialog.showModal();
}

function inject(event) {
  event.preventDefault();
  const fault = { ...EFFECTS[byId("effect").value] };
  for (const control of byId("fault").elements) {
    if (!control.name || !control.value || control.closest("[hidden]")) continue;
    fault[control.name] = control.type === "number" ? Number(control.value) : control.value;
  }
  act("POST", "faults", fault, "Fault injected.");
}

function advance(seconds) {
  act("POST", "clock", { delta: seconds }, "The clock has moved.");
}

function listen(id, type, action) {
  byId(id).addEventListener(type, action);
}

function showFields() {
  for (const field of document.querySelectorAll("[data-for]")) {
    field.hidden = !field.dataset.for.split(" ").includes(byId("effect").value);
  }
}

function showTab() {
  for (const link of document.querySelectorAll(".tabs a")) {
    link.setAttribute("aria-current", String(link.hash === (location.hash || "#rooms")));
  }
}

addTicks(byId("axis"), true);
showFields();
showTab();
addEventListener("hashchange", showTab);
for (const [id, label] of [["connection-string", "the connection string"], ["exports", "the lines"]]) {
  byId(id).previousElementSibling.append(copyButton(() => byId(id).textContent, label));
}
listen("states", "click", (event) => {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  for (const button of byId("states").children) button.setAttribute("aria-pressed", String(button === pressed));
  change({ state: pressed.dataset.state, page: 1 });
});
listen("sort", "change", () => change({ sort: byId("sort").value, page: 1 }));
listen("search", "input", () => change({ search: byId("search").value.trim(), page: 1 }));
listen("path", "input", () => change({ path: byId("path").value.trim() }));
listen("errors", "click", () => {
  change({ errors: view.errors ? "" : "1" });
  byId("errors").setAttribute("aria-pressed", String(Boolean(view.errors)));
});
for (const [id, step] of [["previous", -1], ["next", 1]]) {
  listen(id, "click", () => {
    if (byId(id).getAttribute("aria-disabled") === "false") change({ page: view.page + step });
  });
}
listen("pause", "click", () => {
  isPaused = !isPaused;
  setText(byId("pause"), isPaused ? "Resume" : "Pause");
  if (isPaused) {
    clearTimeout(timer);
    request.abort();
    showConnection("paused", "Paused");
  } else {
    poll();
  }
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => advance(Number(button.dataset.advance)));
}
listen("next-opening", "click", () => {
  if (nextOpening) advance(Math.max(nextOpening - now() + 1, 0) / 1000);
});
listen("reset", "click", () =>
  confirmThen("Remove all rooms, requests and faults, and set the clock to the real time?", "Reset", () =>
    act("POST", "reset", {}, "The emulator was reset.")));
listen("effect", "change", showFields);
listen("fault", "submit", inject);
listen("clear-faults", "click", () => {
  byId("faults").focus(); // because the button disappears
  act("DELETE", "faults", undefined, "All faults were removed.");
});
byId("error").querySelector("button").addEventListener("click", () => showError(""));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isPaused) poll();
});
poll();
