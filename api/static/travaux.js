/* A work that moved on is said, and the title of the tab follows. The page is whole without it. */
"use strict";

(() => {
  const annonce = document.getElementById("annonce-travail");
  const travail = () => document.getElementById("travail");
  let dit = travail()?.dataset.etat;
  document.addEventListener("htmx:after:swap", () => {
    const etat = travail()?.dataset.etat;
    if (!etat || etat === dit) return;
    dit = etat;
    if (annonce) annonce.textContent = etat;
    document.title = document.title.replace(/^[^·]+/, `${etat.replace(" :", ",")} `);
  });
})();
