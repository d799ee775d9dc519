// What is in the database: schemas, tables, rows by pages; and a prompt, read-only unless its owner says so.

import { chip, h, number, put, table } from './dom.js';
import { rows, sql } from './source.js';

export const title = 'Databases';
const PAGE = 50;
const ident = (name) => `"${name.replaceAll('"', '""')}"`;
const literal = (text) => `'${text.replaceAll("'", "''")}'`;

const TABLES = `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate') AND n.nspname NOT LIKE 'pg_toast%' AND n.nspname NOT LIKE 'pg_temp%'
  ORDER BY n.nspname, c.relname LIMIT 1000`;
const COLUMNS = (oid) => `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required, pg_get_expr(d.adbin, d.adrelid) AS preset
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ${literal(oid)}::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
const INDEXES = (oid) => `SELECT pg_get_indexdef(i.indexrelid) AS text, i.indisprimary AS main FROM pg_index i WHERE i.indrelid = ${literal(oid)}::oid`;
const KEY = (oid) => `SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = ${literal(oid)}::oid AND i.indisprimary ORDER BY a.attnum`;

export function open(root) {
  let tables = [];
  let chosen = null;
  let about = null;
  let page = 0;
  let problem = '';
  let answer = null;
  let took = 0;
  let write = false;
  let running = false;
  const past = JSON.parse(sessionStorage.getItem('quorate-history') ?? '[]');
  const text = h('textarea', { 'data-own': '', 'aria-label': 'SQL', spellcheck: 'false', placeholder: 'SELECT …', onkeydown: (e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) run(text.value); } });

  const list = async () => {
    try {
      tables = await rows(TABLES);
      problem = '';
    } catch (error) {
      problem = error.message;
    }
    draw();
  };
  const choose = async (one, at = 0) => {
    chosen = one;
    page = at;
    about = null;
    draw();
    const name = `${ident(one.schema)}.${ident(one.name)}`;
    try {
      const [columns, indexes, key] = await Promise.all([rows(COLUMNS(one.oid)), rows(INDEXES(one.oid)), rows(KEY(one.oid))]);
      const order = key.length ? ` ORDER BY ${key.map((k) => ident(k.name)).join(', ')}` : '';
      const found = await sql(`SELECT * FROM ${name}${order} LIMIT ${PAGE + 1} OFFSET ${at * PAGE}`);
      if (chosen === one) about = { columns, indexes, found };
    } catch (error) {
      about = { columns: [], indexes: [], found: { tables: [], notices: [], error: { message: error.message, severity: 'ERROR' } } };
    }
    draw();
  };
  const run = async (statement) => {
    if (!statement.trim() || running) return;
    running = true;
    draw();
    const begun = performance.now();
    try {
      answer = await sql(statement, { write });
    } catch (error) {
      answer = { tables: [], notices: [], error: { severity: 'ERROR', code: '', message: error.message } };
    }
    took = performance.now() - begun;
    running = false;
    if (past[0] !== statement) past.unshift(statement);
    past.splice(30);
    sessionStorage.setItem('quorate-history', JSON.stringify(past));
    draw();
    if (write) list();
  };
  const explain = () => run(`EXPLAIN ${text.value}`);
  const draw = () => put(root,
    problem ? h('p', { class: 'problem warn' }, problem) : null,
    h('div', { class: 'two' },
      h('section', { class: 'card', 'aria-label': 'Tables' }, h('h2', {}, 'Tables'), tree(tables, chosen, choose), h('div', { class: 'buttons' }, h('button', { onclick: list }, 'Look again'))),
      h('div', {},
        h('section', { class: 'card' }, h('h2', {}, 'SQL'), text,
          h('div', { class: 'buttons' },
            h('button', { class: 'go', onclick: () => run(text.value), disabled: running }, running ? 'Running …' : 'Run (Ctrl Enter)'),
            h('button', { onclick: explain, disabled: running }, 'Explain'),
            h('label', {}, h('input', { type: 'checkbox', checked: write, onchange: (e) => { write = e.target.checked; draw(); } }), ' may write'),
            write ? chip('statements take effect', 'warn') : chip('read-only', 'good'),
            past.length ? h('select', { 'aria-label': 'Earlier statements', value: '', onchange: (e) => { if (e.target.value !== '') text.value = past[Number(e.target.value)]; e.target.value = ''; } },
              h('option', { value: '' }, 'earlier …'), past.map((one, i) => h('option', { value: String(i) }, one.slice(0, 60)))) : null),
          answer ? result(answer, took) : h('p', { class: 'soft' }, 'Each run is a session of its own, as the role that has signed in.')),
        chosen ? details(chosen, about, page, choose) : null)));
  list();
  draw();
  return { show() {} };
}

function tree(tables, chosen, choose) {
  const schemas = [...new Set(tables.map((one) => one.schema))];
  if (!tables.length) return h('p', { class: 'soft' }, 'There are none that this role may see.');
  return schemas.map((schema) => h('details', { open: true }, h('summary', {}, schema),
    h('ul', { class: 'plain' }, tables.filter((one) => one.schema === schema).map((one) =>
      h('li', {}, h('button', { class: 'link', onclick: () => choose(one), 'aria-current': chosen?.oid === one.oid ? 'true' : null }, one.name), one.kind === 'r' ? null : h('span', { class: 'soft' }, ' view'))))));
}

function details(one, about, page, choose) {
  const title = h('h2', {}, `${one.schema}.${one.name}`);
  if (!about) return h('section', { class: 'card' }, title, h('p', { class: 'soft' }, 'Looking …'));
  const data = about.found.tables.at(-1);
  const more = data && data.rows.length > PAGE;
  return h('section', { class: 'card' }, title,
    about.found.error ? failure(about.found.error) : grid({ ...data, rows: data.rows.slice(0, PAGE) }),
    h('div', { class: 'buttons' },
      h('button', { onclick: () => choose(one, page - 1), disabled: page === 0 }, 'Previous rows'),
      h('button', { onclick: () => choose(one, page + 1), disabled: !more }, 'Next rows'),
      h('span', { class: 'soft' }, `rows ${number(page * PAGE + 1)} and further`)),
    h('h3', {}, 'Columns'),
    table([['name', (c) => c.name], ['type', (c) => c.type], ['required', (c) => (c.required === 't' ? 'not null' : '')], ['default', (c) => (c.preset ? h('code', {}, c.preset) : '')]], about.columns),
    about.indexes.length ? [h('h3', {}, 'Indexes'), h('ul', {}, about.indexes.map((i) => h('li', {}, h('code', {}, i.text), i.main === 't' ? ' (primary key)' : '')))] : null);
}

function grid(data) {
  if (!data?.columns.length) return h('p', {}, data?.tag ?? '');
  const cell = (value) => (value === null ? h('span', { class: 'null' }, 'NULL') : h('div', { class: 'cell', title: value.length > 60 ? value.slice(0, 2000) : null }, value));
  return h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, data.columns.map((c) => h('th', { scope: 'col' }, c.name)))),
    h('tbody', {}, data.rows.map((row) => h('tr', {}, row.map((value) => h('td', {}, cell(value))))))));
}

function failure(error) {
  return h('div', { class: 'problem bad', role: 'alert' }, h('b', {}, `${error.severity}${error.code ? ` ${error.code}` : ''}: ${error.message}`),
    error.detail ? h('p', {}, error.detail) : null, error.hint ? h('p', {}, error.hint) : null, error.position ? h('p', {}, `At character ${error.position}.`) : null);
}

function result(answer, took) {
  return [
    answer.notices.map((notice) => h('p', { class: 'problem' }, `${notice.severity}: ${notice.message}`)),
    answer.tables.map((one) => [
      one.columns.length ? (one.columns.length === 1 && one.columns[0].name === 'QUERY PLAN' ? plan(one) : grid(one)) : null,
      h('div', { class: 'buttons' }, h('span', { class: 'soft' }, one.cut ? `the first ${number(one.rows.length)} rows` : one.tag, ` in ${took < 10 ? took.toFixed(1) : Math.round(took)} ms`),
        one.rows.length ? h('button', { onclick: () => save(one) }, 'Save as CSV') : null)]),
    answer.error ? failure(answer.error) : null,
  ];
}

/** A plan's lines as a tree, by how far they are indented. */
function plan(one) {
  const lines = one.rows.map(([text]) => ({ depth: text.search(/\S|$/), text: text.trim().replace(/^->\s*/, '') }));
  const build = (from, depth) => {
    const items = [];
    let at = from;
    while (at < lines.length && lines[at].depth >= depth) {
      const line = lines[at];
      const [children, next] = at + 1 < lines.length && lines[at + 1].depth > line.depth ? build(at + 1, lines[at + 1].depth) : [null, at + 1];
      items.push(h('li', {}, h('code', {}, line.text), children));
      at = next;
    }
    return [h('ul', { class: 'tree' }, items), at];
  };
  return lines.length ? build(0, Math.min(...lines.map((l) => l.depth)))[0] : null;
}

function save(one) {
  const field = (value) => (value === null ? '' : /[",\r\n]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = [one.columns.map((c) => c.name), ...one.rows].map((row) => row.map(field).join(','));
  const link = h('a', { href: URL.createObjectURL(new Blob([`${lines.join('\r\n')}\r\n`], { type: 'text/csv' })), download: 'result.csv' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
