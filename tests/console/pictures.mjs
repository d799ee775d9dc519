// Looks on at a recorded run of the demo, and keeps two pictures of it.
//   node pictures.mjs FOLDER URL
import { chromium } from 'playwright-core';

const [folder, url] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1100, height: 800 }, deviceScaleFactor: 0.8 });
await page.goto(url);
const said = (text) => page.waitForSelector(`td:has-text("${text}")`, { timeout: 60000 });
// Down to what was done.
const shot = async (name) => {
  const last = await page.locator('section:has(h2:text-is("What was done"))').boundingBox();
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true, clip: { x: 0, y: 0, width: 1100, height: last.y + last.height + 8 } });
};
// The leader is dead, and another one leads.
await said('kill node-');
await page.waitForSelector('tr:has(span:text-is("leads"))');
await page.waitForTimeout(4000);
await shot('demo-kill');
// After everything else, when all was read back since.
await said('power is back');
await page.waitForTimeout(11000);
await shot('demo-end');
await browser.close();
