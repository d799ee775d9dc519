// Who does what, who waits for whom, and how to end it.

import { ask, chip, duration, h, number, put, table } from './dom.js';
import { rows } from './source.js';

export const title = 'Sessions';

const SESSIONS = `SELECT pid, datname, usename, application_name, client_addr, state, wait_event_type, wait_event, query,
  extract(epoch FROM now() - backend_start)::float8 AS age, extract(epoch FROM now() - state_change)::float8 AS since
  FROM pg_stat_activity ORDER BY state = 'active' DESC, state_change`;
// Only the session's own database says what another one's numbers are called.
const LOCKS = `SELECT l.pid, d.datname, l.locktype, l.mode, l.granted,
  CASE WHEN d.datname = current_database() THEN l.relation::regclass::text ELSE l.relation::text END AS relation, l.classid, l.objid, l.objsubid, l.transactionid::text AS xid,
  l.virtualtransaction, extract(epoch FROM now() - l.waitstart)::float8 AS waits FROM pg_locks l LEFT JOIN pg_database d ON d.oid = l.database ORDER BY l.granted, l.pid`;

export function open(root) {
  let sessions = [];
  let locks = [];
  let problem = '';
  let said = '';
  const look = async () => {
    try {
      [sessions, locks] = await Promise.all([rows(SESSIONS), rows(LOCKS)]);
      problem = '';
    } catch (error) {
      problem = error.message;
    }
    draw();
  };
  const end = async (session, terminate) => {
    const what = terminate ? `End the session ${session.pid} of ${session.usename}? What it has not committed is undone, and its client loses the connection.`
      : `Cancel what session ${session.pid} of ${session.usename} runs? Its statement fails with 57014; the session stays.`;
    if (!await ask(what, terminate ? 'End it' : 'Cancel it')) return;
    try {
      const [answer] = await rows(`SELECT ${terminate ? 'pg_terminate_backend' : 'pg_cancel_backend'}(${Number(session.pid)}) AS done`);
      said = answer.done === 't' ? `Session ${session.pid} was ${terminate ? 'told to end' : 'told to cancel'}.` : `Session ${session.pid} is gone already.`;
    } catch (error) {
      said = error.message;
    }
    look();
  };
  const draw = () => {
    const seconds = (text) => (text === null ? '–' : duration(Number(text)));
    const clients = sessions.filter((one) => one.application_name !== 'quorate console');
    const what = (lock) => lock.relation ?? (lock.locktype === 'advisory' ? `advisory ${lock.classid}, ${lock.objid}` : lock.locktype);
    put(root,
      problem ? h('p', { class: 'problem warn' }, problem) : null,
      h('p', { role: 'status', 'aria-live': 'polite', class: 'soft' }, said),
      h('section', { class: 'card' }, h('h2', {}, 'Who waits for whom'), waits(locks, what)),
      h('section', { class: 'card' }, h('h2', {}, `Sessions (${clients.length})`),
        table([
          ['pid', (r) => r.pid, 'n'],
          ['database', (r) => r.datname ?? '–'],
          ['role', (r) => r.usename],
          ['program', (r) => r.application_name || '–'],
          ['from', (r) => r.client_addr ?? '–'],
          ['state', (r) => chip(r.state ?? '–', r.state === 'active' ? 'good' : r.state?.includes('aborted') ? 'bad' : r.state?.startsWith('idle in') ? 'warn' : '')],
          ['for', (r) => seconds(r.since), 'n'],
          ['waits for', (r) => (r.wait_event_type === 'Lock' ? chip(`lock: ${r.wait_event}`, 'warn') : '–')],
          ['statement', (r) => h('details', {}, h('summary', {}, h('code', {}, (r.query ?? '').slice(0, 70) || '–')), h('pre', {}, r.query ?? ''))],
          ['', (r) => h('span', { class: 'buttons' }, h('button', { onclick: () => end(r, false), disabled: r.state !== 'active', 'aria-label': `Cancel the statement of session ${r.pid}` }, 'Cancel'),
            h('button', { class: 'danger', onclick: () => end(r, true), 'aria-label': `End session ${r.pid}` }, 'End'))],
        ], clients, { key: (r) => r.pid })),
      h('section', { class: 'card' }, h('h2', {}, `Locks (${locks.length})`),
        locks.length ? table([
          ['pid', (l) => l.pid ?? '–', 'n'],
          ['database', (l) => l.datname ?? '–'],
          ['what', (l) => what(l)],
          ['kind', (l) => l.locktype],
          ['mode', (l) => l.mode],
          ['granted', (l) => (l.granted === 't' ? chip('yes', 'good') : chip(l.waits === null ? 'waits' : `waits ${seconds(l.waits)}`, 'warn'))],
          ['transaction', (l) => h('code', {}, l.virtualtransaction ?? '')],
        ], locks.slice(0, 300)) : h('p', { class: 'soft' }, 'Nobody holds a lock.')));
  };
  look();
  const timer = setInterval(() => document.hidden || look(), 2000);
  return { show() {}, close() { clearInterval(timer); } };
}

/** A tree: those that hold and do not wait are its roots. */
function waits(locks, what) {
  const same = (a, b) => ['datname', 'locktype', 'relation', 'classid', 'objid', 'objsubid'].every((name) => a[name] === b[name]);
  const waiting = locks.filter((lock) => lock.granted !== 't');
  if (!waiting.length) return h('p', { class: 'soft' }, 'Nobody waits for a lock.');
  const edges = waiting.map((wait) => ({ wait, holders: [...new Set(locks.filter((l) => l.granted === 't' && same(l, wait) && l.pid !== wait.pid).map((l) => l.pid))] }));
  const branch = (pid, path) => {
    const below = edges.filter((edge) => edge.holders.includes(pid) && !path.includes(edge.wait.pid));
    return h('li', {}, `session ${pid ?? '(on a node that does not answer)'}`, below.length ? h('ul', { class: 'tree' }, below.map((edge) => {
      const child = branch(edge.wait.pid, [...path, pid]);
      child.prepend(h('span', { class: 'soft' }, `${edge.wait.mode} on ${what(edge.wait)} is waited for by `));
      return child;
    })) : null);
  };
  const waiters = new Set(waiting.map((lock) => lock.pid));
  const roots = [...new Set(edges.flatMap((edge) => edge.holders))].filter((pid) => !waiters.has(pid));
  const unknown = edges.filter((edge) => !edge.holders.length);
  return [h('ul', { class: 'tree' }, roots.map((pid) => branch(pid, []))),
    unknown.length ? h('p', {}, `${number(unknown.length)} wait behind others in a queue: `, unknown.map((edge) => `session ${edge.wait.pid} (${edge.wait.mode} on ${what(edge.wait)})`).join(', ')) : null,
    !roots.length && edges.some((edge) => edge.holders.length) ? h('p', {}, 'They wait for each other in a circle: the leader finds that within some seconds, and one of them fails with 40P01.') : null];
}
