// One group, live: its log as it grows, who has what, how far each follower is.

import { bytes, chip, h, number, put, table } from './dom.js';
import { getJson } from './source.js';
import { colour } from './groups.js';

export const title = 'Log';
const EPOCH = Date.UTC(2000, 0, 1);
const KEPT = 200;

export function open(root, argument) {
  let group = argument ? Number(argument) : null;
  let picture;
  let entries = [];
  let tail;
  let paused = false;
  let before = null;
  let problem = '';
  let busy = false;

  const load = async (from) => {
    if (busy || group === null) return;
    busy = true;
    try {
      const asked = group;
      const answer = await getJson(`/console/log?group=${asked}${from === undefined ? '' : `&from=${from}`}`);
      if (asked === group) {
        tail = answer;
        const known = new Set(answer.entries.map((e) => e.index));
        // What a new leader has replaced goes.
        entries = [...entries.filter((e) => !known.has(e.index) && (known.size === 0 || e.index < answer.entries[0].index)), ...answer.entries].slice(-KEPT);
        problem = '';
      }
    } catch (error) {
      problem = error.message;
    }
    busy = false;
    draw();
  };
  const step = async () => {
    if (paused || document.hidden) return;
    const lastIndex = entries.at(-1)?.index;
    // The last one is read again: it may have been replaced.
    await load(lastIndex === undefined ? undefined : lastIndex);
  };
  const back = async () => {
    paused = true;
    const first = entries[0]?.index ?? 1;
    entries = [];
    before = Math.max(tail?.first ?? 1, first - 100);
    await load(before);
  };
  const forth = async () => {
    paused = true;
    const lastIndex = entries.at(-1)?.index ?? 0;
    entries = [];
    await load(Math.min(lastIndex + 1, Math.max(tail?.first ?? 1, (tail?.last ?? 0) - 99)));
  };
  const choose = (id) => { group = id; entries = []; tail = undefined; paused = false; history.replaceState(null, '', `#log/${id}`); step(); };

  const draw = () => {
    if (!picture) return;
    const { groups, replicas } = picture.status;
    const here = groups.find((g) => g.id === group);
    const own = picture.groups.find((g) => g.group === group);
    const of = replicas.filter((r) => r.database === here?.database);
    // The tail is younger than the picture.
    const matched = tail?.matched ?? own?.matched ?? {};
    const upTo = (r) => (r.node === picture.status.answered_by ? Math.max(r.applied_index, tail?.applied ?? 0) : r.applied_index);
    const top = Math.max(tail?.last ?? 0, own?.last ?? 0, ...of.map((r) => r.commit_index));
    put(root,
      h('section', { class: 'card' }, h('h2', {}, here ? `Group ${here.database}` : 'One group'),
        h('div', { class: 'buttons' },
          h('label', {}, 'Group ', h('select', { value: String(group), onchange: (e) => choose(Number(e.target.value)) },
            groups.map((g) => h('option', { value: String(g.id), selected: g.id === group }, g.database)))),
          h('button', { onclick: () => { paused = !paused; if (!paused) { entries = []; load(); } draw(); }, 'aria-pressed': String(paused) }, paused ? 'Go on' : 'Pause'),
          h('button', { onclick: back, disabled: !entries.length || entries[0].index <= (tail?.first ?? 1) }, 'Older'),
          h('button', { onclick: forth, disabled: !paused || !entries.length || entries.at(-1).index >= (tail?.last ?? 0) }, 'Newer')),
        here ? h('div', { class: 'tiles' },
          [['leader', here.leader ?? 'none'], ['term', number(here.term)], ['last entry here', number(tail?.last)], ['committed', number(tail?.commit)], ['applied', number(tail?.applied)]]
            .map(([name, text]) => h('div', {}, h('b', {}, text), h('span', {}, name)))) : null,
        table([
          ['node', (r) => [h('span', { class: `key k${colour(picture, r.node)}` }), r.node]],
          ['role', (r) => r.role],
          ['on its disk', (r) => (matched[r.node] === undefined ? (r.node === picture.status.answered_by ? number(own?.last) : '–') : number(matched[r.node])), 'n'],
          ['applied', (r) => number(upTo(r)), 'n'],
          ['behind', (r) => number(Math.max(0, top - upTo(r))), 'n'],
          ['progress', (r) => h('div', { class: 'bar', role: 'img', 'aria-label': `${r.node} has applied ${upTo(r)} of ${top}` }, h('i', { 'width%': progress(upTo(r), top, tail) }))],
        ], of, { key: (r) => r.node }),
        here && !Object.keys(matched).length ? h('p', { class: 'soft' }, `What each follower has on its disk only the leader knows: look at the console of ${here.leader ?? 'the leader'}.`) : null),
      h('section', { class: 'card' }, h('h2', {}, 'The log, newest first'),
        problem ? h('p', { class: 'problem warn' }, problem) : null,
        table([
          ['index', (e) => number(e.index), 'n'],
          ['term', (e) => number(e.term), 'n'],
          ['time', (e) => (e.time === null ? '–' : new Date(EPOCH + e.time / 1000).toISOString().slice(11, 23)), 'n'],
          ['size', (e) => bytes(e.bytes), 'n'],
          ['committed', (e) => (e.index <= (tail?.commit ?? 0) ? chip('yes', 'good') : chip('not yet', 'warn'))],
          ['applied by', (e) => holders(of.map((r) => [r.node, upTo(r)]), e.index)],
          ['on the disk of', (e) => (Object.keys(matched).length ? holders(Object.entries(matched), e.index) : null)],
          ['what', (e) => what(e)],
        ].filter(([name]) => name !== 'on the disk of' || Object.keys(matched).length), entries.slice(matchMedia('(max-width: 700px)').matches ? -15 : -60).reverse(), { key: (e) => `${e.index}@${e.term}` })));
  };
  const holders = (pairs, index) => h('span', { class: 'mono' }, pairs.map(([node, upTo]) => {
    const has = upTo >= index;
    return h('span', { title: `${node}: ${has ? 'yes' : 'not yet'}`, class: `key ${has ? `k${colour(picture, node)}` : ''}`, role: 'img', 'aria-label': `${node} ${has ? 'has it' : 'has it not yet'}` });
  }));
  const timer = setInterval(step, 700);
  return {
    show(now) {
      picture = now;
      if (group === null) {
        group = (now.status.groups.find((g) => g.database !== 'system') ?? now.status.groups[0])?.id ?? null;
        step();
      }
      if (!paused) draw();
    },
    close() { clearInterval(timer); },
  };
}

const progress = (applied, top, tail) => {
  const from = Math.max(0, (tail?.last ?? top) - 200);
  return top <= from ? 100 : Math.max(0, Math.min(100, ((applied - from) / (top - from)) * 100));
};

function what(entry) {
  if (!entry.commands.length) return h('span', { class: 'soft' }, entry.kind);
  const lines = entry.commands.flatMap((c) => (c.statements.length ? c.statements : [c.what]));
  const first = h('code', {}, lines[0].slice(0, 160));
  if (lines.length === 1 && lines[0].length <= 160) return first;
  return h('details', {}, h('summary', {}, first, h('span', { class: 'soft' }, lines.length > 1 ? ` and ${lines.length - 1} more` : ' …')), h('pre', {}, lines.join('\n')));
}
