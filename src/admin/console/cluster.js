// The cluster at a glance: what is wrong, and the nodes.

import { chip, duration, h, number, put, table } from './dom.js';
import { problems } from './advice.js';

export const title = 'Cluster';

export function open(root) {
  return {
    show(picture) {
      const { nodes, replicas } = picture.status;
      const found = problems(picture);
      const level = { up: 'good', down: 'bad', 'disk full': 'bad', joining: 'warn' };
      const leads = (name) => replicas.filter((r) => r.node === name && r.role === 'leader').map((r) => r.database);
      const dbs = new Set(replicas.map((r) => r.database)).size;
      put(root,
        h('section', { class: 'card', 'aria-label': 'What is wrong' },
          h('h2', {}, found.length ? 'What needs you' : 'All is well'),
          found.length ? h('ul', { class: 'plain' }, found.map(({ level: how, what, todo }) =>
            h('li', { class: `problem ${how === 'info' ? '' : how}` }, h('b', {}, what), h('p', {}, todo))))
            : h('p', { class: 'soft' }, `${nodes.length === 1 ? 'The node is' : `All ${nodes.length} nodes are`} up, and each of ${dbs} groups has a leader.`)),
        h('section', { class: 'card' }, h('h2', {}, 'Nodes'),
          table([
            ['node', (n) => [h('b', {}, n.node), n.node === picture.status.answered_by ? h('span', { class: 'soft' }, ' this one') : null]],
            ['state', (n) => chip(n.state, level[n.state])],
            ['leads', (n) => { const all = leads(n.node); return all.length > 4 ? `${all.length} groups` : all.join(' ') || '–'; }],
            ['version', (n) => n.version || '–'],
            ['clock', (n) => (n.clock_ahead_ms === null || n.clock_ahead_ms === undefined ? '–' : `${n.clock_ahead_ms >= 0 ? '+' : '−'}${Math.abs(n.clock_ahead_ms).toFixed(1)} ±${n.clock_error_ms.toFixed(1)} ms`), 'n'],
            ['sync', (n) => (n.sync_ms === null || n.sync_ms === undefined ? '–' : `${n.sync_ms.toFixed(1)} ms`), 'n'],
            ['certificate', (n) => (n.certificate_expires ? `ends in ${duration(n.certificate_expires - picture.at / 1000)}` : n.certificate_expires === undefined ? '–' : 'none')],
            ['failed logins', (n) => number(n.failed_logins), 'n'],
            ['clients', (n) => h('code', {}, n.pg_addr)],
            ['peers', (n) => h('code', {}, n.peer_addr)],
            ['http', (n) => h('code', {}, n.http_addr)],
          ], nodes, { key: (n) => n.node })),
        own(picture));
    },
  };
}

/** What only this node knows of itself. */
function own(picture) {
  const value = (name, label) => picture.metrics.find((m) => m.name === name && (!label || Object.values(m.labels).includes(label)))?.value;
  if (!picture.metrics.length) return null;
  const size = (name, label) => { const v = value(name, label); return v === undefined ? '–' : `${(v / 2 ** 20).toFixed(1)} MiB`; };
  const tiles = [
    ['sessions open', number(value('quorate_client_connections'))],
    ['Raft log', size('quorate_file_size_bytes', 'log')],
    ['databases', size('quorate_file_size_bytes', 'database')],
    ['their WAL', size('quorate_file_size_bytes', 'wal')],
    ['disk free', `${((value('quorate_disk_free_bytes') ?? 0) / 2 ** 30).toFixed(1)} GiB`],
  ];
  const errors = picture.metrics.filter((m) => m.name === 'quorate_client_errors_total').sort((a, b) => b.value - a.value).slice(0, 8);
  return h('section', { class: 'card' }, h('h2', {}, `This node, ${picture.status.answered_by}`),
    h('div', { class: 'tiles' }, tiles.map(([name, text]) => h('div', {}, h('b', {}, text), h('span', {}, name)))),
    errors.length ? [h('h3', {}, 'Errors that clients were told, by SQLSTATE'), h('p', {}, errors.map((m) => [chip(`${m.labels.sqlstate} × ${number(m.value)}`), ' ']))] : null);
}
