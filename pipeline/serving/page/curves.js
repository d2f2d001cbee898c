// Rows of one recogniser -> a curve with its interval, or bars of classes.

const SVG = "http://www.w3.org/2000/svg";
const WIDEST = 560, HEIGHT = 220, LEFT = 40, RIGHT = 20, TOP = 8, BOTTOM = 26;
const POINTS = 500; // more than the screen shows
const LIVE_SPAN = 60; // seconds that a live curve shows

export const number = (value, digits = 2) =>
  value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");

function element(name, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Means of neighbouring rows, so that a curve has no more points than a screen.
function thinned(rows, keys) {
  const size = Math.ceil(rows.length / POINTS);
  if (size <= 1) return rows.map((row) => ({ time: row.start, ...row }));
  const found = [];
  for (let i = 0; i < rows.length; i += size) {
    const part = rows.slice(i, i + size);
    const mean = { time: part[0].start };
    for (const key of keys) {
      const values = part.map((row) => row[key]).filter((value) => typeof value === "number");
      mean[key] = values.length ? values.reduce((a, b) => a + b) / values.length : null;
    }
    found.push(mean);
  }
  return found;
}

function step(span, count) {
  const raw = span / count, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw - 1e-12);
}

function ticks(low, high, count) {
  const size = step(high - low, count), found = [];
  for (let at = Math.ceil(low / size - 1e-9) * size; at <= high + 1e-9; at += size) found.push(at);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(size) + 1e-9)) };
}

// Lines between points, with holes where a value is missing.
function path(points, x, y, key) {
  let text = "", pen = "M";
  for (const point of points) {
    if (typeof point[key] !== "number") { pen = "M"; continue; }
    text += `${pen}${x(point.time).toFixed(1)} ${y(point[key]).toFixed(1)}`;
    pen = "L";
  }
  return text;
}

function band(points, x, y, low, high) {
  const there = points.filter((point) => typeof point[low] === "number" && typeof point[high] === "number");
  if (!there.length) return "";
  const edge = (key, list) => list.map((point) => `${x(point.time).toFixed(1)} ${y(point[key]).toFixed(1)}`).join("L");
  return `M${edge(high, there)}L${edge(low, [...there].reverse())}Z`;
}

// width: pixels that there are.
export function curve(rows, dimension, live, width) {
  const wide = Math.min(WIDEST, Math.max(260, width));
  const [low, high] = [`${dimension}.low`, `${dimension}.high`];
  const last = rows[rows.length - 1];
  const end = last.end ?? last.start;
  const from = live ? Math.max(0, end - LIVE_SPAN) : rows[0].start;
  const shown = thinned(rows.filter((row) => row.start >= from), [dimension, low, high]);
  const values = shown.flatMap((row) => [row[dimension], row[low], row[high]]).filter((v) => typeof v === "number");
  let [bottom, top] = values.length ? [Math.min(...values), Math.max(...values)] : [-1, 1];
  const room = Math.max(0.1, (top - bottom) * 0.08);
  [bottom, top] = [bottom - room, top + room];
  const until = Math.max(end, from + (live ? 10 : 0.5));
  const x = (time) => LEFT + ((time - from) / (until - from)) * (wide - LEFT - RIGHT);
  const y = (value) => TOP + ((top - value) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);

  const svg = element("svg", { class: "curve", viewBox: `0 0 ${wide} ${HEIGHT}`, role: "img" });
  svg.setAttribute("aria-label", `${dimension} from ${number(from, 0)} to ${number(end, 0)} seconds`);
  const across = ticks(bottom, top, 5), along = ticks(from, until, wide / 80);
  for (const value of across.found) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: wide - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(element("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(value, across.digits)));
  }
  for (const time of along.found) {
    svg.append(element("text", { x: x(time), y: HEIGHT - 8, "text-anchor": "middle" }, `${number(time, along.digits)} s`));
  }
  svg.append(element("path", { class: "band", d: band(shown, x, y, low, high) }));
  svg.append(element("path", { class: "line", d: path(shown, x, y, dimension) }));
  return svg;
}

// named: the classes that are predicted, marked among all.
export function bars(row, dimension, classes, named) {
  const table = document.createElement("table");
  table.className = "classes";
  const caption = table.createCaption();
  caption.className = "hidden";
  caption.textContent = `Probabilities of ${dimension}`;
  for (const name of classes) {
    const share = row[`${dimension}.${name}`];
    const line = table.insertRow();
    line.className = named.includes(name) ? "named" : "";
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    line.append(head);
    const cell = line.insertCell();
    cell.className = "bar";
    const bar = document.createElement("div");
    bar.style.width = `${100 * (share ?? 0)}%`;
    cell.append(bar);
    const written = line.insertCell();
    written.className = "share";
    written.textContent = number(share);
  }
  return table;
}
