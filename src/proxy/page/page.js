
'use strict';
// Everything is put together from text nodes: nothing that a request says can become markup. No framework, no build.

const byId = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes, listeners (`on…`) and children. */
function build(make, tag, attributes, children) {
  const element = make(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}
const h = (tag, attributes, ...children) => build((tag) => document.createElement(tag), tag, attributes, children);
const s = (tag, attributes, ...children) => build((tag) => document.createElementNS(SVG, tag), tag, attributes, children);
const put = (id, ...children) => byId(id).replaceChildren(...children.flat().filter(Boolean));

const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const number = (value) => (value < 1e6 ? whole.format(value) : compact.format(value));
const share = (part, all) => (all > 0 ? (part * 100) / all : 0);
const percent = (part, all) => `${share(part, all).toFixed(share(part, all) < 10 ? 1 : 0)} %`;
const bytes = (value) => (value < 1 << 20 ? `${Math.ceil(value / 1024)} KiB` : `${(value / (1 << 20)).toFixed(1)} MiB`);
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
const money = (nano) => `$${(nano / 1e9).toFixed(Math.abs(nano) < 1e9 ? 4 : 2)}`;
const plural = (count, one) => `${number(count)} ${one}${count === 1 ? '' : 's'}`;
const span = (seconds) => (seconds % 3600 === 0 ? plural(seconds / 3600, 'hour') : seconds % 60 === 0 ? plural(seconds / 60, 'minute') : plural(seconds, 'second'));
const ms = (value) => (value < 10 ? `${value.toFixed(1)} ms` : value < 10000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`);

// --- Who looks -------------------------------------------------------------------------------------------------------

/** The header by which this tab says who looks at the page; none on the proxy's own machine. */
const credential = {
  get() {
    try { return JSON.parse(sessionStorage.getItem('headroom') ?? 'null'); } catch { return null; }
  },
  set(name, value) { sessionStorage.setItem('headroom', JSON.stringify({ name, value })); },
  headers() {
    const own = this.get();
    return own ? { [own.name]: own.value } : {};
  },
};

// The link that `headroom page` prints has the key behind the `#`, which no browser sends; it goes from the address bar.
function takeKey() {
  const given = /^#key=([0-9a-f]{64})$/.exec(location.hash);
  if (!given) return false;
  credential.set('x-headroom-reader', given[1]);
  history.replaceState(null, '', location.pathname);
  return true;
}
takeKey();
addEventListener('hashchange', () => { if (takeKey()) watch(); });

function ask(why) {
  byId('gate').hidden = false;
  byId('gate-why').textContent = why;
}

byId('gate-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = byId('gate-header').value;
  const key = byId('gate-key').value.trim();
  byId('gate-key').value = '';
  credential.set(name, name === 'authorization' ? `Bearer ${key}` : key);
  byId('gate').hidden = true;
  watch();
});

// --- Live ------------------------------------------------------------------------------------------------------------

let watching = null;

function live(kind, text) {
  byId('live').className = kind;
  byId('live').lastElementChild.textContent = text;
}

/** Follows the events; `fetch`, since an `EventSource` sends no header. */
async function watch() {
  watching?.abort();
  const abort = (watching = new AbortController());
  for (let wait = 500; !abort.signal.aborted; wait = Math.min(wait * 2, 15000)) {
    try {
      const answer = await fetch('/headroom/events', { headers: credential.headers(), signal: abort.signal });
      if (answer.status === 403) {
        live('bad', 'not allowed');
        const refused = await answer.json().catch(() => null);
        return ask(refused?.error?.message ?? 'The proxy does not say why.');
      }
      if (!answer.ok) throw new Error(answer.status === 503 ? 'too many pages are open' : `status ${answer.status}`);
      live('on', 'live');
      wait = 500;
      await follow(answer.body);
      live('', 'reconnecting');
    } catch (error) {
      if (abort.signal.aborted) return;
      live('bad', error.message.startsWith('too many') ? error.message : 'no connection');
    }
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function follow(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split('\n\n');
    text = events.pop();
    const data = events.filter((event) => event.startsWith('event: state\n')).pop();
    if (data) show(JSON.parse(data.slice(data.indexOf('data: ') + 6)));
  }
}

// A page that nobody sees takes no place among the watchers.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) watching?.abort();
  else watch();
});

let state = null;
const seen = {};
/** Draws a part again only where what it shows has changed, so that focus and selection stay. */
function changed(part, value) {
  const now = JSON.stringify(value);
  if (seen[part] === now) return false;
  seen[part] = now;
  return true;
}

function show(next) {
  state = next;
  if (changed('total', next.savings.total)) tiles(next.savings.total);
  chart();
  if (changed('groups', [next.savings.surfaces, next.savings.models, next.savings.tools, next.savings.kinds])) groups(next.savings);
  if (changed('requests', [next.requests, next.records, next.viewer])) requests(next);
  if (changed('facts', { ...next, savings: 0, requests: 0 })) facts(next);
  byId('foot').textContent = `Headroom ${next.version} · figures since ${new Date(next.since * 1000).toLocaleString()}${next.viewer === 'credential' ? ' · of the requests with your credential' : ''}`;
}

// --- Savings ---------------------------------------------------------------------------------------------------------

function tiles(total) {
  const tile = (value, words, first) => h('div', { class: first ? 'tile first' : 'tile' }, h('b', {}, value), h('span', {}, words));
  const audits = total.saved === 0 && total.would > 0;
  const gain = audits ? total.would : total.saved;
  const billed = total.paid_nano > 0 || total.saved_nano > 0;
  put('tiles',
    tile(percent(gain, total.before), audits ? 'of the tokens of long texts would be saved (audit)' : 'of the tokens of long texts saved', true),
    tile(number(gain), audits ? 'tokens would be saved' : 'tokens saved'),
    billed ? tile(money(total.saved_nano), `saved at list prices; ${money(total.paid_nano)} paid`) : tile(number(total.before), 'tokens in long texts'),
    tile(number(total.condensed), `of ${plural(total.count, 'request')} condensed`));
}

const SPANS = { minutes: [60, 60], hours: [3600, 48], days: [86400, 60] };

function chart() {
  const range = document.querySelector('input[name=range]:checked').value;
  const [width, most] = SPANS[range];
  const last = Math.floor(Date.now() / 1000 / width) * width;
  if (!state || !changed('chart', [range, last, state.savings[range], byId('chart').clientWidth])) return;
  const spans = new Map(state.savings[range].map((span) => [span.at, span]));
  const starts = Array.from({ length: most }, (_, at) => last - (most - 1 - at) * width);
  const highest = Math.max(1, ...starts.map((at) => spans.get(at)?.before ?? 0));
  const step = 10 ** Math.floor(Math.log10(highest));
  const top = Math.max(4, Math.ceil(highest / step / 0.5) * 0.5 * step);
  const [wide, high, left, bottom] = [Math.max(280, byId('chart').clientWidth), 190, 46, 22];
  const each = (wide - left) / most;
  const up = (tokens) => ((high - bottom - 8) * tokens) / top;
  const base = high - bottom;
  const label = (at) => (range === 'days' ? new Date(at * 1000).toLocaleDateString([], { month: 'short', day: 'numeric' }) : clock(at));
  const drawing = s('svg', { viewBox: `0 0 ${wide} ${high}`, role: 'img', 'aria-label': `Tokens of long texts, ${range}: highest ${number(highest)}` });
  for (const part of [0, 0.5, 1]) {
    const y = base - up(top * part);
    drawing.append(s('line', { class: 'grid', x1: left, x2: wide, y1: y, y2: y }), s('text', { x: left - 8, y: y + 4, 'text-anchor': 'end' }, compact.format(top * part)));
  }
  const labels = wide < 560 ? 3 : 6;
  starts.forEach((at, place) => {
    const x = left + place * each;
    if (place % Math.ceil(most / labels) === 0) drawing.append(s('text', { x, y: high - 4 }, label(at)));
    const sums = spans.get(at);
    if (!sums || sums.before === 0) return;
    let y = base;
    const group = s('g', {}, s('title', {}, `${label(at)}: ${number(sums.before)} tokens, ${number(sums.saved || sums.would)} ${sums.saved ? 'saved' : 'would be saved'}, ${plural(sums.count, 'request')}`));
    for (const [kind, tokens] of [['sent', sums.before - sums.saved - sums.would], ['would', sums.would], ['saved', sums.saved]]) {
      if (tokens <= 0) continue;
      y -= up(tokens);
      group.append(s('rect', { class: kind, x: x + each * 0.12, y, width: Math.max(1, each * 0.76), height: up(tokens), rx: Math.min(1.5, each / 8) }));
    }
    drawing.append(group);
  });
  const filled = state.savings[range].filter((span) => span.before > 0);
  const table = filled.length > 0 && h('details', {}, h('summary', {}, 'As a table'),
    h('table', {}, h('thead', {}, h('tr', {}, ['from', 'tokens', 'saved', 'would save', 'requests'].map((name, at) => h('th', { class: at ? 'num' : null, scope: 'col' }, name)))),
      h('tbody', {}, filled.map((span) => h('tr', {}, h('td', {}, label(span.at)), [span.before, span.saved, span.would, span.count].map((value) => h('td', { class: 'num' }, number(value))))))));
  const open = byId('chart').querySelector('details')?.open;
  put('chart', drawing, table);
  if (table && open) table.open = true;
}
document.querySelectorAll('input[name=range]').forEach((input) => input.addEventListener('change', chart));
addEventListener('resize', chart);

function groups(savings) {
  const views = [['By tool', savings.tools, 'text'], ['By kind of text', savings.kinds, 'text'], ['By model', savings.models, 'request'], ['By surface', savings.surfaces, 'request']];
  put('groups', views.filter(([, sums]) => sums.length > 0).map(([title, sums, unit]) => {
    const most = Math.max(1, sums[0]?.before ?? 0);
    const row = (sum) => {
      const gain = sum.saved + sum.would;
      const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
      for (const [kind, tokens] of [['saved', sum.saved], ['would', sum.would], ['sent', sum.before - gain]]) {
        const part = h('i', { class: kind });
        part.style.width = `${(tokens * 100) / most}%`;
        bar.append(part);
      }
      const figure = sum.before > 0 ? [h('b', {}, percent(sum.saved || sum.would, sum.before)), ` of ${number(sum.before)}`] : plural(sum.count, unit);
      return h('div', { class: 'group-row', title: `${visible(sum.name)}: ${plural(sum.count, unit)}, ${number(sum.before)} tokens, ${number(sum.saved)} saved, ${number(sum.would)} would be saved by audits` },
        h('span', { class: 'name' }, h('bdi', {}, visible(sum.name))), h('span', { class: 'figure' }, figure), bar);
    };
    const rest = sums.length > SHOWN && h('details', {}, h('summary', {}, `${sums.length - SHOWN} more`), sums.slice(SHOWN).map(row));
    return h('div', { class: 'card' }, h('h3', {}, title), sums.slice(0, SHOWN).map(row), rest);
  }));
}
const SHOWN = 6;

/** A short name with what a reader would not see written out; texts come in pieces, in which the proxy has done that. */
const visible = (text) => text.replaceAll('_', '_\u200b').replace(/(?!\u200b)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `‹U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}›`);

// --- Requests --------------------------------------------------------------------------------------------------------

let opened = null;

function requests(now) {
  byId('requests-note').textContent = now.requests?.length ? `of the last ${span(now.keep_s).replace(/^1 /, '')}, kept in memory alone` : '';
  const said = (...children) => h('div', { class: 'empty' }, children);
  if (!now.records) {
    return put('list', said(h('p', {}, 'Nothing is kept of single requests: ', h('code', {}, 'explain.mode'), ' is off, or the proxy listens beyond this machine.')));
  }
  if (!now.requests) {
    return put('list', said(h('p', {}, 'Requests hold texts, so they are shown only to whom they belong. ', h('code', {}, 'headroom page'), ' prints a link that shows them; or '),
      h('p', {}, h('button', { type: 'button', onclick: () => { ask('The figures of this page are the proxy’s; texts need a key.'); byId('gate-key').focus(); } }, 'give a key'))));
  }
  if (now.requests.length === 0) {
    return put('list', said(h('p', {}, 'No request has come through yet that was looked at. Point a client here:'),
      h('pre', {}, `export OPENAI_BASE_URL=${location.origin}/v1\nexport ANTHROPIC_BASE_URL=${location.origin}`)));
  }
  const focused = document.activeElement?.dataset?.id;
  const head = h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'came'), h('th', { scope: 'col', class: 'wide' }, 'model'), h('th', { scope: 'col', class: 'late' }, 'surface'), h('th', { scope: 'col' }, 'outcome'),
    h('th', { scope: 'col', class: 'num tokens' }, 'tokens'), h('th', { scope: 'col', class: 'num' }, 'saved'), h('th', { scope: 'col', class: 'num late' }, 'held back')));
  const row = (request) => {
    const button = h('button', { type: 'button', 'data-id': request.id, 'aria-expanded': String(opened === request.id), 'aria-controls': 'detail' }, new Date(request.at_ms).toLocaleTimeString());
    const tokens = request.tokens_before > 0;
    return h('tr', { class: opened === request.id ? 'open' : null, onclick: () => open(request.id) }, h('td', {}, button),
      h('td', { class: 'wide', title: request.model }, request.model ? h('bdi', {}, visible(request.model)) : h('span', { class: 'soft' }, 'not named')),
      h('td', { class: 'late soft' }, request.surface ?? 'handed over'),
      h('td', {}, h('span', { class: `tag ${request.outcome}` }, request.reason ? `${request.outcome}: ${request.reason.replaceAll('_', ' ')}` : request.outcome)),
      h('td', { class: 'num tokens' }, tokens ? `${number(request.tokens_before)} → ${number(request.tokens_after)}` : '–'),
      h('td', { class: 'num' }, tokens ? percent(request.tokens_before - request.tokens_after, request.tokens_before) : '–'),
      h('td', { class: 'num late soft' }, ms(request.took_ms)));
  };
  put('list', h('table', {}, head, h('tbody', {}, now.requests.map(row))));
  if (focused) byId('list').querySelector(`button[data-id="${CSS.escape(focused)}"]`)?.focus();
}

function mark(id) {
  opened = id;
  for (const button of byId('list').querySelectorAll('button[data-id]')) {
    button.setAttribute('aria-expanded', String(button.dataset.id === id));
    button.closest('tr').classList.toggle('open', button.dataset.id === id);
  }
}

function close() {
  const id = opened;
  mark(null);
  byId('detail').hidden = true;
  byId('list').querySelector(`button[data-id="${CSS.escape(id ?? '')}"]`)?.focus();
}
byId('detail').addEventListener('keydown', (event) => { if (event.key === 'Escape') close(); });

async function open(id) {
  if (opened === id) return close();
  mark(id);
  const detail = byId('detail');
  detail.hidden = false;
  put('detail', h('p', { class: 'soft' }, 'loading'));
  try {
    const answer = await fetch(`/headroom/explain/${encodeURIComponent(id)}?format=pieces`, { headers: credential.headers() });
    const record = await answer.json();
    if (opened !== id) return;
    if (!answer.ok) throw new Error(record?.error?.message ?? `status ${answer.status}`);
    const head = h('div', { class: 'head' }, h('h3', {}, 'Request ', h('code', {}, record.id)), h('button', { type: 'button', onclick: close }, 'Close'));
    const texts = record.slots.length ? record.slots.map(text) : h('p', { class: 'said' }, 'No text of this request was considered; all of it was forwarded as it came.');
    put('detail', head, record.slots.some((slot) => slot.rows.length) && switches(detail), texts);
    detail.focus({ preventScroll: true });
    detail.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    if (opened === id) put('detail', h('p', { class: 'alarm' }, error.message));
  }
}

/** Which fates are shown. */
function switches(within) {
  return h('div', { class: 'switches' }, ['kept', 'rewritten', 'dropped'].map((fate) => h('label', {},
    h('input', { type: 'checkbox', checked: !within.classList.contains(`hide-${fate}`), onchange: (event) => within.classList.toggle(`hide-${fate}`, !event.target.checked) }), fate)));
}

function text(slot, at) {
  const where = `Text ${at + 1} · message ${slot.message}${slot.part == null ? '' : `, part ${slot.part}`} · ${slot.role}`;
  const went = slot.forwarded ? 'the condensed text was forwarded' : slot.accepted ? 'audit: the original was forwarded' : 'the original was forwarded';
  const [kept, rewritten, dropped] = slot.fates;
  const said = [h('b', {}, slot.decision.replaceAll('_', ' ')), ` · ${went}`, slot.tokens_before > 0 && ` · ${number(slot.tokens_before)} → ${number(slot.tokens_after)} tokens`,
    slot.rows.length > 0 && ` · ${kept} kept, ${rewritten} rewritten, ${dropped} dropped`, slot.rule && ` · rule ${slot.rule}`,
    slot.known ? ' · known before' : ` · decided in ${ms(slot.took_ms)}`, slot.fidelity && ` · fidelity check: ${slot.fidelity}`];
  return h('div', { class: 'text' }, h('h3', {}, where), h('p', { class: 'said' }, said),
    slot.rows.length ? rows(slot.rows, kept + rewritten + dropped) : h('pre', {}, pieces(slot.whole)));
}

const PROSE = new Set(['prose', 'frame', 'html']);

/** The units of a text beside what became of them. */
function rows(units, all) {
  const row = (unit) => h('div', { class: ['row', unit.fate, PROSE.has(unit.kind) ? '' : 'exact', unit.refused ? 'refused' : '', unit.flagged ? 'flagged' : ''].join(' ') },
    h('div', { class: 'old' }, pieces(unit.old)), h('div', { class: 'new' }, pieces(unit.new)),
    h('div', { class: 'why' }, h('b', {}, (unit.score ?? 0) < 0.005 ? unit.fate : `${unit.fate} ${unit.score.toFixed(2)}`), unit.why));
  // What was left out in one go is shown by its beginning.
  const shown = [];
  for (let at = 0; at < units.length; ) {
    const { fate } = units[at];
    let end = at;
    while (end < units.length && units[end].fate === fate) end += 1;
    const most = fate === 'dropped' && end - at > FOLD + 1 ? FOLD : end - at;
    shown.push(...units.slice(at, at + most).map(row));
    const folded = units.slice(at + most, end);
    if (folded.length > 0) {
      const more = h('div', { class: 'row dropped fold' }, h('div', {}, h('button', { type: 'button', onclick: () => more.replaceWith(...folded.map(row)) }, `${number(folded.length)} more left out here`)));
      shown.push(more);
    }
    at = end;
  }
  const rest = all > units.length && h('p', { class: 'more' }, `${number(all - units.length)} more units: headroom explain`);
  return [h('div', { class: 'rows', tabindex: 0, role: 'group', 'aria-label': 'Units, original beside condensed' }, h('div', { class: 'row top-row' }, h('div', {}, 'original'), h('div', {}, 'condensed'), h('div', {}, 'fate and why')), shown), rest];
}
const FOLD = 3;

const pieces = (list) => h('bdi', {}, list.map(([tag, text]) => {
  if (tag === '') return text;
  if (tag === 'hidden') return h('i', { class: 'unseen', title: 'a character that is not shown' }, text);
  if (tag === 'more') return h('i', { class: 'soft' }, ` … ${number(Number(text))} more characters`);
  return h(tag === 'ins' ? 'ins' : 'del', {}, text);
}));

// --- Try -------------------------------------------------------------------------------------------------------------

const EXAMPLE = `Service agreement, version 4.2, in force from 1 March 2025

The provider operates the platform and makes it available to the customer over the internet. The platform has been built over many years by a team that cares about quality, and it is used by customers in many countries. The monthly availability is at least 99.5 percent, measured at the provider's own edge. Planned maintenance does not count against the availability if it was announced at least five days before.

If the availability in a month is below 99.5 percent, the customer receives a credit of 10 percent of the monthly fee. If it is below 98 percent, the credit is 25 percent. To receive a credit, the customer must request it through the console within 45 days of the end of the month in which the availability was not met. Credits are not paid out in money, except where the law requires it.

Our customers tell us again and again how much they value working with us, and we are proud of that. The provider may change prices once a year with notice of 90 days. The customer may end the agreement at the end of any month with notice of 30 days. The provider may not end it without cause before 24 months have passed. Both sides keep confidential what they learn about each other's business for five years after the end.`;

let trial = null;
let pause = 0;

const ratio = () => Number(byId('try-ratio').value);
const ratioSaid = () => (ratio() === 1 ? 'auto' : `${ratio()} : 1`);

function attempt() {
  byId('try-ratio-said').textContent = ratioSaid();
  byId('try-ratio').setAttribute('aria-valuetext', ratioSaid());
  clearTimeout(pause);
  pause = setTimeout(tryOut, 350);
}

async function tryOut() {
  trial?.abort();
  const given = byId('try-text').value;
  if (!given.trim()) return put('try-result') ?? put('try-rows');
  const abort = (trial = new AbortController());
  byId('try-rows').classList.add('busy');
  try {
    const body = JSON.stringify({ text: given, query: byId('try-query').value || null, ratio: ratio() === 1 ? 'auto' : ratio(), pieces: true });
    const answer = await fetch('/headroom/compress', { method: 'POST', body, signal: abort.signal, headers: { 'content-type': 'application/json', ...credential.headers() } });
    const page = await answer.json();
    if (!answer.ok) throw new Error(page?.error?.message ?? `status ${answer.status}`);
    tried(page);
  } catch (error) {
    if (abort.signal.aborted) return;
    put('try-result', h('p', { class: 'alarm' }, error.message));
    put('try-rows');
  }
  byId('try-rows').classList.remove('busy');
}

function tried(page) {
  const shorter = page.outcome === 'compressed';
  const reasons = { below_minimum: `too short: texts of fewer than ${state?.min_tokens ?? 256} tokens go on as they are`, no_gain: 'nothing shorter is as true', frame: 'all of it is addressed to the model' };
  put('try-result', h('div', { class: 'verdict' },
    h('b', {}, shorter ? `${number(page.tokens_before)} → ${number(page.tokens_after)} tokens` : 'goes on as it is'),
    h('span', { class: 'soft' }, shorter ? `${percent(page.tokens_before - page.tokens_after, page.tokens_before)} saved · ${page.ratio.toFixed(1)} : 1 · ${page.cache === 'hit' ? 'known before' : ms(page.ms)}` : reasons[page.reason] ?? String(page.reason).replaceAll('_', ' '))));
  put('try-rows', page.pieces?.length ? rows(page.pieces, page.units.length) : null);
}

byId('try-text').addEventListener('input', attempt);
byId('try-query').addEventListener('input', attempt);
byId('try-ratio').addEventListener('input', attempt);
byId('try-form').addEventListener('submit', (event) => { event.preventDefault(); tryOut(); });
byId('example').addEventListener('click', () => {
  byId('try-text').value = EXAMPLE;
  byId('try-query').value = 'By when must a credit be requested?';
  byId('try-ratio').value = '4';
  attempt();
});

// --- State -----------------------------------------------------------------------------------------------------------

function facts(now) {
  const fact = (name, value, small, part) => {
    const meter = part != null && h('span', { class: 'meter' }, h('i'));
    if (meter) meter.firstElementChild.style.width = `${Math.min(100, part * 100)}%`;
    return h('div', {}, h('dt', {}, name), h('dd', {}, value, small && [' ', h('small', {}, small)], meter));
  };
  const { engine } = now;
  const health = { ready: 'ready', loading: 'the model is being loaded', draining: 'about to stop', failed: `failed: ${now.reason}` }[now.health];
  put('facts',
    fact('Readiness', engine.stuck ? h('span', { class: 'alarm' }, 'the model hangs; words alone choose') : now.health === 'ready' ? health : h('span', { class: 'alarm' }, health)),
    fact('Model', now.model || 'none'),
    fact('Forwards to', now.upstreams.join(', ')),
    fact('Mode', now.mode, `ratio ${now.ratio}, texts from ${now.min_tokens} tokens on`),
    fact('Cache', `${bytes(engine.cached_bytes)}`, `of ${bytes(engine.cache_bytes)}, ${plural(engine.cached, 'text')}`, engine.cache_bytes ? engine.cached_bytes / engine.cache_bytes : 0),
    fact('Known before', percent(engine.hits, engine.hits + engine.misses), `of ${plural(engine.hits + engine.misses, 'text')}`, share(engine.hits, engine.hits + engine.misses) / 100),
    fact('Queue', plural(engine.queued, 'text'), `room for ${engine.queue}`, engine.queue ? engine.queued / engine.queue : 0),
    fact('Connections', number(now.connections), `${plural(now.in_flight, 'request')} under way`),
    fact('Chosen in a hurry', plural(engine.hurried, 'text'), 'by words alone, for want of time'),
    fact('Left as they were', plural(engine.forced, 'text'), 'for want of time, room or a model'),
    fact('Decisions remembered', number(engine.remembered)),
    fact('Model calls', number(engine.inference_calls)),
    fact('Held out for comparison', now.holdout > 0 ? `${(now.holdout * 100).toFixed(0)} % of conversations` : 'none', now.holdout > 0 ? 'left alone: headroom report compares' : ''),
    engine.panics > 0 && fact('Faults caught', h('span', { class: 'alarm' }, number(engine.panics))));
}

watch();
