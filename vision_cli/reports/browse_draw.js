// Boxes, polygons, masks and points on a canvas. Every class has a colour of its own.
const GOLDEN = 137.508;
const colours = [];
function colourOf(id) {
  if (id < 0) return '#d5dae0';
  if (!colours[id]) {
    const hue = (id * GOLDEN + 25) % 360, light = [66, 60, 76][Math.floor(id / 7) % 3];
    colours[id] = `hsl(${hue.toFixed(1)} 95% ${light}%)`;
  }
  return colours[id];
}
const numbers = new Map();
const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
function rgbOf(id) { // as a number of four bytes, opaque last
  if (!numbers.has(id)) {
    probe.canvas.width = probe.canvas.height = 1;
    probe.fillStyle = colourOf(id);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    numbers.set(id, (b << 16 | g << 8 | r) >>> 0);
  }
  return numbers.get(id);
}

// Dark or white letters, whichever is told apart better (WCAG 2.2, relative luminance).
function inkOn(id) {
  const number = rgbOf(id), part = (shift) => { const value = (number >> shift & 255) / 255; return value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4; };
  const light = .2126 * part(0) + .7152 * part(8) + .0722 * part(16);
  return (light + .05) / .057 > 1.05 / (light + .05) ? '#10151b' : '#fff';
}

// pycocotools' text of run lengths: 5 bits a character, from the fourth run on the difference to the run two before.
function runsOf(mask) {
  if (Array.isArray(mask.counts)) return mask.counts;
  const text = mask.counts, runs = [];
  for (let at = 0; at < text.length;) {
    let value = 0, shift = 0, code;
    do {
      code = text.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32 && at < text.length);
    if (code & 16 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  mask.counts = runs;
  return runs;
}

// Runs go down the columns; only the columns and rows that a pixel of the picture stands for are painted.
function paintMask(pixels, width, height, mask, colour) {
  const [high, wide] = mask.size, runs = runsOf(mask), x = width / wide, y = height / high;
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    const end = at + runs[i];
    if (i % 2 && runs[i] > 0) {
      const last = Math.min(Math.floor((end - 1) / high), wide - 1);
      for (let column = Math.floor(at / high); column <= last; column++) {
        const left = Math.ceil(column * x), right = Math.min(Math.ceil((column + 1) * x), width);
        if (left >= right) continue;
        const base = column * high;
        const top = Math.ceil(Math.max(at - base, 0) * y), low = Math.min(Math.ceil(Math.min(end - base, high) * y), height);
        for (let to = left; to < right; to++) for (let row = top; row < low; row++) pixels[row * width + to] = colour;
      }
    }
    at = end;
  }
}

const isMask = (shape) => shape && shape.size !== undefined;

function maskLayer(items, width, height, alpha) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  const context = canvas.getContext('2d'), picture = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (const item of items) paintMask(pixels, canvas.width, canvas.height, item[4], (alpha << 24 | rgbOf(item[0])) >>> 0);
  context.putImageData(picture, 0, 0);
  return canvas;
}

// Which annotations of a photo are drawn under the layers and classes that are chosen.
function shownItems(found, view) {
  const wanted = (item) => view.classes.size === 0 || view.classes.has(item[0]);
  const items = [];
  if (view.layers.has('truth')) for (const item of found.truth) if (wanted(item)) items.push({ item, said: false });
  if (view.layers.has('said')) for (const item of found.said) if (wanted(item) && item[2] >= view.score) items.push({ item, said: true });
  return items;
}

/* Draws into a context whose unit is a CSS pixel. `place` is {x, y, scale, width, height}: where the photo's left top corner
   is, how long a photo's pixel is, and the photo's size. */
function draw(context, items, place, view, options = {}) {
  const { x, y, scale } = place, thick = options.thick || 2;
  context.lineJoin = 'round';
  if (view.layers.has('masks')) {
    const masks = items.filter(({ item }) => isMask(item[4])).map(({ item }) => item);
    if (masks.length && place.width > 0) {
      const most = options.most || 1e9, wide = place.width * scale * (options.ratio || 1), shrink = Math.min(1, most / Math.max(wide, 1));
      const layer = options.layer ? options.layer(masks) : maskLayer(masks, wide * shrink, place.height * scale * (options.ratio || 1) * shrink, 130);
      context.imageSmoothingEnabled = false;
      context.drawImage(layer, x, y, place.width * scale, place.height * scale);
    }
    for (const { item, said } of items) {
      if (!item[4] || isMask(item[4])) continue;
      const path = new Path2D();
      for (const ring of item[4]) {
        for (let i = 0; i + 1 < ring.length; i += 2) path[i ? 'lineTo' : 'moveTo'](x + ring[i] * scale, y + ring[i + 1] * scale);
        path.closePath();
      }
      context.globalAlpha = .32;
      context.fillStyle = colourOf(item[0]);
      context.fill(path, 'evenodd');
      context.globalAlpha = 1;
      outline(context, path, colourOf(item[0]), Math.max(1, thick * .7), said);
    }
  }
  if (view.layers.has('boxes')) {
    for (const { item, said } of items) {
      if (item[1]) outline(context, boxPath(item, place), colourOf(item[0]), thick, said);
    }
  }
  if (view.layers.has('keypoints')) for (const { item, said } of items) if (item[5]) points(context, item, place, thick, said);
  if (options.names && view.layers.has('names')) for (const each of items) caption(context, each, place);
}

function boxPath(item, { x, y, scale }) {
  const [left, top, width, height] = item[1], path = new Path2D(), turned = item[6] && item[6].rotation_deg;
  if (!turned) {
    path.rect(x + left * scale, y + top * scale, width * scale, height * scale);
    return path;
  }
  const angle = turned * Math.PI / 180, middleX = left + width / 2, middleY = top + height / 2;
  [[-1, -1], [1, -1], [1, 1], [-1, 1]].forEach(([a, b], i) => {
    const dx = a * width / 2, dy = b * height / 2;
    path[i ? 'lineTo' : 'moveTo'](
      x + (middleX + dx * Math.cos(angle) - dy * Math.sin(angle)) * scale,
      y + (middleY + dx * Math.sin(angle) + dy * Math.cos(angle)) * scale);
  });
  path.closePath();
  return path;
}

function outline(context, path, colour, thick, said) {
  context.setLineDash([]);
  context.strokeStyle = thick < 1.6 ? 'rgb(0 0 0 / .3)' : 'rgb(0 0 0 / .55)';
  context.lineWidth = thick + (thick < 1.6 ? 1 : 1.5);
  context.stroke(path);
  if (said) context.setLineDash([thick * 3, thick * 2]);
  context.strokeStyle = colour;
  context.lineWidth = thick;
  context.stroke(path);
  context.setLineDash([]);
}

// The lines of a skeleton, between points that are labelled, below the points themselves.
function bones(item, { x, y, scale }) {
  const values = item[5], path = new Path2D();
  for (const [from, to] of start.skeletons[item[0]] || []) {
    const a = from * 3, b = to * 3;
    if (!values[a + 2] || !values[b + 2]) continue;
    path.moveTo(x + values[a] * scale, y + values[a + 1] * scale);
    path.lineTo(x + values[b] * scale, y + values[b + 1] * scale);
  }
  return path;
}

function points(context, item, place, thick, said) {
  const { x, y, scale } = place, values = item[5];
  outline(context, bones(item, place), colourOf(item[0]), thick, said);
  for (let i = 0; i + 2 < values.length; i += 3) {
    if (!values[i + 2]) continue;
    context.beginPath();
    context.arc(x + values[i] * scale, y + values[i + 1] * scale, thick * 2.2, 0, 7);
    context.fillStyle = values[i + 2] > 1 ? colourOf(item[0]) : '#fff';
    context.strokeStyle = '#000';
    context.lineWidth = 1;
    context.fill();
    context.stroke();
  }
}

function anchor(item) {
  if (item[1]) return [item[1][0], item[1][1]];
  if (item[4] && !isMask(item[4]) && item[4][0]) return [item[4][0][0], item[4][0][1]];
  return null;
}

function caption(context, { item, said }, { x, y, scale }) {
  const at = anchor(item);
  if (!at) return;
  let text = className(item[0]);
  if (text.length > 40) text = `${text.slice(0, 39)}…`;
  if (said && item[2]) text += ` ${Math.round(item[2] * 100)} %`;
  context.font = '600 12px system-ui, sans-serif';
  const wide = context.measureText(text).width + 8, edge = context.canvas.clientWidth;
  const left = Math.max(1, Math.min(x + at[0] * scale, edge - wide)), top = y + at[1] * scale;
  // What a model said stands under its box, so that both can be read.
  const above = said && item[1] ? top + item[1][3] * scale + 1 : top > 18 ? top - 17 : top;
  context.fillStyle = colourOf(item[0]);
  context.fillRect(left - 1, above, wide, 17);
  context.fillStyle = inkOn(item[0]);
  context.textBaseline = 'middle';
  context.fillText(text, left + 3, above + 9);
}
