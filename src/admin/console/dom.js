// Elements out of values. Text is only ever text: nothing here reads markup.

const HANDLERS = ['onclick', 'oninput', 'onchange', 'onsubmit', 'onkeydown'];
const SVG = 'http://www.w3.org/2000/svg';

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (HANDLERS.includes(name) || name === 'value' || name === 'checked') element[name] = value;
    else if (name === 'width%') element.style.width = `${value}%`;
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => make(document.createElementNS(SVG, tag), attributes, children);

/** Makes what stands in `parent` equal to `wanted`, and leaves alone what is: focus, selection and scrolling stay. */
export function put(parent, ...wanted) {
  const nodes = wanted.flat(9).filter((n) => n !== null && n !== undefined && n !== false)
    .map((n) => (n instanceof Node ? n : document.createTextNode(n)));
  nodes.forEach((node, i) => {
    const there = parent.childNodes[i];
    if (!there) parent.append(node);
    else if (!same(there, node)) there.replaceWith(node);
    else adapt(there, node);
  });
  while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
}

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.dataset?.key === b.dataset?.key);

function adapt(there, node) {
  if (there.nodeType === Node.TEXT_NODE) {
    if (there.data !== node.data) there.data = node.data;
    return;
  }
  if (there.dataset?.own !== undefined) return;
  for (const { name } of [...there.attributes]) {
    if (!node.hasAttribute(name) && !(name === 'open' && there.nodeName === 'DETAILS')) there.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) if (there.getAttribute(name) !== value && name !== 'style') there.setAttribute(name, value);
  for (const name of HANDLERS) if (there[name] !== node[name]) there[name] = node[name];
  if (node.style?.width && there.style.width !== node.style.width) there.style.width = node.style.width;
  if (there.nodeName === 'SELECT' || there.nodeName === 'INPUT') {
    put(there, ...node.childNodes);
    if (document.activeElement !== there && there.value !== node.value) there.value = node.value;
    return;
  }
  if (there.nodeName !== 'TEXTAREA') put(there, ...node.childNodes);
}

export const chip = (text, level) => h('span', { class: `chip ${level ?? ''}` }, text);

/** `columns`: [title, row → content, 'n' for numbers]. */
export function table(columns, rows, { caption, chosen, key } = {}) {
  return h('div', { class: 'scroll' }, h('table', { class: 'stack' },
    caption && h('caption', {}, caption),
    h('thead', {}, h('tr', {}, columns.map(([title, , kind]) => h('th', { class: kind, scope: 'col' }, title)))),
    h('tbody', {}, rows.map((row) => h('tr', { class: chosen?.(row) ? 'chosen' : null, 'data-key': key?.(row) },
      columns.map(([title, cell, kind]) => h('td', { class: kind, 'data-head': title }, cell(row) ?? '')))))));
}

export const number = (value) => (value === null || value === undefined ? '–' : Number(value).toLocaleString('en'));

export function bytes(count) {
  if (count === null || count === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  for (; count >= 1024 && at < units.length - 1; at += 1) count /= 1024;
  return `${count >= 100 || at === 0 ? Math.round(count) : count.toFixed(1)} ${units[at]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return '–';
  if (seconds <= 0) return '0 s';
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toPrecision(seconds < 0.1 ? 2 : 3)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');

/** Asks before something is done that others feel. */
export function ask(text, yes) {
  const dialog = document.getElementById('question');
  document.getElementById('question-text').textContent = text;
  const yesButton = document.getElementById('question-yes');
  yesButton.textContent = yes;
  return new Promise((resolve) => {
    const end = (answer) => { dialog.onclose = null; dialog.close(); resolve(answer); };
    yesButton.onclick = () => end(true);
    document.getElementById('question-no').onclick = () => end(false);
    dialog.onclose = () => resolve(false);
    dialog.showModal();
  });
}
