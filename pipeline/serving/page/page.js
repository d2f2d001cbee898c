// The page: choose or record, send, show. It talks to the server that it came from and to nobody else.

import { bars, curve, number } from "./curves.js";
import { film, listen, wav } from "./sound.js";

const KEPT = 120; // seconds of sound that are kept for recognisers of whole recordings
const DRAWN_EVERY = 100; // milliseconds between two drawings of live curves
const id = (name) => document.getElementById(name);
const actions = ["choose", "microphone", "camera"].map(id);

let about = null;
let running = null; // what `stop` ends
let busy = false;
let results = new Map(); // recogniser -> { rows, error, out_of_domain, live }

function say(text) {
  id("status").textContent = text;
}

function complain(text) {
  id("problem").textContent = text;
  id("problem").hidden = !text;
}

function allow() {
  const free = id("told").checked && !busy && !running;
  actions.forEach((button) => { button.disabled = !free; });
  id("stop").hidden = !running;
}

async function begin() {
  id("told").checked = false; // browsers restore boxes
  id("address").textContent = new URL("predict", location.href).href;
  const answer = await fetch("about");
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  about = await answer.json();
  id("notice").textContent = about.notice;
  id("recognisers").textContent = about.recognisers
    .map((one) => `${one.dimension} from ${one.needed.join(" and ")} (${one.name})`).join(", ");
  id("limits").textContent = `Files of up to ${about.max_bytes / 1e6} MB; drop one anywhere on the page.`;
  const needs = (modality) => about.recognisers.some((one) => one.needed.includes(modality));
  const media = window.isSecureContext && navigator.mediaDevices;
  id("microphone").hidden = !media || !about.recognisers.some((one) => one.needed.join() === "audio");
  id("camera").hidden = !media || !needs("video");
  if (!media) {
    id("limits").textContent += " Microphone and camera need https, or an address of this machine.";
  }
  allow();
}

function show() {
  id("results-section").hidden = results.size === 0;
  const boxes = [];
  for (const one of about.recognisers) {
    const found = results.get(one.name);
    if (!found) continue;
    const box = document.createElement("section");
    box.className = "result";
    const title = document.createElement("h3");
    title.textContent = `${one.dimension}, from ${one.needed.join(" and ")}`;
    box.append(title);
    if (found.error) box.append(paragraph(found.error, "note"));
    else if (!found.rows.length) box.append(paragraph("listening …", "note"));
    else box.append(...shown(one, found));
    boxes.push(box);
  }
  id("results").replaceChildren(...boxes);
}

function paragraph(text, kind) {
  const made = document.createElement("p");
  made.className = kind;
  made.textContent = text;
  return made;
}

function* shown(one, found) {
  const last = found.rows[found.rows.length - 1];
  const value = paragraph("", "value");
  const more = document.createElement("small");
  const dimension = one.dimension;
  if (one.classes.length) {
    value.textContent = last[dimension];
    if (one.hop !== null) more.textContent = ` at ${number(last.start, 1)} s`;
    value.append(more);
    yield value;
    yield bars(last, dimension, one.classes);
  } else {
    value.textContent = number(last[dimension]);
    more.textContent = one.hop === null ? "" : ` at ${number(last.start, 1)} s`;
    if (typeof last[`${dimension}.low`] === "number") {
      more.textContent += `, 90 % interval ${number(last[`${dimension}.low`])} to ${number(last[`${dimension}.high`])}`;
    }
    value.append(more);
    yield value;
    if (one.hop !== null) yield curve(found.rows, dimension, found.live, id("results").clientWidth - 32);
  }
  const invalid = found.rows.filter((row) => row.valid === false).length;
  if (invalid) {
    yield paragraph(`${number((100 * invalid) / found.rows.length, 0)} % of the rows describe nothing (no face was found).`, "note");
  }
  if (typeof found.out_of_domain === "number") {
    yield paragraph(
      `${number(100 * found.out_of_domain, 1)} % of the features lie beyond what training saw (about 2 % are usual): `
      + "the more, the less should be made of this prediction.", "note");
  }
}

function take(predictions, live) {
  for (const each of predictions) {
    const before = live ? results.get(each.recogniser) : null;
    const rows = before ? before.rows : [];
    for (const row of each.rows) rows.push(row);
    results.set(each.recogniser, {
      rows, live, error: each.error, out_of_domain: each.out_of_domain ?? before?.out_of_domain,
    });
  }
}

async function send(file) {
  complain("");
  if (file.size > about.max_bytes) {
    complain(`${file.name}: ${number(file.size / 1e6, 0)} MB, this server takes ${about.max_bytes / 1e6} MB at most`);
    return;
  }
  busy = true;
  allow();
  say(`${file.name}: being predicted …`);
  try {
    const form = new FormData();
    form.append("file", file);
    const answer = await fetch("predict", { method: "POST", body: form });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail ?? `the server answers ${answer.status}`);
    results = new Map();
    take(said.predictions, false);
    show();
    say(`${said.file}: predicted`);
  } catch (error) {
    say("");
    complain(error.message);
  } finally {
    busy = false;
    allow();
  }
}

async function hear() {
  complain("");
  const live = about.recognisers.filter((one) => one.live);
  const whole = about.recognisers.some((one) => !one.live && one.needed.join() === "audio");
  const pieces = [];
  let socket = null, waiting = [], heard = 0, drawn = 0, ended = false;
  const pass = (piece) => {
    heard += piece.length / sound.rate;
    if (whole && heard <= KEPT) pieces.push(piece);
    if (socket?.readyState === WebSocket.OPEN) socket.send(piece);
    else if (socket?.readyState === WebSocket.CONNECTING) waiting.push(piece);
    const late = socket ? socket.bufferedAmount / 4 / sound.rate : 0;
    say(`listening, ${number(heard, 0)} s` + (late > 2 ? `; the server is ${number(late, 0)} s behind` : ""));
    if (whole && !socket && heard > KEPT) stop();
  };
  let sound = { rate: 1 };
  sound = await listen((piece) => pass(piece));
  results = new Map();
  const closed = live.length ? new Promise((resolve) => {
    const address = new URL(`live?rate=${sound.rate}`, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(address);
    socket.onopen = () => { waiting.forEach((piece) => socket.send(piece)); waiting = []; };
    socket.onmessage = (message) => {
      const said = JSON.parse(message.data);
      if (said.error) complain(said.error);
      take(said.predictions ?? [], true);
      if (performance.now() - drawn > DRAWN_EVERY) { drawn = performance.now(); show(); }
    };
    socket.onclose = () => { show(); resolve(); if (!ended) stop(); };
    live.forEach((one) => results.set(one.name, { rows: [], live: true }));
    show();
  }) : null;
  running = async () => {
    ended = true;
    await sound.stop();
    if (socket?.readyState === WebSocket.OPEN) socket.send("end");
    else socket?.close();
    await closed;
    say("");
    if (whole && pieces.length) await send(wav(pieces, sound.rate));
  };
}

async function see() {
  complain("");
  const filmed = await film(id("preview"));
  results = new Map();
  show();
  say("recording …");
  const timer = setTimeout(stop, 1000 * KEPT);
  running = async () => {
    clearTimeout(timer);
    const file = await filmed.stop();
    running = null;
    await send(file);
  };
}

async function start(how) {
  busy = true;
  allow();
  try {
    await how();
  } catch (error) {
    complain(error.name === "NotAllowedError" ? "The browser was not allowed to use it."
      : error.name === "NotFoundError" ? "The browser found none." : error.message);
  } finally {
    busy = false;
    allow();
    if (running) id("stop").focus();
  }
}

async function stop() {
  const end = running;
  if (!end) return;
  running = null;
  busy = true;
  allow();
  try {
    await end();
  } finally {
    busy = false;
    allow();
  }
}

function save() {
  const quoted = (cell) => `"${String(cell ?? "").replaceAll('"', '""')}"`;
  const all = [...results].flatMap(([name, found]) => found.rows.map((row) => ({ recogniser: name, ...row })));
  const columns = [...new Set(all.flatMap(Object.keys))];
  const lines = [columns, ...all.map((row) => columns.map((key) => row[key]))].map((cells) => cells.map(quoted).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  link.download = "predictions.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

id("told").addEventListener("change", allow);
id("choose").addEventListener("click", () => id("file").click());
id("file").addEventListener("change", () => {
  const [file] = id("file").files;
  id("file").value = "";
  if (file) send(file);
});
id("microphone").addEventListener("click", () => start(hear));
id("camera").addEventListener("click", () => start(see));
id("stop").addEventListener("click", stop);
id("save").addEventListener("click", save);
const page = document.querySelector("main");
document.addEventListener("dragover", (event) => { event.preventDefault(); page.classList.add("over"); });
document.addEventListener("dragleave", () => page.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  page.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (!file || busy || running) return;
  if (id("told").checked) send(file);
  else complain("First say that whoever is heard or seen has been told.");
});
begin().catch((error) => complain(error.message));
