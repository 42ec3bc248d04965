// The desk without page loads: a decision is sent, says what it did, and moves on to the next comment.
// Without this script the same buttons are a form.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  document.addEventListener("DOMContentLoaded", () => {
    // On a phone the row of pages is longer than the screen.
    one(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    const form = one("#desk");
    if (form) decisions(form, keys(form));
  });

  function keys(form) {
    let last = null;
    form.addEventListener("focusin", (event) => { last = event.target.closest("[data-comment]") ?? last; });
    const items = () => all("[data-comment]:not([aria-busy])", form);
    const inView = (item) => item.getBoundingClientRect().bottom > 60;
    const here = () => (last?.isConnected && !last.hasAttribute("aria-busy") ? last : null);
    const go = (item) => {
      (item ?? one(".empty", form)).focus({ preventScroll: true });
      item?.scrollIntoView({ block: item.offsetHeight > innerHeight - 160 ? "start" : "nearest" });
    };
    const step = (by) => {
      const list = items(), at = list.indexOf(here());
      go(at < 0 ? list.find(inView) : list[Math.min(Math.max(at + by, 0), list.length - 1)]);
    };
    const open = (summary) => {
      summary.parentNode.open = true;
      one("select, textarea", summary.parentNode).focus();
    };
    const wanted = document.getElementById(location.hash.slice(1));
    // Before the page is loaded the browser would take the focus back.
    if (wanted?.matches("details")) addEventListener("load", () => open(one("summary", wanted)));
    const off = one("[data-keys-off]");
    try {
      off.checked = localStorage.getItem("keys off") === "true";
      off.addEventListener("change", () => localStorage.setItem("keys off", off.checked));
    } catch { /* a browser that keeps nothing: the choice lasts as long as the page */ }
    one("[data-help]").addEventListener("click", () => one("#keys").showModal());

    const typing = (event) => {
      const field = event.target, box = field.closest(".why"), button = box && one("button", box);
      const number = field.matches("select") && box ? Number(event.key) : 0;
      if (event.key === "Escape") { field.blur(); go(here()); }
      else if (number && field.options[number]) {
        event.preventDefault();
        field.selectedIndex = number;
        if (field.value === "other") one("textarea", box).focus();
        else button.click();
      } else if (button && event.key === "Enter" && (event.ctrlKey || field.matches("select"))) {
        event.preventDefault();
        button.click();
      }
    };

    document.addEventListener("keydown", (event) => {
      if (event.isComposing || off.checked || one("dialog[open]")) return;
      if (event.target.matches("input:not([type=checkbox]), textarea, select")) { typing(event); return; }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      let target = null;
      if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
      else if (key === "?") one("#keys").showModal();
      else if (key === "/") target = one("#q");
      else if (key === "z") target = one("[data-undo]:not([hidden])", form);
      else if (/^[asrxep]$/.test(key)) {
        const item = here() ?? items().find(inView);
        if (event.shiftKey && key === "x") for (const box of all(".pick input", form)) box.checked = true;
        else target = event.shiftKey ? one(`.bulk [data-bulk=${key}]`, form) : item && (one(`[data-key=${key}]`, item) ?? one(`main > details > [data-key=${key}]`));
        if (item) last = item;
      } else return;
      event.preventDefault();
      if (target?.matches("summary")) open(target);
      else if (target?.matches("#q")) target.focus();
      else target?.click();
    });
    return { items, go };
  }

  const LEADS_TO = { approve: "approved", spam: "spam", reject: "rejected" };

  function decisions(form, { items, go }) {
    const { view, csrf_token: token } = form.elements;
    // One comment on its own page: the form takes its moderator back to the queue.
    if (form.dataset.view === "one") return;
    const undoButton = one("[data-undo]", form), past = [];
    const place = new URLSearchParams({ status: view.value });
    for (const { name, value } of all("input[type=hidden][name]", form)) {
      if (!/^(csrf_token|view|seen|drawn|answered)$/.test(name)) place.set(name, value);
    }
    const here = `/moderation/?${place}`;
    const offerButton = one("[data-offer]", form);
    const undone = undoButton.dataset.undo;
    // An answer that is taken back has its text in the form of another page.
    if (undone) past.push(undone === "page" ? undone : { ids: undone.split(","), left: [], undoing: undoButton.dataset.undoing });
    // What the last page load said must not be said again by the next.
    history.replaceState(null, "", here);
    const say = (words) => { one("[role=status]", form).textContent = words; };

    async function post(to, ids, more) {
      const data = new URLSearchParams({ csrf_token: token.value, ...more });
      for (const id of ids) data.append("comment", id);
      for (const seen of all("[name=seen]", form)) data.append("seen", seen.value);
      try {
        const response = await fetch(to, { method: "POST", body: data, headers: { Accept: "application/json" } });
        const answer = await response.json();
        say(answer.message ?? answer.words);
        for (const count of all("[data-count]")) count.textContent = answer.counts?.[count.dataset.count] ?? count.textContent;
        document.title = document.title.replace(/^\d+/, answer.counts?.pending ?? "$&");
        return answer;
      } catch {
        say("The blog did not answer. Try again; what is shown here may have been decided.");
        return {};
      }
    }

    async function send(decision, ids, more) {
      const answer = await post("/moderation/decisions", ids, { decision, ...more });
      if (answer.moved?.length) propose(answer.offer);
      return (answer.moved ?? []).map(String);
    }

    // The others that wait from an author who was just approved for the first time.
    function propose(offer) {
      one("#offer", form).hidden = !offer;
      if (!offer) return;
      offerButton.dataset.offer = offer.ids.join();
      offerButton.textContent = `Approve the other ${offer.ids.length} that wait from ${offer.author}`;
    }

    async function recheck(ids) {
      const total = ids.length;
      while (ids?.length) ({ left: ids } = await post("/moderation/recheck", ids, { total }));
      await refresh();
    }

    // The server's own view of this list again, with the focus kept.
    async function refresh(id) {
      const text = await (await fetch(here)).text();
      const fresh = all("#desk [data-comment]", new DOMParser().parseFromString(text, "text/html"));
      for (const item of all("[data-comment]", form)) item.remove();
      one(".empty", form).before(...fresh);
      settle();
      go(items().find((item) => item.dataset.comment === id) ?? items()[0]);
    }

    function settle() {
      one(".empty", form).hidden = items().length > 0;
      undoButton.hidden = !past.length;
    }

    async function decide(decision, chosen, more, ids = chosen.map((item) => item.dataset.comment)) {
      const list = items();
      const rest = list.filter((item) => !chosen.includes(item));
      const next = rest.find((item) => list.indexOf(item) > list.indexOf(chosen[0])) ?? rest.at(-1);
      for (const item of chosen) item.setAttribute("aria-busy", "true");
      if (next) go(next);
      const moved = await send(decision, ids, more);
      for (const item of chosen) item.removeAttribute("aria-busy");
      if (!moved.length) { go(chosen[0] ?? list[0]); return; }
      const left = chosen.filter((item) => moved.includes(item.dataset.comment)).map((item) => [item, item.nextElementSibling]);
      if (decision !== "restore") past.push({ ids: moved, left, undoing: LEADS_TO[decision] });
      if (view.value === "all" || view.value === "private") { await refresh(next?.dataset.comment); return; }
      for (const [item] of left) item.remove();
      settle();
      if (next) go(next);  // what went away above has moved it
      if (!items().length) await refresh();
    }

    async function undo() {
      const entry = past.pop();
      if (!entry) return;
      const moved = await send("restore", entry.ids, { undoing: entry.undoing });
      if (!moved.length) { past.push(entry); return; }
      for (const [item, next] of entry.left.reverse()) {
        for (const box of all("details", item)) box.open = false;
        (next?.isConnected ? next : one(".empty", form)).before(item);
      }
      settle();
      if (!entry.left.length || view.value === "all") await refresh(entry.ids[0]);
      else go(entry.left.at(-1)[0]);
    }

    let working = Promise.resolve();
    form.addEventListener("submit", (event) => {
      const button = event.submitter, box = button?.closest(".why"), item = button?.closest("[data-comment]");
      const ticked = items().filter((other) => one(".pick input", other).checked);
      if (button?.getAttribute("formaction") === "/moderation/recheck" && ticked.length) {
        event.preventDefault();
        recheck(ticked.map((other) => other.dataset.comment));
      }
      if (button === undoButton && past.at(-1) === "page") return;
      if (button?.name !== "decision" && button !== undoButton) return;
      event.preventDefault();
      if (button === undoButton && !past.length) return;
      if (!button.value && button !== undoButton) return;
      // What is under way would take away again what undo brings back.
      if (button === undoButton) { working = working.then(undo); return; }
      if (button === offerButton) {
        const ids = button.dataset.offer.split(",");
        decide(button.value, items().filter((other) => ids.includes(other.dataset.comment)), {}, ids);
        return;
      }
      const chosen = item ? [item] : ticked;
      const more = box ? { reason: one("select", box).value, note: one("textarea", box).value } : {};
      if (chosen.length) working = Promise.allSettled([working, decide(button.value, chosen, more)]);
    });
  }
})();
