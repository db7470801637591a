/* The two panes of a control: keys, and where the focus goes. The page is whole without it. */
"use strict";

(() => {
  const CLE = "csf-raccourcis";
  const lignes = () => [...document.querySelectorAll("#csf-lignes .csf-ligne > a")];
  const aide = document.getElementById("csf-aide");
  const case_ = document.getElementById("csf-raccourcis");

  /* Keys can be turned off, and stay so (WCAG 2.1.4). */
  const actifs = () => {
    try { return localStorage.getItem(CLE) !== "non"; } catch { return true; }
  };
  if (case_) {
    case_.checked = actifs();
    case_.addEventListener("change", () => {
      try { localStorage.setItem(CLE, case_.checked ? "oui" : "non"); } catch { /* not kept */ }
    });
  }
  const montrer = () => { if (aide && !aide.open) aide.showModal(); };
  document.addEventListener("click", (event) => {
    if (event.target.closest(".csf-aide-ouvrir")) montrer();
  });
  const annoncer = () => {
    for (const bouton of document.querySelectorAll(".csf-aide-ouvrir")) bouton.hidden = !aide;
  };
  annoncer();

  /* The line that is looked at is marked in the list, and stays in sight. */
  const marquer = (defiler) => {
    const voulue = document.getElementById("csf-ligne")?.dataset.ligne;
    for (const lien of lignes()) {
      const ici = lien.parentElement.id === voulue;
      if (ici) lien.setAttribute("aria-current", "true");
      else lien.removeAttribute("aria-current");
      if (ici && defiler) lien.scrollIntoView({ block: "nearest" });
    }
  };
  marquer(true);

  const aller = (pas) => {
    const toutes = lignes();
    const ici = toutes.findIndex((lien) => lien.hasAttribute("aria-current"));
    const cible = toutes[Math.min(toutes.length - 1, Math.max(0, ici + pas))];
    if (!cible || cible === toutes[ici]) return;
    // A key typed before the line came is for that line, never for the one that is still shown.
    enChemin = true;
    cible.click();
  };
  let enChemin = false;
  let enAttente = null;
  const arriver = () => {
    enChemin = false;
    const faire = enAttente;
    enAttente = null;
    return faire;
  };
  document.addEventListener("htmx:error", arriver);
  document.addEventListener("htmx:response:error", arriver);
  const choisir = (id, focus) => {
    if (enChemin) {
      enAttente = () => choisir(id, focus);
      return;
    }
    const choix = document.getElementById(id);
    if (!choix) return;
    choix.checked = true;
    document.getElementById(focus)?.focus();
  };

  const touches = {
    ArrowUp: () => aller(-1),
    ArrowDown: () => aller(1),
    r: () => choisir("choix-retenir", "csf-enregistrer"),
    e: () => choisir("choix-ecarter", "motif"),
    "?": montrer,
  };
  /* Where keys already mean something, they mean only that. */
  const occupe = (cible) => cible.closest("input, select, textarea, dialog, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    const touche = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const faire = touches[touche];
    if (!faire || !document.getElementById("csf-ligne") || !actifs()) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (occupe(event.target)) return;
    event.preventDefault();
    faire();
  });
  /* Enter in the list of motifs saves, as it does in a field. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("#csf-decision select, #csf-decision input[type=radio]")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });

  /* A document is fetched when somebody wants to see it; the next line then shows its own at once. */
  let voirLesPieces = false;
  const montrerLaPiece = (details) => {
    const cadre = details.querySelector("iframe[data-src]");
    if (!details.open || !cadre) return;
    cadre.src = cadre.dataset.src;
    delete cadre.dataset.src;
  };
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.(".csf-apercu")) return;
    voirLesPieces = event.target.open;
    montrerLaPiece(event.target);
  }, true);

  /* After another line came: its title takes the focus, a refusal before it. */
  document.addEventListener("htmx:after:swap", () => {
    const volet = document.getElementById("csf-ligne");
    if (!volet) return;
    annoncer();
    marquer(true);
    const apercu = volet.querySelector(".csf-apercu");
    if (apercu && voirLesPieces) apercu.open = true;
    const refus = volet.querySelector(".resume[role=alert]");
    if (refus) {
      document.getElementById("annonces").textContent = "";
      refus.focus();
    } else {
      document.getElementById("csf-titre-ligne")?.focus({ preventScroll: true });
    }
    arriver()?.();
  });
})();
