/* The page: sliders in, ribbons and shares out. The patients are solved by workers, see worker.js. */
"use strict";
(function () {
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (name) => document.getElementById(name);
const LIVE = 6e-3, REFINED = 2e-6, RESOLVED = [1e-2, 2e-5], CHUNK = 4, PATIENCE = 400, REST = 60, SWING = 0.03, FEWEST_DOSES = 3, RANKED = 6;
const inDays = data.time_unit === "d";

/* ---- small helpers ---- */

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "text") element.textContent = value;
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
function unpacked(text, kind) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new kind(bytes.buffer);
}
function rounded(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace(".0", "").replace("e+", "e");
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
function signed(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 999.5 ? rounded(size) : size >= 9.95 ? size.toFixed(0) : size >= 0.095 ? size.toFixed(1) : size.toPrecision(1);
  return (value < 0 ? "−" : "+") + text;
}
/* Numbers at an axis: all with as many decimals as tell the exact value of each. */
function ticks(splits, isChange) {
  const sizes = splits.filter((value) => value !== null).map(Math.abs), most = Math.max(...sizes, 0);
  const isFar = most >= 1e5 || (most > 0 && most < 1e-3);
  const text = (size, digits) => (isFar ? (size === 0 ? "0" : size.toExponential(digits).replace("e+", "e")) : size.toFixed(digits));
  let digits = 0;
  while (digits < 8 && sizes.some((size) => Math.abs(Number(text(size, digits)) - size) > 1e-9 * most)) digits += 1;
  return splits.map((value) => {
    if (value === null) return "";
    const shown = text(Math.abs(value), digits);
    return (Number(shown) === 0 ? "" : value < 0 ? "−" : isChange ? "+" : "") + shown;
  });
}
/* Quantile of ascending numbers, between neighbors as NumPy has it. */
function quantile(sorted, share) {
  if (!sorted.length) return NaN;
  const at = share * (sorted.length - 1), low = Math.floor(at);
  return low + 1 < sorted.length ? sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]) : sorted[low];
}
const percent = (share) => {
  const whole = Math.round(100 * share);
  return whole === 100 && share < 1 - 1e-12 ? 99 : whole === 0 && share > 0 ? 1 : whole;
};
const shownTime = (days) => rounded(days / data.days_per_unit);
const people = data.patients === 1 ? "1 patient" : `${data.patients} patients`;
const timeName = inDays ? "day" : data.time_unit;
const at = (days) => (inDays ? `day ${shownTime(days)}` : `${shownTime(days)} ${data.time_unit}`);
const unitOf = (unit) => (unit === "1" ? "" : unit);

/* ---- patients and models ---- */

const hypotheses = data.hypotheses.map((one, index) => ({
  ...one, index, patients: unpacked(one.values, Float64Array), states: MODELS[index].states,
}));
for (const one of hypotheses) {
  const count = one.parameters.length;
  one.medians = one.parameters.map((_, index) => {
    const values = [];
    for (let k = index; k < one.patients.length; k += count) values.push(one.patients[k]);
    return quantile(values.sort((a, b) => a - b), 0.5);
  });
  one.parameterAt = new Map(one.parameters.map((part, index) => [part.name, index]));
  one.quantityAt = new Map(one.quantities.map((part, index) => [part.name, index]));
}
function canMove(one, name) { return one.parameterAt.has(name) && !one.parameters[one.parameterAt.get(name)].fixed; }
const missed = data.missed ? unpacked(data.missed, Uint8Array) : new Uint8Array(0);
const SET_UP = { kind: "set up", values: hypotheses.map((one) => one.patients), missed, doses: data.doses, rodas: data.rodas };

/* ---- state, and the link that holds it ---- */

const lastReported = data.reported.filter((item) => item.direction && item.day > 0 && item.day <= data.end + 1)
  .reduce((day, item) => Math.max(day, item.day), 0);
const usual = () => ({
  first: 0, second: hypotheses.length > 1 ? 1 : -1, dose: data.course.amount, every: data.course.every,
  missing: Math.round(100 * data.course.missing), stop: data.course.until, days: data.end,
  read: Math.min(lastReported || data.end, data.end), view: data.course.amount > 0 ? "changes" : "levels", quantities: [...hypotheses[0].shown], factors: {},
});
let state = usual();

function link() {
  const base = usual(), parts = new URLSearchParams();
  for (const name of ["dose", "every", "missing", "stop", "days", "read", "view"]) {
    if (state[name] !== base[name]) parts.set(name, state[name]);
  }
  if (state.first !== base.first) parts.set("hypothesis", hypotheses[state.first].name);
  if (state.second !== base.second) parts.set("beside", state.second < 0 ? "" : hypotheses[state.second].name);
  if (state.quantities.join() !== base.quantities.join()) parts.set("quantities", state.quantities.join());
  for (const [name, factor] of Object.entries(state.factors)) if (factor !== 1) parts.set(`x.${name}`, factor);
  const text = parts.toString();
  return text ? `#${text}` : "#";
}
function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1)), found = usual();
  for (const [name, limit] of [["dose", 1e9], ["every", 1e5], ["missing", 95], ["stop", 1e5], ["days", data.longest], ["read", 1e5]]) {
    const value = Number(parts.get(name));
    if (parts.has(name) && Number.isFinite(value) && value >= 0 && value <= limit) found[name] = value;
  }
  found.days = found.days > 0 ? found.days : data.end;
  found.every = found.every > 0 || data.course.every === 0 ? found.every : data.course.every;
  if (["levels", "changes"].includes(parts.get("view"))) found.view = parts.get("view");
  const named = (name) => hypotheses.findIndex((one) => one.name === parts.get(name));
  if (named("hypothesis") >= 0) found.first = named("hypothesis");
  if (parts.has("beside")) found.second = named("beside");
  if (found.second === found.first) found.second = -1;
  if (parts.has("quantities")) {
    const known = parts.get("quantities").split(",").filter((name) => hypotheses[found.first].quantityAt.has(name));
    if (known.length) found.quantities = known;
  }
  for (const [name, value] of parts) {
    const factor = Number(value);
    if (name.startsWith("x.") && factor > 0 && factor <= 100 && hypotheses.some((one) => canMove(one, name.slice(2)))) {
      found.factors[name.slice(2)] = factor;
    }
  }
  return found;
}
function keepLink() {
  // A page within a page, as in a notebook, has no address of its own.
  try { history.replaceState(null, "", link()); } catch (_) { /* the page works without */ }
}

/* ---- workers ---- */

const pool = [];
let queue = [], moves = 0;

function startWorkers() {
  const count = Math.max(1, Math.min(8, navigator.hardwareConcurrency || 2));
  try {
    const source = new Blob([byId("engine").textContent], { type: "text/javascript" });
    const address = URL.createObjectURL(source);
    for (let k = 0; k < count; k += 1) {
      const worker = new Worker(address), place = { worker, jobs: 0 };
      worker.onmessage = (event) => { place.jobs -= 1; feed(); finished(event.data); };
      worker.onerror = () => { if (pool.includes(place)) { pool.length = 0; setUp(SET_UP); begin(); } };
      worker.postMessage(SET_UP);
      pool.push(place);
    }
  } catch (_) { setUp(SET_UP); }
}
let isWaiting = false;
/* Give work to who has none, and of a first answer a second job that nobody waits for; where there are no workers the
   page itself works, a patient at a time. */
function feed() {
  for (const most of [1, 2]) {
    for (const place of pool) {
      if (place.jobs < most && queue.length && (most === 1 || queue[0].pass === 0)) {
        place.jobs += 1;
        place.worker.postMessage(queue.shift());
      }
    }
  }
  if (!pool.length && queue.length && !isWaiting) {
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      const job = queue.shift();
      if (job) { finished(answer(job)); feed(); }
    }, 0);
  }
}

/* ---- a move: everything is solved again at the present setting ---- */

let move = null;

function chosen() { return [state.first, state.second].filter((index) => index >= 0).map((index) => hypotheses[index]); }
function grid(days) {
  const count = Math.max(24, Math.min(366, Math.round(days / data.every)));
  return Float64Array.from({ length: count + 1 }, (_, k) => (k === count ? days : k * days / count));
}
function course() {
  return { amount: state.dose, route: data.course.route, every: state.every, until: Math.min(state.stop, state.days),
    duration: data.course.duration, missing: state.missing };
}
/* Intervals between doses to look at, [start, end] each: the one before the day that is read, and a few over all;
   all of them where doses are missed. */
function intervals(days, read) {
  const times = scheduled(course(), days);
  if (times.length < FEWEST_DOSES || !(state.every > 0)) return new Float64Array(0);
  const last = Math.min(times.length * state.every, days), number = Math.floor(last / state.every + 1e-9);
  const counts = new Set();
  if (state.missing > 0) {
    // Who misses a dose is another one each time, so that there is no going from one interval to the next.
    for (let count = 1; count <= number; count += Math.ceil(number / 366)) counts.add(count);
  } else for (let k = 0; k < 9; k += 1) counts.add(Math.round(number ** (k / 8)));
  let found = [...counts].filter((count) => count >= 1).map((count) => [(count - 1) * state.every, count * state.every]);
  if (read >= state.every && read <= last + 1e-9) {
    found = found.filter(([a, b]) => b <= read - state.every + 1e-9 || a >= read - 1e-9);
    found.push([read - state.every, read]);
  }
  return Float64Array.from(found.sort((a, b) => a[0] - b[0]).flat());
}
function factorsOf(one) {
  const found = [];
  for (const [name, factor] of Object.entries(state.factors)) {
    const index = one.parameterAt.get(name);
    if (index === undefined || factor === 1) continue;
    const [low, high] = one.parameters[index].bounds || [-Infinity, Infinity];
    found.push([index, factor, low, high]);
  }
  return found;
}
function jobsOf(one, rtol, pass) {
  const common = { move: move.id, pass, hypothesis: one.index, factors: factorsOf(one), course: course(), grid: move.grid,
    intervals: move.intervals, wanted: move.names.map((name) => one.quantityAt.get(name)).filter((k) => k !== undefined),
    rtol, isFirst: pass === 0, longest: Math.max(state.days / 24, 1e-12) };
  const jobs = [];
  // In small parts: the next move waits for those that are being solved.
  for (let first = 0; first < data.patients; first += CHUNK) {
    jobs.push({ ...common, kind: "courses", first,
      patients: Array.from({ length: Math.min(CHUNK, data.patients - first) }, (_, k) => first + k) });
  }
  return jobs;
}
function begin() {
  moves += 1;
  const read = Math.min(state.read, state.days);
  const names = state.quantities;
  move = { id: moves, started: performance.now(), grid: grid(state.days), intervals: intervals(state.days, read), read, names,
    found: new Map(), resolved: RESOLVED[0], took: 0, refined: 0, drawn: performance.now(), isRefining: false };
  for (const one of chosen()) {
    const own = names.filter((name) => one.quantityAt.has(name));
    move.found.set(one.index, { names: own, values: new Map(), followed: new Map(), swings: new Map(), status: new Map(), passes: [0, 0] });
  }
  clearTimeout(refining);
  queue = [...woven(LIVE, 0), ...queue.filter((job) => job.kind === "effect")];
  feed();
}
let refining = 0;
function refine() {
  queue = [...woven(REFINED, 1), ...queue.filter((job) => job.kind === "effect")];
  feed();
}
/* Jobs of all hypotheses in turn. */
function woven(rtol, pass) {
  const all = chosen().map((one) => jobsOf(one, rtol, pass));
  return all[0].flatMap((_, k) => all.map((list) => list[k]));
}
function finished(result) {
  const { job } = result;
  if (job.kind === "effect") { ranked(result); return; }
  if (job.move !== move.id) return;
  const found = move.found.get(job.hypothesis);
  const count = job.wanted.length, points = count * job.grid.length;
  job.patients.forEach((patient, index) => {
    found.values.set(patient, result.values.subarray(index * points, (index + 1) * points));
    found.followed.set(patient, result.followed.subarray(index * points, (index + 1) * points));
    found.swings.set(patient, result.swings.subarray(index * count, (index + 1) * count));
    found.status.set(patient, result.status[index]);
  });
  found.passes[job.pass] += job.patients.length;
  const all = [...move.found.values()];
  const isAll = all.every((one) => one.passes[0] >= data.patients);
  const isFine = all.every((one) => one.passes[1] >= data.patients);
  if (isAll && !move.took) move.took = performance.now() - move.started;
  if (isFine) { move.refined = performance.now() - move.started; move.resolved = RESOLVED[1]; }
  // Half refined is shown as it was; every patient at one tolerance. The first few are shown where all take long.
  const isLong = performance.now() - move.drawn > PATIENCE && all.every((one) => one.passes[0] >= Math.min(16, data.patients));
  if (isFine || (isAll && job.pass === 0) || (isLong && !move.took)) schedule();
  if (isFine && (!ranking || ranking.hypothesis !== state.first)) setTimeout(rank, 0);
}
let isScheduled = false;
function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    draw();
    move.drawn = performance.now();
    // Only who has seen the first answer, and does not move on, needs it refined.
    if (move.took && !move.isRefining) {
      move.isRefining = true;
      refining = setTimeout(refine, REST);
    }
  });
}

/* ---- what is drawn: courses, bands and changes ---- */

/* Of a quantity under a hypothesis: patients' courses as they are read, [patient][time], and changes since baseline. */
function readings(one, found, name) {
  const w = found.names.indexOf(name);
  if (w < 0) return null;
  const width = move.grid.length;
  const patients = [...found.values.keys()].filter((k) => found.status.get(k) === 0).sort((a, b) => a - b);
  const swings = patients.map((k) => found.swings.get(k)[w]).filter(Number.isFinite).sort((a, b) => a - b);
  const follows = quantile(swings, 0.5) > SWING, solved = follows ? found.followed : found.values;
  const courses = patients.map((k) => solved.get(k).subarray(w * width, (w + 1) * width));
  const isRelative = courses.length > 0 && courses.every((row) => row[0] > 0), { resolved } = move;
  const changeOf = (value, before) => {
    const change = isRelative ? 100 * (value / before - 1) : value - before;
    const error = resolved * (isRelative ? 200 * Math.abs(value / before) : Math.abs(value) + Math.abs(before));
    return Math.abs(change) <= error ? 0 : change;
  };
  let kept = null;
  return { name, follows, courses, isRelative, unit: one.quantities[one.quantityAt.get(name)].unit,
    // Of every time only where they are looked at: most moves ask for one day.
    changes: () => (kept ??= courses.map((row) => row.map((value) => changeOf(value, row[0])))),
    changesAt: (day) => {
      const [i, share] = placeOf(day);
      return courses.map((row) => between(changeOf(row[i - 1], row[0]), changeOf(row[i], row[0]), share));
    } };
}
/* The lowest 5 %, the middle and the highest 5 % at every time. Who is above whom hardly changes from a time to the next:
   rows in the order of the time before are put into that of this one by few moves, until they turn out to be many. */
function bands(rows) {
  const width = move.grid.length, found = [[], [], []], column = new Float64Array(rows.length);
  let order = Int32Array.from(rows.keys()), next = new Int32Array(rows.length), isMixed = false;
  for (let i = 0; i < width; i += 1) {
    let count = 0, left = rows.length, places = 0;
    for (let k = 0; k < order.length; k += 1) {
      const row = order[k], value = rows[row][i];
      if (!Number.isFinite(value)) { left -= 1; next[left] = row; continue; }
      let at = count;
      for (; !isMixed && at > 0 && column[at - 1] > value; at -= 1) { column[at] = column[at - 1]; next[at] = next[at - 1]; }
      places += count - at;
      column[at] = value;
      next[at] = row;
      count += 1;
    }
    [order, next] = [next, order];
    const sorted = column.subarray(0, count);
    if (isMixed) sorted.sort();
    else isMixed = i > 1 && places > count * count / 16;
    [0.05, 0.5, 0.95].forEach((share, k) => found[k].push(count ? quantile(sorted, share) : null));
  }
  return found;
}
/* Between which times a day is, and what share of the way: the number of the later one, and the share. */
function placeOf(day) {
  let i = 1;
  while (i < move.grid.length - 1 && move.grid[i] < day - 1e-9) i += 1;
  return [i, Math.min(1, Math.max(0, (day - move.grid[i - 1]) / (move.grid[i] - move.grid[i - 1])))];
}
const between = (before, after, share) => (share === 1 ? after : before + share * (after - before));
/* Values of rows at a day, between neighboring times. */
function valuesAt(rows, day) {
  const [i, share] = placeOf(day);
  return rows.map((row) => between(row[i - 1], row[i], share));
}
function summed(changes) {
  const there = changes.filter(Number.isFinite).sort((a, b) => a - b), n = there.length;
  return { n, median: quantile(there, 0.5), low: quantile(there, 0.05), high: quantile(there, 0.95),
    up: n ? there.filter((value) => value > 0).length / n : NaN, down: n ? there.filter((value) => value < 0).length / n : NaN };
}

const charts = new Map();
const colors = new Map();
/* Looked up once a theme: to ask makes the browser lay the page out. */
function color(name) {
  const key = `${themeNow()} ${name}`;
  if (!colors.has(key)) colors.set(key, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return colors.get(key);
}
let shown = [];

function draw() {
  const models = chosen();
  shown = move.names.map((name) => ({
    name, of: models.map((one) => ({ one, read: readings(one, move.found.get(one.index), name) })).filter((part) => part.read),
  })).filter((part) => part.of.length);
  drawCharts();
  drawTable();
  drawProgress();
}
/* What says by itself how far it is from its baseline, as a share does, is a level in either view. */
function showsChange(part) { return state.view === "changes" && !titleOf(part).level; }
function titleOf(part) {
  const { one } = part.of[0];
  return one.quantities[one.quantityAt.get(part.name)];
}
function drawCharts() {
  const box = byId("charts"), key = JSON.stringify([
    shown.map((part) => [part.name, part.of.map(({ one, read }) => [one.index, read.isRelative])]), state.view, themeNow()]);
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    for (const { chart } of charts.values()) chart.destroy();
    charts.clear();
    box.replaceChildren();
  }
  for (const [place, part] of shown.entries()) {
    const isChange = showsChange(part), series = [Array.from(move.grid, (day) => day / data.days_per_unit)];
    for (const { read } of part.of) series.push(...bands(isChange ? read.changes() : read.courses));
    const numbers = series.slice(1).flat().filter((value) => value !== null);
    const least = Math.min(...numbers), most = Math.max(...numbers);
    const isLog = !isChange && least > 0 && most / least > 30;
    const kept = charts.get(part.name);
    if (kept && kept.isLog !== isLog) { kept.chart.destroy(); kept.figure.remove(); charts.delete(part.name); }
    if (!charts.has(part.name)) charts.set(part.name, newChart(box, part, series, isLog));
    else charts.get(part.name).chart.setData(series);
    const own = charts.get(part.name);
    // A chart that stays where it is costs no layout.
    if (box.children[place] !== own.figure) box.insertBefore(own.figure, box.children[place] || null);
    own.part = part;
    const note = part.of.some(({ read }) => read.follows) ? "average over each interval between doses" : "";
    if (own.note.textContent !== note) own.note.textContent = note;
    own.figure.setAttribute("aria-label", spoken(part));
  }
}
function spoken(part) {
  const title = titleOf(part);
  const texts = part.of.map(({ one, read }) => {
    const values = valuesAt(read.courses, move.read).filter(Number.isFinite).sort((a, b) => a - b);
    const first = read.courses.map((row) => row[0]).sort((a, b) => a - b);
    return `under ${one.name} the median goes from ${rounded(quantile(first, 0.5))} to ${rounded(quantile(values, 0.5))} `
      + `${unitOf(title.unit)} at ${at(move.read)}, 5 to 95 % of patients ${rounded(quantile(values, 0.05))} to ${rounded(quantile(values, 0.95))}`;
  });
  return `${title.meaning} over time: ${texts.join("; ")}`;
}
function newChart(box, part, first, isLog) {
  const title = titleOf(part), isChange = showsChange(part), ownUnit = unitOf(title.unit);
  const unit = isChange ? (part.of[0].read.isRelative ? "change in %" : `change in ${ownUnit}`) : state.view === "changes" ? `level in ${ownUnit}` : ownUnit;
  const figure = make("figure", { role: "img", style: "margin:0" });
  const heading = make("h3", {}, make("span", {}, title.meaning, make("span", { class: "unit", text: unit ? `,\u00a0${unit.replaceAll(" ", "\u00a0")}` : "" })));
  const note = make("p", { class: "read" }), plot = make("div", {});
  figure.append(heading, note, plot);
  box.append(figure);
  const own = { figure, note, isLog, part };
  const series = [{ label: timeName }];
  const ribbons = [];
  part.of.forEach((_, k) => {
    const line = color(k ? "--two" : "--one"), shade = color(k ? "--two-band" : "--one-band");
    const edge = { stroke: line, width: 0.7, points: { show: false } };
    series.push(edge, { stroke: line, width: 2, dash: k ? [7, 4] : undefined, points: { show: false } }, edge);
    ribbons.push({ series: [3 * k + 3, 3 * k + 1], fill: shade });
  });
  const axis = { stroke: color("--ink"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") }, font: "12px system-ui, sans-serif" };
  own.chart = new uPlot({
    ...sizeOf(figure), series, bands: ribbons, legend: { show: false },
    cursor: { sync: { key: "explorer" }, y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false }, y: isLog ? { distr: 3 } : { range: (_, low, high) => ranged(low, high, isChange) } },
    axes: [
      { ...axis, label: inDays ? (data.course.route >= 0 ? "days since the first dose" : "days") : data.time_unit, labelSize: 20, labelFont: "12px system-ui, sans-serif", size: 34 },
      { ...axis, ...(isLog ? decades(axis) : {}), size: 60, space: 22, values: (_, splits) => (isLog ? splits.map((value) => (value === null ? "" : rounded(value))) : ticks(splits, isChange)) }],
    hooks: {
      draw: [(u) => marks(u, own)],
      setCursor: [(u) => readout(u, own)],
    },
  }, first, plot);
  return own;
}
/* On a small screen two charts and the sliders of the doses are seen at once. */
function sizeOf(figure) { return { width: Math.max(220, figure.clientWidth), height: window.innerWidth <= 560 ? 165 : 215 }; }
/* Of a logarithmic axis lines and numbers at powers of ten alone, unless it has only one of them. */
function decades(axis) {
  const filter = (u, splits) => {
    const tens = splits.map((value) => (Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9 ? value : null));
    return tens.filter((value) => value !== null).length > 1 ? tens : splits;
  };
  return { filter, grid: { ...axis.grid, filter }, ticks: { ...axis.ticks, filter } };
}
function ranged(low, high, isChange) {
  if (low === null || high === null) return [0, 1];
  const from = Math.min(isChange ? 0 : low >= 0 ? 0 : low, low), to = Math.max(high, isChange ? 0 : high);
  const room = 0.06 * (to - from || Math.abs(to) || 1);
  return [from < 0 ? from - room : 0, to + room];
}
/* Days on which something ends or is read, and what was reported, over a chart. */
function marks(u, own) {
  const { ctx, bbox } = u, ratio = window.devicePixelRatio || 1;
  const x = (day) => u.valToPos(day / data.days_per_unit, "x", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 6 * ratio, bbox.top, bbox.width + 12 * ratio, bbox.height);
  ctx.clip();
  ctx.strokeStyle = color("--faint");
  ctx.lineWidth = ratio;
  const upright = (day, dash) => {
    ctx.setLineDash(dash.map((part) => part * ratio));
    ctx.beginPath();
    ctx.moveTo(x(day), bbox.top);
    ctx.lineTo(x(day), bbox.top + bbox.height);
    ctx.stroke();
  };
  upright(move.read, [2, 3]);
  if (data.course.route >= 0 && state.dose > 0 && state.stop < state.days) upright(state.stop, [8, 4]);
  ctx.setLineDash([]);
  for (const item of data.reported) {
    if (item.quantity !== own.part.name || !item.direction || !(item.day > 0) || item.day > state.days * 1.05) continue;
    arrow(ctx, Math.min(x(item.day), bbox.left + bbox.width) - 9 * ratio, bbox.top + 0.12 * bbox.height, 20 * ratio, item.direction === "up");
  }
  if (!showsChange(own.part)) {
    ctx.strokeStyle = ctx.fillStyle = color("--ink");
    ctx.lineWidth = 1.5 * ratio;
    for (const item of data.reported) {
      if (item.quantity !== own.part.name || item.mean === null || item.unit !== titleOf(own.part).unit) continue;
      const at = x(item.day) + (item.day === 0 ? 5 * ratio : 0), y = (value) => u.valToPos(value, "y", true);
      if (item.low !== null && item.high !== null) {
        const low = Math.max(Math.min(item.low, item.high), own.isLog ? 1e-12 : -Infinity);
        ctx.beginPath();
        ctx.moveTo(at, y(low));
        ctx.lineTo(at, y(Math.max(item.low, item.high)));
        ctx.stroke();
      }
      ctx.beginPath();
      ctx.arc(at, y(item.mean), 3.5 * ratio, 0, 2 * Math.PI);
      ctx.fill();
    }
  }
  ctx.restore();
}
/* What was reported to rise or to fall, beside its day. */
function arrow(ctx, x, top, length, isUp) {
  const [tip, tail] = isUp ? [top, top + length] : [top + length, top], head = (isUp ? 1 : -1) * length * 0.4;
  ctx.strokeStyle = color("--ink");
  ctx.lineWidth = length / 9;
  ctx.beginPath();
  ctx.moveTo(x, tail);
  ctx.lineTo(x, tip);
  ctx.moveTo(x - Math.abs(head) * 0.7, tip + head);
  ctx.lineTo(x, tip);
  ctx.lineTo(x + Math.abs(head) * 0.7, tip + head);
  ctx.stroke();
}
function readout(u, own) {
  const at = u.cursor.idx;
  const follows = own.part.of.some(({ read }) => read.follows) ? "average over each interval between doses" : "";
  if (at === null || at === undefined || !Number.isFinite(u.data[0][at])) { own.note.textContent = follows; return; }
  const text = showsChange(own.part) ? signed : rounded;
  own.note.textContent = `${timeName} ${rounded(u.data[0][at])}: ` + own.part.of.map(({ one }, k) => {
    const [low, middle, high] = [1, 2, 3].map((part) => u.data[3 * k + part][at]);
    return `${own.part.of.length > 1 ? `${one.name} ` : ""}${text(middle)} (${text(low)} to ${text(high)})`;
  }).join("; ");
}

/* ---- table, sentence for those who listen, progress ---- */

function reportedOf(name) {
  const fits = data.reported.filter((item) => item.quantity === name && item.direction && Math.abs(item.day - move.read) <= 8);
  return fits.length ? fits[fits.length - 1] : null;
}
function drawTable() {
  const two = chosen().length > 1, table = byId("changes");
  const head = make("tr", {}, ...["Quantity", ...(two ? ["Hypothesis"] : []), "Median change (5 to 95 % of patients)",
    "Patients who fall and rise", "Reported"].map((text) => make("th", { scope: "col", text })));
  const body = make("tbody", {}), sentences = [];
  for (const part of shown) {
    const title = titleOf(part), said = reportedOf(part.name);
    part.of.forEach(({ one, read }, k) => {
      const sum = summed(read.changesAt(move.read)), unit = read.isRelative ? "%" : unitOf(title.unit);
      part.of[k].sum = { ...sum, unit };
      const row = make("tr", { "data-quantity": part.name, "data-hypothesis": one.name });
      if (k === 0) {
        row.append(make("th", { scope: "rowgroup", rowspan: part.of.length }, make("span", { text: title.meaning }),
          make("small", { text: ` ${part.name}` })));
      }
      if (two) row.append(make("td", { "data-head": "Hypothesis", text: one.name }));
      row.append(make("td", { class: "number", "data-head": "Median change", text: sum.n ? `${signed(sum.median)} (${signed(sum.low)} to ${signed(sum.high)}) ${unit}` : "–" }));
      const bar = make("div", { class: "share", "aria-hidden": "true" });
      if (sum.n) {
        bar.append(make("span", { class: "fall", style: `width:${100 * sum.down}%` }), make("span", { class: "rise", style: `width:${100 * sum.up}%` }));
      }
      row.append(make("td", { "data-head": "Patients" }, bar, make("span", { text: sum.n ? `${percent(sum.down)} % fall, ${percent(sum.up)} % rise` : "nobody" })));
      row.append(make("td", { class: "source", "data-head": said ? "Reported" : "", text: said ? verdict(said, { ...sum, unit }) : "" }));
      body.append(row);
      if (sum.n && sentences.length < 6) sentences.push(`${two ? `${one.name}: ` : ""}${title.short} down in ${percent(sum.down)} %, up in ${percent(sum.up)} % of patients`);
    });
  }
  table.replaceChildren(make("caption", { id: "caption", text: `Of each patient's own change since ${data.course.route >= 0 ? "before the first dose" : "the start"}, at ${at(move.read)}${move.refined ? "" : "; a first look, which is being refined"}` }),
    make("thead", {}, head), body);
  // What a first look cannot tell apart is told when it is refined.
  if (move.refined) announce(`At ${at(move.read)}: ${sentences.join("; ")}.`);
}
function verdict(said, sum) {
  const share = said.direction === "up" ? sum.up : sum.down;
  const judged = !sum.n ? "" : !move.refined ? "so far" : share >= data.agreeing ? "agrees" : share <= 1 - data.agreeing ? "disagrees" : "undecided";
  const counted = said.count === null || said.n === null ? "" : ` in ${said.count} of ${said.n}`;
  const unseen = sum.n && sum.unit === "%" && said.error !== null && Math.abs(Math.log1p(sum.median / 100)) < said.error;
  return `${said.direction === "up" ? "rose" : "fell"}${counted} (${said.standing}): ${judged} ${sum.n ? `${percent(share)} %` : ""}${unseen ? ", too small to be seen" : ""}`;
}
let spokenLater = 0;
function announce(text) {
  clearTimeout(spokenLater);
  // Who listens hears the end of a movement, not every step of it.
  spokenLater = setTimeout(() => { if (byId("summary").textContent !== text) byId("summary").textContent = text; }, 700);
}
function drawProgress() {
  const all = [...move.found.values()];
  const done = Math.min(...all.map((one) => one.values.size));
  const failed = all.reduce((sum, one) => sum + [...one.status.values()].filter((code) => code === 2).length, 0);
  const without = all.reduce((sum, one) => sum + [...one.status.values()].filter((code) => code === 1).length, 0);
  byId("progress").textContent = [
    `${done} of ${people}`,
    move.refined ? `refined in ${(move.refined / 1000).toFixed(1)} s` : move.took ? `in ${(move.took / 1000).toFixed(2)} s, being refined` : "",
    without ? `${without} left out: no steady baseline at this setting` : "",
    failed ? `${failed} left out: not solved` : "",
  ].filter(Boolean).join("; ");
  document.documentElement.dataset.move = move.id;
  document.documentElement.dataset.took = move.took ? move.took.toFixed(0) : "";
  document.documentElement.dataset.refined = move.refined ? move.refined.toFixed(0) : "";
}

/* ---- which parameters matter: each moved by itself, in a few patients ---- */

let ranking = null;
function rank() {
  const one = hypotheses[state.first];
  const moving = [...one.parameters.keys()].filter((index) => !one.parameters[index].fixed);
  ranking = { hypothesis: one.index, waiting: moving.length, effects: [] };
  byId("ranking").textContent = "Looking for the parameters that matter most…";
  const names = hypotheses[state.first].shown.slice(0, 4);
  const common = { kind: "effect", move: 0, hypothesis: one.index, factors: factorsOf(one), course: course(),
    grid: Float64Array.from([0, move.read > 0 ? move.read : data.end]), intervals: new Float64Array(0),
    wanted: names.map((name) => one.quantityAt.get(name)), levels: names.map((name) => one.quantities[one.quantityAt.get(name)].level), rtol: 1e-4, longest: Math.max(state.days / 24, 1e-12),
    patients: Array.from({ length: Math.min(4, data.patients) }, (_, k) => Math.floor(k * data.patients / Math.min(4, data.patients))) };
  queue = queue.filter((job) => job.kind !== "effect");
  queue.push(...moving.map((parameter) => ({ ...common, parameter, names })));
  feed();
}
function ranked(result) {
  if (!ranking || result.job.hypothesis !== ranking.hypothesis) return;
  ranking.waiting -= 1;
  const one = hypotheses[ranking.hypothesis], part = one.parameters[result.job.parameter];
  const quantity = result.which < 0 ? null : one.quantities[result.job.wanted[result.which]];
  ranking.effects.push({ name: part.name, effect: result.effect, of: quantity ? (quantity.level ? `the level of “${quantity.short}”` : `the change of “${quantity.short}”`) : "" });
  if (ranking.waiting === 0) {
    ranking.effects.sort((a, b) => b.effect - a.effect);
    byId("ranking").textContent = "Those that move the charts most come first, found in a few of the patients: a quarter more against a fifth less, in points of % of what is charted.";
    controlsOfParameters();
  }
}

/* ---- controls ---- */

const settings = [];
/* A slider with its name and value; `show` makes a text of the value. */
function slider(box, { name, label, hint, min, max, step, get, set, show }) {
  const id = `set-${name}`;
  const input = make("input", { type: "range", id, min, max, step, value: get(), ...(hint ? { "aria-describedby": `${id}-hint` } : {}) });
  const output = make("output", { for: id });
  const row = make("div", { class: "slider" }, make("label", { for: id, text: label }), output, input);
  if (hint) row.append(make("span", { class: "hint", id: `${id}-hint`, text: hint }));
  const tell = () => { const text = show(get()); output.textContent = text; input.setAttribute("aria-valuetext", text); };
  input.addEventListener("input", () => { set(Number(input.value)); tell(); changed(); });
  box.append(row);
  const own = { refresh: () => { input.max = typeof max === "function" ? max() : max; input.value = get(); tell(); }, input };
  own.refresh();
  settings.push(own);
  return own;
}
let pending = 0, isBehind = false;
function changed() {
  keepLink();
  for (const { refresh, input } of settings) if (input !== document.activeElement) refresh();
  // At most two moves for all the events between two pictures: of the first, and of the last.
  if (pending) { isBehind = true; return; }
  pending = requestAnimationFrame(() => {
    pending = 0;
    if (isBehind) { isBehind = false; begin(); }
  });
  begin();
}

function choose(box, name, label, options, get, set) {
  const list = make("select", { id: name }, ...options.map(([value, text]) => make("option", { value, text })));
  list.value = get();
  list.addEventListener("change", () => { set(Number(list.value)); controls(); changed(); });
  box.append(make("label", { class: "select", text: label }, list));
}
function controls() {
  settings.length = 0;
  const models = byId("models");
  models.replaceChildren(make("legend", { text: "Hypothesis" }));
  if (hypotheses.length > 1) {
    const all = hypotheses.map((one, index) => [index, one.name]);
    choose(models, "hypothesis", "Patients under", all, () => state.first, (value) => {
      if (value === state.second) state.second = state.first;
      state.first = value;
    });
    choose(models, "beside", "Beside them", [[-1, "nothing"], ...all.filter(([index]) => index !== state.first)],
      () => state.second, (value) => { state.second = value; });
  } else models.append(make("p", { class: "hint", text: `${hypotheses[0].name}: ${hypotheses[0].title}` }));

  const doses = byId("doses"), { course } = data, route = hypotheses[0].routes[course.route];
  doses.replaceChildren(make("legend", { text: route ? `Doses of ${route.drug}` : "Time" }));
  if (route) {
    const most = Math.max(4 * course.amount, state.dose) || 400;
    slider(doses, { name: "dose", label: "Dose", min: 0, max: most, step: tidyStep(most / 80), get: () => state.dose,
      set: (value) => { state.dose = value; }, show: (value) => (value > 0 ? `${rounded(value)} ${route.unit}` : "none") });
    if (course.every > 0) {
      const part = inDays ? 1 / 24 : course.every / 24, word = inDays ? "h" : data.time_unit;
      const low = 6, high = Math.max(168, Math.ceil(Math.max(4 * course.every, state.every) / part));
      slider(doses, { name: "every", label: "Interval between doses", min: low, max: high, step: 2, get: () => state.every / part,
        set: (value) => { state.every = value * part; },
        show: (value) => (inDays ? `${rounded(value)} h` : `${shownTime(value * part)} ${word}`) });
      slider(doses, { name: "missing", label: "Missed doses", min: 0, max: 90, step: 1, get: () => state.missing,
        set: (value) => { state.missing = value; }, show: (value) => `${value} %` });
      slider(doses, { name: "stop", label: "Last dose before", hint: "what comes after is wash-out", min: 0, max: () => state.days,
        step: tidyStep(data.end / 182), get: () => Math.min(state.stop, state.days),
        set: (value) => { state.stop = value; }, show: (value) => (value > 0 ? at(value) : "none is given") });
    }
  }
  slider(doses, { name: "days", label: "Length of the simulation", min: tidyStep(data.end / 26), max: data.longest, step: tidyStep(data.end / 182),
    get: () => state.days, set: (value) => {
      if (state.stop === state.days) state.stop = value;
      if (state.read === state.days && value > state.days && !lastReported) state.read = value;
      state.days = value;
    }, show: (value) => `${shownTime(value)} ${inDays ? "days" : data.time_unit}` });

  const reading = byId("reading");
  reading.replaceChildren();
  slider(reading, { name: "read", label: "Read at", min: 0, max: () => state.days, step: tidyStep(data.end / 182),
    get: () => Math.min(state.read, state.days), set: (value) => { state.read = value; }, show: (value) => {
      const visit = data.visits.find((one) => Math.abs(one.day - value) < 1);
      return `${at(value)}${visit ? `, ${visit.name}` : ""}`;
    } });

  const view = byId("view");
  view.replaceChildren(make("legend", { text: "Show" }));
  for (const [value, text] of [["changes", "change of each patient"], ["levels", "levels"]]) {
    const input = make("input", { type: "radio", name: "view", value, checked: state.view === value });
    input.addEventListener("change", () => see(value));
    view.append(make("label", { title: "v: the other one" }, input, make("span", { text })));
  }

  const box = byId("quantities");
  box.replaceChildren();
  for (const name of hypotheses[state.first].offered) {
    const one = hypotheses[state.first], part = one.quantities[one.quantityAt.get(name)];
    const input = make("input", { type: "checkbox", value: name, checked: state.quantities.includes(name) });
    input.addEventListener("change", () => {
      const kept = one.offered.filter((other) => (other === name ? input.checked : state.quantities.includes(other)));
      if (!kept.length) { input.checked = true; return; }
      state.quantities = input.checked ? [...state.quantities, name] : state.quantities.filter((other) => other !== name);
      changed();
    });
    box.append(make("label", { class: "check" }, input, make("span", { text: part.meaning })));
  }
  controlsOfParameters();
  standing();
}
function see(value) {
  state.view = value;
  for (const input of document.getElementsByName("view")) input.checked = input.value === value;
  keepLink();
  drawAgain();
}
function tidyStep(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((k) => k * power).find((step) => step >= value * 0.999);
}
function controlsOfParameters() {
  const one = hypotheses[state.first], box = byId("factors");
  for (const own of settings.filter((each) => box.contains(each.input))) settings.splice(settings.indexOf(own), 1);
  const focused = box.contains(document.activeElement) ? document.activeElement.id : "";
  box.replaceChildren();
  const first = ranking && ranking.waiting === 0 && ranking.hypothesis === one.index ? ranking.effects.filter((row) => row.effect > 0) : [];
  const effects = new Map(first.map((row) => [row.name, row]));
  const names = [...new Set([...first.slice(0, RANKED).map((row) => row.name), ...data.pinned, ...Object.keys(state.factors)])]
    .filter((name) => canMove(one, name));
  for (const name of names) {
    const index = one.parameterAt.get(name), part = one.parameters[index], middle = one.medians[index];
    const [low, high] = middle > 0 && part.bounds ? part.bounds.map((bound) => bound / middle) : [0, Infinity];
    const least = Math.max(0.1, Math.min(1, low)), most = Math.min(10, Math.max(1, high));
    const own = effects.get(name), factor = () => state.factors[name] ?? 1;
    slider(box, { name: `x-${name}`, label: part.meaning, min: Math.log10(least).toFixed(3), max: Math.log10(most).toFixed(3), step: 0.001,
      hint: `${name}; ${part.grade === "assumed" ? "assumed" : `${part.grade}, ${part.source}`}${own ? `; moves ${own.of} by ${rounded(own.effect)} points` : ""}`,
      get: () => Math.log10(factor()), set: (value) => {
        const times = Math.abs(value) < 0.006 ? 1 : Number((10 ** value).toPrecision(3));
        if (times === 1) delete state.factors[name]; else state.factors[name] = times;
        if (times === 1 && !data.pinned.includes(name)) state.factors[name] = 1;
      },
      show: () => `${rounded(middle * factor())} ${unitOf(part.unit)}${factor() === 1 ? "" : ` (× ${rounded(factor())})`}` });
  }
  if (focused && byId(focused)) byId(focused).focus();
  const list = byId("another");
  const rest = one.parameters.filter((part) => !part.fixed && !names.includes(part.name));
  list.replaceChildren(make("option", { value: "", text: "choose…" }), ...rest.map((part) => make("option", { value: part.name, text: `${part.name}: ${part.meaning}` })));
}
function standing() {
  const lines = chosen().map((one) => [`${one.name}. `, `${one.title}. ${people} of ${one.stands}.`]);
  lines.push(["Bands. ", "The line is the median patient, the band holds 5 to 95 % of the patients; every patient changes against its own baseline."]);
  if (chosen().some((one) => one.draws.some((draw) => draw > 0))) {
    lines.push(["Not known. ", "Bands mix differences between patients with differences between draws of the fit. The verb simulate run keeps them apart."]);
  }
  const told = data.reported.filter((item) => item.direction).map((item) => item.account);
  if (told.length) lines.push(["Reported. ", `${[...new Set(told)].join("; ")} (${data.source}). Dots and bars at their day are the mean and range that were printed.`]);
  for (const note of data.notes) lines.push(["Left out. ", note]);
  lines.push(["Not for dosing. ", "A hypothesis computed, not a prediction for a patient: no dose should be chosen by it."]);
  byId("standing").replaceChildren(...lines.map(([head, text]) => make("li", {}, make("strong", { text: head }), document.createTextNode(text))));
  byId("legend").replaceChildren(...chosen().map((one, k) => make("span", {}, make("span", { class: `key ${k ? "second" : "first"}`, "aria-hidden": "true" }),
    document.createTextNode(one.name))), make("span", { text: "median, and 5 to 95 % of patients" }),
  ...(data.reported.some((item) => item.mean !== null) ? [make("span", { text: "● reported mean and range" })] : []),
  ...(lastReported ? [make("span", { text: "↑ ↓ reported rise, fall" })] : []));
}

/* ---- files ---- */

function save(name, content) {
  const address = URL.createObjectURL(content), anchor = make("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
const quoted = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
function table() {
  const rows = [["hypothesis", "quantity", "unit", timeName, "reading", "median", "p5", "p95", "share_up", "share_down", "patients"]];
  for (const part of shown) {
    for (const { one, read } of part.of) {
      const [low, middle, high] = bands(read.courses), [lowChange, change, highChange] = bands(read.changes());
      const unit = read.isRelative ? "%" : read.unit;
      move.grid.forEach((day, i) => {
        rows.push([one.name, part.name, read.unit, day / data.days_per_unit, "level", middle[i], low[i], high[i], "", "", read.courses.length]);
        const sum = summed(read.changes().map((row) => row[i]));
        rows.push([one.name, part.name, unit, day / data.days_per_unit, "change", change[i], lowChange[i], highChange[i], sum.up, sum.down, sum.n]);
      });
    }
  }
  return rows.map((row) => row.map((value) => quoted(value === null ? "" : value)).join(",")).join("\n") + "\n";
}
function settingsInWords() {
  const route = hypotheses[0].routes[data.course.route];
  return [
    ...(route ? [state.dose > 0 ? `${rounded(state.dose)} ${route.unit}${state.every > 0 ? ` every ${inDays ? `${rounded(state.every * 24)} h` : `${shownTime(state.every)} ${data.time_unit}`}` : ""} until ${at(Math.min(state.stop, state.days))}` : "no doses"] : []),
    ...(state.missing ? [`${state.missing} % missed`] : []),
    ...Object.entries(state.factors).filter(([, factor]) => factor !== 1).map(([name, factor]) => `${name} × ${rounded(factor)}`)];
}
function picture() {
  const list = [...charts.values()], ratio = window.devicePixelRatio || 1;
  const columns = Math.min(3, list.length), width = Math.max(...list.map((own) => own.chart.ctx.canvas.width));
  const height = Math.max(...list.map((own) => own.chart.ctx.canvas.height)), head = 30 * ratio, top = 64 * ratio, gap = 16 * ratio;
  const canvas = make("canvas", { width: columns * (width + gap) + gap, height: top + Math.ceil(list.length / columns) * (height + head) + 40 * ratio });
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = color("--ground");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  const write = (text, x, y, size, ink, weight = "", room = canvas.width - x - gap) => {
    ctx.fillStyle = color(ink);
    ctx.font = `${weight} ${size * ratio}px system-ui, Helvetica, sans-serif`;
    ctx.fillText(text, x, y, room);
    return x + ctx.measureText(text).width;
  };
  write(data.title, gap, 26 * ratio, 17, "--ink", "600");
  let after = gap;
  chosen().forEach((one, k) => { after = write(`${k ? "- -" : "—"} ${one.name}`, after, 48 * ratio, 13, k ? "--two" : "--one", "600") + gap; });
  write(settingsInWords().join("; "), after, 48 * ratio, 13, "--soft");
  list.forEach((own, k) => {
    const x = gap + (k % columns) * (width + gap), y = top + Math.floor(k / columns) * (height + head);
    write(own.figure.querySelector("h3").textContent, x, y + 18 * ratio, 13, "--ink", "600", width);
    ctx.drawImage(own.chart.ctx.canvas, x, y + head);
  });
  write(`${people}; median and 5 to 95 %; il1sim ${data.version}; not for choosing a dose`, gap, canvas.height - 14 * ratio, 12, "--soft");
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

/* ---- theme, buttons, beginning ---- */

const isDark = window.matchMedia ? window.matchMedia("(prefers-color-scheme: dark)") : { matches: false, addEventListener() {} };
function themeNow() { return document.documentElement.dataset.theme || (isDark.matches ? "dark" : "light"); }
function drawAgain() { byId("charts").dataset.key = ""; schedule(); }

byId("title").textContent = byId("title").title = data.title;
byId("question").textContent = data.question;
byId("footer").textContent = `Made by il1sim ${data.version} from the scenario ${data.scenario}, seed ${data.seed}. Everything is computed in this page, which loads nothing.`;
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("another").addEventListener("change", (event) => {
  if (!event.target.value) return;
  const name = event.target.value;
  state.factors[name] = 1;
  controlsOfParameters();
  const input = byId(`set-x-${name}`);
  if (input) input.focus();
});
byId("reset").addEventListener("click", () => { state = usual(); controls(); changed(); });
byId("link").addEventListener("click", () => {
  const button = byId("link"), text = location.href.split("#")[0] + link();
  const said = (word) => { button.textContent = word; setTimeout(() => { button.textContent = "Copy link"; }, 1500); };
  const shownLink = () => window.prompt("The link to this setting", text);
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => said("Copied"), shownLink);
  else shownLink();
});
byId("csv").addEventListener("click", () => save(`${data.scenario}.csv`, new Blob([table()], { type: "text/csv" })));
byId("png").addEventListener("click", () => picture().then((blob) => save(`${data.scenario}.png`, blob)));
byId("theme").addEventListener("click", () => { document.documentElement.dataset.theme = themeNow() === "dark" ? "light" : "dark"; drawAgain(); });
isDark.addEventListener("change", drawAgain);
window.addEventListener("hashchange", () => { if (link() !== (location.hash || "#")) { state = readLink(); controls(); changed(); } });
document.addEventListener("keydown", (event) => {
  if (event.key !== "v" || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  see(state.view === "changes" ? "levels" : "changes");
});
let resizing = 0;
window.addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => {
    for (const own of charts.values()) own.chart.setSize(sizeOf(own.figure));
  });
});
for (const one of document.querySelectorAll("details.more")) one.open = window.innerWidth >= 900 && !one.querySelector("#quantities");

state = readLink();
startWorkers();
controls();
begin();
window.explorer = { data, state: () => state, table, picture, move: () => move };
}());
