/**
 * The one script of the pages, as a browser runs it; everything works without it. It keeps parts of the page up to date
 * (`data-live`), follows links and forms that only change a list in place (`data-swap`), asks before something is done
 * (`data-confirm`), and chooses all rows of a list (`data-all`).
 *
 * Nodes are changed, not replaced, so that what has the focus, is chosen or is open stays so. A row that has a key
 * (`data-key`) is never made into another row.
 * @module
 */
export const script = `"use strict";
(() => {
  const keyOf = (node) => node.nodeType === 1 ? node.dataset.key ?? "" : "";
  const isAlike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  function renewAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && name !== "checked" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && name !== "hidden" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    renewAttributes(old, fresh);
    if (old.nodeName === "INPUT" || old.nodeName === "SELECT") return;
    const keyed = new Map();
    for (const child of old.childNodes) if (keyOf(child) !== "") keyed.set(keyOf(child), child);
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const key = keyOf(child);
      const known = key === "" ? undefined : keyed.get(key);
      if (known !== undefined && known !== at && isAlike(known, child)) {
        old.insertBefore(known, at);
        renew(known, child);
      } else if (at !== null && isAlike(at, child)) {
        renew(at, child);
        at = at.nextSibling;
      } else {
        old.insertBefore(document.importNode(child, true), at);
      }
    }
    while (at !== null) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  const spoken = () => document.getElementById("spoken");
  let said = spoken()?.dataset.spoken;
  function speak(page) {
    const text = page.getElementById("spoken")?.dataset.spoken ?? "";
    if (text === said || text === "") return;
    said = text;
    const place = spoken();
    if (place !== null) place.textContent = text;
  }

  async function pageAt(url, headers) {
    const answer = await fetch(url, { headers, credentials: "same-origin" });
    if (answer.redirected && new URL(answer.url).pathname === "/login") {
      location.reload();
      return undefined;
    }
    if (!answer.ok) return undefined;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  let renewing = false;
  let again = false;
  async function renewLive() {
    if (document.hidden) return;
    if (renewing) {
      again = true;
      return;
    }
    renewing = true;
    try {
      const page = await pageAt(location.href, { "X-Live": "1" });
      if (page === undefined) return;
      for (const old of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(old.id);
        if (fresh === null) continue;
        if (old.nodeName === fresh.nodeName) renew(old, fresh);
        else old.replaceWith(document.importNode(fresh, true));
      }
      const title = page.querySelector("title")?.textContent;
      if (title) document.title = title;
      speak(page);
      showTools();
    } catch {
      // The server is away; the stream of events tells when it is back.
    } finally {
      renewing = false;
      if (again) setTimeout(renewLive, 1000);
      again = false;
    }
  }

  let events;
  let looking;
  function listen() {
    if (events !== undefined || document.hidden || document.querySelector("[data-live]") === null) return;
    events = new EventSource("/events");
    events.addEventListener("change", renewLive);
    // What happened between the page and its stream, the first one or one after a loss, is told by no event.
    events.addEventListener("open", renewLive);
  }

  // A browser has few connections for all its pages: one that nobody sees gives its own back.
  function leave() {
    events?.close();
    events = undefined;
  }

  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    listen();
    renewLive();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    listen();
    renewLive();
  });

  // What is being looked through changes without an event.
  function lookAgain() {
    clearTimeout(looking);
    if (document.querySelector("[data-live] progress") !== null) looking = setTimeout(renewLive, 1000);
  }

  async function swapTo(url, focus, keep) {
    const page = await pageAt(url, {}).catch(() => undefined);
    const [old, fresh] = [document.getElementById("main"), page?.getElementById("main")];
    if (old === null || !fresh) {
      location.assign(url);
      return;
    }
    if (keep) history.pushState(null, "", url);
    place = placeNow();
    const title = page.querySelector("title")?.textContent;
    if (title) document.title = title;
    said = undefined;
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    speak(page);
    showTools();
    (focus && document.getElementById(focus) || old).focus();
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-swap]") : null;
    if (link === null || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    swapTo(link.href, link.id, true);
  });

  // To another place in the same page leads the link that skips the navigation.
  const placeNow = () => location.pathname + location.search;
  let place = placeNow();
  addEventListener("popstate", () => {
    if (place !== placeNow()) swapTo(location.href, "", false);
  });

  /** Of a form that chooses messages: whether one is chosen. Without any the server says what is wrong. */
  function isAboutSome(form) {
    const boxes = [...form.querySelectorAll("input[type=checkbox][name=message]")];
    return boxes.length === 0 || boxes.some((box) => box.checked);
  }

  function confirmed(form, fields) {
    for (const [name, value] of [["confirmed", "1"], ...fields]) {
      if (!name) continue;
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    form.submit();
  }

  function ask(form, button) {
    const dialog = document.createElement("dialog");
    const text = document.createElement("p");
    text.id = "question";
    text.textContent = button.dataset.confirm;
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    const yes = document.createElement("button");
    yes.type = "button";
    yes.className = button.classList.contains("danger") ? "danger" : "main";
    yes.textContent = button.textContent.trim();
    const no = document.createElement("button");
    no.type = "button";
    no.textContent = "Cancel";
    no.autofocus = true;
    buttons.append(yes, no);
    // What was asked about: the button itself may become another one while the question is open.
    const fields = [[button.name, button.value]];
    dialog.append(text, buttons);
    dialog.setAttribute("aria-labelledby", "question");
    yes.addEventListener("click", () => confirmed(form, fields));
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      button.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    if (form.method === "get" && form.dataset.swap !== undefined) {
      event.preventDefault();
      const words = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
      swapTo(form.action + "?" + words, document.activeElement?.id ?? "", true);
    } else if (button?.dataset.confirm && isAboutSome(form)) {
      event.preventDefault();
      ask(form, button);
    }
  });

  function showTools() {
    for (const box of document.querySelectorAll("[data-all]")) box.hidden = false;
    tellChosen();
    lookAgain();
  }

  function tellChosen() {
    const words = document.getElementById("chosen-words");
    if (words === null) return;
    const chosen = document.querySelectorAll("input[name=message]:checked").length;
    words.textContent = chosen === 0 ? "With those chosen:" : "With the " + chosen + " chosen:";
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
    if (box.dataset.all !== undefined) {
      for (const one of document.querySelectorAll("input[name=" + box.dataset.all + "]")) one.checked = box.checked;
    }
    tellChosen();
  });

  showTools();
  listen();
})();
`;
