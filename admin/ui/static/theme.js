// Runs before the page is drawn, so that it never flashes in the wrong colours.
(function () {
  var root = document.documentElement;
  var chosen = root.dataset.theme;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function draw() {
    root.setAttribute("data-bs-theme", chosen === "system" || !chosen ? (dark.matches ? "dark" : "light") : chosen);
  }
  root.classList.add("js");
  draw();
  dark.addEventListener("change", draw);
})();
