/* Dépenses: a document shown in the page only when it is asked for. The page is whole without. */
"use strict";

(() => {
  for (const details of document.querySelectorAll(".apercu-piece")) {
    details.addEventListener("toggle", () => {
      const cadre = details.querySelector("iframe[data-src]");
      if (!details.open || !cadre) return;
      cadre.src = cadre.dataset.src;
      delete cadre.dataset.src;
    });
  }
})();
