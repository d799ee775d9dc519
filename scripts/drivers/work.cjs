// node-postgres with a pool for each node: the next one when the present one fails.
const { Pool } = require('pg'); const fs = require('fs');
const ports = process.env.PORTS.split(',').map(Number), ssl = { ca: fs.readFileSync(process.env.CA) };
const pools = ports.map(port => { const p = new Pool({ host: 'localhost', port, user: 'quorate', database: 'quorate', password: process.env.PGPASSWORD, ssl, connectionTimeoutMillis: 3000 }); p.on('error', () => {}); return p });
(async () => {
  const end = Date.now() + 12000; let n = 0, lost = 0, at = 0, last = Date.now(), pause = 0;
  while (Date.now() < end) {
    try { await pools[at].query('INSERT INTO through VALUES ($1, $2)', ['node-postgres', n]); n++; pause = Math.max(pause, Date.now() - last); last = Date.now(); }
    catch (e) { lost++; at = (at + 1) % pools.length; await new Promise(r => setTimeout(r, 20)); }
  }
  console.log(`node-postgres: ${n} writes acknowledged, ${lost} attempts failed meanwhile, longest pause ${pause} ms`);
  process.exit(n > 0 && pause < 15000 ? 0 : 1);
})();
