// What the node tells: pictures once a second, and answers to SQL.

/** Who has signed in. The browser asks for name and password by itself. */
export const whoAmI = () => getJson('/console/me');

/** Runs SQL in a session of its own, as the role that has signed in. */
export async function sql(text, { write = false, rows = 1000, database } = {}) {
  const body = JSON.stringify({ sql: text, write, rows, database });
  const answer = await fetch('/console/sql', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!answer.ok) return { tables: [], notices: [], error: { message: (await answer.text()).trim(), code: '', severity: 'ERROR' } };
  return answer.json();
}

/** The rows of one query as objects; an error is thrown. */
export async function rows(text, options) {
  const answer = await sql(text, options);
  if (answer.error) throw new Error(`${answer.error.message}${answer.error.code ? ` (${answer.error.code})` : ''}`);
  const table = answer.tables.at(-1) ?? { columns: [], rows: [] };
  return table.rows.map((row) => Object.fromEntries(table.columns.map((column, i) => [column.name, row[i]])));
}

export async function getJson(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error((await answer.text()).trim() || `HTTP ${answer.status}`);
  return answer.json();
}

export async function post(path, body) {
  const options = { method: 'POST' };
  if (body !== undefined) Object.assign(options, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const answer = await fetch(path, options);
  const text = (await answer.text()).trim();
  if (!answer.ok) throw new Error(text || `HTTP ${answer.status}`);
  return text;
}

/** Calls `show(picture)` for every picture and `lost(why)` when there are none; nothing is asked of the node while nobody looks. */
export function follow(me, show, lost) {
  let stream;
  const open = () => {
    stream = new EventSource('/console/events');
    stream.onmessage = (event) => show(JSON.parse(event.data));
    stream.onerror = async () => {
      // It connects again by itself, unless it was refused.
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || (stream.close(), open()), 1500);
      lost(await reason());
    };
  };
  const start = me.superuser ? open : () => { stream = poll(show, lost); };
  document.addEventListener('visibilitychange', () => (document.hidden ? stream.close() : (stream.close(), start())));
  start();
}

async function reason() {
  try {
    const answer = await fetch('/ready');
    return answer.ok ? 'the picture was interrupted' : (await answer.text()).trim();
  } catch {
    return 'this node does not answer: its process has ended, or the network is cut';
  }
}

/** What SQL tells this role of the cluster. */
function poll(show, lost) {
  const numbers = (list) => list.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) =>
    [name, value !== null && name !== 'digest' && name !== 'version' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value])));
  const look = async () => {
    try {
      const [nodes, groups, replicas] = await Promise.all(['nodes', 'groups', 'replicas'].map((name) => rows(`SELECT * FROM quorate.${name}`)));
      const status = { nodes: numbers(nodes), groups: numbers(groups), replicas: numbers(replicas) };
      show({ at: Date.now(), not_ready: null, status, groups: [], metrics: [], leaderships: [], scrub: null });
    } catch (error) {
      lost(error.message);
    }
  };
  const timer = setInterval(look, 3000);
  look();
  return { close: () => clearInterval(timer) };
}
