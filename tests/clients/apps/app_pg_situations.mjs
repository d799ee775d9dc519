// What node-postgres' own tests look at in a server: pipelines, early goodbyes, cursors that fail, timeouts, notices, pools.
import pg from 'pg';
import Cursor from 'pg-cursor';
import assert from 'assert';
const cfg = { host: '127.0.0.1', port: +process.argv[2], user: 'quorate', database: 'quorate' };
const sleep = ms => new Promise(done => setTimeout(done, ms));
const code = promise => promise.then(() => 'none', error => error.code ?? error.message);
async function withClient(work, options = {}) {
  const client = new pg.Client({ ...cfg, ...options });
  await client.connect();
  try { return await work(client) } finally { await client.end().catch(() => {}) }
}
const situations = {
  'goodbye before the beginning': async () => {
    const client = new pg.Client(cfg);
    const began = client.connect().catch(() => {});
    await client.end();
    await Promise.race([began, sleep(1000)]);
  },
  'a slow query holds no earlier answer': async () => {
    const client = new pg.Client({ ...cfg, pipeline: true });
    client.on('error', () => {});
    await client.connect();
    const told = [];
    const first = client.query('SELECT 1 AS n').then(r => told.push(r.rows[0].n));
    const slow = client.query({ text: 'SELECT pg_sleep(30)', query_timeout: 3000 }).catch(e => told.push(e.message));
    await first;
    assert.deepEqual(told, [1]);
    await slow;
    assert.equal(told[1], 'Query read timeout');
  },
  'errors stay where they are in a pipeline': () => withClient(async c => {
    const all = await Promise.allSettled(['SELECT 1 AS n', 'SELECT nope', 'SELECT 3 AS n'].map(text => c.query(text)));
    assert.deepEqual(all.map(r => r.value?.rows[0].n ?? r.reason.code), [1, '42703', 3]);
  }, { pipeline: true }),
  'several results of one query': () => withClient(async c => {
    const all = await c.query("SELECT 1 AS a; CREATE TEMP TABLE several (i int); INSERT INTO several VALUES (1), (2); SELECT i FROM several; DO $$BEGIN END$$");
    assert.deepEqual(all.map(r => `${r.command} ${r.rowCount}`), ['SELECT 1', 'CREATE null', 'INSERT 2', 'SELECT 2', 'DO null']);
  }),
  'rows as arrays, and columns of one name': () => withClient(async c => {
    const r = await c.query({ text: 'SELECT 1 AS a, 2 AS a, NULL AS b', rowMode: 'array' });
    assert.deepEqual([r.rows, r.fields.map(f => f.name)], [[[1, 2, null]], ['a', 'a', 'b']]);
  }),
  'a name stands for one text': () => withClient(async c => {
    await c.query({ name: 'one', text: 'SELECT $1::int AS n', values: [1] });
    const other = c.query({ name: 'one', text: 'SELECT $1::text AS n', values: ['x'] });
    assert.match(await code(other), /must be unique/);
    assert.equal(await code(c.query({ name: 'bad', text: 'SELECT $1::nope', values: [1] })), '42704');
    assert.equal((await c.query({ name: 'bad', text: 'SELECT $1::int AS n', values: [4] })).rows[0].n, 4);
  }),
  'values there and back': () => withClient(async c => {
    const bytes = Buffer.from([0, 1, 255, 92, 39]);
    const text = 'SELECT $1::bytea AS bytes, $2::timestamptz AS at, $3::json AS j, $4::text[] AS a, $5::float8 AS f, $6::int8 AS big, $7::bool AS b, $8::numeric AS n';
    const at = new Date('2024-02-29T12:34:56.789Z');
    const values = [bytes, at, { a: [1, null] }, ['x', null, 'a"b\\,{}'], 1e-7, '9223372036854775807', false, '12345678901234567890.10'];
    const row = (await c.query(text, values)).rows[0];
    assert.deepEqual(row, { bytes, at, j: { a: [1, null] }, a: ['x', null, 'a"b\\,{}'], f: 1e-7, big: '9223372036854775807', b: false, n: '12345678901234567890.10' });
    const times = (await c.query("SELECT '1 day 02:03:04.5'::interval i, 'infinity'::timestamptz AS inf, '{{1,2},{3,4}}'::int[] AS m, NULL::int[] AS none")).rows[0];
    assert.deepEqual([times.i.days, times.i.hours, times.inf, times.m, times.none], [1, 2, Infinity, [[1, 2], [3, 4]], null]);
  }),
  'a cursor, to its end and beyond its error': () => withClient(async c => {
    const cursor = c.query(new Cursor('SELECT i FROM generate_series(1, 250) i'));
    let n = 0;
    for (let rows; (rows = await cursor.read(100)).length;) n += rows.length;
    assert.equal(n, 250);
    await cursor.close();
    const failing = c.query(new Cursor('SELECT 1 / (3 - i) AS x FROM generate_series(1, 5) i'));
    assert.equal((await failing.read(2)).length, 2);
    assert.equal(await code(failing.read(2)), '22012');
    assert.equal((await c.query('SELECT 1 AS n')).rows[0].n, 1);
  }),
  'settings of the connection': () => withClient(async c => {
    const show = async name => (await c.query(`SHOW ${name}`)).rows[0][name];
    assert.deepEqual([await show('statement_timeout'), await show('lock_timeout'), await show('application_name')], ['150ms', '2s', 'situations']);
    assert.equal(await code(c.query('SELECT pg_sleep(20)')), '57014');
    assert.equal((await c.query('SELECT 1 AS n')).rows[0].n, 1);
  }, { statement_timeout: 150, lock_timeout: 2000, application_name: 'situations' }),
  'an idle transaction is ended': async () => {
    const client = new pg.Client({ ...cfg, idle_in_transaction_session_timeout: 100 });
    const ended = new Promise(done => client.on('error', error => done(error.code)));
    await client.connect();
    await client.query('BEGIN');
    assert.equal(await ended, '25P03');
  },
  'notices have levels': () => withClient(async c => {
    const told = [];
    c.on('notice', n => told.push([n.severity, n.message, n.code, n.hint, n.detail]));
    await c.query("SET client_min_messages = 'debug'");
    await c.query("DO $$ BEGIN RAISE NOTICE 'hello, %', 'world' USING HINT = 'h', DETAIL = 'd', ERRCODE = '23505'; RAISE WARNING 'w'; END $$");
    assert.deepEqual(told.filter(n => n[0] !== 'DEBUG'), [['NOTICE', 'hello, world', '23505', 'h', 'd'], ['WARNING', 'w', '01000', undefined, undefined]]);
  }),
  'a failed transaction says so until its end': () => withClient(async c => {
    await c.query('BEGIN');
    assert.equal(await code(c.query('SELECT 1 / 0')), '22012');
    assert.equal(await code(c.query('SELECT 1')), '25P02');
    assert.equal((await c.query('COMMIT')).command, 'ROLLBACK');
  }),
  'a pool outlives its connections': async () => {
    const pool = new pg.Pool({ ...cfg, max: 2, idleTimeoutMillis: 50 });
    pool.on('error', () => {});
    const one = await pool.connect();
    one.on('error', () => {});
    const pid = (await one.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    await pool.query('SELECT pg_terminate_backend($1)', [pid]);
    assert.notEqual(await code(one.query('SELECT 1')), 'none');
    one.release(true);
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.query('SELECT $1::int AS i', [i])));
    assert.deepEqual(all.map(r => r.rows[0].i), Array.from({ length: 20 }, (_, i) => i));
    await pool.end();
  },
  'a large text and an empty one': () => withClient(async c => {
    const long = 'x'.repeat(300_000);
    assert.equal((await c.query('SELECT length($1) AS n', [long])).rows[0].n, 300_000);
    assert.equal((await c.query(`SELECT '${long}' AS t`)).rows[0].t.length, 300_000);
    assert.deepEqual((await c.query('')).rows, []);
    assert.equal((await c.query('SELECT')).rowCount, 1);
  }),
};
let failed = 0;
for (const [name, situation] of Object.entries(situations)) {
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error('timeout')), 20_000).unref());
  try {
    await Promise.race([situation(), late]);
  } catch (error) {
    failed = 1;
    console.log(name, 'FAIL', (error.stack || String(error)).slice(0, 500));
  }
}
process.exit(failed);
