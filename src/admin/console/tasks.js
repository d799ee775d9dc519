// What goes on beside the clients' statements: snapshots, joining nodes, repairs, reading through the files; and how to begin some of it.

import { ask, chip, h, number, put, table } from './dom.js';
import { post } from './source.js';

export const title = 'Tasks';

export function open(root) {
  let said = '';
  let last;
  const act = async (question, yes, path, body) => {
    if (!await ask(question, yes)) return;
    said = 'Under way …';
    show(last);
    try {
      const answer = await post(path, body);
      said = path === '/transfer' ? moved(JSON.parse(answer)) : 'Begun.';
    } catch (error) {
      said = error.message;
    }
    show(last);
  };
  const show = (picture) => {
    last = picture;
    if (!picture) return;
    const { nodes, replicas, groups, answered_by: here } = picture.status;
    const under = [
      ...nodes.filter((n) => n.state === 'joining' || n.membership === 'joining').map((n) => [`${n.node} joins the cluster`, 'it gets the data of each group', '']),
      ...nodes.filter((n) => n.membership === 'leaving').map((n) => [`${n.node} leaves the cluster`, 'its votes go to others', '']),
      ...replicas.filter((r) => r.state !== 'ok' && r.state !== 'node is down').map((r) => [`${r.database} on ${r.node}`, r.state, '']),
      ...replicas.filter((r) => r.state === 'ok' && r.lag > 1000).map((r) => [`${r.database} on ${r.node} catches up`, `${number(r.lag)} entries to go`, share(r.applied_index, r.applied_index + r.lag)]),
    ];
    const scrub = picture.scrub;
    put(root,
      h('p', { role: 'status', 'aria-live': 'polite', class: said ? 'problem' : '' }, said),
      h('section', { class: 'card' }, h('h2', {}, 'Under way'),
        under.length ? table([['what', (t) => t[0]], ['how far', (t) => t[1]], ['', (t) => t[2]]], under) : h('p', { class: 'soft' }, 'Nothing.')),
      scrub ? h('section', { class: 'card' }, h('h2', {}, `Reading through the files of ${here}`),
        h('p', { class: 'soft' }, 'Every page of every database is read and held against its checksum; then replicas are compared row by row. Damage is repaired from the other nodes.'),
        scrub.databases.length ? table([
          ['database', (d) => d.database],
          ['pages', (d) => `${number(d.read)} of ${number(d.pages)}`, 'n'],
          ['', (d) => share(d.read, d.pages)],
          ['damage', (d) => (d.damage ? chip(d.damage, 'bad') : d.pages && d.read >= d.pages ? chip('none', 'good') : '–')],
          ['compared', (d) => d.compared ?? '–'],
        ], scrub.databases) : null,
        h('div', { class: 'buttons' }, h('button', { disabled: scrub.running, onclick: () => act(`Read through all database files of ${here} now? It takes some of the disk's time.`, 'Begin', '/scrub') }, scrub.running ? 'Running …' : 'Begin'))) : null,
      picture.metrics.length ? h('section', { class: 'card' }, h('h2', {}, 'Move the leadership'),
        h('p', { class: 'soft' }, 'Clients notice nothing but a pause: a statement that is under way is taken to the new leader.'),
        h('div', { class: 'buttons' }, nodes.filter((n) => n.state === 'up').map((n) =>
          h('button', { disabled: groups.every((g) => g.leader === n.node), onclick: () => act(`Let ${n.node} lead all ${groups.length} groups?`, 'Move', '/transfer', { to: n.node }) }, `to ${n.node}`)))) : null);
  };
  return { show };
}

const moved = (list) => (list.length ? list.map((one) => `${one.database}: from ${one.from} to ${one.to}`).join('; ') : 'There was nothing to move.');

function share(done, all) {
  const percent = all ? Math.min(100, (done / all) * 100) : 0;
  return h('div', { class: 'bar', role: 'progressbar', 'aria-valuenow': String(Math.round(percent)), 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-label': `${Math.round(percent)} %` }, h('i', { 'width%': percent }));
}
