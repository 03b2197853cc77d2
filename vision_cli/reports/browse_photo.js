// One photo with its annotations as a table; zoomed with wheel, keys or two fingers, moved by dragging.
const zoomed = { row: -1, scale: 1, x: 0, y: 0, fitted: 1, chosen: null, width: 0, height: 0, layers: null, pointers: new Map(), items: [], shown: '' };
const MOST_ZOOM = 40, MOST_MASK_PX = 2048;

function openPhoto(row) {
  if (!(row >= 0 && row < start.photos) || photos.path[row] === undefined) return;
  Object.assign(zoomed, { row, chosen: null, layers: null, shown: '' });
  view.photo = row;
  const at = grid.rows.indexOf(row);
  if (at >= 0) grid.focus = at;
  $('photo-name').textContent = nameOf(row);
  $('photo-name').title = photos.path[row];
  $('previous').disabled = at <= 0;
  $('next').disabled = at < 0 || at >= grid.rows.length - 1;
  zoomed.width = photos.width[row];
  zoomed.height = photos.height[row];
  showPicture(row);
  if (!$('photo').open) { $('photo').showModal(); $('stage').focus(); }
  fit();
  tellPhoto();
  saveState();
}

function showPicture(row) {
  const full = photoOf(row), thumb = thumbOf(row), image = $('full');
  $('stage-note').hidden = true;
  const fallBack = () => {
    image.onerror = () => note('This photo cannot be read.');
    note(full ? 'The photo itself is not where it was; this is its thumbnail.' : 'Only a thumbnail is kept.');
    if (thumb) image.src = thumb; else { image.removeAttribute('src'); note('This photo cannot be read.'); }
  };
  image.removeAttribute('src');
  image.onload = () => {
    if (!zoomed.width) { zoomed.width = image.naturalWidth; zoomed.height = image.naturalHeight; }
    fit();
  };
  image.onerror = fallBack;
  if (full) image.src = full; else fallBack();
}

function note(text) {
  $('stage-note').textContent = text;
  $('stage-note').hidden = false;
}

function fit() {
  const stage = $('stage'), pad = 12;
  if (!zoomed.width || !stage.clientWidth) return;
  zoomed.fitted = Math.min((stage.clientWidth - 2 * pad) / zoomed.width, (stage.clientHeight - 2 * pad) / zoomed.height);
  zoomed.scale = zoomed.fitted;
  zoomed.x = (stage.clientWidth - zoomed.width * zoomed.scale) / 2;
  zoomed.y = (stage.clientHeight - zoomed.height * zoomed.scale) / 2;
  drawPhoto();
}

function zoomBy(factor, x = $('stage').clientWidth / 2, y = $('stage').clientHeight / 2) {
  const scale = Math.max(zoomed.fitted / 2, Math.min(zoomed.scale * factor, zoomed.fitted * MOST_ZOOM));
  zoomed.x = x - (x - zoomed.x) * scale / zoomed.scale;
  zoomed.y = y - (y - zoomed.y) * scale / zoomed.scale;
  zoomed.scale = scale;
  drawPhoto();
}

// Draws in the next frame, once, however often it is asked.
let frame = 0;
function drawPhoto() {
  if (!$('photo').open || frame) return;
  frame = requestAnimationFrame(() => { frame = 0; drawNow(); });
}

function drawNow() {
  const image = $('full'), stage = $('stage'), canvas = $('over'), ratio = window.devicePixelRatio || 1;
  image.style.width = `${zoomed.width}px`;
  image.style.height = `${zoomed.height}px`;
  image.style.transform = `translate(${zoomed.x}px, ${zoomed.y}px) scale(${zoomed.scale})`;
  image.classList.toggle('sharp', zoomed.scale > 3);
  $('fit').textContent = `${Math.round(zoomed.scale * 100)} %`;
  canvas.width = stage.clientWidth * ratio;
  canvas.height = stage.clientHeight * ratio;
  const found = labelsOf(zoomed.row);
  if (!found || !zoomed.width) return;
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  zoomed.items = shownItems(found, view);
  const place = { x: zoomed.x, y: zoomed.y, scale: zoomed.scale, width: zoomed.width, height: zoomed.height };
  const chosen = zoomed.items.filter(({ item }) => item === zoomed.chosen);
  if (chosen.length) context.globalAlpha = .35;
  draw(context, zoomed.items, place, view, { names: !chosen.length, thick: 2, layer: maskOnce });
  context.globalAlpha = 1;
  if (chosen.length) {
    const all = { ...view, layers: new Set(['truth', 'said', 'boxes', 'masks', 'keypoints', 'names']) };
    draw(context, chosen, place, all, { names: true, thick: 3, ratio, most: MOST_MASK_PX });
  }
}

// Masks are painted once a photo and choice, at the photo's own size.
function maskOnce(masks) {
  const key = `${zoomed.row} ${masks.length} ${masks.map((item) => item[0]).join()} ${view.score}`;
  if (zoomed.layers === null || zoomed.layers.key !== key) {
    const shrink = Math.min(1, MOST_MASK_PX / Math.max(zoomed.width, zoomed.height));
    zoomed.layers = { key, canvas: maskLayer(masks, zoomed.width * shrink, zoomed.height * shrink, 130) };
  }
  return zoomed.layers.canvas;
}

function labelsArrived() {
  if (!$('photo').open) return;
  if (!zoomed.shown) tellPhoto();
  drawPhoto();
}

function tellPhoto() {
  const row = zoomed.row, found = labelsOf(row), side = $('side');
  if (!found) { side.replaceChildren(element('p', { textContent: 'Loading annotations' })); zoomed.shown = ''; return; }
  zoomed.shown = 'yes';
  const parts = [];
  if (start.model !== null) {
    parts.push(element('h3', { textContent: `Predictions of ${start.model}` }), table(found.said, true));
  }
  parts.push(element('h3', { textContent: `Annotations (${found.truth.length})` }), table(found.truth, false));
  const facts = element('dl');
  const size = photos.width[row] ? `${photos.width[row]} × ${photos.height[row]} px` : 'unknown';
  fact(facts, 'Size', size);
  if (start.splits.some(Boolean)) fact(facts, 'Split', start.splits[photos.split[row]] || 'none');
  if (start.sources.length > 1) fact(facts, 'Source', start.sources[photos.source[row]]);
  fact(facts, 'File', photos.path[row]);
  found.metadata.forEach((value, i) => { if (value !== null) fact(facts, start.metadata[i], String(value)); });
  parts.push(element('h3', { textContent: 'Photo' }), facts);
  side.replaceChildren(...parts);
  side.scrollTop = 0;
}

function fact(list, name, text) {
  list.append(element('dt', { textContent: name, dir: 'auto' }), element('dd', { textContent: text, dir: 'auto' }));
}

const MOST_ROWS = 500;

function table(items, said) {
  if (!items.length) return element('p', { textContent: said ? 'none' : 'none: this photo has no label' });
  const sized = items.some((item) => item[1]), scored = said && items.some((item) => item[2]);
  const head = element('tr', {}, element('th', { textContent: 'Class', scope: 'col' }));
  if (scored) head.append(element('th', { textContent: 'Score', className: 'figure', scope: 'col' }));
  if (sized) head.append(element('th', { textContent: 'Box, px', className: 'figure', scope: 'col' }));
  const body = element('tbody');
  const sorted = said ? [...items].sort((a, b) => b[2] - a[2]) : items;
  for (const item of sorted.slice(0, MOST_ROWS)) body.append(line(item, sized, scored));
  const made = element('table', {}, element('thead', {}, head), body);
  if (sorted.length <= MOST_ROWS) return made;
  return element('div', {}, made, element('p', { textContent: `and ${sorted.length - MOST_ROWS} more` }));
}

function line(item, sized, scored) {
  const button = element('button', { type: 'button', textContent: className(item[0]), dir: 'auto' });
  button.setAttribute('aria-pressed', 'false');
  const who = element('div', { className: 'who' }, swatch(item[0]), button), cell = element('td', {}, who);
  if (item[3]) who.append(badge(item[3] - 1));
  const words = detailsOf(item);
  if (words) cell.append(element('small', { textContent: words, dir: 'auto' }));
  const row = element('tr', {}, cell);
  if (scored) row.append(element('td', { className: 'figure', textContent: `${figure(item[2] * 100)} %` }));
  if (sized) {
    const [x, y, width, height] = item[1] || [];
    const at = item[1] ? element('small', { textContent: `at ${figure(x)}, ${figure(y)}` }) : '';
    row.append(element('td', { className: 'figure' }, item[1] ? `${figure(width)} × ${figure(height)}` : '', at));
  }
  row.onclick = () => {
    zoomed.chosen = zoomed.chosen === item ? null : item;
    for (const other of $('side').querySelectorAll('tr.chosen')) { other.classList.remove('chosen'); other.querySelector('button').setAttribute('aria-pressed', 'false'); }
    if (zoomed.chosen) { row.classList.add('chosen'); button.setAttribute('aria-pressed', 'true'); }
    drawPhoto();
  };
  return row;
}

function detailsOf(item) {
  const shape = item[4], words = [];
  if (isMask(shape)) words.push('mask');
  else if (shape) words.push(shape.length === 1 ? `polygon of ${shape[0].length / 2} points` : `${shape.length} polygons`);
  if (item[5]) words.push(`${item[5].filter((value, i) => i % 3 === 2 && value).length} keypoints`);
  for (const [name, value] of Object.entries(item[6] || {})) {
    if (value !== false) words.push(value === true ? name : `${name} ${typeof value === 'number' && name !== 'id' ? figure(value, Math.abs(value) < 100 ? 4 : 1) : value}`);
  }
  return words.join(' · ');
}

function swatch(id) {
  const made = element('span', { className: 'dot' });
  made.style.background = colourOf(id);
  return made;
}

const badge = (kind) => element('span', { className: `badge ${KIND_STYLE[kind]}`, textContent: start.kinds[kind] });

function step(by) {
  const at = grid.rows.indexOf(zoomed.row) + by;
  if (at >= 0 && at < grid.rows.length) openPhoto(grid.rows[at]);
}

function photoKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1), k: () => step(-1), j: () => step(1),
    '+': () => zoomBy(1.4), '=': () => zoomBy(1.4), '-': () => zoomBy(1 / 1.4), 0: fit,
  }[event.key];
  if (act) { act(); event.preventDefault(); }
}

function pointer(event) {
  const held = zoomed.pointers, box = $('stage').getBoundingClientRect(), before = held.get(event.pointerId);
  const now = { x: event.clientX - box.left, y: event.clientY - box.top };
  if (event.type === 'pointerdown') { $('stage').setPointerCapture(event.pointerId); held.set(event.pointerId, now); return; }
  if (event.type !== 'pointermove') { held.delete(event.pointerId); return; }
  if (!before) return;
  const other = [...held].find(([id]) => id !== event.pointerId);
  if (other) {
    const length = (one) => Math.hypot(one.x - other[1].x, one.y - other[1].y) || 1;
    zoomBy(length(now) / length(before), (now.x + other[1].x) / 2, (now.y + other[1].y) / 2);
  } else { zoomed.x += now.x - before.x; zoomed.y += now.y - before.y; drawPhoto(); }
  held.set(event.pointerId, now);
}

for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']) $('stage').addEventListener(type, pointer);
$('stage').addEventListener('wheel', (event) => {
  event.preventDefault();
  const box = $('stage').getBoundingClientRect();
  zoomBy(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
$('stage').addEventListener('dblclick', () => (zoomed.scale > zoomed.fitted * 1.05 ? fit() : zoomBy(3)));
new ResizeObserver(() => { if ($('photo').open) fit(); }).observe($('stage'));
$('photo').addEventListener('keydown', photoKey);
$('photo').addEventListener('close', () => {
  view.photo = -1;
  $('full').removeAttribute('src');
  saveState();
  const at = grid.rows.indexOf(zoomed.row); // the browser has focused the tile that was opened first
  if (at >= 0) focusTile(at);
});
$('previous').onclick = () => step(-1);
$('next').onclick = () => step(1);
$('less').onclick = () => zoomBy(1 / 1.4);
$('more').onclick = () => zoomBy(1.4);
$('fit').onclick = fit;
$('close').onclick = () => $('photo').close();
