// Filters, order, and the address that holds both, so that a link shows the same photos.
const SORTS = { order: 'as in the data', name: 'name', most: 'most annotations', fewest: 'fewest annotations', unsure: 'lowest confidence', sure: 'highest confidence' };
const LAYERS = { truth: 'annotations', said: 'predictions', boxes: 'boxes', masks: 'masks and outlines', keypoints: 'keypoints', names: 'class names' };
const SETS = { classes: 'classes', splits: 'splits', sources: 'sources', kinds: 'kinds' };
const LETTERS = { b: 'boxes', m: 'masks', l: 'names', t: 'truth', p: 'said' };
const MANY = 10;
const has = (set, values) => values.some((value) => set.has(value));

function passes(row, q) {
  if (q && !photos.low[row].includes(q)) return false;
  if (view.splits.size && !view.splits.has(photos.split[row])) return false;
  if (view.sources.size && !view.sources.has(photos.source[row])) return false;
  if (view.bare && (photos.count[row] === 0) !== (view.bare === 'without')) return false;
  if (view.classes.size && !has(view.classes, photos.classes[row]) && !(photos.said[row] && has(view.classes, photos.said[row]))) return false;
  if (view.kinds.size) {
    let bits = 0;
    for (const kind of view.kinds) bits |= 1 << kind;
    if (!(photos.kinds[row] & bits)) return false;
  }
  return true;
}

const ORDERS = {
  name: (a, b) => (photos.low[a] < photos.low[b] ? -1 : photos.low[a] > photos.low[b] ? 1 : a - b),
  most: (a, b) => photos.count[b] - photos.count[a] || a - b,
  fewest: (a, b) => photos.count[a] - photos.count[b] || a - b,
  unsure: (a, b) => (photos.confidence[a] ?? 2) - (photos.confidence[b] ?? 2) || a - b,
  sure: (a, b) => (photos.confidence[b] ?? -1) - (photos.confidence[a] ?? -1) || a - b,
};

function refilter(keep = false) {
  const q = view.q.trim().toLowerCase(), rows = [];
  for (let row = 0; row < photos.path.length; row++) if (passes(row, q)) rows.push(row);
  if (ORDERS[view.sort]) rows.sort(ORDERS[view.sort]);
  grid.rows = rows;
  if (!keep) { $('scroll').scrollTop = 0; grid.focus = 0; }
  layout();
  tellSum();
}

function tellSum() {
  const all = start.photos, loaded = photos.path.length, shown = grid.rows.length;
  const count = (number, what) => `${figure(number)} ${what}${number === 1 ? '' : 's'}`;
  const rest = `${count(start.annotations, 'annotation')}, ${figure(start.classes.length)} class${start.classes.length === 1 ? '' : 'es'}`;
  $('sum').textContent = loaded < all ? `Loading: ${figure(loaded)} of ${count(all, 'photo')}`
    : shown === all ? `${count(all, 'photo')}, ${rest}` : `${figure(shown)} of ${count(all, 'photo')}`;
  $('none').hidden = shown > 0 || loaded < all;
  if (!$('none').hidden) {
    const button = element('button', { type: 'button', textContent: 'Show all photos', onclick: clearFilters });
    $('none').replaceChildren(all ? 'No photo fits these filters.' : 'There is no photo in this data set.', ...(all ? [button] : []));
  }
}

changed = () => {
  if (refilter.asked) return;
  refilter.asked = true;
  requestAnimationFrame(() => {
    refilter.asked = false;
    refilter(true);
    if (photos.path.length === start.photos) { buildFilters(); }
    if (view.photo >= 0 && !$('photo').open && photos.path[view.photo] !== undefined) openPhoto(view.photo);
  });
};

function counts(values, many = false) {
  const found = new Map();
  for (const value of values) for (const each of many ? value : [value]) found.set(each, (found.get(each) || 0) + 1);
  return found;
}

function group(title, ...children) {
  return element('fieldset', {}, element('legend', { textContent: title }), ...children);
}

function choice(name, value, text, count, dot) {
  const input = element('input', { type: 'checkbox', checked: view[name].has(value) });
  input.onchange = () => {
    if (input.checked) view[name].add(value); else view[name].delete(value);
    if (name === 'layers') redraw(); else { refilter(); if (name === 'classes') redraw(); }
    saveState();
  };
  const label = element('label', { className: 'choice', title: text }, input);
  if (dot !== undefined) label.append(swatch(dot));
  label.append(element('span', { className: 'text', textContent: text, dir: 'auto' }));
  if (count !== undefined) label.append(element('span', { className: 'count', textContent: figure(count) }));
  return label;
}

function choices(name, texts, found) {
  const order = [...texts.keys()].filter((at) => found.has(at) || view[name].has(at));
  return order.map((at) => choice(name, at, texts[at] || '(none)', found.get(at) || 0));
}

function classGroup() {
  const found = counts(photos.classes, true);
  if (start.model !== null) for (const ids of photos.said) for (const id of ids) if (!found.has(id)) found.set(id, 0);
  const ids = [...start.classes.keys()].sort((a, b) => (found.get(b) || 0) - (found.get(a) || 0) || a - b);
  const list = element('div', { className: 'list' });
  const fillList = (q) => {
    const fitting = ids.filter((id) => start.classes[id].toLowerCase().includes(q));
    list.replaceChildren(...fitting.slice(0, 300).map((id) => choice('classes', id, start.classes[id], found.get(id) || 0, id)));
    if (fitting.length > 300) list.append(element('p', { className: 'count', textContent: `and ${fitting.length - 300} more: search for them` }));
  };
  fillList('');
  if (ids.length <= MANY) return group('Class', list);
  const search = element('input', { className: 'narrow', type: 'search', placeholder: `Search ${ids.length} classes`, 'aria-label': 'Search classes', maxLength: 200 });
  search.oninput = () => fillList(search.value.trim().toLowerCase());
  return group('Class', search, list);
}

function slider() {
  const output = element('output', { textContent: `${Math.round(view.score * 100)} %` });
  const input = element('input', { type: 'range', min: 0, max: 1, step: .01, 'aria-label': 'Draw predictions from this score on' });
  input.value = view.score;
  input.oninput = () => { view.score = Number(input.value); output.textContent = `${Math.round(view.score * 100)} %`; redraw(); };
  input.onchange = saveState;
  return element('label', { className: 'row' }, 'drawn from', input, output);
}

function bareGroup() {
  const without = photos.count.filter((count) => !count).length;
  if (!without) return [];
  const box = (value, text, count) => {
    const input = element('input', { type: 'checkbox', checked: view.bare === value });
    input.onchange = () => { view.bare = input.checked ? value : ''; refilter(); buildFilters(); saveState(); };
    return element('label', { className: 'choice' }, input, element('span', { className: 'text', textContent: text }), element('span', { className: 'count', textContent: figure(count) }));
  };
  return [group('Labels', box('with', 'with annotations', start.photos - without), box('without', 'without annotations', without))];
}

function buildFilters() {
  const parts = [], held = document.activeElement && $('filters').contains(document.activeElement) ? document.activeElement.closest('.choice')?.title : null;
  if (start.kinds.length) {
    const found = new Map(start.kinds.map((_, kind) => [kind, photos.kinds.reduce((sum, bits) => sum + (bits >> kind & 1), 0)]));
    parts.push(group('Predictions', ...choices('kinds', start.kinds, new Map([...found].filter(([, count]) => count)))));
  }
  if (start.classes.length) parts.push(classGroup());
  if (start.splits.length > 1) parts.push(group('Split', ...choices('splits', start.splits, counts(photos.split))));
  if (start.sources.length > 1) parts.push(group('Source', ...choices('sources', start.sources, counts(photos.source))));
  parts.push(...bareGroup());
  const placed = start.has.boxes || start.has.masks;
  const drawnLayers = Object.keys(LAYERS).filter((name) => ({ truth: start.model !== null && placed, said: start.model !== null && placed, names: placed })[name] ?? start.has[name]);
  if (drawnLayers.length) {
    const boxes = drawnLayers.map((name) => choice('layers', name, LAYERS[name]));
    if (start.model !== null && start.has.boxes) boxes.push(slider());
    parts.push(group('Draw', ...boxes));
  }
  parts.push(element('button', { type: 'button', className: 'wide', textContent: 'Show all photos', onclick: clearFilters }));
  $('filters').replaceChildren(...parts);
  if (held) [...$('filters').querySelectorAll('.choice')].find((each) => each.title === held)?.querySelector('input').focus();
}

function clearFilters() {
  for (const name of Object.keys(SETS)) view[name].clear();
  Object.assign(view, { q: '', bare: '' });
  $('search').value = '';
  refilter();
  buildFilters();
  redraw();
  saveState();
}

// The address: q, sort, size, score, bare, photo, and lists of numbers.
function stateText(more = {}) {
  const words = new URLSearchParams();
  if (view.q) words.set('q', view.q);
  for (const name of Object.keys(SETS)) if (view[name].size) words.set(name, [...view[name]].sort((a, b) => a - b).join('.'));
  if (view.bare) words.set('labels', view.bare);
  if (view.sort !== 'order') words.set('sort', view.sort);
  if (view.size !== 184) words.set('size', view.size);
  if (view.score) words.set('score', view.score);
  const off = Object.keys(LAYERS).filter((name) => !view.layers.has(name));
  if (off.length) words.set('off', off.join('.'));
  const photo = more.photo ?? view.photo;
  if (photo >= 0) words.set('photo', photo);
  return words.toString();
}

function saveState() {
  const text = `#${stateText()}`;
  if (text === location.hash || (text === '#' && !location.hash)) return;
  try { history.replaceState(null, '', text === '#' ? location.pathname + location.search : text); } catch { /* some browsers limit it on files */ }
}

function readState() {
  const words = new URLSearchParams(location.hash.slice(1)), between = (value, low, high, other) => (value >= low && value <= high ? value : other);
  const whole = (text, below) => (text || '').split('.').filter((each) => /^\d{1,9}$/.test(each)).map(Number).filter((each) => each < below);
  view.q = (words.get('q') || '').slice(0, 200);
  for (const name of Object.keys(SETS)) view[name] = new Set(whole(words.get(name), start[name].length));
  view.bare = ['with', 'without'].includes(words.get('labels')) ? words.get('labels') : '';
  view.sort = Object.hasOwn(SORTS, words.get('sort') || '') ? words.get('sort') : 'order';
  view.size = between(Number(words.get('size')), 96, 320, 184);
  view.score = between(Number(words.get('score')), 0, 1, 0);
  const off = (words.get('off') || '').split('.');
  view.layers = new Set(Object.keys(LAYERS).filter((name) => !off.includes(name)));
  [view.photo] = [...whole(words.get('photo'), start.photos), -1];
  $('search').value = view.q;
  $('size').value = view.size;
  $('sort').value = view.sort;
}

function help() {
  const keys = { '/': 'search', f: 'filters', 'arrows, Home, End': 'move in the grid', Enter: 'open a photo', 'left, right, j, k': 'next photo', '+ - 0': 'zoom',
    b: 'boxes', m: 'masks', l: 'class names', ...(start.model !== null ? { t: 'annotations', p: 'predictions' } : {}), Esc: 'close' };
  const list = element('dl');
  for (const [key, text] of Object.entries(keys)) list.append(element('dt', {}, element('kbd', { textContent: key })), element('dd', { textContent: text }));
  const parts = [element('h2', { id: 'help-title', textContent: 'Keys and notes' }), list];
  if (start.model !== null) parts.push(element('h3', { textContent: 'Predictions' }), element('p', { textContent: `Of ${start.model}, drawn dashed. A prediction is right when it overlaps a free annotation of its class with an IoU of 0.5 or more; low confidence is a right one below 50 %.` }));
  if (start.notes.length) parts.push(element('h3', { textContent: 'Notes' }), element('ul', {}, ...start.notes.map((text) => element('li', { textContent: text, dir: 'auto' }))));
  parts.push(element('button', { type: 'button', textContent: 'Close', onclick: () => $('help').close() }));
  $('help').replaceChildren(...parts);
  $('help').showModal();
}

function toggleFilters(open = !document.body.classList.contains('filtering')) {
  document.body.classList.toggle('filtering', open);
  $('open-filters').setAttribute('aria-expanded', String(open));
  $('open-filters').textContent = open ? 'Photos' : 'Filters';
  if (open) $('filters').querySelector('input')?.focus();
}

function pageKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('help').open) return;
  const typing = event.target.matches('input:not([type=checkbox]):not([type=range]), select');
  if (event.key === 'Escape' && document.body.classList.contains('filtering') && !$('photo').open) toggleFilters(false);
  if (typing) return;
  const layer = LETTERS[event.key];
  if (layer) {
    if (view.layers.has(layer)) view.layers.delete(layer); else view.layers.add(layer);
    buildFilters();
    redraw();
    saveState();
  } else if (event.key === '?') help();
  else if ($('photo').open) return;
  else if (event.key === '/') { $('search').focus(); $('search').select(); event.preventDefault(); } else if (event.key === 'f') {
    if (getComputedStyle($('open-filters')).display === 'none') $('filters').querySelector('input')?.focus(); else toggleFilters();
    event.preventDefault();
  }
}

document.addEventListener('vision-start', () => {
  const sorts = Object.entries(SORTS).filter(([name]) => start.model !== null || !['unsure', 'sure'].includes(name));
  $('sort').append(...sorts.map(([value, textContent]) => element('option', { value, textContent })));
  readState();
  buildFilters();
  tellSum();
});
let typed = 0;
$('search').oninput = () => {
  clearTimeout(typed);
  typed = setTimeout(() => { view.q = $('search').value; refilter(); saveState(); }, 60);
};
$('sort').onchange = () => { view.sort = $('sort').value; refilter(); saveState(); };
$('size').oninput = () => { view.size = Number($('size').value); layout(); };
$('size').onchange = saveState;
$('open-filters').onclick = () => toggleFilters();
$('open-help').onclick = help;
document.addEventListener('keydown', pageKey);
window.addEventListener('hashchange', () => {
  readState();
  refilter();
  buildFilters();
  redraw();
  if (view.photo >= 0) openPhoto(view.photo); else if ($('photo').open) $('photo').close();
});
load('start');
