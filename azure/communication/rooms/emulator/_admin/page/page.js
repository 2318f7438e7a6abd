// Reads the emulator's data once a second and shows it. Data enters the page as text, never as HTML.

const INTERVAL = 1000;
const ANNOUNCEMENT_INTERVAL = 15000;
const STATES = ["upcoming", "open", "ended"];
const [MINUTE, HOUR, DAY] = [60e3, 3600e3, 86400e3];
const TICKS = [[HOUR, "1 h"], [DAY, "1 d"], [7 * DAY, "1 wk"], [30 * DAY, "1 mo"], [180 * DAY, "6 mo"]];

const byId = (id) => document.getElementById(id);
const view = { state: "", search: "", page: 1 };
let rooms = new Map();
let calls = new Map();
let etag = "";
let clockOffset = 0;
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

// A node that moves loses keyboard focus, so this moves only those that must.
function setChildren(parent, nodes) {
  for (const node of [...parent.children]) if (!nodes.includes(node)) node.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
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
  if (dayOf(from, true) === dayOf(until, true)) return `${end}, ${clockTime.format(from)} – ${clockTime.format(until)}`;
  return `${start}, ${clockTime.format(from)} – ${end}, ${clockTime.format(until)}`;
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
  const scaled = Math.log1p(Math.abs(distance) / (5 * MINUTE)) / Math.log1p((240 * DAY) / (5 * MINUTE));
  return 50 + 50 * Math.sign(distance) * Math.min(scaled, 1);
}

function addTicks(node, withLabels) {
  for (const [distance, label] of TICKS) {
    for (const sign of [-1, 1]) {
      const tick = element("span", label === "1 wk" || label === "1 mo" ? "minor" : label === "1 h" ? "hour" : "", withLabels ? label : "");
      tick.style.left = `${percent(now() + sign * distance)}%`;
      node.append(tick);
    }
  }
  const middle = element("span", "now", withLabels ? "now" : "");
  middle.style.left = "50%";
  node.append(middle);
}

// Rooms

function newCell(name, ...children) {
  const cell = element("td", name, ...children);
  cell.setAttribute("role", "cell");
  return cell;
}

function newRow(...cells) {
  const row = element("tr", "", ...cells);
  row.setAttribute("role", "row");
  return row;
}

function newRoom(id) {
  const nodes = {
    badge: element("span"),
    dialOut: element("span", "note", "phone dial-out"),
    lifetime: element("span"),
    relative: element("span", "note"),
    bar: element("span", "bar"),
    count: element("span"),
    word: element("span", "word"),
    none: element("span", "none", "none"),
    list: element("ul"),
  };
  nodes.toggle = element("button", "", nodes.count, nodes.word);
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  addTicks(track, false);
  track.append(nodes.bar);
  const idCell = element("th", "id", id, nodes.dialOut);
  idCell.setAttribute("role", "rowheader");
  idCell.scope = "row";
  const detailsCell = newCell("", nodes.list);
  detailsCell.colSpan = 5;
  const details = newRow(detailsCell);
  details.className = "details";
  details.id = `participants-${id}`;
  details.hidden = true;
  nodes.toggle.type = "button";
  nodes.toggle.setAttribute("aria-controls", details.id);
  nodes.toggle.setAttribute("aria-expanded", "false");
  nodes.toggle.addEventListener("click", () => {
    details.hidden = !details.hidden;
    nodes.toggle.setAttribute("aria-expanded", String(!details.hidden));
  });
  const body = element("tbody", "", newRow(
    idCell,
    newCell("state", nodes.badge),
    newCell("lifetime", nodes.lifetime, nodes.relative),
    newCell("timeline", track),
    newCell("participants", nodes.toggle, nodes.none),
  ), details);
  body.setAttribute("role", "rowgroup");
  return { body, nodes, details };
}

function showRoom(entry, room) {
  const { nodes } = entry;
  entry.room = { ...room, from: Date.parse(room.validFrom), until: Date.parse(room.validUntil) };
  nodes.badge.className = `badge ${room.state}`;
  setText(nodes.badge, room.state);
  nodes.dialOut.hidden = !room.pstnDialOutEnabled;
  setText(nodes.lifetime, lifetimeText(entry.room));
  nodes.lifetime.title = `${room.validFrom} – ${room.validUntil}`;
  nodes.bar.className = `bar ${room.state}`;
  const count = room.participants.length;
  nodes.none.hidden = count > 0;
  nodes.toggle.hidden = count === 0;
  if (count === 0) {
    entry.details.hidden = true;
    nodes.toggle.setAttribute("aria-expanded", "false");
  }
  setText(nodes.count, `${count}${room.hasMoreParticipants ? "+" : ""}`);
  setText(nodes.word, count === 1 ? "participant" : "participants");
  nodes.toggle.setAttribute("aria-label", `${nodes.count.textContent} ${nodes.word.textContent} of room ${room.id}`);
  const key = JSON.stringify(room.participants) + room.hasMoreParticipants;
  if (entry.participants !== key) {
    entry.participants = key;
    nodes.list.replaceChildren(...room.participants.map(({ rawId, role }) =>
      element("li", "", element("span", "role", role), element("span", "raw-id mono", rawId))));
    if (room.hasMoreParticipants) nodes.list.append(element("li", "none", `Only the first ${count} are shown.`));
  }
}

function showTimes() {
  const time = byId("clock");
  setText(time, fullTime.format(now()));
  time.dateTime = new Date(now()).toISOString();
  const isAhead = clockOffset > 5000; // a smaller offset is latency
  for (const node of document.querySelectorAll(".ahead")) node.hidden = !isAhead;
  setText(byId("ahead"), distanceText(clockOffset + 1000).replace("in ", ""));
  for (const { room, nodes } of rooms.values()) {
    setText(nodes.relative, relativeText(room));
    nodes.bar.style.left = `${percent(room.from)}%`;
    nodes.bar.style.width = `${percent(room.until) - percent(room.from)}%`;
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
  byId("no-rooms").hidden = total > 0 || view.search !== "";
  byId("key-is-public").hidden = !data.connectionString;
  byId("key-is-secret").hidden = Boolean(data.connectionString);
  setText(byId("connection-string"), data.connectionString ?? "");
  byId("no-matches").hidden = data.rooms.length > 0 || !byId("no-rooms").hidden;
  view.page = data.page;
  byId("pages").hidden = data.pages === 1;
  // A disabled button would lose keyboard focus.
  byId("previous").setAttribute("aria-disabled", String(data.page === 1));
  byId("next").setAttribute("aria-disabled", String(data.page === data.pages));
  setText(byId("page-position"), `Page ${data.page.toLocaleString("en")} of ${data.pages.toLocaleString("en")}`);
  const counts = STATES.map((state) => `${data.counts[state]} ${state}`).join(", ");
  return `${total} ${total === 1 ? "room" : "rooms"}${view.search ? " found" : ""}: ${counts}`;
}

// Requests

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
  const nodes = { summary: element("summary"), sent: element("dl", "sent"), outcome: element("div", "outcome") };
  const item = element("li", "", element("details", "", nodes.summary, nodes.sent), nodes.outcome);
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
  const sent = [["query", call.query], ["body", bodyText(call.body)], ...Object.entries(call.headers)];
  nodes.sent.replaceChildren(...sent.filter(([, value]) => value).flatMap(([name, value]) =>
    [element("dt", "", name), element("dd", "mono", value)]));
  nodes.outcome.replaceChildren();
  if (call.attemptCount === 1) {
    nodes.outcome.append(...outcome(first));
  } else {
    const retries = call.attemptCount - 1;
    nodes.outcome.append(element("p", "retries", `${retries} ${retries === 1 ? "retry" : "retries"}`));
    if (call.attemptCount > call.attempts.length) nodes.outcome.append(`The last ${call.attempts.length} attempts:`);
    const attempts = call.attempts.map((attempt) => attemptNode(attempt, Date.parse(first.receivedAt)));
    nodes.outcome.append(element("ol", "attempts", ...attempts));
  }
}

function showRequests(data) {
  calls = new Map(data.calls.map((call) => [call.id, calls.get(call.id) ?? newCall()]));
  for (const call of data.calls) showCall(calls.get(call.id), call);
  setChildren(byId("calls"), Array.from(calls.values(), ({ item }) => item));
  byId("no-calls").hidden = data.calls.length > 0;
  byId("faults").hidden = data.pendingFaults.length === 0;
  setText(byId("fault-count"), `${data.pendingFaults.length}`);
  byId("fault-list").replaceChildren(...data.pendingFaults.map(({ text, target, times }) =>
    element("li", "", element("span", "mono", target), element("span", "fault", `${text}, ${times} left`))));
}

// Connection

function announce(text, isUrgent) {
  if (text === announced || (!isUrgent && Date.now() - announcedAt < ANNOUNCEMENT_INTERVAL)) return;
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
    const response = await fetch(`/_emulator/data?${new URLSearchParams(view)}`, { headers, signal, cache: "no-store" });
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
  else if (![200, 304].includes(loaded.response.status)) showConnection("lost", loaded.text);
  else show(loaded, isUserAction);
}

function change(values) {
  Object.assign(view, values);
  etag = "";
  poll(true);
}

addTicks(byId("axis"), true);
setText(byId("address"), location.origin);
byId("states").addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  for (const button of byId("states").children) button.setAttribute("aria-pressed", String(button === pressed));
  change({ state: pressed.dataset.state, page: 1 });
});
byId("search").addEventListener("input", () => change({ search: byId("search").value.trim(), page: 1 }));
for (const [id, step] of [["previous", -1], ["next", 1]]) {
  byId(id).addEventListener("click", () => {
    if (byId(id).getAttribute("aria-disabled") === "false") change({ page: view.page + step });
  });
}
byId("pause").addEventListener("click", () => {
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
byId("copy").hidden = !navigator.clipboard; // browsers have none on http, except for this machine's addresses
byId("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(byId("connection-string").textContent);
  setText(byId("copy"), "Copied");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isPaused) poll();
});
poll();
