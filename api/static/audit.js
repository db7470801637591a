/* The grid of findings, by the keyboard: Enter goes down, Ctrl+Enter saves. Whole without it. */
"use strict";

(() => {
  const grille = document.querySelector("form[data-grille]");
  if (!grille) return;
  const sortie = document.getElementById("grille-saisie");
  const colonne = (champ) => champ.name.split("-", 1)[0];
  const champs = (nom) => [...grille.querySelectorAll(`input[name^="${nom}-"]`)];
  const vers = (champ, pas) => {
    const tous = champs(colonne(champ));
    const voisin = tous[tous.indexOf(champ) + pas];
    if (voisin) { voisin.focus(); voisin.select(); }
    return Boolean(voisin);
  };

  grille.addEventListener("keydown", (event) => {
    const champ = event.target;
    if (!(champ instanceof HTMLInputElement) || champ.type === "hidden") return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) { grille.requestSubmit(); return; }
      if (!vers(champ, event.shiftKey ? -1 : 1)) grille.querySelector("button[type=submit]")?.focus();
    } else if (event.key === "ArrowDown" && vers(champ, 1)) {
      event.preventDefault();
    } else if (event.key === "ArrowUp" && vers(champ, -1)) {
      event.preventDefault();
    }
  });

  const compter = () => {
    if (!sortie) return;
    const n = champs("erreur").filter((champ) => champ.value.trim()).length;
    sortie.textContent = n ? `${n} ${n > 1 ? "lignes saisies" : "ligne saisie"}, à enregistrer` : "";
  };
  let envoye = false;
  grille.addEventListener("input", compter);
  grille.addEventListener("submit", () => { envoye = true; });
  /* What was typed is not lost by a wrong key. */
  window.addEventListener("beforeunload", (event) => {
    if (!envoye && champs("erreur").some((champ) => champ.value !== champ.defaultValue)) event.preventDefault();
  });
  compter();
})();
