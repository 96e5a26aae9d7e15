// Tables of verdicts get controls: words to search for, a choice for each of some columns, and an order of the rows.
// Without this script they are plain tables. It asks no server for anything, and leaves other tables alone.
(() => {
  "use strict";
  const KEY = "finding"; // a table with this column is one of verdicts
  const CHOSEN = ["study", "kind", "finding", "number"]; // columns that are chosen from
  const LEAST = 8; // rows, below which nothing need be searched for

  const words = (cell) => cell.textContent.trim().replace(/\s+/g, " ");
  const label = (cell) => words(cell).split(":")[0]; // the verdict of "○ not tested: no data"
  const number = (text) => (/^[<-]?\s?\d/.test(text) ? parseFloat(text.replace(/[<,\s]/g, "")) : NaN);

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function compared(a, b) {
    const [x, y] = [number(a), number(b)];
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1; // numbers first
    return x - y || a.localeCompare(b, "en", { numeric: true });
  }

  function choice(name, options, all) {
    const list = element("select", {}, element("option", { value: "", textContent: all }));
    list.append(...options.map(([value, text]) => element("option", { value, textContent: text })));
    list.setAttribute("aria-label", name); // the label around it has the options' words as well
    return [element("label", {}, `${name} `, list), list];
  }

  function enhance(table) {
    const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
    const names = heads.map(words);
    const body = table.tBodies[0];
    if (!body || !names.includes(KEY) || body.rows.length < LEAST) return;
    const rows = [...body.rows];
    const texts = rows.map((row) => words(row).toLowerCase());
    for (const row of rows) [...row.cells].forEach((cell, i) => (cell.dataset.label = names[i]));
    table.classList.add("verdicts");

    const search = element("input", { type: "search", autocomplete: "off" });
    const form = element("form", { className: "verdict-filter" }, element("label", {}, "words ", search));
    form.setAttribute("role", "search");
    form.setAttribute("aria-label", "rows of the table below");
    const choices = CHOSEN.filter((name) => names.includes(name)).map((name) => {
      const column = names.indexOf(name);
      const values = [...new Set(rows.map((row) => label(row.cells[column])).filter(Boolean))];
      const [shown, list] = choice(name, values.map((value) => [value, value]), "all");
      form.append(shown);
      return [column, list];
    });
    const short = names.map((name) => name.split(/[(,;]/)[0].trim());
    const ways = short.flatMap((name, i) => [[`${i} up`, `${name}, up`], [`${i} down`, `${name}, down`]]);
    const [order, by] = choice("order", ways, "as written");
    const count = element("output", {});
    const reset = element("button", { type: "reset", textContent: "show all" });
    form.append(order, reset, count);

    function filter() {
      const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, i) => {
        const found = wanted.every((word) => texts[i].includes(word));
        const chosen = choices.every(([column, { value }]) => !value || label(row.cells[column]) === value);
        row.hidden = !(found && chosen);
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = `${shown} of ${rows.length} rows`;
    }

    function sort() {
      const [column, way] = by.value.split(" ");
      const sign = way === "down" ? -1 : 1;
      const text = (row) => words(row.cells[Number(column)]);
      body.append(...(by.value ? [...rows].sort((a, b) => sign * compared(text(a), text(b))) : rows));
      heads.forEach((head, i) => {
        if (String(i) === column && way) head.setAttribute("aria-sort", `${way === "down" ? "de" : "a"}scending`);
        else head.removeAttribute("aria-sort");
      });
    }

    heads.forEach((head, i) => {
      const button = element("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => {
        by.value = by.value === `${i} up` ? `${i} down` : by.value === `${i} down` ? "" : `${i} up`;
        sort();
      });
      head.append(button);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", filter);
    by.addEventListener("change", sort);
    form.addEventListener("reset", () => setTimeout(() => { filter(); sort(); }));
    (table.closest(".scroll, .pst-scrollable-table-container") ?? table).before(form);
    filter();
  }

  const start = () => document.querySelectorAll("table").forEach(enhance);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
