/* Dépenses: a document shown when it is asked for, a grid that follows the keyboard, files that are
   dropped. The pages are whole without. */
"use strict";

(() => {
  document.documentElement.classList.add("script");

  for (const details of document.querySelectorAll(".apercu-piece")) {
    details.addEventListener("toggle", () => {
      const cadre = details.querySelector("iframe[data-src]");
      if (!details.open || !cadre) return;
      cadre.src = cadre.dataset.src;
      delete cadre.dataset.src;
    });
  }

  /* Files dropped on the zone are those of its field, which says their names. */
  for (const zone of document.querySelectorAll("[data-depot]")) {
    const champ = zone.querySelector("input[type=file]");
    const survoler = (oui) => (event) => {
      event.preventDefault();
      zone.classList.toggle("survol", oui);
    };
    zone.addEventListener("dragover", survoler(true));
    zone.addEventListener("dragleave", survoler(false));
    zone.addEventListener("drop", (event) => {
      survoler(false)(event);
      if (!event.dataTransfer.files.length) return;
      const tous = new DataTransfer();
      for (const fichier of [...champ.files, ...event.dataTransfer.files]) tous.items.add(fichier);
      champ.files = tous.files;
      champ.focus();
    });
  }

  const grille = document.querySelector(".grille");
  if (!grille) return;
  const corps = grille.querySelector("tbody");
  const nombre = grille.querySelector("input[name=lignes]");
  const total = document.getElementById("total-saisi");
  const rangees = () => [...corps.querySelectorAll(".rangee")];
  const champs = (rangee) => [...rangee.querySelectorAll("input, select")];

  /* A line more, empty but for the poste, which mostly stays the same. */
  const ajouter = () => {
    const derniere = rangees().at(-1);
    const rang = Number(nombre.value);
    if (rang >= Number(grille.dataset.lignesMax)) return null;
    const neuve = derniere.cloneNode(true);
    neuve.dataset.rang = rang;
    neuve.querySelector("th").textContent = rang + 1;
    for (const champ of champs(neuve)) {
      const nom = champ.name.replace(/^l\d+/, `l${rang}`);
      champ.name = nom;
      champ.id = nom;
      champ.value = "";
      champ.removeAttribute("aria-invalid");
      champ.removeAttribute("aria-describedby");
      champ.setAttribute("aria-label", champ.getAttribute("aria-label").replace(/\d+$/, rang + 1));
    }
    corps.append(neuve);
    nombre.value = rang + 1;
    return neuve;
  };

  const voisine = (champ, pas) => {
    const toutes = rangees();
    const ou = toutes.indexOf(champ.closest(".rangee"));
    const colonne = champs(toutes[ou]).indexOf(champ);
    const autre = toutes[ou + pas] || (pas > 0 ? ajouter() : null);
    return autre ? champs(autre)[colonne] : null;
  };

  const additionner = () => {
    let somme = 0n;
    let lignes = 0;
    for (const champ of corps.querySelectorAll("[name$='.montant_impute']")) {
      const valeur = montants.lire(champ.value);
      somme += valeur;
      if (valeur !== 0n) lignes += 1;
    }
    total.textContent = lignes ? `${montants.ecrire(somme)} (${lignes})` : "";
  };

  /* As in a spreadsheet: after Tab, Enter goes back to the column where one began to tab. */
  let debut = 0;
  let tabule = false;
  corps.addEventListener("focusin", (event) => {
    const rangee = event.target.closest(".rangee");
    if (!rangee) return;
    const colonne = champs(rangee).indexOf(event.target);
    if (!tabule || colonne === 0) debut = colonne;
    tabule = false;
  });

  corps.addEventListener("input", additionner);
  corps.addEventListener("keydown", (event) => {
    const champ = event.target.closest("input, select");
    if (!champ || event.altKey || event.metaKey) return;
    const liste = champ.tagName === "SELECT";
    tabule = event.key === "Tab";
    if (event.key === "Enter" || (!liste && ["ArrowDown", "ArrowUp"].includes(event.key))) {
      event.preventDefault();
      const pas = event.key === "ArrowUp" || (event.key === "Enter" && event.shiftKey) ? -1 : 1;
      const rangee = voisine(champ, pas)?.closest(".rangee");
      if (!rangee) return;
      const colonne = event.key === "Enter" ? debut : champs(champ.closest(".rangee")).indexOf(champ);
      const suivante = champs(rangee)[colonne];
      suivante.focus();
      if (suivante.select) suivante.select();
    } else if (event.ctrlKey && event.key.toLowerCase() === "d") {
      event.preventDefault();
      const dessus = voisine(champ, -1);
      if (!dessus) return;
      champ.value = dessus.value;
      additionner();
    }
  });

  /* Cells copied from a spreadsheet fill the cells from here on. */
  corps.addEventListener("paste", (event) => {
    const depart = event.target.closest("input, select");
    const texte = event.clipboardData.getData("text");
    if (!depart || !/[\t\n]/.test(texte.trimEnd())) return;
    event.preventDefault();
    const colonne = champs(depart.closest(".rangee")).indexOf(depart);
    let rangee = depart.closest(".rangee");
    for (const ligne of texte.replace(/\r?\n$/, "").split(/\r?\n/)) {
      if (!rangee) break;
      ligne.split("\t").forEach((valeur, rang) => {
        const champ = champs(rangee)[colonne + rang];
        if (!champ) return;
        const dite = valeur.trim();
        const option = champ.options
          && [...champ.options].find((o) => [o.value, o.text].some((t) => t.toLowerCase() === dite.toLowerCase()));
        champ.value = champ.options ? (option ? option.value : "") : dite;
      });
      const toutes = rangees();
      rangee = toutes[toutes.indexOf(rangee) + 1] || ajouter();
    }
    additionner();
  });

  additionner();
  const fautif = corps.querySelector("[aria-invalid]");
  if (!document.querySelector(".resume") && !fautif) corps.querySelector("input").focus();
})();
