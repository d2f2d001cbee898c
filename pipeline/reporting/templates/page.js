"use strict";
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const make = (name, text, parent) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
  const button = (text, parent, act, label) => {
    const made = make("button", text, parent);
    made.type = "button";
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  };
  const said = document.getElementById("said");
  const say = (text) => { said.textContent = text; };

  // A link into a closed section opens it.
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) { event.preventDefault(); openTarget(); }
  });
  openTarget();

  // Everything is printed, also what was closed.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const box of closed) box.open = true;
  });
  addEventListener("afterprint", () => { for (const box of closed) box.open = false; });
  for (const opener of all(".open")) {
    opener.hidden = false;
    opener.addEventListener("click", () => {
      const boxes = all("details.experiment");
      const open = boxes.some((box) => !box.open);
      for (const box of boxes) box.open = open;
      opener.textContent = open ? "close all" : "open all";
    });
  }

  // Sorting. Cells without a value come last, whichever way.
  const sortBy = (table, place, header) => {
    const down = header.getAttribute("aria-sort") === (header.classList.contains("n") ? "descending" : "ascending");
    const direction = (header.classList.contains("n") ? !down : down) ? "descending" : "ascending";
    for (const other of all("thead th", table)) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", direction);
    const key = (row) => {
      const cell = row.cells[place];
      return header.classList.contains("n") ? (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value))
        : cell.textContent.trim();
    };
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([one], [other]) => {
      if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
      return sign * (typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true }));
    });
    for (const [, row] of rows) table.tBodies[0].append(row);
    say(`sorted by ${header.textContent.trim()}, ${direction}`);
  };

  // Copying, in the order in which the table stands.
  const plain = (cell) => {
    const copy = cell.cloneNode(true);
    for (const extra of all(".hidden", copy)) extra.remove();
    for (const line of all("br", copy)) line.replaceWith(" ");
    return copy.textContent.replace(/[ \n]+/g, " ").trim();
  };
  const special = JSON.parse(document.getElementById("latex-characters").textContent);
  const tex = (text) => [...text].map((sign) => special[sign] ?? sign).join("");
  const cells = (table) => [...table.rows].map((row) => [...row.cells]);
  const formats = {
    LaTeX(table) {
      const [head, ...body] = cells(table);
      const texCell = (cell) => {
        const text = tex(plain(cell).replaceAll("★", ""));
        return cell.classList.contains("best") ? `\\textbf{${text}}` : text;
      };
      const line = (row) => row.map(texCell).join(" & ") + " \\\\";
      const kinds = head.map((cell) => (cell.classList.contains("n") ? "r" : "l")).join("");
      return ["\\begin{table}", "\\centering", `\\caption{${tex(plain(table.caption))}}`, `\\label{tab:${table.id}}`,
        `\\begin{tabular}{${kinds}}`, "\\toprule", line(head), "\\midrule", ...body.map(line), "\\bottomrule",
        "\\end{tabular}", "\\end{table}"].join("\n");
    },
    CSV(table) {
      const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      return cells(table).map((row) => row.map((cell) => quoted(plain(cell).replaceAll("−", "-"))).join(",")).join("\n");
    },
    Markdown(table) {
      const line = (values) => `| ${values.join(" | ")} |`;
      const [head, ...body] = cells(table).map((row) => row.map((cell) =>
        plain(cell).replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;")));
      const kinds = [...table.rows[0].cells].map((cell) => (cell.classList.contains("n") ? "---:" : "---"));
      return [line(head), line(kinds), ...body.map(line)].join("\n");
    },
  };
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = make("textarea", "", document.body);  // no clipboard here: an older way
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const table of all("table")) {
    const box = table.closest(".tabular");
    if (table.tBodies[0].rows.length > 1) {
      [...table.tHead.rows[0].cells].forEach((header, place) => {
        const text = header.textContent.trim();
        header.textContent = "";
        header.setAttribute("aria-sort", "none");
        button(text, header, () => sortBy(table, place, header));
      });
    }
    const tools = make("div", "", box);
    tools.className = "tools";
    make("span", "copy as", tools);
    for (const name of Object.keys(formats)) {
      button(name, tools, async () => {
        await copy(formats[name](table));
        say(`${table.caption.textContent.trim()} copied as ${name}`);
        const done = make("span", "copied", tools);
        setTimeout(() => done.remove(), 1500);
      }, `copy ${table.caption.textContent.trim()} as ${name}`);
    }
  }

  // Saving figures: the SVG as it was drawn, without the colours of a dark page; the PNG from it.
  const save = (blob, name) => {
    const link = make("a", "", document.body);
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const drawn = (svg) => {
    const copied = svg.cloneNode(true);
    for (const extra of all(".cursor", copied)) extra.remove();
    copied.setAttribute("width", svg.viewBox.baseVal.width * 4 / 3);
    copied.setAttribute("height", svg.viewBox.baseVal.height * 4 / 3);
    return new Blob([new XMLSerializer().serializeToString(copied)], { type: "image/svg+xml" });
  };
  const savePng = (svg, name) => {
    const picture = new Image();
    const url = URL.createObjectURL(drawn(svg));
    picture.onload = () => {
      const canvas = make("canvas");
      canvas.width = 3 * picture.width;
      canvas.height = 3 * picture.height;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(blob, `${name}.png`));
      URL.revokeObjectURL(url);
    };
    picture.src = url;
  };

  // Values under the pointer, read from the lines as they are drawn.
  const vertices = (path) => {
    const numbers = path.getAttribute("d").match(/-?[\d.]+(?:e-?\d+)?/g).map(Number);
    return Array.from({ length: numbers.length / 2 }, (_, place) => [numbers[2 * place], numbers[2 * place + 1]]);
  };
  const few = 40;  // points up to which a line has values at its points alone
  const heightAt = (points, x) => {
    if (points.length <= few) return points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));
    const next = points.findIndex((point) => point[0] >= x);
    if (next <= 0) return points[next < 0 ? points.length - 1 : 0];
    const [one, other] = [points[next - 1], points[next]];
    const part = other[0] === one[0] ? 0 : (x - one[0]) / (other[0] - one[0]);
    return [x, one[1] + part * (other[1] - one[1])];
  };
  const shown = (value) => (Math.abs(value) < 10 ? value.toFixed(3).replace("-", "−") : value.toFixed(1));
  for (const figure of all("figure")) {
    const svg = figure.querySelector("svg");
    const name = figure.dataset.name;
    const tools = make("div", "", figure);
    tools.className = "tools";
    make("span", "save as", tools);
    button("SVG", tools, () => save(drawn(svg), `${name}.svg`), `save ${name} as SVG`);
    button("PNG", tools, () => savePng(svg, name), `save ${name} as PNG`);
    const panels = JSON.parse(figure.dataset.panels);
    if (!panels.length) continue;
    const plot = figure.querySelector(".plot");
    const values = make("div", "", plot);
    values.className = "values";
    values.hidden = true;
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    cursor.style.display = "none";
    svg.append(cursor);
    let points = null;
    const place = { panel: 0, x: 0.5 };
    const read = () => {
      points ??= panels.map((panel) => panel.lines.map((line) =>
        vertices(document.getElementById(line.id).querySelector("path"))));
      const panel = panels[place.panel];
      const [left, top, width, height] = panel.box;
      let x = left + place.x * width;
      const found = points[place.panel].map((line) => heightAt(line, x));
      if (points[place.panel].every((line) => line.length <= few)) x = found[0][0];
      const across = panel.x[0] + (x - left) / width * (panel.x[1] - panel.x[0]);
      const ticks = panel.ticks.length ? panel.ticks[Math.round(across)] ?? "" : shown(across);
      const lines = panel.lines.map((line, number) => {
        const value = panel.y[1] - (found[number][1] - top) / height * (panel.y[1] - panel.y[0]);
        return [line.name, line.colour, shown(value)];
      });
      return { x, top, height, head: `${panel.across} ${ticks}`, lines };
    };
    const show = (aloud) => {
      const now = read();
      for (const [key, value] of Object.entries({ x1: now.x, x2: now.x, y1: now.top, y2: now.top + now.height })) {
        cursor.setAttribute(key, value);
      }
      cursor.style.display = "";
      values.replaceChildren();
      make("div", now.head, values);
      for (const [line, colour, value] of now.lines) {
        const row = make("div", "", values);
        make("b", "", row).style.background = colour;
        row.append(`${line} ${value}`);
      }
      values.hidden = false;
      const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
      const right = now.x * scale + 10;
      values.style.left = `${right + values.offsetWidth > plot.clientWidth
        ? Math.max(0, now.x * scale - 10 - values.offsetWidth) : right}px`;
      values.style.top = `${now.top * scale}px`;
      if (aloud) say(`${now.head}: ${now.lines.map(([line, , value]) => `${line} ${value}`).join(", ")}`);
    };
    const hide = () => { values.hidden = true; cursor.style.display = "none"; };
    plot.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const panel = panels.findIndex(({ box: [left, top, width, height] }) =>
        x >= left && x <= left + width && y >= top && y <= top + height);
      if (panel < 0) { hide(); return; }
      place.panel = panel;
      place.x = (x - panels[panel].box[0]) / panels[panel].box[2];
      show(false);
    });
    plot.addEventListener("pointerleave", hide);
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1 };
      const changes = { ArrowUp: -1, ArrowDown: 1 };
      if (event.key === "Escape") { hide(); return; }
      if (event.key in steps) place.x = Math.min(1, Math.max(0, place.x + steps[event.key] / 50));
      else if (event.key in changes) place.panel = Math.min(panels.length - 1, Math.max(0, place.panel + changes[event.key]));
      else return;
      event.preventDefault();
      show(true);
    });
  }
})();
