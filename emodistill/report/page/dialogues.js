// The dialogue browser. All text of dialogues and scenarios goes in as text, never as markup.
"use strict";
(() => {
const PAGE = 20;   // dialogues listed at once
const CACHED = 6;  // chunks kept unpacked
const data = JSON.parse(document.getElementById("index").textContent);
const [SCENARIO, ROLLOUT, STATUS, AGREED, SAVINGS, RETURN, MESSAGES] = [0, 1, 2, 3, 4, 5, 6];
const $ = (id) => document.getElementById(id);

// An element: attributes, then children; a string child is text.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const number = (value, digits = 1) => value === null || value === undefined ? "–" : value.toFixed(digits);
const signed = (value) => (value >= 0 ? "+" : "−") + Math.abs(value).toFixed(2);
const amount = (value, unit) => value === null ? "–" : `${+value.toFixed(1)} ${unit}`;

// Chunks

const unpacked = new Map();  // the latest used last

async function chunk(cell, k) {
  const id = `chunk-${cell}-${k}`;
  const known = unpacked.get(id) ?? unpack(id);
  unpacked.delete(id);
  unpacked.set(id, known);
  if (unpacked.size > CACHED) unpacked.delete(unpacked.keys().next().value);
  return known;
}

function unpack(id) {
  const bytes = Uint8Array.from(atob($(id).textContent), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

async function dialogueAt(cell, row) {
  const starts = data.cells[cell].chunks;
  let k = starts.length - 1;
  while (starts[k] > row) k -= 1;
  const { texts, figures } = await chunk(cell, k);
  return { ...figures[row - starts[k]], texts: texts[row - starts[k]] };
}

// The list

const form = $("filters");
const state = { rows: [], page: 0, open: null };
const chosenCell = () => Number(form.elements.cell.value);
const scenarioOf = (row) => data.scenarios[row[SCENARIO]];

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => make("option", { value }, text)));
}

function offerScenarios() {
  const select = form.elements.scenario;
  const before = select.value;
  const counts = new Map();
  for (const row of data.cells[chosenCell()].rows) counts.set(row[SCENARIO], (counts.get(row[SCENARIO]) ?? 0) + 1);
  const found = [...counts.keys()].sort((a, b) => a - b);
  options(select, [["", `all ${found.length}`], ...found.map((s) => [s, `${data.scenarios[s].id} (${counts.get(s)})`])]);
  if (before !== "" && counts.has(Number(before))) select.value = before;
}

function filter() {
  const cell = data.cells[chosenCell()];
  const { scenario, outcome, order } = form.elements;
  const kept = [];
  cell.rows.forEach((row, k) => {
    if (scenario.value !== "" && row[SCENARIO] !== Number(scenario.value)) return;
    if (outcome.value !== "" && row[STATUS] !== Number(outcome.value)) return;
    kept.push(k);
  });
  const key = { high: (r) => -(r[SAVINGS] ?? 0), low: (r) => r[SAVINGS] ?? 0, long: (r) => -r[MESSAGES] }[order.value];
  if (key) kept.sort((a, b) => key(cell.rows[a]) - key(cell.rows[b]) || a - b);
  Object.assign(state, { rows: kept, page: 0 });
  const left = cell.played > cell.rows.length ? ` This page holds ${cell.rows.length} of ${cell.played} played.` : "";
  $("status").textContent = `${kept.length} of ${cell.rows.length} dialogues match.${left}`;
  list();
}

function list() {
  const cell = chosenCell();
  const pages = Math.max(1, Math.ceil(state.rows.length / PAGE));
  const here = state.rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
  $("list").tBodies[0].replaceChildren(...here.map((k) => {
    const row = data.cells[cell].rows[k];
    const scenario = scenarioOf(row);
    const button = make("button", { type: "button", "data-row": k }, `${scenario.id} #${row[ROLLOUT]}`);
    const line = make("tr", {}, make("th", { scope: "row" }, button), make("td", {}, data.statuses[row[STATUS]]),
      make("td", { class: "number" }, amount(row[AGREED], scenario.unit === "days" ? "d" : "min")),
      make("td", { class: "number" }, row[SAVINGS] === null ? "–" : number(100 * row[SAVINGS], 0)),
      make("td", { class: "number" }, String(row[MESSAGES])));
    if (state.open && state.open[0] === cell && state.open[1] === k) line.setAttribute("aria-current", "true");
    return line;
  }));
  $("page").textContent = `Page ${state.page + 1} of ${pages}`;
  $("earlier").disabled = state.page === 0;
  $("later").disabled = state.page >= pages - 1;
}

function turnPage(step) {
  state.page += step;
  list();
  $("status").textContent = $("page").textContent;
}

function walkList(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...$("list").querySelectorAll("button")];
  buttons[buttons.indexOf(document.activeElement) + step]?.focus();
}

// One dialogue

async function open(cell, row, focus = true) {
  const meta = data.cells[cell].rows[row];
  state.open = [cell, row];
  list();
  let read;
  try {
    read = await dialogueAt(cell, row);
  } catch (error) {
    $("dialogue").replaceChildren(make("h3", { id: "dialogue-title", tabindex: "-1" }, "This dialogue cannot be read"),
      make("p", { role: "alert" }, String(error)));
    return;
  }
  if (state.open[0] !== cell || state.open[1] !== row) return;  // another one was chosen meanwhile
  $("dialogue").replaceChildren(...dialogue(cell, row, meta, read));
  history.replaceState(null, "", `#d=${cell},${row}`);
  $("status").textContent = `Reading ${scenarioOf(meta).id} #${meta[ROLLOUT]}.`;
  if (focus) $("dialogue-title").focus();
}

function dialogue(cell, row, meta, read) {
  const scenario = scenarioOf(meta);
  const [focal, other] = data.roles[scenario.domain];
  const [ours, theirs] = scenario.targets;
  const outcome = data.statuses[meta[STATUS]];
  const entries = [
    ["Outcome", outcome + (meta[AGREED] === null ? "" : ` at ${amount(meta[AGREED], scenario.unit)}, savings ${number(100 * meta[SAVINGS], 1)} of 100`)],
    [`Target, ${focal}`, amount(ours, scenario.unit)], [`Target, ${other}`, amount(theirs, scenario.unit)],
  ];
  if (meta[RETURN] !== null) {
    const terminal = outcome === "agreement" ? "+2" : "−2";
    entries.push(["Return R", `${signed(meta[RETURN])}: the turns' rewards and ${terminal} for the ${outcome}`]);
  }
  if (scenario.imputed) entries.push(["Note", "a target of this scenario was missing in its source and took the default"]);
  const facts = scenario.facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
  return [
    make("h3", { id: "dialogue-title", tabindex: "-1" }, `${data.cells[cell].name}: ${scenario.id} #${meta[ROLLOUT]}`),
    moves(cell, row, meta),
    make("dl", {}, ...entries.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    make("details", {}, make("summary", {}, "Facts of the scenario"), make("dl", {}, ...facts)),
    ...(read.m.length > 1 ? [track(scenario, read.m, [focal, other])] : []),
    make("ol", { class: "messages" }, ...read.m.map((message, i) => said(message, i, read, scenario, [focal, other]))),
    ...(read.error ? [make("p", { role: "note" }, `Technical error: ${read.error}`)] : []),
  ];
}

function said([emotion, offer, move], i, read, scenario, roles) {
  const who = make("div", { class: "who" }, make("strong", {}, roles[i % 2]), `message ${i + 1}`);
  if (emotion >= 0) who.append(make("span", { class: "emotion" }, make("span", { class: "hidden" }, "shows "), data.emotions[emotion]));
  const figures = [];
  if (offer !== null) figures.push(`offers ${amount(offer, scenario.unit)} (position ${number(position(scenario, offer), 2)})`);
  if (move) figures.push(move === 1 ? "accepts" : "walks away");
  if (i % 2 === 0) {
    if (read.j) figures.push(`judge ${read.j[i / 2] === null ? "score missing" : number(read.j[i / 2], 1) + " of 10"}`);
    if (read.r && read.r[i / 2] !== null) figures.push(`reward ${signed(read.r[i / 2])}`);
  }
  return make("li", { class: i % 2 ? "other" : "focal" }, who, make("p", { class: "said" }, read.texts[i]),
    make("div", { class: "figures" }, figures.join(" · ")));
}

// Neighbours in the list, and the same negotiation of other variants.
function moves(cell, row, meta) {
  const at = state.rows.indexOf(row);
  const inList = cell === chosenCell() && at >= 0;
  const step = (text, by) => {
    const button = make("button", { type: "button" }, text);
    const next = inList ? state.rows[at + by] : undefined;
    button.disabled = next === undefined;
    button.addEventListener("click", () => {
      state.page = Math.floor((at + by) / PAGE);
      open(cell, next);
    });
    return button;
  };
  const same = data.cells.flatMap((other, c) => {
    const k = other.rows.findIndex((r) => r[SCENARIO] === meta[SCENARIO] && r[ROLLOUT] === meta[ROLLOUT]);
    return k < 0 ? [] : [[`${c},${k}`, other.name]];
  });
  const bar = make("div", { class: "moves" }, step("Previous", -1), step("Next", 1));
  if (same.length > 1) {
    const select = make("select");
    options(select, same);
    select.value = `${cell},${row}`;
    select.addEventListener("change", () => jump(select.value));
    bar.append(make("span", { class: "same" }, make("label", {}, "The same negotiation by ", select)));
  }
  return bar;
}

function jump(place) {
  const [cell, row] = place.split(",").map(Number);
  if (!data.cells[cell]?.rows[row]) return;
  if (cell !== chosenCell() || !state.rows.includes(row)) {
    form.reset();
    form.elements.cell.value = cell;
    offerScenarios();
    filter();
  }
  state.page = Math.floor(state.rows.indexOf(row) / PAGE);
  open(cell, row);
}

// Standing offers, drawn

const position = (scenario, value) => (value - scenario.targets[1]) / (scenario.targets[0] - scenario.targets[1]);

function svg(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

function track(scenario, messages, roles) {
  const x = (i) => 20 + 490 * i / Math.max(1, messages.length - 1);
  const y = (pos) => 100 - 80 * Math.min(1.15, Math.max(-0.15, pos));
  const label = `Offers by message, from the target of the ${roles[1]} (0) to that of the ${roles[0]} (1)`;
  const drawn = svg("svg", { class: "track", viewBox: "0 0 520 136", role: "img", "aria-label": label });
  for (const [pos, role] of [[1, roles[0]], [0, roles[1]]]) {
    drawn.append(svg("line", { x1: 20, x2: 510, y1: y(pos), y2: y(pos), stroke: "var(--grid)" }),
      svg("text", { x: 22, y: pos ? y(pos) - 4 : y(pos) + 13 }, `target of the ${role}`));
  }
  for (const seat of [0, 1]) {
    const points = messages.flatMap((m, i) => i % 2 === seat && m[1] !== null ? [[x(i), y(position(scenario, m[1]))]] : []);
    const colour = seat ? "var(--other)" : "var(--focal)";
    drawn.append(svg("polyline", { points: points.join(" "), fill: "none", stroke: colour, "stroke-width": 2 }));
    for (const [px, py] of points) {
      drawn.append(seat ? svg("rect", { x: px - 3.5, y: py - 3.5, width: 7, height: 7, fill: colour })
        : svg("circle", { cx: px, cy: py, r: 4, fill: colour }));
    }
  }
  drawn.append(svg("text", { x: 20, y: 132 }, `● ${roles[0]}   ■ ${roles[1]}`));
  return drawn;
}

// Start

function begin() {
  document.documentElement.classList.add("live");
  if (!data.cells.length) return $("dialogues").append(make("p", {}, "No dialogue has been played yet."));
  $("browser").hidden = false;
  options(form.elements.cell, data.cells.map((cell, c) => [c, `${cell.name} (${cell.rows.length})`]));
  options(form.elements.outcome, [["", "any"], ...data.statuses.map((name, k) => [k, name])]);
  form.elements.cell.addEventListener("change", offerScenarios);
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  $("earlier").addEventListener("click", () => turnPage(-1));
  $("later").addEventListener("click", () => turnPage(1));
  $("list").addEventListener("keydown", walkList);
  $("list").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) open(chosenCell(), Number(button.dataset.row));
  });
  offerScenarios();
  filter();
  const asked = location.hash.match(/^#d=(\d+,\d+)$/);
  if (asked) jump(asked[1]);
}

begin();
})();
