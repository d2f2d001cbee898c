// The page: choose or record, send, show. It talks to the server that it came from and to nobody else.

import { bars, curve, number } from "./curves.js";
import { film, listen, look, open, wav } from "./sound.js";

const KEPT = 120; // seconds that are kept for recognisers of whole recordings
const PICTURES_HZ = 15; // pictures per second, at most
const DRAWN_EVERY = 100; // milliseconds between two drawings of live curves
const id = (name) => document.getElementById(name);
const actions = ["choose", "microphone", "camera"].map(id);

let about = null;
let running = null; // what `stop` ends
let busy = false;
let left = null; // what had the focus when it could no longer be used
let source = ""; // of what the results are: a file's name, microphone or camera
let come = 0; // seconds that a live session lasts
let results = new Map(); // recogniser or fusion -> { rows, error, out_of_domain, unusual, live, waits }

const needs = (one, modality) => one.needed.some((name) => name.split("@")[0] === modality);
// Whether a microphone, or a camera with one, is enough.
const able = (one, camera) => one.needed.every((name) => ["audio", ...(camera ? ["video"] : [])].includes(name.split("@")[0]));

function say(text) {
  id("status").textContent = text;
}

function complain(text) {
  id("problem").textContent = text;
  id("problem").hidden = !text;
}

function allow() {
  const free = id("told").checked && !busy && !running;
  if (!free && actions.includes(document.activeElement)) left = document.activeElement;
  actions.forEach((button) => { button.disabled = !free; });
  id("stop").hidden = !running;
  id("first").hidden = id("told").checked;
  if (free && left) {
    if (document.activeElement === document.body) left.focus(); // whoever has no mouse goes on from there
    left = null;
  }
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
  const media = window.isSecureContext && navigator.mediaDevices;
  id("microphone").hidden = !media || !about.recognisers.some((one) => able(one, false));
  id("camera").hidden = !media || !about.recognisers.some((one) => needs(one, "video") && able(one, true));
  if (!media) {
    id("limits").textContent += " Microphone and camera need https, or an address of this machine.";
  }
  allow();
}

function show() {
  id("results-section").hidden = results.size === 0;
  id("source").textContent = source;
  const boxes = [];
  for (const one of [...about.recognisers, ...about.fusions]) {
    const found = results.get(one.name);
    if (!found) continue;
    const box = document.createElement("section");
    box.className = "result";
    const title = document.createElement("h3");
    title.textContent = `${one.dimension}, from ${one.needed.join(" and ")}${one.members ? " (mean of both)" : ""}`;
    box.append(title);
    if (found.error) box.append(paragraph(found.error, "note"));
    else if (!found.rows.length) box.append(paragraph(found.waits ?? "waiting for the first row …", "note"));
    else box.append(...shown(one, found));
    if (!found.error && one.members?.some((name) => results.get(name)?.unusual)) {
      box.append(paragraph("Little should be made of it, as of a prediction that it is made of.", "warning"));
    }
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

// Of when a row is, and how long ago that was.
function when(one, found, row) {
  if (!found.live) return one.hop === null ? "" : ` at ${number(row.start, 1)} s`;
  const place = one.hop === null ? ` from ${number(row.start, 1)} to ${number(row.end, 1)} s` : ` at ${number(row.start, 1)} s`;
  const late = Math.max(0, come - (one.hop === null ? row.end : row.start));
  return `${place}, ${number(late, 1)} s ago`;
}

// The classes that a row names: one, or of recognisers of any number all of them, or none.
function named(one, row) {
  const said = row[one.dimension] ?? null;
  if (said === null) return [];
  if (one.task !== "multilabel") return [said];
  return said === "none" ? [] : said.split(";");
}

function* shown(one, found) {
  // of a mean whose recordings differ in length the last rows have no value
  const last = found.rows.findLast((row) => row[one.dimension] !== null) ?? found.rows[found.rows.length - 1];
  const value = paragraph("", "value");
  const more = document.createElement("small");
  const dimension = one.dimension;
  more.textContent = when(one, found, last);
  const classes = named(one, last);
  if (!one.classes.length) value.textContent = number(last[dimension]);
  else value.textContent = classes.join(", ") || (last[dimension] === "none" ? "none of them" : "");
  if (typeof last[`${dimension}.low`] === "number") {
    more.textContent += `, 90 % interval ${number(last[`${dimension}.low`])} to ${number(last[`${dimension}.high`])}`;
  }
  value.append(more);
  yield value;
  if (one.classes.length) yield bars(last, dimension, one.classes, classes);
  else if (one.hop !== null || found.live) {
    yield curve(found.rows, dimension, found.live, id("results").clientWidth - 32);
  }
  if (one.task === "multilabel") yield paragraph("Each class is judged by itself: there may be several, or none.", "note");
  const refused = found.rows[found.rows.length - 1].refused;
  if (refused) yield paragraph(`The last window has no prediction: ${refused}.`, "note");
  const invalid = found.rows.filter((row) => row.valid === false).length;
  if (invalid) {
    yield paragraph(`${number((100 * invalid) / found.rows.length, 0)} % of the rows describe nothing (no face was found).`, "note");
  }
  if (typeof found.out_of_domain === "number") {
    yield paragraph(
      `${number(100 * found.out_of_domain, 1)} % of the features lie beyond what training saw `
      + (found.unusual ? "(more than of recordings like those of training): little should be made of this prediction."
        : "(about 2 % are usual): the more, the less should be made of this prediction."),
      found.unusual ? "warning" : "note");
  }
}

function take(predictions, live) {
  for (const each of predictions) {
    const before = live ? results.get(each.recogniser) : null;
    const rows = before ? before.rows : [];
    for (const row of each.rows) rows.push(row);
    results.set(each.recogniser, {
      rows, live, error: each.error, out_of_domain: each.out_of_domain ?? before?.out_of_domain,
      unusual: each.unusual ?? before?.unusual,
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
    source = said.file;
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

// A microphone or camera: recognisers that can be live say what they know while it runs, the others, and fusions,
// when it is stopped.
async function record(camera) {
  complain("");
  const mine = about.recognisers.filter((one) => able(one, camera));
  const live = mine.filter((one) => one.live);
  const whole = live.length < mine.length || (camera && about.fusions.length > 0);
  const pictures = camera && live.some((one) => needs(one, "video"));
  const device = await open(camera);
  const pieces = [];
  let socket = null, waiting = [], heard = 0, began = null, drawn = 0, ended = false, seen = () => {};
  const give = (...messages) => {
    if (socket?.readyState === WebSocket.OPEN) messages.forEach((one) => socket.send(one));
    else if (socket?.readyState === WebSocket.CONNECTING) waiting.push(...messages);
  };
  const hear = (piece) => {
    heard += piece.length / sound.rate;
    come = heard;
    began ??= performance.now() - 1000 * heard;
    if (whole && !camera && heard <= KEPT) pieces.push(piece);
    give(piece);
    const late = socket ? socket.bufferedAmount / 4 / sound.rate : 0;
    say(`${camera ? "recording" : "listening"}, ${number(heard, 0)} s` + (late > 2 ? `; the server is ${number(late, 0)} s behind` : ""));
    if (whole && (!socket || camera) && heard > KEPT) stop();
  };
  // the server says what it has seen: there is never more on its way than one picture
  const see = (picture, at) => new Promise((resolve) => {
    if (began === null || at < began || socket?.readyState !== WebSocket.OPEN) return resolve();
    seen = resolve;
    return give(JSON.stringify({ picture: (at - began) / 1000 }), picture);
  });
  let sound = { rate: 1 }, blind = () => {}, filmed = null;
  try {
    if (camera) {
      id("preview").srcObject = device;
      id("preview").hidden = false;
      await id("preview").play();
      if (whole) filmed = film(device);
    }
    sound = await listen(device, (piece) => hear(piece));
  } catch (error) {
    device.getTracks().forEach((track) => track.stop());
    id("preview").hidden = true;
    throw error;
  }
  source = camera ? "camera" : "microphone";
  results = new Map(mine.map((one) => [one.name, {
    rows: [], live: true, waits: one.live ? undefined : `Predicted when the recording is stopped: ${one.not_live ?? "it cannot be live"}`,
  }]));
  show();
  const closed = live.length ? new Promise((resolve) => {
    const address = new URL(`live?rate=${sound.rate}${pictures ? "&pictures=yes" : ""}`, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(address);
    socket.onopen = () => { waiting.forEach((piece) => socket.send(piece)); waiting = []; };
    socket.onmessage = (message) => {
      const said = JSON.parse(message.data);
      if (said.error) complain(said.error);
      if (said.seen !== undefined) seen();
      take(said.predictions ?? [], true);
      if (performance.now() - drawn > DRAWN_EVERY) { drawn = performance.now(); show(); }
    };
    socket.onclose = () => { seen(); show(); resolve(); if (!ended) stop(); };
  }) : null;
  if (pictures) blind = look(id("preview"), Math.min(PICTURES_HZ, about.live_pictures_hz), see);
  running = async () => {
    ended = true;
    blind();
    const file = filmed ? await filmed.stop() : null;
    await sound.stop();
    device.getTracks().forEach((track) => track.stop());
    id("preview").srcObject = null;
    id("preview").hidden = true;
    if (socket?.readyState === WebSocket.OPEN) socket.send("end");
    else socket?.close();
    await closed;
    say(`stopped after ${number(heard, 0)} s`);
    if (file) await send(file);
    else if (pieces.length) await send(wav(pieces, sound.rate));
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
  const all = [...results].flatMap(([name, found]) => found.rows.map((row) => ({ file: source, recogniser: name, ...row })));
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
id("microphone").addEventListener("click", () => start(() => record(false)));
id("camera").addEventListener("click", () => start(() => record(true)));
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
