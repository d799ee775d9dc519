// The page of `quorate demo --chaos`: nodes with buttons, what writers were told, and what a complete reading has found.

import { chip, h, number, put, s, table } from './dom.js';

const main = document.getElementById('main');
const link = document.getElementById('link');
let said = '';

async function act(action, node = 'all') {
  try {
    const answer = await fetch('/act', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ action, node }) });
    said = answer.ok ? '' : await answer.text();
  } catch {
    said = 'The demo has ended.';
  }
  look();
}

const button = (node, action, text, possible, danger) =>
  h('button', { onclick: () => act(action, node.name), disabled: !possible, class: danger ? 'danger' : null, 'aria-label': `${text} ${node.name}` }, text);

function buttons(node, end) {
  const up = !['killed', 'wiped'].includes(node.state) && !end;
  return h('span', { class: 'buttons' },
    node.state === 'killed' ? button(node, 'restart', 'Start', !end) : button(node, 'kill', 'Kill', up, true),
    node.state === 'paused' ? button(node, 'resume', 'Resume', up) : button(node, 'pause', 'Pause', up),
    button(node, 'cut', 'Cut off', up && !node.cut),
    button(node, 'slow', 'Slow', up && !node.slow),
    button(node, 'heal', 'Heal', (node.cut || node.slow) && !end),
    button(node, 'lead', 'Lead', ['up', 'slow'].includes(node.state) && !node.leads && !end),
    button(node, 'wipe', 'Wipe', !['wiped', 'joining'].includes(node.state) && !end, true));
}

/** All of them at once. */
const every = (nodes, state, action, text, end) => {
  const some = nodes.filter((node) => (node.state === 'killed') === state);
  return h('button', { disabled: end || !some.length, class: state ? null : 'danger', onclick: () => Promise.all(some.map((node) => act(action, node.name))) }, text);
};

const level = { up: 'good', killed: 'bad', wiped: 'bad', paused: 'warn', cut: 'warn', joining: 'warn', slow: 'warn' };

const deeds = [
  ['Kill', 'SIGKILL: the process is gone at once. Its disk stays, and Start goes on with it.'],
  ['Pause', 'SIGSTOP: the process is there, keeps its connections, and says nothing until Resume.'],
  ['Cut off', 'Nothing passes between the node and the others until Heal; connections stay open, and its clients still reach it.'],
  ['Slow', 'All that passes between the node and the others takes 100 ms longer, each way, until Heal. Nothing is lost, and nobody is elected: a slow follower is outvoted by the fast ones; a slow leader makes every write slow, until another one leads.'],
  ['Lead', 'The node is asked to lead, and the leader hands over to it.'],
  ['Wipe', 'The process is killed and its directory emptied, as after the loss of a disk. When the others have missed it, it is started again under its old name. It must not vote as its former self, which may have promised what it has forgotten: so it joins as a new member, gets everything from the leader, and takes over the vote. Refused while no majority has the data on other disks: that would be a real loss, which no database can undo.'],
  ['Cut all power', 'SIGKILL to every node in the same moment, and all are started a second later: no process is left that remembers anything. It is not quite a loss of power: what a node had written and not yet synced is still in the page cache of this machine, which would be lost with it. Acknowledged writes do not depend on that: a majority has synced them. Tests that lose unsynced bytes as well are in the project: docs/robustness.md says which.'],
];

function curve(seconds, events) {
  const [width, height, left, bottom] = [900, 240, 50, 20];
  if (seconds.length < 2) return h('p', { class: 'soft' }, 'It begins …');
  const [first, last] = [seconds[0].at, seconds.at(-1).at];
  const high = Math.max(3, Math.ceil(Math.log10(Math.max(...seconds.map((one) => Math.max(one.p99, one.gap))))));
  const x = (at) => left + ((at - first) / Math.max(60, last - first)) * (width - left - 8);
  const y = (ms) => 8 + ((high - Math.max(0, Math.log10(Math.max(1, ms)))) / high) * (height - bottom - 8);
  const path = (value) => {
    let pen = 'M';
    let d = '';
    for (const one of seconds) {
      if (!(value(one) > 0)) { pen = 'M'; continue; }
      d += `${pen}${x(one.at).toFixed(1)} ${y(value(one)).toFixed(1)}`;
      pen = 'L';
    }
    return d;
  };
  const grid = Array.from({ length: high + 1 }, (_, power) => [
    s('line', { class: 'grid', x1: left, x2: width - 8, y1: y(10 ** power), y2: y(10 ** power) }),
    s('text', { x: 0, y: y(10 ** power) + 4 }, power < 3 ? `${10 ** power} ms` : `${10 ** (power - 3)} s`)]);
  const errors = seconds.filter((one) => one.errors).map((one) => s('circle', { class: 'fx', cx: x(one.at), cy: height - bottom - 4, r: 3 }, s('title', {}, `${one.errors} errors`)));
  // What was done, with its first word where there is room for it.
  let free = 0;
  const deed = (event) => {
    const at = x(event.at);
    const word = event.text.split(' ')[0];
    const shows = at >= free;
    if (shows) free = at + 12 + 6 * word.length;
    return [s('line', { class: 'grid', x1: at, x2: at, y1: 8, y2: height - bottom, 'stroke-dasharray': '4 4' }, s('title', {}, event.text)), shows ? s('text', { x: at + 3, y: 16 }, word) : null];
  };
  const done = events.filter((event) => event.at >= first && event.at <= last + 1).toReversed().map(deed);
  return h('div', { class: 'scroll' }, s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Latency of writes in each second' }, grid, done,
    s('path', { class: 'line s4', d: path((one) => one.gap), 'stroke-dasharray': '2 3' }), s('path', { class: 'line s1', d: path((one) => one.p99) }),
    s('path', { class: 'line s0', d: path((one) => one.p50) }), errors, s('text', { x: left, y: height - 4 }, `${first} s`), s('text', { x: Math.min(Math.max(x(last) - 20, left + 40), width - 40), y: height - 4 }, `${last} s`)));
}

function draw(picture) {
  const { nodes, audit, errors, curve: seconds, events, end } = picture;
  const failed = Object.values(errors).reduce((a, b) => a + b, 0);
  const now = seconds.at(-1);
  const wrong = audit && (audit.lost || audit.doubled);
  const tile = (text, name, how) => h('div', {}, h('b', { class: how ? `chip ${how}` : null }, text), h('span', {}, name));
  put(main,
    h('section', { class: 'card', 'aria-label': 'Counts' }, h('div', { class: 'tiles' },
      tile(number(picture.acknowledged), 'acknowledged writes'),
      tile(number(now?.acknowledged ?? 0), 'in the last second'),
      tile(number(failed), 'errors that writers saw'),
      tile(audit ? number(audit.lost) : '…', 'lost', audit ? (audit.lost ? 'bad' : 'good') : null),
      tile(audit ? number(audit.doubled) : '…', 'doubled', audit ? (audit.doubled ? 'bad' : 'good') : null)),
    h('p', { class: 'soft' }, audit ? `${end ? 'The load has ended: all' : 'At the last reading, all'} ${number(audit.acknowledged)} acknowledged rows were looked for${wrong ? '.' : ', and each was there once.'} ${number(audit.unsure)} more are there that no writer had been told of.` : 'All acknowledged rows are read back every ten seconds.')),
    h('section', { class: 'card' }, h('h2', {}, 'Nodes'), said ? h('p', { class: 'problem warn', role: 'alert' }, said) : null,
      table([
        ['node', (n) => [h('b', {}, n.name), ' ', n.leads ? chip('leads', 'good') : null]],
        ['state', (n) => chip(n.state, level[n.state])],
        ['term', (n) => number(n.term), 'n'],
        ['applied', (n) => number(n.applied), 'n'],
        ['do', (n) => buttons(n, end)],
        ['look', (n) => h('a', { href: `http://127.0.0.1:${n.http}/console`, target: '_blank', rel: 'noreferrer' }, 'console')],
      ], nodes, { key: (n) => n.name }),
      h('div', { class: 'buttons' }, every(nodes, false, 'kill', 'Kill all', end), every(nodes, true, 'restart', 'Start all', end),
        h('button', { class: 'danger', disabled: end, onclick: () => act('power') }, 'Cut all power')),
      h('details', {}, h('summary', {}, 'What the buttons do'), h('dl', {}, deeds.map(([name, text]) => [h('dt', {}, h('b', {}, name)), h('dd', {}, text)])))),
    h('section', { class: 'card' }, h('h2', {}, 'Latency of a write'), curve(seconds, events),
      h('ul', { class: 'legend' }, [[0, 'half of them'], [1, '99 of 100'], [4, 'longest time without a success'], ['x', 'errors']].map(([k, text]) => h('li', {}, h('span', { class: `key k${k}` }), text)))),
    h('section', { class: 'card' }, h('h2', {}, 'What was done'),
      events.length ? table([['at', (e) => `${e.at.toFixed(1)} s`, 'n'], ['what', (e) => e.text], ['no write succeeded for', (e) => (e.gap === null ? '…' : `${number(Math.round(e.gap))} ms`), 'n']], events, { key: (e) => e.at })
        : h('p', { class: 'soft' }, 'Nothing yet: press a button.')),
    failed ? h('section', { class: 'card' }, h('h2', {}, 'Errors'), h('p', {}, Object.entries(errors).map(([why, count]) => [chip(`${why} × ${number(count)}`), ' ']))) : null);
}

async function look() {
  try {
    draw(await (await fetch('/state')).json());
    link.textContent = 'live';
    link.className = 'chip good';
  } catch {
    link.textContent = 'the demo has ended';
    link.className = 'chip bad';
  }
}

look();
setInterval(() => document.hidden || look(), 500);
