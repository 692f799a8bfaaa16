/* Solves the equations of a model in a page, one patient after another.

   Dormand-Prince 5(4) (J. Comput. Appl. Math. 6 (1980) 19) with the step control of the engine; from where a patient's
   equations turn out stiff, Rodas5P (BIT Numer. Math. 63 (2023) 27), whose coefficients the page is given. Where a first
   look is enough, steps are as long as they are stable, and four stages of third order are laid out for that. Times are
   in days. A step ends wherever a dose is given or an interval between doses ends. */
"use strict";

const OK = 0, INFEASIBLE = 1, FAILED = 2;
/* Steps after which it is asked whether equations are stiff: before that Dormand-Prince is cheaper anyway. */
const LONG = 6000;

/* Each stage starts from the one before. The polynomial of stability, 1 + z + z²/2 + z³/6 + 0.01856543 z⁴, is the one of
   third order that stays below 1 the longest on the negative axis, to -5.97: that of Bogacki and Shampine, of three
   stages, does to -2.51. The difference from a method of second order is the error. */
const C2 = 0.16480545118686304, C3 = 0.8352431064718455, C4 = 0.3960633721541675;
const B1 = 0.04029870499302675, B2 = 0.22676213704234377, B3 = 0.3924088379740078, B4 = 0.3405303199906218;
const E1 = 0.11164063073213464, E2 = -0.028544825486882766, E3 = -0.04141270325224457,
  E4 = -0.13408214705748214, E5 = 0.09239904506447477;
const REACH = 5.5;

/* What is to happen when: scheduled doses of one course, of which a patient may miss some.

   course: amount (in the unit of the route), route, every and until (days; every 0 is one dose), duration (days, 0 for
   a dose at once); horizon: end of the simulation. Returns the scheduled times. */
function scheduled(course, horizon) {
  const times = [];
  if (!(course.amount > 0) || course.route < 0) return times;
  const until = Math.min(course.until, horizon);
  if (!(course.every > 0)) return until > 0 ? [0] : times;
  // A dose at the end of the course is not given; a rounding error must not let it slip in.
  for (let k = 0; k * course.every < until * (1 - 1e-12); k += 1) times.push(k * course.every);
  return times;
}

/* An engine for a model that was printed by `simulate.kernels.javascript`. */
function makeEngine(model, rodas) {
  const n = model.states, m = model.observables;
  const vector = () => new Float64Array(n);
  const y = vector(), z = vector(), k1 = vector(), k2 = vector(), k3 = vector(), k4 = vector(), k5 = vector();
  const k6 = vector(), k7 = vector(), absolute = vector(), between = vector(), direction = vector();
  const jacobian = new Float64Array(n * n);
  const u = new Float64Array(model.routes), c = new Float64Array(model.constants), g = new Float64Array(model.gains);
  const q = new Float64Array(model.conditions), o = new Float64Array(m);
  const prepare = model.prepare, rhs = model.rhs, observe = model.observe;
  const firstGain = model.targets.reduce((sums, route) => [...sums, sums[sums.length - 1] + route.length], [0]);
  const stiff = makeRodas(model, rodas, { y, z, f: k1, u, c });
  const counters = { steps: 0, rejected: 0, stiff: 0 };

  function give(route, amount) {
    model.targets[route].forEach((target, index) => { y[target] += g[firstGain[route] + index] * amount; });
  }

  /* States within the last step of Dormand-Prince, at a share of it. */
  function interpolate(theta, h) {
    const rest = 1 - theta;
    for (let i = 0; i < n; i += 1) {
      const change = z[i] - y[i], r3 = h * k1[i] - change, r4 = change - h * k7[i] - r3;
      const r5 = h * (-12715105075 / 11282082432 * k1[i] + 87487479700 / 32700410799 * k3[i]
        - 10690763975 / 1880347072 * k4[i] + 701980252875 / 199316789632 * k5[i]
        - 1453857185 / 822651844 * k6[i] + 69997945 / 29380423 * k7[i]);
      between[i] = y[i] + theta * (change + rest * (r3 + theta * (r4 + rest * r5)));
    }
  }

  /* A step from y at time t: new states in z, their derivative in k7. Returns the squared error ratio. */
  function dormandPrince(t, h, p, rtol, share, isLong) {
    for (let i = 0; i < n; i += 1) z[i] = y[i] + h * (1 / 5 * k1[i]);
    rhs(t + 1 / 5 * h, z, u, p, c, k2);
    for (let i = 0; i < n; i += 1) z[i] = y[i] + h * (3 / 40 * k1[i] + 9 / 40 * k2[i]);
    rhs(t + 3 / 10 * h, z, u, p, c, k3);
    for (let i = 0; i < n; i += 1) z[i] = y[i] + h * (44 / 45 * k1[i] - 56 / 15 * k2[i] + 32 / 9 * k3[i]);
    rhs(t + 4 / 5 * h, z, u, p, c, k4);
    for (let i = 0; i < n; i += 1) {
      z[i] = y[i] + h * (19372 / 6561 * k1[i] - 25360 / 2187 * k2[i] + 64448 / 6561 * k3[i] - 212 / 729 * k4[i]);
    }
    rhs(t + 8 / 9 * h, z, u, p, c, k5);
    for (let i = 0; i < n; i += 1) {
      z[i] = y[i] + h * (9017 / 3168 * k1[i] - 355 / 33 * k2[i] + 46732 / 5247 * k3[i] + 49 / 176 * k4[i]
        - 5103 / 18656 * k5[i]);
      between[i] = z[i];
    }
    rhs(t + h, z, u, p, c, k6);
    for (let i = 0; i < n; i += 1) {
      z[i] = y[i] + h * (35 / 384 * k1[i] + 500 / 1113 * k3[i] + 125 / 192 * k4[i] - 2187 / 6784 * k5[i]
        + 11 / 84 * k6[i]);
    }
    rhs(t + h, z, u, p, c, k7);
    let total = 0, slopes = 0, apart = 0;
    for (let i = 0; i < n; i += 1) {
      const error = h * (71 / 57600 * k1[i] - 71 / 16695 * k3[i] + 71 / 1920 * k4[i] - 17253 / 339200 * k5[i]
        + 22 / 525 * k6[i] - 1 / 40 * k7[i]);
      const a = Math.abs(y[i]), b = Math.abs(z[i]);
      if (a * share > absolute[i]) absolute[i] = a * share;
      const allowed = absolute[i] + rtol * (a > b ? a : b), scaled = error / allowed;
      total += allowed > 0 ? scaled * scaled : error === 0 ? 0 : NaN;
      // Hairer and Wanner II, IV.2: how fast the fastest component would move, in the scales of the states.
      if (isLong && allowed > 0) {
        const slope = (k7[i] - k6[i]) / allowed, distance = (z[i] - between[i]) / allowed;
        slopes += slope * slope;
        apart += distance * distance;
      }
    }
    pace = apart > 0 ? h * Math.sqrt(slopes / apart) : 0;
    return total / n;
  }
  let pace = 0;

  /* A step of four stages for a first look, with the derivative of the new states in k4; result as that of the other. */
  function firstLook(t, h, p, rtol, share) {
    for (let i = 0; i < n; i += 1) z[i] = y[i] + C2 * h * k1[i];
    rhs(t + C2 * h, z, u, p, c, k2);
    for (let i = 0; i < n; i += 1) z[i] = y[i] + C3 * h * k2[i];
    rhs(t + C3 * h, z, u, p, c, k3);
    for (let i = 0; i < n; i += 1) z[i] = y[i] + C4 * h * k3[i];
    rhs(t + C4 * h, z, u, p, c, k5);
    for (let i = 0; i < n; i += 1) z[i] = y[i] + h * (B1 * k1[i] + B2 * k2[i] + B3 * k3[i] + B4 * k5[i]);
    rhs(t + h, z, u, p, c, k4);
    let total = 0;
    for (let i = 0; i < n; i += 1) {
      const error = h * (E1 * k1[i] + E2 * k2[i] + E3 * k3[i] + E4 * k5[i] + E5 * k4[i]);
      const a = Math.abs(y[i]), b = Math.abs(z[i]);
      if (a * share > absolute[i]) absolute[i] = a * share;
      const allowed = absolute[i] + rtol * (a > b ? a : b), scaled = error / allowed;
      total += allowed > 0 ? scaled * scaled : error === 0 ? 0 : NaN;
    }
    return total / n;
  }
  let fastest = 0;
  /* How fast the fastest component moves, by powers of the Jacobian. */
  function lookForFastest(t, p, times) {
    model.jacobian(t, y, u, p, c, jacobian, between);
    let size = 0;
    // A patient's answer depends on no patient before.
    if (t === 0) direction.fill(1);
    for (let k = 0; k < times; k += 1) {
      const before = size;
      size = 0;
      for (let i = 0; i < n; i += 1) {
        let sum = 0;
        for (let j = 0; j < n; j += 1) sum += jacobian[i * n + j] * direction[j];
        between[i] = sum;
        size = Math.max(size, Math.abs(sum));
      }
      for (let i = 0; i < n; i += 1) direction[i] = size > 0 ? between[i] / size : 1;
      if (Math.abs(size - before) < 0.01 * size) break;
    }
    fastest = size;
  }
  /* The cubic through states and derivatives at both ends of such a step. */
  function hermite(theta, h) {
    const rest = 1 - theta;
    for (let i = 0; i < n; i += 1) {
      const change = z[i] - y[i], r3 = h * k1[i] - change, r4 = change - h * k4[i] - r3;
      between[i] = y[i] + theta * (change + rest * (r3 + theta * r4));
    }
  }

  /* First step: a hundredth of the time in which the states would change by their own sizes. */
  function firstStep(share, longest) {
    let total = 0;
    for (let i = 0; i < n; i += 1) {
      const size = absolute[i] / share;
      if (size > 0) total += (k1[i] / size) ** 2;
    }
    const speed = Math.sqrt(total / n);
    return Math.min(longest, speed > 1e-11 && speed < Infinity ? 0.01 / speed : 1e-6);
  }

  /* Solve for one patient.

     p: parameters; times, amounts: of the doses that are given, ascending; route, duration: of all of them;
     grid: times at which to record, ascending from 0; edges: start and end of intervals between doses, ascending;
     wanted: numbers of what is recorded, states before observables; rtol; longest: longest step; isFirst: whether it is
     a first look;
     values: [wanted, grid] and means: [wanted, interval, 3] are filled from the given places on: what is recorded at a
     time is there after the doses of that time, except at 0; of an interval its average, lowest and highest.
     Returns OK, INFEASIBLE or FAILED; what was not reached is NaN. */
  function solve(p, course, times, grid, edges, wanted, settings, values, valuesAt, means, meansAt) {
    const { rtol, longest, isFirst } = settings, share = Math.min(1e-6, rtol);
    const points = grid.length, end = grid[points - 1], intervals = edges.length / 2;
    const count = wanted.length, asked = new Uint8Array(m);
    for (let w = 0; w < count; w += 1) if (wanted[w] >= n) asked[wanted[w] - n] = 1;
    values.fill(NaN, valuesAt, valuesAt + count * points);
    means.fill(NaN, meansAt, meansAt + count * intervals * 3);
    u.fill(0);
    prepare(p, c, y, g, q);
    for (let i = 0; i < q.length; i += 1) if (!(q[i] >= -1e-9)) return INFEASIBLE;
    for (let i = 0; i < n; i += 1) {
      if (!Number.isFinite(y[i])) return INFEASIBLE;
      absolute[i] = share * Math.abs(y[i]);
    }

    let t = 0, at = 0, dose = 0, ending = 0, edge = 0, isStiff = false, stiffness = 0;
    // What is wanted where it was looked at last, and whether that is where the next step begins.
    const sums = new Float64Array(3 * count), seen = new Float64Array(count);
    let isSeen = false;
    // Of a first look the beginning and the end of a step that waits for the next one, and its length.
    const first = new Float64Array(count), middle = new Float64Array(count);
    let waiting = 0;

    function record(state, time) {
      observe(time, state, u, p, c, o, asked);
      for (let w = 0; w < count; w += 1) values[valuesAt + w * points + at] = valueOf(state, wanted[w]);
      at += 1;
    }
    function valueOf(state, number) { return number < n ? state[number] : o[number - n]; }
    function look(state, time, weight) {
      observe(time, state, u, p, c, o, asked);
      for (let w = 0; w < count; w += 1) seen[w] = valueOf(state, wanted[w]);
      gather(weight);
    }
    function gather(weight) {
      for (let w = 0; w < count; w += 1) {
        const value = seen[w];
        sums[3 * w] += weight * value;
        if (!(value >= sums[3 * w + 1])) sums[3 * w + 1] = value;
        if (!(value <= sums[3 * w + 2])) sums[3 * w + 2] = value;
      }
    }
    function begin() {
      for (let w = 0; w < count; w += 1) { sums[3 * w] = 0; sums[3 * w + 1] = NaN; sums[3 * w + 2] = NaN; }
    }
    function close() {
      const length = edges[edge] - edges[edge - 1];
      for (let w = 0; w < count; w += 1) {
        const place = meansAt + (w * intervals + (edge - 1) / 2) * 3;
        means[place] = sums[3 * w] / length;
        means[place + 1] = sums[3 * w + 1];
        means[place + 2] = sums[3 * w + 2];
      }
    }
    /* Doses, ends of infusions and ends of intervals at a time. Returns whether anything jumps. */
    function happen(time) {
      let jumps = false;
      while (ending < dose && course.duration > 0 && times[ending] + course.duration <= time) {
        u[course.route] -= course.amount / course.duration;
        // What is left of sums and differences is nothing.
        if (ending + 1 === dose) u[course.route] = 0;
        ending += 1;
        jumps = true;
      }
      while (dose < times.length && times[dose] <= time) {
        if (course.duration > 0) u[course.route] += course.amount / course.duration;
        else give(course.route, course.amount);
        dose += 1;
        jumps = true;
      }
      while (edge < edges.length && edges[edge] <= time) {
        if (edge % 2 === 1) close();
        else begin();
        edge += 1;
      }
      return jumps;
    }
    function nextStop() {
      let stop = end;
      if (dose < times.length && times[dose] < stop) stop = times[dose];
      if (course.duration > 0 && ending < dose) stop = Math.min(stop, times[ending] + course.duration);
      if (edge < edges.length && edges[edge] < stop) stop = edges[edge];
      return stop;
    }

    if (grid[0] === 0) record(y, 0);
    happen(0);
    while (at < points && grid[at] <= 0) record(y, 0);
    rhs(t, y, u, p, c, k1);
    let h = 0, remembered = 0, restarting = true, limit = 5, attempts = 0, isShort = Boolean(isFirst);
    h = firstStep(share, longest);
    while (t < end) {
      attempts += 1;
      if (attempts > 50000) return FAILED;
      const stop = nextStop(), rest = stop - t, reaches = h >= rest * 0.999999;
      if (isShort && attempts % 200 === 1) lookForFastest(t, p, attempts === 1 ? 40 : 4);
      h = Math.min(h, longest, isShort && fastest > 0 ? REACH / fastest : Infinity);
      h = h >= rest * 0.999999 ? rest : Math.min(h, 0.5 * rest);
      const next = reaches && h === rest ? stop : t + h;
      if (next === t) return FAILED;
      // What takes so long may be stiff, and only the longer steps ask for that.
      if (attempts > LONG) isShort = false;
      const ratio = isStiff ? stiff.step(t, h, p, rtol, share, absolute)
        : isShort ? firstLook(t, h, p, rtol, share) : dormandPrince(t, h, p, rtol, share, attempts > LONG);
      // The sixth root in a third of the time of a power.
      let factor = 0.9 * (isShort ? 1 / Math.cbrt(Math.sqrt(ratio)) : Math.pow(ratio, -0.1));
      factor = factor > 0.2 && ratio < Infinity ? Math.min(factor, limit) : 0.2;
      if (!(ratio <= 1)) {  // An undefined ratio is a rejection.
        limit = 1;
        counters.rejected += 1;
        h *= factor;
        continue;
      }
      counters.steps += 1;
      limit = 5;
      // A stop that is far away shortens no step after it; what shortened this one is not remembered.
      if (restarting) { remembered = h * factor; restarting = false; }
      const inside = isStiff ? stiff.interpolate : isShort ? hermite : interpolate;
      while (at < points && grid[at] < next) {
        const theta = (grid[at] - t) / h;
        inside(theta, h, between);
        record(between, grid[at]);
      }
      if (edge % 2 === 1 && waiting > 0) {
        // The parabola through the ends of two steps.
        const both = waiting + h, ratio = h / waiting;
        look(z, next, 0);
        for (let w = 0; w < count; w += 1) {
          sums[3 * w] += both / 6 * ((2 - ratio) * first[w] + both * both / (waiting * h) * middle[w] + (2 - 1 / ratio) * seen[w]);
        }
        waiting = 0;
        isSeen = true;
      } else if (edge % 2 === 1 && isShort && next < stop) {
        if (!isSeen) look(y, t, 0);
        first.set(seen);
        look(z, next, 0);
        middle.set(seen);
        waiting = h;
        isSeen = true;
      } else if (edge % 2 === 1) {
        // Simpson's rule over the step.
        if (isSeen) gather(h / 6);
        else look(y, t, h / 6);
        inside(0.5, h, between);
        look(between, t + 0.5 * h, 4 * h / 6);
        look(z, next, h / 6);
        isSeen = true;
      } else isSeen = false;
      if (!isStiff && !isShort) {
        stiffness = pace > 3.25 ? stiffness + 1 : Math.max(0, stiffness - 0.25);
        if (stiffness > 15) { isStiff = true; counters.stiff += 1; }
      }
      t = next;
      for (let i = 0; i < n; i += 1) y[i] = z[i];
      h *= factor;
      if (t >= stop && happen(t)) {
        rhs(t, y, u, p, c, k1);
        h = remembered > 0 ? remembered : firstStep(share, longest);
        restarting = true;
        limit = 5;
        isSeen = false;
      } else if (isStiff) rhs(t, y, u, p, c, k1);
      else {
        const last = isShort ? k4 : k7;
        for (let i = 0; i < n; i += 1) k1[i] = last[i];
      }
      while (at < points && grid[at] <= t) record(y, t);
    }
    return OK;
  }

  return { solve, counters };
}

/* Steps of Rodas5P in the transformed form without products of matrix and vector. */
function makeRodas(model, table, { y, z, f, u, c }) {
  const n = model.states;
  const jacobian = new Float64Array(n * n), factors = new Float64Array(n * n), inTime = new Float64Array(n);
  const pivots = new Int32Array(n), rate = new Float64Array(n), known = new Float64Array(n);
  const stages = Array.from({ length: 8 }, () => new Float64Array(n));

  /* LU factors of 1/(γh) − J with row exchanges. */
  function factor(shift) {
    for (let i = 0; i < n * n; i += 1) factors[i] = -jacobian[i];
    for (let i = 0; i < n; i += 1) factors[i * n + i] += shift;
    for (let column = 0; column < n; column += 1) {
      let best = column;
      for (let row = column + 1; row < n; row += 1) {
        if (Math.abs(factors[row * n + column]) > Math.abs(factors[best * n + column])) best = row;
      }
      pivots[column] = best;
      if (best !== column) {
        for (let k = 0; k < n; k += 1) {
          const kept = factors[column * n + k];
          factors[column * n + k] = factors[best * n + k];
          factors[best * n + k] = kept;
        }
      }
      const head = 1 / factors[column * n + column];
      for (let row = column + 1; row < n; row += 1) {
        const multiple = factors[row * n + column] * head;
        factors[row * n + column] = multiple;
        if (multiple !== 0) {
          for (let k = column + 1; k < n; k += 1) factors[row * n + k] -= multiple * factors[column * n + k];
        }
      }
    }
  }
  function backsolve(x) {
    for (let row = 0; row < n; row += 1) {
      const best = pivots[row], kept = x[row];
      x[row] = x[best];
      x[best] = kept;
    }
    for (let row = 0; row < n; row += 1) for (let k = 0; k < row; k += 1) x[row] -= factors[row * n + k] * x[k];
    for (let row = n - 1; row >= 0; row -= 1) {
      for (let k = row + 1; k < n; k += 1) x[row] -= factors[row * n + k] * x[k];
      x[row] /= factors[row * n + row];
    }
  }

  function step(t, h, p, rtol, share, absolute) {
    model.jacobian(t, y, u, p, c, jacobian, inTime);
    for (let i = 0; i < n; i += 1) if (!Number.isFinite(inTime[i])) inTime[i] = 0;
    factor(1 / (table.gamma * h));
    for (let stage = 0; stage < 8; stage += 1) {
      if (stage > 0) {
        z.set(y);
        for (let earlier = 0; earlier < stage; earlier += 1) {
          const weight = table.a[stage][earlier];
          if (weight !== 0) for (let i = 0; i < n; i += 1) z[i] += weight * stages[earlier][i];
        }
        model.rhs(t + table.nodes[stage] * h, z, u, p, c, rate);
      } else rate.set(f);
      known.fill(0);
      for (let earlier = 0; earlier < stage; earlier += 1) {
        const weight = table.coupling[stage][earlier];
        for (let i = 0; i < n; i += 1) known[i] += weight * stages[earlier][i];
      }
      const slope = table.slopes[stage] * h;
      for (let i = 0; i < n; i += 1) known[i] = rate[i] + known[i] / h + slope * inTime[i];
      backsolve(known);
      stages[stage].set(known);
    }
    let total = 0;
    for (let i = 0; i < n; i += 1) {
      z[i] += stages[7][i];
      const a = Math.abs(y[i]), b = Math.abs(z[i]);
      if (a * share > absolute[i]) absolute[i] = a * share;
      const allowed = absolute[i] + rtol * (a > b ? a : b), scaled = stages[7][i] / allowed;
      total += allowed > 0 ? scaled * scaled : stages[7][i] === 0 ? 0 : NaN;
    }
    return total / n;
  }
  function interpolate(theta, h, between) {
    const rest = 1 - theta;
    for (let i = 0; i < n; i += 1) {
      let a = 0, b = 0, d = 0;
      for (let stage = 0; stage < 8; stage += 1) {
        a += table.dense[0][stage] * stages[stage][i];
        b += table.dense[1][stage] * stages[stage][i];
        d += table.dense[2][stage] * stages[stage][i];
      }
      between[i] = rest * y[i] + theta * (z[i] + rest * (a + theta * (b + theta * d)));
    }
  }
  return { step, interpolate };
}
