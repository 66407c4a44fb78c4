"""The style and the script of the report's page. Neither loads anything from elsewhere."""

from __future__ import annotations

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""What a browser may load for the page: nothing that is not in it."""

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1c2128; --dim: #57606a; --rule: #d0d7de;
  --card: #f6f8fa; --line: #0757b8; --band: #0757b826; --gain: #116329; --loss: #b3261e;
  --warn: #fff3c4; --warnfg: #5c4400; }
@media (prefers-color-scheme: dark) { :root { --bg: #0d1117; --fg: #e6edf3; --dim: #9da7b3;
  --rule: #30363d; --card: #161b22; --line: #6cb6ff; --band: #6cb6ff30; --gain: #57c46f;
  --loss: #ff8f87; --warn: #4a3a05; --warnfg: #ffe9a8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 24px; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 4px; } h2 { font-size: 1.1rem; margin: 36px 0 10px; }
h3 { font-size: 1rem; margin: 22px 0 6px; }
p { margin: 6px 0; } .dim, figcaption, caption small { color: var(--dim); font-size: 0.87rem; }
a { color: var(--line); } nav a { margin-right: 14px; }
.banner { background: var(--warn); color: var(--warnfg); padding: 8px 14px; border-radius: 6px; }
.head { border: 1px solid var(--rule); border-radius: 8px; padding: 14px 18px; margin: 14px 0; }
.edge { font-size: 1.5rem; font-weight: 650; } .verdict { font-weight: 650; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(158px, 1fr)); gap: 8px; }
.cards div { background: var(--card); border-radius: 6px; padding: 8px 12px; }
.cards dt { color: var(--dim); font-size: 0.82rem; } .cards dd { margin: 0; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 24px; }
figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
svg .label { fill: var(--dim); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .zero { stroke: var(--dim);
  stroke-dasharray: 4 4; fill: none; }
svg .line { stroke: var(--line); stroke-width: 2; fill: none; }
svg .thin { stroke-width: 1; } svg .band { fill: var(--band); } svg .water { fill: var(--loss);
  fill-opacity: 0.35; stroke: var(--loss); } svg .gain { fill: var(--gain); }
svg .loss { fill: var(--loss); } svg .mid { stroke: var(--fg); stroke-width: 1.2; fill: none; }
svg .bid { stroke: var(--gain); stroke-width: 2; fill: none; stroke-opacity: 0.75; }
svg .offer { stroke: var(--loss); stroke-width: 2; fill: none; stroke-opacity: 0.75; }
svg .bought { fill: var(--gain); stroke: var(--bg); stroke-width: 0.7; }
svg .sold { fill: var(--loss); stroke: var(--bg); stroke-width: 0.7; }
svg .held { fill: var(--band); stroke: var(--line); }
svg .dot { fill: var(--line); }
svg .whisker { stroke: var(--line);
  stroke-opacity: 0.5; stroke-width: 2; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: 0 0 8px; }
caption { text-align: left; font-weight: 650; padding: 12px 0 4px; }
th, td { padding: 4px 10px 4px 0; text-align: right; border-bottom: 1px solid var(--rule);
  font-variant-numeric: tabular-nums; vertical-align: top; }
th { color: var(--dim); font-weight: 500; } tbody th { color: var(--fg); font-weight: 400; }
th:first-child, td:first-child, .word { text-align: left; } .word { overflow-wrap: anywhere; }
.alarm { background: var(--warn); color: var(--warnfg); padding: 6px 14px; border-radius: 6px; }
.when { white-space: nowrap; }
.up { color: var(--gain); } .down { color: var(--loss); }
.tools { display: flex; gap: 10px; align-items: center; flex-wrap: wrap; margin: 8px 0; }
button, input { font: inherit; color: inherit; background: var(--card); padding: 4px 10px;
  border: 1px solid var(--rule); border-radius: 6px; } button:disabled { opacity: 0.45; }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 2px solid var(--line); }
.more { padding: 0 6px; min-width: 26px; } .why { background: var(--card); }
.why td { text-align: left; padding: 10px 14px; } .why table { width: auto; }
.why td td, .why th { padding: 2px 16px 2px 0; text-align: left; border: 0; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 600px) { body { padding: 12px; } .two { grid-template-columns: 1fr; } }
@media print { .tools, nav { display: none; } }
"""

SCRIPT = """
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const body = document.getElementById("rows"), size = 50;
  const find = document.getElementById("find"), place = document.getElementById("place");
  const back = document.getElementById("back"), next = document.getElementById("next");
  let page = 0, hits = data.trades.map((_, n) => n);
  const words = data.markets.map((m) => (m[0] + " " + m[1]).toLowerCase());
  const asked = new Map();
  for (const m of data.markets) asked.set(m[1], (asked.get(m[1]) || 0) + 1);
  const named = (m) => (asked.get(m[1]) > 1 ? m[1] + " (" + m[0] + ")" : m[1]);
  const add = (parent, tag, text, kind) => {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    if (kind) made.className = kind;
    parent.appendChild(made);
    return made;
  };
  const pair = (table, name, value) => {
    const row = add(table, "tr");
    add(row, "th", name).scope = "row";
    add(row, "td", value);
  };
  const percent = (p) => (p === null ? "not stated" : (100 * p).toFixed(2) + " %");
  const verdicts = (cell, d) => {
    const said = new Map(d[9].map((row) => [row[0], row]));
    const table = add(cell, "table"), head = add(add(table, "thead"), "tr");
    for (const name of ["protection", "verdict", "permitted", "words"])
      add(head, "th", name).scope = "col";
    const list = add(table, "tbody");
    data.panels[d[8]].forEach((v, n) => {
      const row = add(list, "tr"), note = said.get(n);
      add(row, "th", v[0]).scope = "row";
      add(row, "td", v[1].replace("_", " ") + (v[2] ? "" : " (recorded, does not bind)"));
      add(row, "td", note ? note[1] : v[1] === "allow" ? d[4] : "");
      add(row, "td", note ? note[2] : "");
    });
  };
  const explain = (cell, trade) => {
    const d = data.decisions[trade[11]], facts = add(cell, "table");
    if (!d) {
      pair(facts, "Decision", trade[4] === "settle" ?
        "none: the market ended" : "not in the record of this run");
      return;
    }
    pair(facts, "Decided", d[1] + ", " + d[2] + ": " + d[5]);
    pair(facts, "Shares asked, permitted", d[3] + ", " + d[4]);
    pair(facts, "Claimed probability", percent(d[6]));
    if (d[7] !== null) pair(facts, "Claimed edge a share", percent(d[7]));
    pair(facts, "Mid at decision", trade[12] === null ? "none" : trade[12]);
    const b = d[10];
    pair(facts, "Forecast", b ? "YES " + percent(b[1]) + ", market " + percent(b[2]) + ", by " +
      (b[3] || "unnamed") + (b[4] ? ", confidence " + b[4] : "") + ", " + b[0] : "none on record");
    if (b && b[5].length) pair(facts, "Evidence (sha256)", b[5].join(" "));
    if (d[11].length) pair(facts, "Size", d[11].map((n) => n[0] + " " + n[1]).join(", "));
    verdicts(cell, d);
  };
  const draw = () => {
    body.replaceChildren();
    const pages = Math.max(1, Math.ceil(hits.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    for (const n of hits.slice(page * size, (page + 1) * size)) {
      const t = data.trades[n], market = data.markets[t[2]], row = add(body, "tr");
      const more = add(add(row, "td"), "button", "+", "more");
      more.setAttribute("aria-expanded", "false");
      more.setAttribute("aria-label", "why trade " + t[0]);
      more.addEventListener("click", () => {
        const open = more.getAttribute("aria-expanded") === "true";
        if (open) row.nextSibling.remove();
        else {
          const below = document.createElement("tr");
          below.className = "why";
          const cell = add(below, "td");
          cell.colSpan = 10;
          explain(cell, t);
          row.after(below);
        }
        more.setAttribute("aria-expanded", String(!open));
        more.textContent = open ? "+" : "-";
      });
      add(row, "td", t[0]);
      add(row, "td", t[1].slice(0, 16).replace("T", " "), "word when");
      add(row, "td", named(market), "word");
      add(row, "td", t[4] + " " + t[3], "word");
      for (const k of [5, 6, 7]) add(row, "td", t[k]);
      add(row, "td", data.reasons[t[8]], "word");
      add(row, "td", t[9], t[9].startsWith("-") ? "down" : "up");
    }
    const from = hits.length ? page * size + 1 : 0;
    place.textContent = from + " to " + Math.min(hits.length, (page + 1) * size) + " of " +
      hits.length + ", page " + (page + 1) + " of " + pages;
    back.disabled = page === 0;
    next.disabled = page >= pages - 1;
  };
  find.addEventListener("input", () => {
    const wanted = find.value.toLowerCase();
    const markets = words.map((text) => text.includes(wanted));
    const reasons = data.reasons.map((text) => text.toLowerCase().includes(wanted));
    hits = [];
    data.trades.forEach((t, n) => {
      if (markets[t[2]] || reasons[t[8]] || t[4] === wanted) hits.push(n);
    });
    page = 0;
    draw();
  });
  back.addEventListener("click", () => { page -= 1; draw(); });
  next.addEventListener("click", () => { page += 1; draw(); });
  draw();
})();
"""
