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

  return { write, tab, ready: begin };
})();
