// What is loaded: columns of all photos, and the annotations of those that are looked at.
const $ = (id) => document.getElementById(id);
const photos = { path: [], low: [], width: [], height: [], split: [], source: [], count: [], classes: [], said: [], kinds: [], confidence: [], thumb: [], copy: [] };
const labels = new Map(); // number of a data file, then its content or 'asked'
const KEPT_LABELS = 60; // data files; more are forgotten, the oldest first
let start = null;
let changed = () => {};
let drawn = () => {};

function load(name) {
  const script = document.createElement('script');
  script.src = `data/${name}.js`;
  script.onload = () => script.remove();
  script.onerror = () => { $('sum').textContent = `data/${name}.js is missing: keep the page with its folder`; script.remove(); };
  document.head.append(script);
}

window.vision = (part) => {
  if (part.kind === 'start') {
    start = part;
    if (start.photos) load('photos-0');
    document.dispatchEvent(new Event('vision-start'));
  } else if (part.kind === 'photos') {
    takePhotos(part);
    const next = part.first + start.photosAFile;
    if (next < start.photos) load(`photos-${next / start.photosAFile}`);
  } else if (part.kind === 'labels') {
    labels.set(part.first / start.labelsAFile, part);
    forget();
    drawn();
  }
};

function takePhotos(part) {
  const at = part.first;
  for (const [name, values] of Object.entries(part)) {
    if (!Array.isArray(values) || !photos[name]) continue;
    for (let i = 0; i < values.length; i++) photos[name][at + i] = values[i];
  }
  part.path.forEach((path, i) => { photos.low[at + i] = path.toLowerCase(); });
  changed();
}

function forget() {
  for (const number of labels.keys()) {
    if (labels.size <= KEPT_LABELS) return;
    if (labels.get(number) !== 'asked') labels.delete(number);
  }
}

// The annotations of a photo, or null while they are on their way.
function labelsOf(row, ask = true) {
  const number = Math.floor(row / start.labelsAFile);
  const part = labels.get(number);
  if (part === undefined && ask) {
    labels.set(number, 'asked');
    load(`labels-${number}`);
  }
  if (part === undefined || part === 'asked') return null;
  labels.delete(number); // the last one asked for is forgotten last
  labels.set(number, part);
  const at = row - part.first;
  return { truth: part.truth[at], said: part.said ? part.said[at] : [], metadata: part.metadata[at] || [] };
}

function thumbOf(row) {
  if (photos.thumb.length === 0) return `thumbs/${row}.jpg`;
  return photos.thumb[row] ? `thumbs/${photos.thumb[row]}` : null;
}

function photoOf(row) {
  const root = start.roots[start.sources[photos.source[row]]];
  if (root === undefined) return null;
  if (root === '#row') return `photos/${row}`;
  if (root === '#copy') return photos.copy[row] ? `photos/${photos.copy[row]}` : null;
  try {
    return root + photos.path[row].split('/').map(encodeURIComponent).join('/');
  } catch {
    return null; // half a surrogate has no URL
  }
}

const nameOf = (row) => photos.path[row].slice(photos.path[row].lastIndexOf('/') + 1);
const className = (id) => (id >= 0 ? start.classes[id] : '(no class)');
const figure = (value, digits = 1) => value.toLocaleString('en', { maximumFractionDigits: digits });
const KIND_STYLE = ['right', 'wrong', 'wrong', 'wrong', 'unsure'];

function element(tag, settings = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in made && name !== 'list') made[name] = value; else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
