// The groups: each database's leader, voters and replicas, and who led when.

import { bytes, chip, clock, duration, h, number, put, s, table } from './dom.js';

export const title = 'Groups';

/** A colour for each node, the same on all pages. */
export const colour = (picture, node) => {
  const at = picture.status.nodes.findIndex((n) => n.node === node);
  return at < 0 ? 'x' : String(at % 8);
};

export function open(root) {
  let wanted = '';
  let last;
  const show = (picture) => {
    last = picture;
    const { groups, replicas } = picture.status;
    const chosen = groups.filter((g) => g.database.toLowerCase().includes(wanted));
    const own = new Map(picture.groups.map((g) => [g.group, g]));
    put(root,
      h('section', { class: 'card' }, h('h2', {}, 'Groups'),
        groups.length > 6 ? h('div', { class: 'buttons' }, h('label', {}, 'Only ', h('input', { type: 'search', value: wanted, oninput: (e) => { wanted = e.target.value.toLowerCase(); show(last); } })), h('span', { class: 'soft' }, `${chosen.length} of ${groups.length}`)) : null,
        table([
          ['group', (g) => h('a', { href: `#log/${g.id}` }, g.database)],
          ['leader', (g) => (g.leader ? [h('span', { class: `key k${colour(picture, g.leader)}` }), g.leader] : chip('none', 'bad'))],
          ['term', (g) => number(g.term), 'n'],
          ['voters', (g) => g.voters],
          ['stand by', (g) => g.learners || '–'],
          ['version', (g) => g.version, 'n'],
          ['log here', (g) => { const d = own.get(g.id); return d ? `${number(d.first)} … ${number(d.last)}` : '–'; }, 'n'],
          ['file here', (g) => bytes(own.get(g.id)?.file_bytes), 'n'],
        ], chosen, { key: (g) => g.id })),
      picture.leaderships.length ? reigns(picture, chosen) : null,
      h('section', { class: 'card' }, h('h2', {}, 'Replicas'),
        h('p', { class: 'soft' }, 'Replicas that have applied the same entry must have the same digest.'),
        table([
          ['group', (r) => r.database],
          ['node', (r) => r.node],
          ['role', (r) => (r.role === 'leader' ? chip('leader', 'good') : r.role)],
          ['term', (r) => number(r.term), 'n'],
          ['committed', (r) => number(r.commit_index), 'n'],
          ['applied', (r) => number(r.applied_index), 'n'],
          ['lag', (r) => (r.lag > 1000 ? chip(number(r.lag), 'warn') : number(r.lag)), 'n'],
          ['digest', (r) => h('code', {}, r.digest)],
          ['state', (r) => (r.state === 'ok' ? chip('ok', 'good') : chip(r.state, 'bad'))],
        ], replicas.filter((r) => chosen.some((g) => g.database === r.database)).slice(0, 300), { key: (r) => `${r.database} ${r.node}` })));
  };
  return { show };
}

function reigns(picture, groups) {
  const shown = groups.slice(0, 12);
  const notes = picture.leaderships.filter((note) => shown.some((g) => g.id === note.group));
  const begin = Math.min(picture.at - 60000, ...notes.map((note) => note.at));
  const span = picture.at - begin;
  const left = 90;
  const width = 900;
  const x = (at) => left + ((at - begin) / span) * (width - left - 10);
  const lanes = shown.map((group, lane) => {
    const of = notes.filter((note) => note.group === group.id);
    const y = 8 + lane * 24;
    return [
      s('text', { x: 0, y: y + 12 }, group.database.slice(0, 14)),
      of.map((note, i) => {
        const end = of[i + 1] ? of[i + 1].at - (of[i + 1].gap ?? 0) : picture.at;
        const what = `${note.leader} leads ${group.database} in term ${note.term} since ${clock(note.at)}${note.before ? `: ${note.before}` : ''}`;
        return s('rect', { class: `f${colour(picture, note.leader)}`, x: x(note.at), y, width: Math.max(1.5, x(end) - x(note.at)), height: 15, rx: 2 }, s('title', {}, what));
      }),
    ];
  });
  const height = 8 + shown.length * 24 + 18;
  const changes = notes.filter((note) => note.before).slice(-8).reverse();
  return h('section', { class: 'card' }, h('h2', {}, 'Who led when'),
    h('div', { class: 'scroll' }, s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Leaderships of ${shown.length} groups since ${clock(begin)}` },
      lanes, s('text', { x: left, y: height - 4 }, clock(begin)), s('text', { x: width - 60, y: height - 4 }, clock(picture.at)))),
    h('ul', { class: 'legend' }, picture.status.nodes.map((n) => h('li', {}, h('span', { class: `key k${colour(picture, n.node)}` }), n.node))),
    changes.length ? h('ul', {}, changes.map((note) => h('li', {}, `${clock(note.at)} ${groups.find((g) => g.id === note.group)?.database}: ${note.leader} in term ${note.term}`,
      note.gap ? `, ${duration(note.gap / 1000)} without a leader` : '', h('span', { class: 'soft' }, ` – ${note.before}`))))
      : h('p', { class: 'soft' }, 'No change since this node was started.'));
}
