// The console's frame: who is signed in, which page is open, and the pictures that the pages draw.

import { h, put } from './dom.js';
import { follow, whoAmI } from './source.js';
import { problems } from './advice.js';
import { History } from './latency.js';
import * as cluster from './cluster.js';
import * as groups from './groups.js';
import * as log from './log.js';
import * as latency from './latency.js';
import * as sessions from './sessions.js';
import * as databases from './databases.js';
import * as tasks from './tasks.js';

const PAGES = { cluster, groups, log, latency, sessions, databases, tasks };
// What SQL does not tell: only superusers are told.
const FOR_SUPERUSERS = ['log', 'latency'];
// What is there only with a picture.
const FROM_PICTURES = ['cluster', 'groups', 'tasks'];
const main = document.getElementById('main');
const link = document.getElementById('link');
const history = new History();
let me;
let page;
let shown;
let picture;

function route() {
  const [name, argument] = location.hash.slice(1).split('/');
  const wanted = Object.hasOwn(PAGES, name) ? name : 'cluster';
  if (wanted === shown && !argument) return;
  page?.close?.();
  shown = wanted;
  const root = h('div', {});
  main.replaceChildren(root);
  document.title = `${PAGES[wanted].title} · Quorate`;
  tabs();
  if (!me.superuser && FOR_SUPERUSERS.includes(wanted)) {
    page = null;
    put(root, h('p', { class: 'problem' }, 'This page is for superusers.'));
    return;
  }
  page = PAGES[wanted].open(root, argument, { history });
  if (picture) page.show(picture);
}

function tabs() {
  const bad = picture ? problems(picture).filter((one) => one.level === 'bad').length : 0;
  put(document.getElementById('tabs'), Object.entries(PAGES).map(([name, { title }]) =>
    h('li', {}, h('a', { href: `#${name}`, 'aria-current': name === shown ? 'page' : null }, title,
      name === 'cluster' && bad ? ` (${bad})` : ''))));
}

function say(text, level) {
  if (link.textContent !== text) link.textContent = text;
  link.className = level ? `chip ${level}` : '';
}

function show(now) {
  if (!now) return;
  picture = now;
  history.take(now);
  say('live', 'good');
  tabs();
  page?.show(now);
}

async function begin() {
  try {
    me = await whoAmI();
  } catch (error) {
    say(error.message, 'bad');
    setTimeout(begin, 2000);
    return;
  }
  document.getElementById('cluster').textContent = me.cluster || 'Quorate';
  document.getElementById('place').textContent = `seen by ${me.node}${me.role ? `, as ${me.role}` : ''}`;
  if (me.waiting !== null) {
    say('waiting', 'warn');
    put(main, h('p', { class: 'problem warn' }, `This node does not serve yet: ${me.waiting}`));
    setTimeout(begin, 1500);
    return;
  }
  addEventListener('hashchange', route);
  route();
  follow(me, show, (why) => {
    say(picture ? why : 'not seen', 'bad');
    if (!picture && FROM_PICTURES.includes(shown)) {
      put(main.firstElementChild, h('p', { class: 'problem warn' }, me.superuser ? why : `The role ${me.role} may not see the cluster: ${why}. Members of pg_monitor may.`));
    }
  });
}

begin();
