// The grid holds elements only for what is seen; they are moved and filled anew while it scrolls.
const GAP = 10, CAPTION = 44, AHEAD_PX = 300;
const grid = { rows: [], columns: 1, tile: 184, step: 0, tiles: new Map(), spare: [], focus: 0, asked: 0 };
const view = {
  q: '', classes: new Set(), splits: new Set(), sources: new Set(), kinds: new Set(), bare: '', sort: 'order', size: 184, score: 0, photo: -1,
  layers: new Set(['truth', 'said', 'boxes', 'masks', 'keypoints', 'names']),
};

function layout() {
  const wide = $('scroll').clientWidth - parseFloat(getComputedStyle($('scroll')).paddingLeft) * 2;
  const wanted = Math.min(view.size, (wide - GAP) / 2);
  grid.columns = Math.max(1, Math.floor((wide + GAP) / (wanted + GAP)));
  grid.tile = Math.floor((wide - GAP * (grid.columns - 1)) / grid.columns);
  grid.step = grid.tile + CAPTION + GAP;
  $('grid').style.height = `${Math.ceil(grid.rows.length / grid.columns) * grid.step}px`;
  for (const at of [...grid.tiles.keys()]) release(at);
  paint();
}

function paint() {
  grid.asked = 0;
  const box = $('scroll'), top = box.scrollTop - AHEAD_PX, low = box.scrollTop + box.clientHeight + AHEAD_PX;
  const first = Math.max(0, Math.floor(top / grid.step) * grid.columns);
  const last = Math.min(grid.rows.length, Math.ceil(low / grid.step) * grid.columns);
  for (const at of [...grid.tiles.keys()]) if (at < first || at >= last) release(at);
  for (let at = first; at < last; at++) if (!grid.tiles.has(at)) fill(at);
}

function paintSoon() {
  if (!grid.asked) grid.asked = requestAnimationFrame(paint);
}

function release(at) {
  const tile = grid.tiles.get(at);
  grid.tiles.delete(at);
  if (tile.link === document.activeElement) $('scroll').focus({ preventScroll: true });
  tile.image.removeAttribute('src');
  tile.box.style.display = 'none';
  tile.row = -1;
  grid.spare.push(tile);
}

function newTile() {
  const image = element('img', { alt: '', decoding: 'async', draggable: false });
  const canvas = element('canvas', { 'aria-hidden': 'true' }), broken = element('span', { className: 'broken', hidden: true });
  const picture = element('div', { className: 'pic' }, image, canvas, broken);
  const name = element('span', { dir: 'auto' }), sub = element('span', { className: 'sub', dir: 'auto' });
  const link = element('a', {}, picture, element('div', { className: 'cap' }, name, sub));
  const box = element('div', { className: 'tile', role: 'listitem' }, link);
  const tile = { box, link, image, canvas, picture, broken, name, sub, row: -1, at: -1, drawn: false };
  image.onerror = () => { broken.hidden = false; broken.textContent = 'no thumbnail'; };
  image.onload = () => { broken.hidden = true; };
  link.onclick = (event) => { if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); openPhoto(tile.row); } };
  link.onfocus = () => { grid.focus = tile.at; };
  $('grid').append(box);
  return tile;
}

function fill(at) {
  const tile = grid.spare.pop() || newTile(), row = grid.rows[at], { box, link } = tile;
  grid.tiles.set(at, tile);
  Object.assign(tile, { row, at, drawn: false });
  box.style.display = '';
  box.style.width = `${grid.tile}px`;
  box.style.height = `${grid.tile + CAPTION}px`;
  box.style.transform = `translate(${(at % grid.columns) * (grid.tile + GAP)}px, ${Math.floor(at / grid.columns) * grid.step}px)`;
  tile.picture.style.height = `${grid.tile}px`;
  link.href = `#${stateText({ photo: row })}`;
  link.tabIndex = at === grid.focus ? 0 : -1;
  box.setAttribute('aria-setsize', grid.rows.length);
  box.setAttribute('aria-posinset', at + 1);
  tile.name.textContent = nameOf(row);
  link.title = photos.path[row];
  describe(tile, row);
  const url = thumbOf(row);
  tile.broken.hidden = url !== null;
  tile.broken.textContent = url ? '' : 'cannot be read';
  if (url) tile.image.src = url;
  overlay(tile);
}

function describe(tile, row) {
  const names = (ids) => ids.map(className).join(', '), ours = names(photos.classes[row]);
  let text = ours || (photos.count[row] ? '' : 'no label'), style = '';
  if (photos.count[row] && (start.has.boxes || start.has.masks || photos.count[row] > 1)) text = `${photos.count[row]}${ours ? ` · ${ours}` : ''}`;
  if (start.model !== null) {
    const kinds = start.kinds.filter((_, kind) => kind && photos.kinds[row] & 1 << kind);
    if (kinds.length) style = kinds.length === 1 && kinds[0] === 'low confidence' ? 'unsure' : 'wrong';
    if (start.has.boxes) text = kinds.length ? kinds.join(', ') : text;
    else if (kinds.length) text = `${ours || 'no label'} → ${names(photos.said[row])}`;
  }
  tile.sub.textContent = text;
  tile.sub.className = `sub ${style}`;
  tile.link.setAttribute('aria-label', `${nameOf(row)}: ${text}`);
}

function overlay(tile) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2), side = Math.round(grid.tile * ratio), { canvas } = tile;
  const context = canvas.getContext('2d');
  if (canvas.width !== side) canvas.width = canvas.height = side;
  else context.clearRect(0, 0, side, side);
  if (!start.has.boxes && !start.has.masks && !start.has.keypoints) return;
  const width = photos.width[tile.row], height = photos.height[tile.row];
  if (!width || !height || (!photos.count[tile.row] && start.model === null)) return;
  const found = labelsOf(tile.row);
  if (!found) return;
  tile.drawn = true;
  const scale = Math.min(grid.tile / width, grid.tile / height);
  const place = { x: (grid.tile - width * scale) / 2, y: (grid.tile - height * scale) / 2, scale, width, height };
  context.save();
  context.scale(ratio, ratio);
  draw(context, shownItems(found, view), place, view, { thick: ratio > 1 ? 1.5 : 1.4, ratio });
  context.restore();
}

function redraw() {
  for (const tile of grid.tiles.values()) overlay(tile);
  drawPhoto();
}

drawn = () => {
  for (const tile of grid.tiles.values()) if (!tile.drawn) overlay(tile);
  labelsArrived();
};

function focusTile(at) {
  at = Math.max(0, Math.min(at, grid.rows.length - 1));
  const before = grid.tiles.get(grid.focus);
  if (before) before.link.tabIndex = -1;
  grid.focus = at;
  const box = $('scroll'), top = Math.floor(at / grid.columns) * grid.step;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + grid.step > box.scrollTop + box.clientHeight - 16) box.scrollTop = top + grid.step - box.clientHeight + 24;
  paint();
  const tile = grid.tiles.get(at);
  if (tile) { tile.link.tabIndex = 0; tile.link.focus({ preventScroll: true }); }
}

function gridKey(event) {
  const page = Math.max(1, Math.floor($('scroll').clientHeight / grid.step)) * grid.columns;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns, PageUp: -page, PageDown: page };
  if (event.key in steps) focusTile(grid.focus + steps[event.key]);
  else if (event.key === 'Home') focusTile(0);
  else if (event.key === 'End') focusTile(grid.rows.length - 1);
  else if (event.key === ' ' && document.activeElement.matches('.tile a')) openPhoto(grid.rows[grid.focus]);
  else return;
  event.preventDefault();
}

$('scroll').addEventListener('scroll', paintSoon, { passive: true });
$('scroll').addEventListener('keydown', gridKey);
new ResizeObserver(() => { if (start) { layout(); drawPhoto(); } }).observe($('scroll'));
