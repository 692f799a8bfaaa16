/* What a worker does for a page: patients of a hypothesis at some setting of the sliders. */
"use strict";

let given = null;      // values of patients by hypothesis, missed doses, coefficients
const engines = [];

function setUp(message) { given = message; }

/* Times of the doses that a patient is given, of those that are scheduled. */
function dosesOf(patient, times, missing) {
  if (!(missing > 0)) return times;
  // A whole percentage is above a number between 0 and 1 where it is above its hundredths, rounded down.
  return times.filter((_, k) => given.missed[patient * given.doses + k % given.doses] >= missing);
}

/* Parameters of a patient; factors: [number of the parameter, factor, low, high], cut at bounds as those of a run. */
function parametersOf(hypothesis, patient, factors) {
  const count = MODELS[hypothesis].parameters;
  const p = given.values[hypothesis].slice(patient * count, (patient + 1) * count);
  for (const [index, factor, low, high] of factors) p[index] = Math.min(high, Math.max(low, p[index] * factor));
  return p;
}

function engineOf(hypothesis) {
  if (!engines[hypothesis]) engines[hypothesis] = ENGINES[hypothesis](MODELS[hypothesis], given.rodas);
  return engines[hypothesis];
}

/* A course of averages over intervals between doses, each at the end of its interval, and straight lines between them;
   behind the last interval the course itself. */
function follow(solved, means, job, followed) {
  const { grid, intervals } = job, last = intervals.length / 2 - 1, end = intervals[2 * last + 1];
  let s = 0, before = 0, level = solved[0];
  followed.set(solved);
  for (let i = 1; i < grid.length && grid[i] <= end + 1e-9; i += 1) {
    while (s < last && intervals[2 * s + 1] < grid[i]) {
      before = intervals[2 * s + 1];
      level = means[3 * s];
      s += 1;
    }
    const share = Math.min(1, (grid[i] - before) / (intervals[2 * s + 1] - before));
    followed[i] = level + share * (means[3 * s] - level);
  }
}

let means = new Float64Array(0);
/* Courses of the patients of a job: values [patient, wanted, time] and, where there are intervals to look at, followed,
   averages of the same shape; swings [patient, wanted], lowest to highest in the last interval over its average;
   status [patient]. */
function courses(job) {
  const count = job.patients.length, width = job.grid.length, points = job.wanted.length * width;
  const spans = job.intervals.length / 2;
  if (means.length !== job.wanted.length * spans * 3) means = new Float64Array(job.wanted.length * spans * 3);
  const values = new Float64Array(count * points), followed = new Float64Array(spans ? count * points : 0);
  const swings = new Float64Array(spans ? count * job.wanted.length : 0), status = new Uint8Array(count);
  const times = scheduled(job.course, job.grid[job.grid.length - 1]);
  job.patients.forEach((patient, index) => {
    status[index] = engineOf(job.hypothesis).solve(
      parametersOf(job.hypothesis, patient, job.factors), job.course, dosesOf(patient, times, job.course.missing),
      job.grid, job.intervals, job.wanted, job, values, index * points, means, 0);
    for (let w = 0; spans && w < job.wanted.length; w += 1) {
      const own = means.subarray(w * spans * 3, (w + 1) * spans * 3), at = index * points + w * width;
      follow(values.subarray(at, at + width), own, job, followed.subarray(at, at + width));
      const [mean, low, high] = own.subarray(3 * spans - 3);
      swings[index * job.wanted.length + w] = (high - low) / Math.abs(mean);
    }
  });
  return { values, followed, swings, status };
}

/* How far a parameter moves what is shown: the largest difference, over what is wanted, of what is charted between a
   quarter more and a fifth less of it, in points of %, in the mean patient of the job: of the level of what
   `job.levels` says is a level, else of the change since baseline. */
function effect(job) {
  const sides = [1.25, 0.8].map((factor) => courses(
    { ...job, factors: [...job.factors, [job.parameter, factor, -Infinity, Infinity]] }));
  const last = job.grid.length - 1, width = job.grid.length;
  let most = 0, which = -1;
  job.wanted.forEach((_, w) => {
    let total = 0, there = 0;
    job.patients.forEach((__, index) => {
      const [above, below] = sides.map(({ values }) => {
        const at = (index * job.wanted.length + w) * width;
        return job.levels[w] ? values[at + last] : 100 * (values[at + last] / values[at] - 1);
      });
      if (Number.isFinite(above - below)) { total += Math.abs(above - below); there += 1; }
    });
    if (there && total / there > most) { most = total / there; which = w; }
  });
  return { effect: most, which };
}

function answer(job) {
  return { ...(job.kind === "effect" ? effect(job) : courses(job)), job };
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  self.onmessage = (event) => {
    if (event.data.kind === "set up") setUp(event.data);
    else {
      const found = answer(event.data);
      self.postMessage(found, found.values ? [found.values.buffer, found.followed.buffer, found.swings.buffer] : []);
    }
  };
}
