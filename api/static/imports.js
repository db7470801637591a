/* Importing: drop a file on its zone, and know before sending whether the total is the right one. */
"use strict";

(() => {
  for (const zone of document.querySelectorAll("[data-depot]")) {
    const champ = zone.querySelector("input[type=file]");
    const glisser = zone.querySelector(".depot-glisser");
    if (glisser) glisser.hidden = false;
    const survol = (oui) => zone.classList.toggle("survolee", oui);
    zone.addEventListener("dragover", (event) => { event.preventDefault(); survol(true); });
    zone.addEventListener("dragleave", () => survol(false));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      survol(false);
      if (!event.dataTransfer.files.length) return;
      champ.files = event.dataTransfer.files;
      champ.dispatchEvent(new Event("change", { bubbles: true }));
      champ.focus();
    });
  }

  /* « 1 204 118,32 € » as whole cents; null when it is no amount. */
  const centimes = (texte) => {
    const nu = texte.replace(/[\s\u00a0\u202f€]/g, "").replace("\u2212", "-").replace(",", ".");
    if (!/^-?\d+(\.\d{1,2})?$/.test(nu)) return null;
    const [entiers, decimales = ""] = nu.replace("-", "").split(".");
    const valeur = BigInt(entiers) * 100n + BigInt(decimales.padEnd(2, "0"));
    return nu.startsWith("-") ? -valeur : valeur;
  };

  const formulaire = document.querySelector(".import-confirmer");
  if (!formulaire) return;
  const bouton = formulaire.querySelector("#importer");
  const dit = formulaire.querySelector("#total-dit");
  const partiel = formulaire.querySelector("#partiel");
  const total = formulaire.querySelector("#total");
  const attendu = "total" in formulaire.dataset ? BigInt(formulaire.dataset.total) : null;

  const dire = (texte, juste) => {
    dit.textContent = texte;
    dit.classList.toggle("total-juste", juste === true);
    dit.classList.toggle("total-faux", juste === false);
  };
  const regarder = () => {
    let pret = !partiel || partiel.checked;
    if (total) {
      const saisi = centimes(total.value);
      if (!total.value.trim()) dire("", null);
      else if (saisi === null) dire("Ce n’est pas un montant : écrivez-le en euros, par exemple 1 234,56.", false);
      else if (saisi === attendu) dire("Le total saisi est celui des lignes valides.", true);
      else {
        const ecart = saisi - attendu;
        const absolu = ecart < 0n ? -ecart : ecart;
        const cents = String(absolu % 100n).padStart(2, "0");
        dire(`Écart de ${ecart < 0n ? "−" : "+"}${(absolu / 100n).toLocaleString("fr-FR")},${cents} € avec les lignes valides.`, false);
      }
      pret = pret && saisi === attendu;
    }
    /* Not `disabled`: the button keeps the focus, and says why it does nothing. */
    bouton.setAttribute("aria-disabled", pret ? "false" : "true");
    return pret;
  };
  const doublons = formulaire.querySelectorAll("input[name=doublons]");
  const nouvelles = Number(bouton.dataset.nouvelles);
  const compter = () => {
    if (!doublons.length) return;
    const prises = nouvelles + [...doublons].filter((c) => c.checked).length;
    bouton.textContent = prises === 1 ? "Importer la ligne retenue" : `Importer les ${prises} lignes retenues`;
  };
  formulaire.addEventListener("input", () => { regarder(); compter(); });
  formulaire.addEventListener("submit", (event) => {
    if (regarder()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (partiel && !partiel.checked) {
      dire("Cochez la case pour importer sans les lignes en erreur, ou corrigez le classeur.", false);
      partiel.focus();
    } else {
      if (!total.value.trim()) dire("Saisissez le total de contrôle.", false);
      total.focus();
    }
  }, true);
  regarder();
  compter();
})();
