// Sound: files that are dropped into a form, and how far a recording has been played.
(function () {
  "use strict";

  function zone(event) { return event.target.closest && event.target.closest("[data-takes-file]"); }
  function megabytes(bytes) { return (bytes / 1048576).toFixed(1) + " MB"; }

  // The field itself takes what is dropped on it; this shows what it took, and refuses what the server would.
  document.addEventListener("change", function (event) {
    var taker = zone(event);
    if (!taker) { return; }
    var file = event.target.files[0];
    var field = taker.closest(".hs-field");
    var wrong = field.querySelector("[data-file-wrong]");
    var isTooLarge = Boolean(file) && file.size > Number(taker.dataset.takesFile);
    if (file) { taker.querySelector("[data-file-said]").lastChild.textContent = file.name + ", " + megabytes(file.size); }
    wrong.hidden = !isTooLarge;
    wrong.lastElementChild.textContent = isTooLarge ? "The file is larger than " + megabytes(taker.dataset.takesFile) : "";
    event.target.classList.toggle("is-invalid", isTooLarge);
    field.closest("form").querySelector("button.btn-primary").disabled = isTooLarge;
  });
  ["dragenter", "dragover"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      var taker = zone(event);
      if (taker) { taker.classList.add("hs-dragged-over"); }
    });
  });
  ["dragleave", "drop"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      var taker = zone(event);
      if (taker) { taker.classList.remove("hs-dragged-over"); }
    });
  });

  // A wave shows how far its sound has come, and a click on it goes there.
  document.addEventListener("timeupdate", function (event) {
    var sound = event.target.closest("[data-sound]");
    var played = sound && sound.querySelector("[data-wave] rect");
    if (played && event.target.duration) {
      played.setAttribute("width", String(200 * event.target.currentTime / event.target.duration));
    }
  }, true);
  document.addEventListener("click", function (event) {
    var wave = event.target.closest("[data-wave]");
    var audio = wave && wave.closest("[data-sound]").querySelector("audio");
    if (audio && audio.duration) {
      var box = wave.getBoundingClientRect();
      audio.currentTime = audio.duration * (event.clientX - box.left) / box.width;
      audio.play();
    }
  });
})();
