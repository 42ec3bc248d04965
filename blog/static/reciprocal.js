// Improves what already works: nothing here is needed to read, to answer or to decide.
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);

  // What this browser keeps, and never sends. A browser that keeps nothing is no reason to fail.
  const kept = {
    get(name) { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* full or forbidden */ } },
    drop(name) { try { localStorage.removeItem(name); } catch { /* forbidden */ } },
  };

  // Before anything is painted: the chosen colours, and room for what only a script can do.
  if (kept.get("theme")) root.dataset.theme = kept.get("theme");
  root.classList.add("js");

  document.addEventListener("DOMContentLoaded", () => {
    const form = one("#comment-form"), sent = one("main[data-sent]"), colour = one("[data-theme-switch]");
    if (colour) colours(colour);
    if (form) { mine(form); replies(form); drafts(form); remembered(form); sending(form); preview(form); }
    if (sent) receipt(`draft ${sent.dataset.sent}`);
  });

  function colours(button) {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
    const show = () => button.setAttribute("aria-pressed", dark());
    button.addEventListener("click", () => {
      const next = !dark();
      // Back at what the system says, the choice is forgotten and the system is followed again.
      if (next === system.matches) { delete root.dataset.theme; kept.drop("theme"); }
      else kept.set("theme", root.dataset.theme = next ? "dark" : "light");
      show();
    });
    system.addEventListener("change", show);
    show();
  }

  // A reply opens below the comment it answers: the one form moves there and names its parent.
  function replies(form) {
    const { parent, body } = form.elements, line = one("#reply-line"), home = form.parentNode;
    if (!line) return;
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-reply]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      parent.value = link.dataset.reply;
      one("bdi", line).textContent = one(".who", link.closest("article")).textContent;
      body.setAttribute("aria-labelledby", "reply-label");
      line.hidden = false;
      link.after(form);
      body.focus();
    });
    one("[data-no-reply]", line).addEventListener("click", () => {
      parent.value = "";
      body.removeAttribute("aria-labelledby");
      line.hidden = true;
      home.append(form);
      body.focus();
    });
  }

  // "Only me": kept here instead of sent. First of all that listens, so that nothing else sees it.
  function mine(form) {
    const { audience, body } = form.elements, box = one("#form-mine"), name = `mine ${form.dataset.draft}`;
    if (!box) return;
    const notes = () => kept.get(name) ?? [];
    const show = () => {
      box.hidden = !notes().length;
      one("ul", box).replaceChildren(...notes().map((note) => {
        const item = document.createElement("li"), text = document.createElement("p"), button = document.createElement("button");
        text.className = "words quoted";
        text.textContent = note;
        button.type = "button";
        button.textContent = box.dataset.forget;
        button.onclick = () => { kept.set(name, notes().filter((other) => other !== note)); show(); };
        item.append(text, button);
        return item;
      }));
    };
    audience.add(new Option(audience.dataset.onlyMe, "me"));
    audience.addEventListener("change", () => { form.noValidate = audience.value === "me"; });
    form.addEventListener("submit", (event) => {
      if (audience.value !== "me") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      kept.set(name, [...notes(), body.value]);
      if (!notes().includes(body.value)) return; // a browser that keeps nothing leaves it in the field
      body.value = "";
      body.dispatchEvent(new Event("input"));
      show();
      box.focus();
    });
    show();
  }

  // A draft is offered again after a crash, and goes when its receipt has been seen.
  function drafts(form) {
    const { parent, body } = form.elements, name = `draft ${form.dataset.draft}`, offer = one("#form-draft");
    const draft = kept.get(name);
    if (!offer) return;
    const keep = (sent) => {
      if (body.value.trim()) kept.set(name, { body: body.value, parent: parent.value, sent });
      else if (!sent && offer.hidden) kept.drop(name);
    };
    body.addEventListener("input", () => keep(false));
    form.addEventListener("submit", (event) => keep(event.submitter?.name !== "preview"));
    if (!draft?.body || body.value) return;
    offer.hidden = false;
    offer.addEventListener("click", (event) => {
      const choice = event.target.dataset.choice;
      if (!choice) return;
      offer.hidden = true;
      if (choice === "forget") kept.drop(name);
      else {
        if (draft.parent && !parent.value) one(`[data-reply="${CSS.escape(draft.parent)}"]`)?.click();
        body.value = draft.body + (body.value && `\n\n${body.value}`);
      }
      body.focus();
    });
  }

  function remembered(form) {
    const names = ["author", "email", "url"], box = one("#remember"), mine = kept.get("me");
    if (!box) return;
    box.checked = Boolean(mine);
    for (const name of names) form.elements[name].value ||= mine?.[name] ?? "";
    form.addEventListener("submit", () => {
      if (box.checked) kept.set("me", Object.fromEntries(names.map((name) => [name, form.elements[name].value])));
      else kept.drop("me");
    });
  }

  function sending(form) {
    const button = one("[data-busy]", form), words = button?.textContent;
    if (!button) return;
    form.addEventListener("submit", (event) => {
      if (event.submitter === button) button.textContent = button.dataset.busy;
    });
    addEventListener("pageshow", () => { button.textContent = words; });
  }

  // Pressed once, the preview follows the typing. When it cannot be had, the form is sent for it as without a script.
  function preview(form) {
    const { audience, body } = form.elements, button = one("[name=preview]", form);
    let later;
    if (!button) return;
    const look = async () => {
      if (audience.value === "me") return true;
      const data = new URLSearchParams(new FormData(form));
      data.set("preview", "1");
      try {
        const response = await fetch(form.action, { method: "POST", body: data });
        const fresh = one("#preview", new DOMParser().parseFromString(await response.text(), "text/html"));
        const old = one("#preview", form);
        if (!fresh) return false;
        if (old) old.replaceWith(fresh); else button.parentNode.before(fresh);
        return true;
      } catch { return false; }
    };
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      if (await look()) one("#preview", form)?.focus(); else form.requestSubmit(button);
    });
    body.addEventListener("input", () => {
      clearTimeout(later);
      if (one("#preview", form)) later = setTimeout(look, 400);
    });
  }

  function receipt(name) {
    if (kept.get(name)?.sent) kept.drop(name);
    const address = one("#address");
    one("[data-copy]")?.addEventListener("click", async (event) => {
      address.select();
      try { await navigator.clipboard.writeText(address.value); event.target.textContent = event.target.dataset.copy; }
      catch { /* it is selected, so that the keyboard can copy it */ }
    });
  }
})();
