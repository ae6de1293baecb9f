// The call log while somebody looks at it: asks for what is new, less often while nothing answers.
(function () {
  "use strict";
  var EVERY = 5000, SLOWEST = 60000, MOST_ROWS = 250;
  var KEPT = "hookswitch-live";
  var toggle = document.querySelector("[data-live-switch]");
  var pause = EVERY, timer = null, hiddenAt = 0, asking = false;

  function asker() { return document.querySelector("[data-live]"); }
  function wanted() { return toggle.checked && !document.hidden; }

  function plan() {
    window.clearTimeout(timer);
    if (wanted()) { timer = window.setTimeout(ask, pause); }
  }
  function ask() {
    var element = asker();
    if (element && wanted() && !asking) { asking = true; window.htmx.trigger(element, "live"); }
    plan();
  }
  function anew() {
    var rows = document.getElementById("calls");
    if (rows && asker()) { window.htmx.ajax("GET", window.location.pathname + window.location.search, "#grid"); }
  }

  function show() { toggle.closest("label").hidden = !asker(); }

  document.body.addEventListener("htmx:afterRequest", function (event) {
    // The element that asked has been replaced by now.
    if (!event.detail.requestConfig.elt.matches("[data-live]")) { return; }
    asking = false;
    pause = event.detail.successful ? EVERY : Math.min(2 * pause, SLOWEST);
    plan();
  });
  document.body.addEventListener("htmx:oobBeforeSwap", function (event) {
    // A row that the list was loaded with meanwhile is not put in again.
    if (event.detail.target.id !== "calls") { return; }
    event.detail.fragment.querySelectorAll("tr[id]").forEach(function (row) {
      if (document.getElementById(row.id)) { row.remove(); }
    });
  });
  document.body.addEventListener("htmx:afterSettle", function () {
    var rows = document.getElementById("calls");
    if (rows && rows.children.length > MOST_ROWS) { anew(); }
    var nothing = document.querySelector("#grid .hs-empty");
    if (rows && rows.children.length && nothing) { nothing.remove(); }
    show();
  });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) {
      hiddenAt = Date.now();
      window.clearTimeout(timer);
    } else {
      pause = EVERY;
      // After a while away the whole list is newer than what could be added to it.
      if (hiddenAt && Date.now() - hiddenAt > SLOWEST && wanted()) { anew(); plan(); } else { ask(); }
    }
  });
  toggle.addEventListener("change", function () {
    window.localStorage.setItem(KEPT, toggle.checked ? "on" : "off");
    ask();
  });
  toggle.checked = window.localStorage.getItem(KEPT) !== "off";
  show();
  plan();
})();
