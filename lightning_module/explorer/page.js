// What the page does in the browser itself: its address, keys, copying, and a signal's construction in motion.
window.mnist1d = (() => {
  let ready = false; // before the address was read it must not be rewritten
  const later = {};

  function replace(change) {
    const url = new URL(window.location.href);
    change(url.searchParams);
    if (url.href !== window.location.href) window.history.replaceState(window.history.state, "", url);
  }

  function write(first, values) {
    if (!ready) return;
    replace((query) => {
      Object.keys(first).forEach((name, place) => {
        const value = values[place];
        const same = JSON.stringify(value) === JSON.stringify(first[name]);
        if (same || value === null || value === undefined) query.delete(name);
        else query.set(name, String(value));
      });
    });
  }

  function tab(name, usual) {
    if (!ready) { later.tab = [name, usual]; return; }
    replace((query) => (name === usual ? query.delete("tab") : query.set("tab", name)));
  }

  function begin(first) {
    ready = true;
    replace((query) => {
      // What was ignored leaves the address too; names that begin with __ are those of gradio and Spaces.
      for (const name of [...query.keys()]) {
        if (!(name in first) && name !== "tab" && !name.startsWith("__")) query.delete(name);
      }
    });
    if (later.tab) tab(...later.tab);
    document.documentElement.dataset.mnist1d = "ready";
  }

  // Moves are counted here, where they are made: two requests may arrive in another order, and two answers too. An
  // answer to an earlier move than the one that a tab shows is left out.
  let moves = Date.now();
  const newest = {}; // of each tab, the move that is shown

  function move(tab) {
    moves += 1;
    return `turn:${tab}:${moves}`;
  }

  function shown(tab) {
    return `turn:${tab}:${newest[tab] ?? 0}`;
  }

  const ask = window.fetch.bind(window);
  window.fetch = async (...request) => {
    const body = request[1]?.body;
    const turn = typeof body === "string" ? /"turn:([a-z]+):([0-9]+)"\]/.exec(body) : null;
    if (!turn) return ask(...request);
    const answer = await ask(...request);
    if (!answer.ok) return answer;
    const content = await answer.json();
    const [, tab, number] = turn;
    if (Number(number) < (newest[tab] ?? 0)) content.data = content.data.map(() => ({ __type__: "update" }));
    else newest[tab] = Number(number);
    return new Response(JSON.stringify(content), { status: answer.status, headers: answer.headers });
  };

  // A button with data-copy copies the text of the element that it names.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // a page that is not served by https has no clipboard
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = before; }, 1200);
  });

  function place() {
    const shown = document.querySelector("#read-signal figcaption")?.textContent ?? "";
    return Number(/\d+/.exec(shown)?.[0] ?? 0) - 1;
  }

  // Keys 0 to 9 press the quiz's buttons, unless somebody types elsewhere: one for each signal, however fast.
  const typed = [];
  let answered = ""; // the signal that a key was pressed for

  function press() {
    const shown = document.querySelector("#read-signal figcaption")?.textContent ?? "";
    if (!shown) { typed.length = 0; answered = ""; return; }
    if (!typed.length || shown === answered) return;
    answered = shown;
    document.getElementById(`read-digit-${typed.shift()}`)?.click();
  }

  document.addEventListener("keydown", (event) => {
    if (!/^[0-9]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    const key = document.getElementById("read-digit-0");
    if (!key || key.offsetParent === null) return;
    event.preventDefault();
    typed.push(event.key);
    press();
  });

  // How a signal is made. The server draws all stages; here one of them is large, and moves into the next.
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let stage = null; // which one is shown; null for the last
  let playing = null;
  const POINTS = 120;

  function curve(points) {
    const at = points.split(" ").map((pair) => pair.split(",").map(Number));
    return Array.from({ length: POINTS }, (_, place) => {
      const where = (place * (at.length - 1)) / (POINTS - 1);
      const low = Math.min(Math.floor(where), at.length - 2);
      return [0, 1].map((axis) => at[low][axis] + (where - low) * (at[low + 1][axis] - at[low][axis]));
    });
  }

  function show(whole, wanted, moving) {
    const stages = JSON.parse(whole.dataset.stages);
    const place = Math.max(0, Math.min(wanted ?? stages.length - 1, stages.length - 1));
    const line = whole.querySelector(".m1-large .m1-line");
    const told = whole.querySelector(".m1-stage");
    const name = document.createElement("b");
    name.textContent = `${place + 1}. ${stages[place].name}`;
    told.replaceChildren(name, ` ${stages[place].told}`);
    whole.querySelectorAll(".m1-small").forEach((small) => {
      if (Number(small.dataset.stage) === place) small.setAttribute("aria-current", "step");
      else small.removeAttribute("aria-current");
    });
    whole.dataset.at = place;
    const before = Number(whole.dataset.drawn ?? stages.length - 1);
    whole.dataset.drawn = place;
    if (!moving || still.matches || before === place) { line.setAttribute("points", stages[place].points); return; }
    const from = curve(stages[before].points), to = curve(stages[place].points), began = performance.now();
    const step = (now) => {
      const share = Math.min(1, (now - began) / 450), eased = share * share * (3 - 2 * share);
      if (Number(whole.dataset.drawn) !== place) return; // somebody went on
      if (share === 1) { line.setAttribute("points", stages[place].points); return; }
      line.setAttribute("points", from.map(([x, y], k) =>
        `${(x + eased * (to[k][0] - x)).toFixed(2)},${(y + eased * (to[k][1] - y)).toFixed(2)}`).join(" "));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function halt(whole) {
    clearInterval(playing);
    playing = null;
    whole?.querySelector("[data-step=play]")?.replaceChildren("play");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".m1-construction button");
    if (!button) return;
    const whole = button.closest(".m1-construction");
    const last = JSON.parse(whole.dataset.stages).length - 1;
    const at = stage ?? last;
    const was = playing;
    halt(whole);
    if (button.dataset.step === "play") {
      if (was) return;
      stage = 0;
      show(whole, 0, true);
      button.replaceChildren("stop");
      playing = setInterval(() => {
        const now = document.querySelector(".m1-construction");
        if (!now || stage >= last) { halt(now); return; }
        stage += 1;
        show(now, stage, true);
      }, 1100);
      return;
    }
    stage = button.dataset.step === "back" ? Math.max(0, at - 1)
      : button.dataset.step === "on" ? (at + 1) % (last + 1) : Number(button.dataset.stage);
    show(whole, stage, true);
  });

  // A new picture, after a slider has moved, stays at the stage that was looked at.
  new MutationObserver(() => {
    press();
    document.querySelectorAll(".m1-construction:not([data-at])").forEach((whole) => {
      show(whole, stage, false);
      if (playing) whole.querySelector("[data-step=play]").replaceChildren("stop");
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  return { write, tab, move, shown, place, ready: begin };
})();
