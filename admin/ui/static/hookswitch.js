// What forms and links cannot do by themselves: windows, menus that fold, keys, notices of failed requests.
(function () {
  "use strict";
  var frame = document.body;
  var dialog = document.getElementById("window");
  var notices = document.getElementById("notices");
  var progress = document.getElementById("progress");
  var waiting = 0;

  function notice(text) {
    if (!notices) { return; }
    var line = document.createElement("div");
    line.className = "hs-notice hs-notice-bad";
    line.setAttribute("role", "alert");
    line.textContent = text;
    notices.replaceChildren(line);
    notices.scrollIntoView({ block: "nearest" });
  }

  // Menus fold when something else is clicked, and on Escape.
  function fold(but) {
    document.querySelectorAll("details[data-drop][open]").forEach(function (open) {
      if (!but || !open.contains(but)) { open.open = false; }
    });
  }
  document.addEventListener("click", function (event) { fold(event.target); });
  document.addEventListener("toggle", function (event) {
    if (event.target.matches("details[data-drop]") && event.target.open) { fold(event.target); }
  }, true);

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      var open = document.querySelector("details[data-drop][open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      } else {
        setMenu(false);
      }
    }
    var typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      var search = document.querySelector("main input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
  });

  // The main menu on narrow screens.
  function setMenu(open) {
    var button = document.querySelector("[data-toggles=menu]");
    if (!button) { return; }
    button.setAttribute("aria-expanded", String(open));
    document.getElementById("menu").classList.toggle("hs-open", open);
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-toggles=menu]");
    if (button) { setMenu(button.getAttribute("aria-expanded") !== "true"); }
    var row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a, button, input, label, select") && !String(window.getSelection())) {
      window.location.assign(row.dataset.href);
    }
    var closing = event.target.closest("[data-closes=window]");
    if (closing && dialog && dialog.open) { event.preventDefault(); dialog.close(); }
  });

  // Whatever is fetched into the window opens it; whoever opened it gets the focus back.
  if (dialog) {
    document.body.addEventListener("htmx:afterSwap", function (event) {
      if (event.detail.target !== dialog) { return; }
      if (!dialog.open) { dialog.showModal(); }
      var wrong = dialog.querySelector("[aria-invalid=true], [role=alert]");
      var first = wrong || dialog.querySelector("[data-first-focus], [autofocus]") || dialog.querySelector("h1");
      if (first) { first.setAttribute("tabindex", first.getAttribute("tabindex") || (first.matches("h1, [role=alert]") ? "-1" : "0")); first.focus(); }
    });
    dialog.addEventListener("close", function () {
      var reloads = dialog.querySelector("[data-reloads]");
      dialog.replaceChildren();
      if (reloads) { window.location.reload(); }
    });
    dialog.addEventListener("click", function (event) {
      // A click beside the window: nothing typed may be lost, so only windows without a form close.
      if (event.target === dialog && !dialog.querySelector("form")) { dialog.close(); }
    });
  }

  // The search of the group picker is where one types next.
  document.body.addEventListener("htmx:afterSettle", function (event) {
    var search = event.target.closest("details[data-drop][open]") && event.target.querySelector("[data-first-focus]");
    if (search) { search.focus(); }
  });

  // Requests: a line at the top while one is under way, a notice when one fails. Those that the page
  // sends by itself are quiet.
  function isQuiet(event) { return event.detail.requestConfig.elt.matches("[data-quiet]"); }
  document.body.addEventListener("htmx:beforeRequest", function (event) {
    if (isQuiet(event)) { return; }
    waiting += 1;
    if (progress) { progress.classList.add("hs-busy"); progress.setAttribute("aria-hidden", "false"); }
  });
  document.body.addEventListener("htmx:afterRequest", function (event) {
    if (isQuiet(event)) { return; }
    waiting = Math.max(0, waiting - 1);
    if (!waiting && progress) { progress.classList.remove("hs-busy"); progress.setAttribute("aria-hidden", "true"); }
  });
  document.body.addEventListener("htmx:responseError", function (event) {
    if (isQuiet(event)) { return; }
    var request = event.detail.xhr;
    var plain = (request.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    notice(plain && request.responseText ? request.responseText : "That did not work. Try again, or load the page anew.");
  });
  document.body.addEventListener("htmx:sendError", function (event) {
    if (isQuiet(event)) { return; }
    notice("The server cannot be reached. What you see may be out of date; try again in a moment.");
  });
  document.body.addEventListener("htmx:timeout", function (event) {
    if (isQuiet(event)) { return; }
    notice("The server took too long. Try again in a moment.");
  });

  // A second click must not do it twice.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    window.setTimeout(function () { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  // What was typed into a search field was searched for by then; leaving the field asks for nothing new.
  document.addEventListener("change", function (event) {
    if (event.target.matches(".hs-filters input[type=search]")) { event.stopPropagation(); }
  }, true);

  // "At:" is meant by whoever types a time beside it.
  document.addEventListener("input", function (event) {
    var wanted = event.target.dataset.picks;
    if (wanted) {
      var option = event.target.closest("form").querySelector(wanted);
      if (option && !option.checked) { option.checked = true; option.dispatchEvent(new Event("change", { bubbles: true })); }
    }
    var all = event.target.closest("[data-checks-all]");
    if (all) {
      document.querySelectorAll(all.dataset.checksAll).forEach(function (box) { box.checked = all.checked; });
    }
    if (event.target.matches("[data-counted]")) { count(); }
  });

  // How many rows are chosen; acts upon none are not offered.
  function count() {
    document.querySelectorAll("[data-counts]").forEach(function (bar) {
      var chosen = document.querySelectorAll(bar.dataset.counts + ":checked").length;
      bar.classList.toggle("hs-any", chosen > 0);
      var shown = bar.querySelector("[data-count]");
      if (shown) { shown.textContent = chosen === 1 ? "1 chosen" : chosen + " chosen"; }
    });
  }
  document.addEventListener("change", count);
  document.body.addEventListener("htmx:afterSettle", count);
  count();

  // What is shown once is copied with a click.
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copies]");
    if (!button || !window.navigator.clipboard) { return; }
    window.navigator.clipboard.writeText(document.querySelector(button.dataset.copies).textContent).then(function () {
      button.lastChild.textContent = "Copied";
    });
  });

  // A secret behind the # of a link goes into the form and out of the address.
  var takes = document.querySelector("[data-takes-fragment]");
  if (takes && window.location.hash.length > 1) {
    takes.elements[takes.dataset.takesFragment].value = window.location.hash.slice(1);
    takes.querySelector("[data-hides-with-fragment]").hidden = true;
    window.history.replaceState(null, "", window.location.pathname);
  }

  frame.classList.add("hs-ready");
})();
