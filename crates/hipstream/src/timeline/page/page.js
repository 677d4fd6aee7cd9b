'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);

// ---------------------------------------------------------------- numbers

const fixed = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
function time(ns) {
  const sign = ns < 0 ? '−' : '';
  const size = Math.abs(ns);
  if (size < 1e3) return `${sign}${Math.round(size)} ns`;
  if (size < 1e6) return `${sign}${fixed(size / 1e3)} µs`;
  if (size < 1e9) return `${sign}${fixed(size / 1e6)} ms`;
  return `${sign}${fixed(size / 1e9)} s`;
}
function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return unit === 0 ? `${count} B` : `${fixed(count)} ${units[unit]}`;
}
const count = (number) => number.toLocaleString('en');
const percent = (share) => `${(100 * share).toFixed(1)} %`;

// ---------------------------------------------------------------- document

/** An element; texts of the data only ever become text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'onclick') made.addEventListener('click', value);
    else if (name === 'color') made.style.background = `var(--${value})`;
    else if (name === 'width') made.style.width = value;
    else if (name === 'grow') made.style.flexGrow = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// ---------------------------------------------------------------- what happened

const hostWords = new Set(data.host_words);
const spans = data.spans.map(([track, start, duration, word, name, detail]) => ({
  track, start, end: start + duration, duration,
  word: data.texts[word], name: data.texts[name], detail: data.texts[detail],
  inner: 0, depth: 0, origin: null,
}));
for (const [span, track, at] of data.origins) spans[span].origin = { track, at };
const levels = data.levels.map(([track, at, size]) => ({ track, at, size }));
const isHost = (span) => hostWords.has(span.word);

/** Threads first, then queues, then memory; each with rows of spans that do not overlap. */
const tracks = data.tracks.map((track, index) => ({ ...track, index, rows: [], levels: [], peak: 0 }));
{
  const ordered = spans.slice().sort((a, b) => a.start - b.start || b.end - a.end);
  const open = tracks.map(() => []);
  for (const span of ordered) {
    const stack = open[span.track];
    while (stack.length && stack[stack.length - 1].end <= span.start) stack.pop();
    if (stack.length) stack[stack.length - 1].inner += span.duration;
    span.depth = stack.length;
    stack.push(span);
    const { rows } = tracks[span.track];
    (rows[span.depth] ??= []).push(span);
  }
  for (const track of tracks) {
    track.rows = Array.from(track.rows, (row) => row ?? []);
  }
  for (const level of levels) {
    const track = tracks[level.track];
    track.levels.push(level);
    track.peak = Math.max(track.peak, level.size);
  }
}
const rank = (track) => (track.group === 'host' ? 0 : track.rows.length ? 1 : 2);
const shown = tracks
  .filter((track) => track.rows.length || track.levels.length)
  .sort((a, b) => rank(a) - rank(b) || a.index - b.index);

const from = Math.min(...minmax(spans.map((s) => s.start)), ...minmax(levels.map((l) => l.at)), Infinity);
const first = Number.isFinite(from) ? from : 0;
const last = Math.max(...minmax(spans.map((s) => s.end)), ...minmax(levels.map((l) => l.at)), first + 1);
function minmax(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  return values.length ? [low, high] : [];
}

// ---------------------------------------------------------------- summary

const calls = spans.filter((span) => span.word === 'call');
const deviceSpans = spans.filter((span) => !isHost(span) && span.word !== 'wait');
const deviceBusy = deviceSpans.reduce((sum, span) => sum + span.duration, 0);
{
  document.title = `${data.what} – hipstream profile`;
  byId('what').textContent = data.what;
  const groups = [...new Set(tracks.map((track) => track.group))].filter((group) => group !== 'host');
  const callTime = calls.reduce((sum, span) => sum + span.duration, 0);
  const peak = tracks.reduce((most, track) => (track.peak > most.peak ? track : most), { peak: 0, name: 'none was recorded' });
  const cards = [
    ['Shown', time(last - first), `${count(spans.length)} spans`],
    ['Calls', count(calls.length), calls.length ? `${time(callTime / calls.length)} each, watched` : 'none'],
    ['Device busy', time(deviceBusy), `${percent(deviceBusy / (last - first))} of the time shown`],
    ['Device commands', count(deviceSpans.length), deviceSpans.length ? `${time(deviceBusy / deviceSpans.length)} each` : 'none'],
    ['Peak memory', bytes(peak.peak), peak.name],
  ];
  for (const [name, value, note] of cards) {
    byId('cards').append(element('div', {}, element('dt', {}, name), element('dd', {}, value, element('small', {}, note))));
  }
  byId('footer').textContent = `${groups.join(' · ')}${groups.length ? ' · ' : ''}recorded by hipstream ${data.version}`;
  if (data.dropped) {
    byId('notice').hidden = false;
    byId('notice').textContent = `The first ${count(data.dropped)} events had no room: what is shown begins after them. Where the time of calls goes is of all calls.`;
  }
}
{
  const meanings = {
    call: 'session: what surrounds calls', arguments: 'arguments, to the device', program: 'VM: interpreting the program',
    recording: 'recording commands', submission: 'submission to queues', driver: 'the driver, taking work',
    memory: 'memory allocated and freed', waiting: 'waiting for devices', loading: 'loading', library: 'other functions of modules',
  };
  // What recording costs is told apart, and is no part of a call.
  const parts = data.split.filter(([word, ns]) => word !== 'profiling' && ns > 0);
  const total = parts.reduce((sum, part) => sum + part[1], 0);
  if (!parts.length) byId('split-section').hidden = true;
  byId('split-bar').setAttribute('aria-label', parts.map(([word, ns]) => `${meanings[word] ?? word} ${percent(ns / total)}`).join(', '));
  for (const [word, ns] of parts) {
    const share = percent(ns / total);
    byId('split-bar').append(element('div', { color: word, grow: ns / total, title: `${meanings[word] ?? word}: ${time(ns)}, ${share}` }));
    byId('split-legend').append(element('li', {}, element('i', { color: word }), element('b', {}, meanings[word] ?? word),
      element('span', { class: 'number' }, time(ns)), element('em', { class: 'number' }, share)));
  }
  byId('split-legend').append(element('li', {}, element('i', { color: 'dispatch' }), element('b', {}, 'devices busy, beside the host'),
    element('span', { class: 'number' }, time(data.device_ns)), element('em', { class: 'number' }, '')));
}

// ---------------------------------------------------------------- tables

const MOST_ROWS = 100;
/** A table that is sorted by its heads. */
function table(place, rows, columns, sortedBy, empty) {
  let by = sortedBy, down = true, all = false;
  function draw() {
    if (!rows.length) { place.replaceChildren(element('p', {}, empty)); return; }
    const column = columns[by];
    const ordered = rows.slice().sort((a, b) => {
      const [x, y] = [column.value(a), column.value(b)];
      const order = typeof x === 'string' ? x.localeCompare(y) : x - y;
      return down ? -order : order;
    });
    const heads = columns.map(({ head, number }, index) => element('th', {
      scope: 'col', ...(number && { class: 'number' }),
      'aria-sort': index === by ? (down ? 'descending' : 'ascending') : 'none',
    }, element('button', { type: 'button', onclick: () => { down = index === by ? !down : !!number; by = index; draw(); } }, head)));
    const cut = all ? ordered : ordered.slice(0, MOST_ROWS);
    const lines = cut.map((row) => element('tr', {}, ...columns.map(({ cell, number, kind }) =>
      element('td', { class: number ? 'number' : kind }, ...[cell(row)].flat()))));
    const parts = [element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...lines))];
    if (cut.length < ordered.length) {
      parts.push(element('p', { class: 'more' }, element('button', { type: 'button', onclick: () => { all = true; draw(); } }, `All ${count(ordered.length)}`)));
    }
    place.replaceChildren(...parts);
  }
  draw();
}
function grouped(list) {
  const groups = new Map();
  for (const span of list) {
    const key = `${span.word}\0${span.name}`;
    let group = groups.get(key);
    if (!group) groups.set(key, group = { name: span.name, word: span.word, count: 0, total: 0, self: 0, min: Infinity, max: 0 });
    group.count += 1;
    group.total += span.duration;
    group.self += Math.max(0, span.duration - span.inner);
    group.min = Math.min(group.min, span.duration);
    group.max = Math.max(group.max, span.duration);
  }
  return [...groups.values()];
}
{
  const name = { head: 'Name', kind: 'name', value: (row) => row.name, cell: (row) => element('button', { type: 'button', title: 'Find it in the timeline', onclick: () => { find(row.name); byId('timeline-section').scrollIntoView({ block: 'nearest' }); } }, row.name) };
  const kind = { head: 'Kind', kind: 'kind', value: (row) => row.word, cell: (row) => [element('i', { color: row.word }), row.word] };
  const figure = (head, value, text = time) => ({ head, number: true, value, cell: (row) => text(value(row)) });
  const share = (head, value, total) => ({
    head, number: true, value, cell: (row) => [percent(value(row) / total), element('span', { class: 'share' }, element('i', { width: `${100 * value(row) / total}%` }))],
  });
  const figures = [figure('Count', (row) => row.count, count), figure('Total', (row) => row.total),
    figure('Mean', (row) => row.total / row.count), figure('Min', (row) => row.min), figure('Max', (row) => row.max)];
  table(byId('device-table'), grouped(deviceSpans), [name, kind, ...figures, share('Share', (row) => row.total, deviceBusy || 1)], 3, 'No device has told what it did.');
  const host = spans.filter(isHost);
  const self = host.reduce((sum, span) => sum + Math.max(0, span.duration - span.inner), 0);
  table(byId('host-table'), grouped(host), [name, kind, ...figures, figure('Self', (row) => row.self), share('Share of self', (row) => row.self, self || 1)], 7, 'Nothing was recorded on the host.');
}

// ---------------------------------------------------------------- timeline

const canvas = byId('timeline'), overview = byId('overview'), tip = byId('tip');
const LABELS = 150, RULER = 24, ROW = 20, GAP = 14, GROUP = 22, LEVEL = 56;
const view = { from: first, to: last };
const margin = (last - first) * .01;
const whole = { from: first - margin, to: last + margin };
Object.assign(view, whole);
let wanted = '', hovered = null, picked = null, colors = {}, inks = {};

/** Where each track stands, from above. */
const places = [];
let height = RULER;
{
  let group = null;
  for (const track of shown) {
    if (track.group !== group) {
      places.push({ group: track.group, y: height, height: GROUP });
      height += GROUP;
      group = track.group;
    }
    const size = track.rows.length ? track.rows.length * ROW : LEVEL;
    places.push({ track, y: height, height: size });
    height += size + GAP;
  }
}

function readColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ['text', 'quiet', 'line', 'grid', 'card', 'accent', 'shade', 'pick', ...data.host_words, ...data.device_words];
  colors = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  inks = Object.fromEntries([...data.host_words, ...data.device_words].map((word) => [word, ink(colors[word] || '#888888')]));
}
/** Black or white, whichever is read more easily on a colour. */
function ink(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= .04 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  });
  return .2126 * red + .7152 * green + .0722 * blue > .3 ? '#10141b' : '#ffffff';
}
function fit(target, wide, high) {
  const scale = window.devicePixelRatio || 1;
  target.style.height = `${high}px`;
  target.width = Math.round(wide * scale);
  target.height = Math.round(high * scale);
  const context = target.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}
const width = () => canvas.clientWidth;
const toX = (at) => LABELS + (at - view.from) / (view.to - view.from) * (width() - LABELS);
const toTime = (x) => view.from + (x - LABELS) / (width() - LABELS) * (view.to - view.from);

/** The first of a row that ends after a time. */
function firstAfter(row, at) {
  let low = 0, high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle].end <= at) low = middle + 1; else high = middle;
  }
  return low;
}
const matches = (span) => !wanted || span.name.toLowerCase().includes(wanted);

function ticks(context, bottom) {
  const step = (view.to - view.from) / ((width() - LABELS) / 110);
  const power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= step);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  for (let at = Math.ceil((view.from - first) / nice) * nice; first + at <= view.to; at += nice) {
    const x = Math.round(toX(first + at)) + .5;
    context.strokeStyle = colors.grid;
    context.beginPath(); context.moveTo(x, RULER); context.lineTo(x, bottom); context.stroke();
    context.fillStyle = colors.quiet;
    context.fillText(tick(at, nice), x + 3, RULER / 2);
  }
}
/** A time on the ruler, with as many digits as neighbours need to differ. */
function tick(at, step) {
  const size = Math.max(Math.abs(at), step);
  const [unit, name] = size >= 1e9 ? [1e9, 's'] : size >= 1e6 ? [1e6, 'ms'] : size >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
  const digits = Math.min(6, Math.max(0, -Math.floor(Math.log10(step / unit))));
  return `${(at / unit).toFixed(digits)} ${name}`;
}

function drawRow(context, row, y) {
  let edge = -1;
  for (let index = firstAfter(row, view.from); index < row.length && row[index].start < view.to; index += 1) {
    const span = row[index];
    const left = Math.max(LABELS, toX(span.start));
    const right = Math.min(width(), toX(span.end));
    const wide = Math.max(1, right - left);
    const isFound = matches(span);
    // What is thinner than a pixel and on the last one is seen already.
    if (left + wide <= edge && wide <= 1 && !(wanted && isFound)) continue;
    edge = left + wide;
    context.globalAlpha = isFound ? 1 : .15;
    context.fillStyle = colors[span.word] || colors.call;
    context.fillRect(left, y + 1, wide > 3 ? wide - .5 : wide, ROW - 2);
    if (wide > 34) {
      context.save();
      context.beginPath(); context.rect(left, y, wide - 3, ROW); context.clip();
      context.fillStyle = inks[span.word];
      context.fillText(span.name, left + 5, y + ROW / 2 + .5);
      context.restore();
    }
  }
  context.globalAlpha = 1;
}
function drawLevels(context, track, y) {
  const scale = (LEVEL - 14) / (track.peak || 1);
  const bottom = y + LEVEL;
  const list = track.levels;
  let low = 0, high = list.length;
  while (low < high) { const middle = (low + high) >> 1; if (list[middle].at <= view.from) low = middle + 1; else high = middle; }
  let size = low > 0 ? list[low - 1].size : 0;
  context.beginPath();
  context.moveTo(LABELS, bottom);
  context.lineTo(LABELS, bottom - size * scale);
  for (let index = low; index < list.length && list[index].at < view.to; index += 1) {
    const x = toX(list[index].at);
    context.lineTo(x, bottom - size * scale);
    size = list[index].size;
    context.lineTo(x, bottom - size * scale);
  }
  const end = Math.min(width(), Math.max(LABELS, toX(last)));
  context.lineTo(end, bottom - size * scale);
  context.lineTo(end, bottom);
  context.fillStyle = colors.memory;
  context.globalAlpha = .28; context.fill();
  context.globalAlpha = 1; context.strokeStyle = colors.memory; context.stroke();
}
function label(context, text, y, high, color, weight = '400') {
  context.save();
  context.beginPath(); context.rect(0, y, LABELS - 8, high); context.clip();
  context.font = `${weight} 12px system-ui, sans-serif`;
  context.fillStyle = color;
  context.fillText(text, 4, y + Math.min(high, ROW) / 2);
  context.restore();
}
function placeOf(index) { return places.find((place) => place.track && place.track.index === index); }
function outline(context, span) {
  const place = placeOf(span.track);
  if (!place || span.end < view.from || span.start > view.to) return;
  const left = Math.max(LABELS, toX(span.start)), right = Math.min(width(), toX(span.end));
  context.strokeStyle = colors.pick;
  context.lineWidth = 1.5;
  context.strokeRect(left, place.y + span.depth * ROW + 1, Math.max(2, right - left), ROW - 2);
  const origin = span.origin && placeOf(span.origin.track);
  if (origin) {
    const x = toX(span.origin.at), y = origin.y + origin.height;
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x, y);
    context.bezierCurveTo(x, place.y, left, y, left, place.y + span.depth * ROW + 1);
    context.stroke();
    context.setLineDash([]);
  }
  context.lineWidth = 1;
}
function draw() {
  const context = fit(canvas, width(), height);
  context.clearRect(0, 0, width(), height);
  ticks(context, height - GAP / 2);
  context.save();
  context.font = '11px system-ui, sans-serif';
  for (const { group, track, y, height: high } of places) {
    context.textBaseline = 'middle';
    if (group !== undefined) {
      context.fillStyle = colors.line;
      context.fillRect(0, y + 2, width(), 1);
      context.save();
      context.font = '600 12px system-ui, sans-serif';
      context.fillStyle = colors.text;
      context.fillText(group, 4, y + GROUP / 2 + 2);
      context.restore();
      continue;
    }
    label(context, track.name, y, high, colors.quiet);
    context.font = '11px system-ui, sans-serif';
    context.save();
    context.beginPath(); context.rect(LABELS, y, width() - LABELS, high + 1); context.clip();
    track.rows.forEach((row, depth) => drawRow(context, row, y + depth * ROW));
    if (!track.rows.length) drawLevels(context, track, y);
    context.restore();
    if (!track.rows.length) label(context, `peak ${bytes(track.peak)}`, y + ROW - 3, ROW, colors.quiet);
  }
  context.beginPath(); context.rect(LABELS, RULER, width() - LABELS, height); context.clip();
  for (const span of new Set([picked, hovered])) if (span) outline(context, span);
  context.restore();
  drawOverview();
}

/** How busy host and devices are over the whole time, and which part is shown. */
function busy(list, columns) {
  const share = new Float64Array(columns);
  const size = (whole.to - whole.from) / columns;
  for (const span of list) {
    const begin = (span.start - whole.from) / size, end = (span.end - whole.from) / size;
    for (let column = Math.floor(begin); column <= Math.min(columns - 1, Math.floor(end)); column += 1) {
      share[column] += Math.min(end, column + 1) - Math.max(begin, column);
    }
  }
  return share;
}
const overviewColumns = 600;
const overviewRows = [
  ['program', busy(spans.filter((span) => isHost(span) && span.depth === 0), overviewColumns)],
  ['dispatch', busy(deviceSpans, overviewColumns)],
];
function drawOverview() {
  const wide = overview.clientWidth, high = 36;
  const context = fit(overview, wide, high);
  overviewRows.forEach(([color, share], row) => {
    context.fillStyle = colors[color];
    const bottom = (row + 1) * (high / 2) - 1;
    for (let column = 0; column < overviewColumns; column += 1) {
      const size = Math.min(1, share[column]) * (high / 2 - 3);
      if (size > 0) context.fillRect(column * wide / overviewColumns, bottom - Math.max(1, size), wide / overviewColumns + .3, Math.max(1, size));
    }
  });
  const scale = wide / (whole.to - whole.from);
  const left = (view.from - whole.from) * scale, right = (view.to - whole.from) * scale;
  context.fillStyle = colors.shade;
  context.fillRect(left, 0, Math.max(2, right - left), high);
  context.strokeStyle = colors.accent;
  context.strokeRect(left + .5, .5, Math.max(2, right - left) - 1, high - 1);
}

let isDue = false;
function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; draw(); });
}
/** Shows a part of the time, kept within the whole and not below 20 ns. */
function show(begin, end) {
  const most = whole.to - whole.from;
  const size = Math.min(most, Math.max(20, end - begin));
  const middle = (begin + end) / 2;
  const start = Math.min(Math.max(middle - size / 2, whole.from), whole.to - size);
  view.from = start;
  view.to = start + size;
  redraw();
}
function zoom(factor, at = (view.from + view.to) / 2) {
  show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
const move = (share) => { const by = (view.to - view.from) * share; show(view.from + by, view.to + by); };

function spanAt(event) {
  const box = canvas.getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  if (x < LABELS) return null;
  const place = places.find((one) => one.track && one.track.rows.length && y >= one.y && y < one.y + one.height);
  if (!place) return null;
  const row = place.track.rows[Math.floor((y - place.y) / ROW)];
  // Thin spans can be had from a pixel beside them, too.
  const reach = (view.to - view.from) / (width() - LABELS) * 1.5;
  const at = toTime(x);
  const index = firstAfter(row, at - reach);
  const near = row.slice(index, index + 3).filter((span) => span.start <= at + reach);
  return near.find((span) => span.start <= at && at <= span.end) ?? near[0] ?? null;
}
function levelAt(event) {
  const box = canvas.getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  const place = places.find((one) => one.track && !one.track.rows.length && y >= one.y && y < one.y + one.height);
  if (!place || x < LABELS) return null;
  const at = toTime(x);
  const level = place.track.levels.findLast((one) => one.at <= at);
  return { track: place.track, at, size: level ? level.size : 0 };
}
function describe(span) {
  const track = tracks[span.track];
  const facts = [['kind', span.word], ['where', `${track.name}, ${track.group}`], ['took', time(span.duration)]];
  if (span.inner) facts.push(['of it itself', time(Math.max(0, span.duration - span.inner))]);
  facts.push(['from', time(span.start - first)]);
  if (span.detail) facts.push(['what', /^\d+ bytes$/.test(span.detail) ? bytes(parseInt(span.detail, 10)) : span.detail]);
  if (/^\d+ bytes$/.test(span.detail) && !isHost(span) && span.duration) {
    facts.push(['rate', `${(parseInt(span.detail, 10) / span.duration).toFixed(2)} GB/s`]);
  }
  if (span.origin) facts.push(['began after', `${time(span.start - span.origin.at)} of being submitted`]);
  return [element('strong', {}, span.name), facts_list(facts)];
}
const facts_list = (facts) => element('dl', {}, ...facts.flatMap(([term, value]) => [element('dt', {}, term), element('dd', {}, value)]));
function showTip(event, parts) {
  const box = byId('stage').getBoundingClientRect();
  tip.replaceChildren(...parts);
  tip.hidden = false;
  const x = event.clientX - box.left, y = event.clientY - box.top;
  tip.style.left = `${Math.max(0, Math.min(x + 14, box.width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${y + 18}px`;
}
function pick(span) {
  picked = span;
  if (span) byId('picked').replaceChildren(...describe(span));
  redraw();
}

let drag = null;
canvas.addEventListener('pointerdown', (event) => {
  drag = { x: event.clientX, from: view.from, to: view.to, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener('pointermove', (event) => {
  if (drag) {
    const by = (event.clientX - drag.x) / (width() - LABELS) * (drag.to - drag.from);
    if (Math.abs(event.clientX - drag.x) > 3) { drag.moved = true; canvas.classList.add('moving'); tip.hidden = true; }
    if (drag.moved) show(drag.from - by, drag.to - by);
    return;
  }
  const span = spanAt(event);
  if (span !== hovered) { hovered = span; redraw(); }
  if (span) return showTip(event, describe(span));
  const level = levelAt(event);
  if (level) return showTip(event, [element('strong', {}, level.track.name), facts_list([['in use', bytes(level.size)], ['at', time(level.at - first)]])]);
  tip.hidden = true;
});
canvas.addEventListener('pointerup', (event) => {
  if (drag && !drag.moved) pick(spanAt(event));
  drag = null;
  canvas.classList.remove('moving');
});
canvas.addEventListener('pointercancel', () => { drag = null; canvas.classList.remove('moving'); });
canvas.addEventListener('pointerleave', () => { tip.hidden = true; if (hovered) { hovered = null; redraw(); } });
canvas.addEventListener('dblclick', (event) => {
  const span = spanAt(event);
  if (span) show(span.start - span.duration * .05, span.end + span.duration * .05);
});
canvas.addEventListener('wheel', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    event.preventDefault();
    const x = event.clientX - canvas.getBoundingClientRect().left;
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 120), toTime(Math.max(LABELS, x)));
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    move((event.deltaX || event.deltaY) / (width() - LABELS));
  }
}, { passive: false });
const keys = {
  ArrowLeft: () => move(-.15), ArrowRight: () => move(.15), a: () => move(-.15), d: () => move(.15),
  '+': () => zoom(.6), '=': () => zoom(.6), w: () => zoom(.6), '-': () => zoom(1 / .6), s: () => zoom(1 / .6),
  0: () => show(whole.from, whole.to), Escape: () => pick(null),
};
canvas.addEventListener('keydown', (event) => {
  const act = keys[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});
function showCalls() {
  const [begin] = minmax(calls.map((span) => span.start)), end = minmax(calls.map((span) => span.end))[1];
  const room = (end - begin) * .02;
  show(begin - room, end + room);
}
byId('calls').disabled = !calls.length;
for (const [id, act] of Object.entries({
  earlier: () => move(-.3), later: () => move(.3), in: () => zoom(.5), out: () => zoom(2), calls: showCalls, fit: () => show(whole.from, whole.to),
})) byId(id).addEventListener('click', act);

let slide = null;
const overviewTime = (event) => {
  const box = overview.getBoundingClientRect();
  return whole.from + (event.clientX - box.left) / box.width * (whole.to - whole.from);
};
overview.addEventListener('pointerdown', (event) => {
  overview.setPointerCapture(event.pointerId);
  const at = overviewTime(event);
  const size = view.to - view.from;
  const isInside = at >= view.from && at <= view.to && size < (whole.to - whole.from) * .98;
  slide = isInside ? { by: at - view.from, size } : { start: at };
});
overview.addEventListener('pointermove', (event) => {
  if (!slide) return;
  const at = overviewTime(event);
  if (slide.start === undefined) show(at - slide.by, at - slide.by + slide.size);
  else if (Math.abs(at - slide.start) > (whole.to - whole.from) / 500) show(Math.min(at, slide.start), Math.max(at, slide.start));
});
overview.addEventListener('pointerup', () => { slide = null; });
overview.addEventListener('pointercancel', () => { slide = null; });

function find(text) {
  byId('search').value = text;
  wanted = text.trim().toLowerCase();
  if (wanted) {
    const list = spans.filter(matches);
    byId('found').textContent = `${count(list.length)} spans, ${time(list.reduce((sum, span) => sum + span.duration, 0))}`;
  } else byId('found').textContent = '';
  redraw();
}
byId('search').addEventListener('input', (event) => find(event.target.value));
/** Goes to the next span that was looked for, or with a step of −1 to the one before. */
function goOn(step) {
  const list = spans.filter(matches).sort((a, b) => a.start - b.start);
  if (!wanted || !list.length) return;
  const at = list.indexOf(picked);
  const span = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : (at + step + list.length) % list.length];
  const size = Math.min(view.to - view.from, Math.max(span.duration * 20, 1000));
  const middle = (span.start + span.end) / 2;
  show(middle - size / 2, middle + size / 2);
  pick(span);
}
byId('search').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') { event.preventDefault(); goOn(event.shiftKey ? -1 : 1); }
});

// ---------------------------------------------------------------- light and dark

const dark = window.matchMedia('(prefers-color-scheme: dark)');
function theme(isDark) {
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  readColors();
  redraw();
}
byId('theme').addEventListener('click', () => theme(document.documentElement.dataset.theme !== 'dark'));
dark.addEventListener('change', (event) => theme(event.matches));
new ResizeObserver(redraw).observe(byId('stage'));
theme(dark.matches);
})();
