// Downloads of long lists: how far one has come, a way to stop it, and what is said when it fails.
// Short ones are left to the browser.
(function () {
  "use strict";
  var MANY = 2000, MOST_COUNTED = 100000, NEW_LINE = 10;
  var notices = document.getElementById("notices");
  var running = false;

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-rows]");
    if (!link || Number(link.dataset.rows) < MANY || event.ctrlKey || event.metaKey) { return; }
    event.preventDefault();
    if (running) { return; }
    running = true;
    link.closest("details").open = false;
    var line = shown(link);
    fetched(link, line).catch(function (error) {
      line.fail(error.name === "AbortError" ? "The download was stopped." : error.message);
    }).finally(function () { running = false; });
  });

  async function fetched(link, line) {
    // As for a piece of a page, so that whatever fails comes as a line of text.
    var answer = await window.fetch(link.href, { headers: { "HX-Request": "true" }, signal: line.stop.signal });
    if (answer.headers.has("HX-Redirect")) { window.location.assign(answer.headers.get("HX-Redirect")); return; }
    if (!answer.ok) { throw new Error(await answer.text()); }
    var rows = Number(link.dataset.rows), seen = 0, bytes = 0, parts = [];
    var isCounted = rows <= MOST_COUNTED && answer.headers.get("Content-Type").startsWith("text/csv");
    var reader = answer.body.getReader();
    for (var read = await reader.read(); !read.done; read = await reader.read()) {
      parts.push(read.value);
      bytes += read.value.length;
      if (isCounted) { seen += read.value.filter(function (byte) { return byte === NEW_LINE; }).length; }
      line.tell(bytes, isCounted ? Math.min(1, seen / rows) : null);
    }
    var name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
    save(new Blob(parts, { type: answer.headers.get("Content-Type") }), name);
    line.done(name);
  }

  function save(content, name) {
    var link = document.createElement("a");
    link.href = window.URL.createObjectURL(content);
    link.download = name;
    link.click();
    window.setTimeout(function () { window.URL.revokeObjectURL(link.href); }, 60000);
  }

  // The line that tells how far it has come.
  function shown(link) {
    var line = document.createElement("div"), text = document.createElement("span");
    var bar = document.createElement("progress"), button = document.createElement("button");
    var stop = new AbortController();
    line.className = "hs-notice hs-download";
    bar.setAttribute("aria-label", "Downloaded");
    button.className = "btn btn-sm";
    button.textContent = "Stop";
    button.addEventListener("click", function () { stop.abort(); });
    text.textContent = "The download begins …";
    line.append(text, bar, button);
    notices.replaceChildren(line);
    notices.scrollIntoView({ block: "nearest" });
    function end(words) { text.textContent = words; bar.remove(); button.remove(); }
    return {
      stop: stop,
      tell: function (bytes, share) {
        var size = (bytes / 1e6).toFixed(1) + " MB";
        text.textContent = share === null ? size : Math.floor(100 * share) + " %, " + size;
        if (share !== null) { bar.value = share; }
      },
      done: function (name) { end(name + " is complete."); },
      fail: function (words) { line.classList.add("hs-notice-bad"); end(words); }
    };
  }
})();
