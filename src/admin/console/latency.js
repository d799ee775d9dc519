// Where the time of a commit goes, from the histograms of this node.

import { duration, h, number, put, s, table } from './dom.js';

export const title = 'Latency';
const STAGES = [['queue', 'until it is in an entry'], ['replicate', 'until a majority has it on disk'], ['apply', 'until its outcome is known']];
const HISTORY = 240;

/** What was measured between two looks at a cumulative histogram. */
function since(now, then) {
  if (!now) return null;
  const before = new Map(then?.buckets ?? []);
  const restarted = then && now.count < then.count;
  const buckets = now.buckets.map(([limit, count]) => [limit, count - (restarted ? 0 : before.get(limit) ?? 0)]);
  return { count: now.count - (restarted ? 0 : then?.count ?? 0), buckets };
}

/** The p-th part of what was measured: within a bucket as if evenly spread. */
export function percentile(histogram, p) {
  if (!histogram || histogram.count <= 0) return null;
  const wanted = histogram.count * p;
  let [below, lower] = [0, 0];
  for (const [limit, count] of histogram.buckets) {
    if (count >= wanted) return lower + (limit - lower) * ((wanted - below) / Math.max(1, count - below));
    [below, lower] = [count, limit];
  }
  return lower;
}

/** Keeps what the last minutes measured, whatever page is open. */
export class History {
  constructor() { this.last = new Map(); this.series = new Map(); this.at = []; }

  take(picture) {
    const histograms = picture.metrics.filter((m) => m.buckets.length);
    this.at = [...this.at, picture.at].slice(-HISTORY);
    for (const m of histograms) {
      const key = [m.name, m.labels.group ?? '', m.labels.stage ?? ''].join('|');
      const points = this.series.get(key) ?? [];
      // Three looks together, or rare writes make a comb.
      const trail = this.last.get(key) ?? [];
      const diff = trail.length ? since(m, trail[0]) : null;
      points.push({ at: picture.at, p50: percentile(diff, 0.5), p99: percentile(diff, 0.99), rate: trail.length > 1 ? (m.count - trail.at(-1).count) : null });
      this.series.set(key, points.slice(-HISTORY));
      this.last.set(key, [...trail, m].slice(-3));
    }
  }

  of(name, group, stage = '') { return this.series.get([name, group, stage].join('|')) ?? []; }
}

/** Lines over time on a logarithmic scale, seconds. */
export function chart(lines, label) {
  const [width, height, left, bottom] = [900, 220, 60, 20];
  const points = lines.flatMap((line) => line.points.filter((p) => p.value > 0));
  if (!points.length) return h('p', { class: 'soft' }, 'Nothing was measured in the last minutes.');
  const end = Math.max(...points.map((p) => p.at));
  const begin = Math.min(end - 60000, ...points.map((p) => p.at));
  const low = Math.floor(Math.log10(Math.min(...points.map((p) => p.value))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...points.map((p) => p.value)))));
  const x = (at) => left + ((at - begin) / (end - begin)) * (width - left - 8);
  const y = (value) => 8 + ((high - Math.log10(value)) / (high - low)) * (height - bottom - 8);
  const grid = [];
  for (let power = low; power <= high; power += 1) {
    grid.push(s('line', { class: 'grid', x1: left, x2: width - 8, y1: y(10 ** power), y2: y(10 ** power) }), s('text', { x: 0, y: y(10 ** power) + 4 }, duration(10 ** power)));
  }
  const path = (line) => {
    let d = '';
    let pen = 'M';
    for (const p of line.points) {
      if (!(p.value > 0)) { pen = 'M'; continue; }
      d += `${pen}${x(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`;
      pen = 'L';
    }
    return s('path', { class: `line s${line.colour}`, d, 'stroke-dasharray': line.dashed ? '4 3' : null });
  };
  return h('div', { class: 'scroll' }, s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, grid, lines.map(path),
    s('text', { x: left, y: height - 4 }, `${Math.round((end - begin) / 1000)} s ago`), s('text', { x: width - 34, y: height - 4 }, 'now')));
}

export function open(root, argument, { history }) {
  let group = argument ?? null;
  let last;
  const show = (picture) => {
    last = picture;
    const { groups, answered_by: here } = picture.status;
    group ??= String((groups.find((g) => g.database !== 'system') ?? groups[0])?.id ?? '');
    const chosen = groups.find((g) => String(g.id) === group);
    const total = (name, stage) => picture.metrics.find((m) => m.name === name && m.labels.group === group && (!stage || m.labels.stage === stage));
    const series = (name, stage, p) => history.of(name, group, stage).map((point) => ({ at: point.at, value: point[p] }));
    const stage = 'quorate_commit_stage_duration_seconds';
    const lines = STAGES.flatMap(([name], i) => [{ points: series(stage, name, 'p50'), colour: i }, { points: series(stage, name, 'p99'), colour: i, dashed: true }]);
    const other = [
      ['quorate_read_index_duration_seconds', group, 'read index', 'until a linearizable read may begin'],
      ['quorate_log_write_duration_seconds', '', 'log write', 'until what has gathered is on this node\'s disk (all groups)'],
    ];
    const find = (name, of) => picture.metrics.find((m) => m.name === name && (m.labels.group ?? '') === of);
    const rows = [
      ...STAGES.map(([name, why]) => [name, why, total(stage, name), history.of(stage, group, name).at(-1)]),
      ...other.map(([name, of, short, why]) => [short, why, find(name, of), history.of(name, of).at(-1)]),
    ];
    const own = picture.groups.find((g) => String(g.group) === group);
    const behind = Object.entries(own?.matched ?? {}).filter(([node]) => node !== here).sort((a, b) => a[1] - b[1])[0];
    put(root, h('section', { class: 'card' }, h('h2', {}, `Commits by stage, on ${here}`),
      h('div', { class: 'buttons' }, h('label', {}, 'Group ', h('select', { value: group, onchange: (e) => { group = e.target.value; show(last); } },
        groups.map((g) => h('option', { value: String(g.id), selected: String(g.id) === group }, g.database))))),
      chosen && chosen.leader !== here ? h('p', { class: 'soft' }, `${chosen.leader ?? 'Nobody'} leads this group: stages are measured by the leader, so what is here is from the time when ${here} led.`) : null,
      chart(lines, 'Percentiles of each stage over time'),
      h('ul', { class: 'legend' }, STAGES.map(([name], i) => h('li', {}, h('span', { class: `key k${i}` }), name)), h('li', {}, '— half of them, - - 99 of 100 (over three seconds)')),
      table([
        ['stage', (r) => h('b', {}, r[0])],
        ['now: 50 %', (r) => duration(r[3]?.p50), 'n'],
        ['now: 99 %', (r) => duration(r[3]?.p99), 'n'],
        ['since start: 50 %', (r) => duration(percentile(r[2], 0.5)), 'n'],
        ['99 %', (r) => duration(percentile(r[2], 0.99)), 'n'],
        ['measured', (r) => number(r[2]?.count ?? 0), 'n'],
        ['what it is', (r) => r[1]],
      ], rows, { key: (r) => r[0] }),
      behind ? h('p', {}, 'The slowest follower: ', h('b', {}, behind[0]), behind[1] < own.last ? `, ${number(own.last - behind[1])} entries behind the leader's log.` : ', which has everything.') : null),
    h('section', { class: 'card' }, h('h2', {}, 'Reads and the disk'),
      chart(other.flatMap(([name, of], i) => [
        { points: history.of(name, of).map((p) => ({ at: p.at, value: p.p50 })), colour: i + 3 },
        { points: history.of(name, of).map((p) => ({ at: p.at, value: p.p99 })), colour: i + 3, dashed: true }]), 'Percentiles of read index and log writes over time'),
      h('ul', { class: 'legend' }, other.map(([, , short], i) => h('li', {}, h('span', { class: `key k${i + 3}` }), short)))));
  };
  return { show };
}
