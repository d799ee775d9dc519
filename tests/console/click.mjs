// Clicks through the console's pages and the demo's: light, dark, narrow. Fails on an error in the browser's console, on a request
// to anywhere but the node, and on text that was taken for markup. Writes a picture of each page.
//   node click.mjs PICTURES CHAOS-URL CONSOLE-URL…
import { chromium } from 'playwright-core';

const [pictures, chaos, ...consoles] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const failures = [];
// As long as a name may be, so that it is the same everywhere.
const HOSTILE = '<img src=x onerror="hurt=1"><script>hurt=1</script>';
const ident = `"${HOSTILE.replaceAll('"', '""')}"`;
const literal = `'${HOSTILE}'`;

function check(ok, what) {
  if (!ok) failures.push(what);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}`);
}

async function open(url, name, { colorScheme, viewport }) {
  const context = await browser.newContext({ colorScheme, viewport, acceptDownloads: true });
  const page = await context.newPage();
  const origin = new URL(url).origin;
  const quiet = { now: false };
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !quiet.now) failures.push(`${name}: ${message.text()}`); });
  page.on('pageerror', (error) => failures.push(`${name}: ${error.message}`));
  page.on('request', (request) => { const to = new URL(request.url()); if (to.protocol.startsWith('http') && to.origin !== origin) failures.push(`${name}: a request to ${to.origin}`); });
  page.on('dialog', (dialog) => { failures.push(`${name}: a dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(url);
  return { page, context, quiet };
}

const shot = (page, name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });

async function isWhole(page, name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(wide <= 0, `${name}: nothing sticks out at the side (${wide} px)`);
  check(await page.evaluate(() => window.hurt === undefined && !document.querySelector('main img, main script')), `${name}: text stays text`);
  const nameless = await page.evaluate(() => [...document.querySelectorAll('button, a, input, select, textarea')].filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))).length);
  check(nameless === 0, `${name}: everything that can be pressed has a name`);
}

async function query(page, text) {
  await page.fill('textarea', text);
  const answered = page.waitForResponse((r) => r.url().endsWith('/console/sql') && r.request().postData()?.includes(JSON.stringify(text).slice(1, 20)));
  await page.click('button.go');
  await answered;
  await page.waitForFunction(() => !document.querySelector('button.go').disabled);
}

async function tour(url, look, style, thorough) {
  const { page, context, quiet } = await open(url, look, style);
  const step = async (name, hash, ready) => {
    await page.goto(`${url}#${hash}`);
    await page.waitForSelector(ready, { timeout: 20000 });
    await page.waitForTimeout(1600);
    await isWhole(page, `${look} ${name}`);
    await shot(page, `${look}-${name}`);
  };
  await step('cluster', 'cluster', 'text=Nodes');
  await step('groups', 'groups', 'text=Who led when');
  await step('log', 'log', 'text=newest first');
  await step('latency', 'latency', 'text=Commits by stage');
  await step('sessions', 'sessions', 'text=Who waits for whom');
  await step('tasks', 'tasks', 'text=Under way');
  await step('databases', 'databases', 'textarea');
  if (thorough) {
    // Read-only unless one says so.
    await query(page, 'CREATE TABLE quiet (a int)');
    check((await page.textContent('main')).includes('25006'), `${look}: a prompt is read-only at first`);
    await page.check('input[type=checkbox]');
    await query(page, `DROP TABLE IF EXISTS ${ident}; CREATE TABLE ${ident} (${ident} text, n int PRIMARY KEY DEFAULT 7); INSERT INTO ${ident} SELECT ${literal}, g FROM generate_series(1, 120) g`);
    await page.waitForSelector(`button.link:has-text("<img")`);
    await page.click(`button.link:has-text("<img")`);
    await page.waitForSelector('text=Next rows');
    await page.waitForSelector('td:has-text("<img")');
    await isWhole(page, `${look} hostile table`);
    await page.click('text=Next rows');
    await page.waitForSelector('text=rows 51 and further');
    await shot(page, `${look}-rows`);
    await query(page, `SELECT ${literal}::int`);
    check((await page.textContent('[role=alert]')).includes('<img'), `${look}: an error's text is text`);
    await isWhole(page, `${look} hostile error`);
    await query(page, `SELECT n, count(*) FROM ${ident} WHERE n > 3 GROUP BY n ORDER BY n`);
    await page.click('text=Explain');
    await page.waitForSelector('ul.tree li');
    await shot(page, `${look}-explain`);
    await query(page, `SELECT ${literal} AS a, 'x,y' AS b`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Save as CSV')]);
    check(download.suggestedFilename() === 'result.csv', `${look}: CSV`);
    // Older entries, and a pause.
    await page.goto(`${url}#log`);
    await page.waitForSelector('tbody tr td code');
    await page.click('text=Pause');
    const before = await page.textContent('section:last-of-type tbody tr');
    await page.waitForTimeout(2000);
    check(before === await page.textContent('section:last-of-type tbody tr'), `${look}: a paused log stands still`);
    await page.click('text=Older');
    await page.waitForTimeout(1500);
    check(before !== await page.textContent('section:last-of-type tbody tr'), `${look}: older entries`);
    await shot(page, `${look}-log-older`);
    // Ending a session asks first, and No means no.
    await page.goto(`${url}#sessions`);
    const end = page.locator('tr:has(td:text-is("chaos")) button:has-text("End"), tr:has(td:text-is("victim")) button:has-text("End")').first();
    await end.waitFor();
    await end.click();
    await page.waitForSelector('dialog[open]');
    await shot(page, `${look}-question`);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' }).catch(() => {});
    check(!(await page.isVisible('dialog')), `${look}: Escape closes the question`);
    await end.click();
    await page.click('#question-yes');
    await page.waitForSelector('text=was told to end');
    // Reading through the files, asked first.
    await page.goto(`${url}#tasks`);
    await page.click('button:has-text("Begin")');
    await page.click('#question-yes');
    await page.waitForSelector('main [role=progressbar]');
    await shot(page, `${look}-scrub`);
    // By the keyboard alone.
    await page.goto(`${url}#cluster`);
    await page.keyboard.press('Tab');
    check(await page.evaluate(() => document.activeElement !== document.body), `${look}: the keyboard finds its way`);
  }
  quiet.now = true;
  await context.close();
}

async function harm() {
  const { page, context, quiet } = await open(chaos, 'chaos', { colorScheme: 'light', viewport: { width: 1280, height: 900 } });
  await page.waitForSelector('text=Latency of a write');
  await page.waitForTimeout(4000);
  const press = async (what, wait) => {
    const button = page.locator(`button:has-text("${what}"):not([disabled])`).first();
    await button.waitFor({ timeout: 20000 });
    await button.click();
    await page.waitForTimeout(wait);
  };
  const leader = async () => page.locator('tr:has(span:text-is("leads"))').first();
  const of = async (what, wait) => { const row = await leader(); await row.locator(`button:has-text("${what}")`).click(); await page.waitForTimeout(wait); };
  const rounds = Number(process.env.ROUNDS ?? 2);
  for (let round = 0; round < rounds; round += 1) {
    await of('Kill', 2500);
    if (round === 0) await shot(page, 'chaos-killed');
    await press('Start', 5000);
    await of('Cut off', 4000);
    if (round === 0) await shot(page, 'chaos-cut');
    await press('Heal', 4000);
    await of('Pause', 4000);
    await press('Resume', 4000);
    await of('Slow', 3000);
    await press('Heal', 2000);
    await press('Lead', 3000);
  }
  // A lost disk, whose node comes back by itself, and then a loss of all power.
  const has = (text) => page.waitForSelector(`td:has-text("${text}")`, { timeout: 30000 });
  await of('Wipe', 500);
  await shot(page, 'chaos-wiped');
  // The browser's console tells of the refusal, too.
  quiet.now = true;
  await press('Wipe', 500);
  quiet.now = false;
  check((await page.textContent('[role=alert]')).includes('keeps its disk'), 'chaos: no second disk is wiped meanwhile');
  await has('has everything again');
  await press('Cut all power', 500);
  await shot(page, 'chaos-dark-everywhere');
  await has('power is back');
  await page.click('summary');
  await page.waitForTimeout(4000);
  await page.waitForTimeout(11000);
  await isWhole(page, 'chaos');
  await shot(page, 'chaos');
  const counts = await page.textContent('main section:first-of-type');
  check(counts.includes('writers saw0lost0doubled'), `chaos: nothing is lost or doubled (${counts.slice(0, 110)})`);
  await context.close();
  for (const [look, style] of [['chaos-dark', { colorScheme: 'dark', viewport: { width: 1280, height: 900 } }], ['chaos-narrow', { colorScheme: 'light', viewport: { width: 390, height: 844 } }]]) {
    const narrow = await open(chaos, look, style);
    await narrow.page.waitForSelector('text=What was done');
    await narrow.page.waitForTimeout(800);
    await isWhole(narrow.page, look);
    await shot(narrow.page, look);
    await narrow.context.close();
  }
}

const wide = { width: 1280, height: 900 };
await tour(consoles[0], 'light', { colorScheme: 'light', viewport: wide }, true);
await tour(consoles[1] ?? consoles[0], 'dark', { colorScheme: 'dark', viewport: wide }, false);
await tour(consoles[2] ?? consoles[0], 'narrow', { colorScheme: 'light', viewport: { width: 390, height: 844 } }, false);
if (chaos !== '-') await harm();
await browser.close();
console.log(failures.length ? `\n${failures.length} failures:\n${failures.join('\n')}` : `\nall is well; pictures are in ${pictures}`);
process.exit(failures.length ? 1 : 0);
