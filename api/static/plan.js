/* The plan of an act: what its postes and what pays for them come to, while one fills it. The server
   decides; without script, it says the difference when the form is sent. */
"use strict";

(() => {
  const formulaire = document.querySelector(".formulaire-acte");
  if (!formulaire?.elements["plan.fse"]) return;
  const dit = document.createElement("output");
  dit.className = "plan-equilibre";
  formulaire.querySelector(".actions").append(dit);

  const total = (nom) =>
    [...formulaire.querySelectorAll("input")]
      .filter((champ) => nom.test(champ.name))
      .reduce((somme, champ) => somme + montants.lire(champ.value), 0n);

  const dire = () => {
    const postes = total(/^plan\.postes\.\d+\.montant$/);
    const ressources = total(/^plan\.(fse|ressources\.\d+\.montant)$/);
    const ecart = postes - ressources;
    const fin = ecart > 0n ? `il manque ${montants.ecrire(ecart)}`
      : ecart < 0n ? `${montants.ecrire(-ecart)} de trop` : "équilibré";
    dit.classList.toggle("plan-ecart", ecart !== 0n);
    dit.textContent = postes || ressources
      ? `Postes ${montants.ecrire(postes)} · FSE et ressources ${montants.ecrire(ressources)} · ${fin}`
      : "";
  };
  formulaire.addEventListener("change", dire);
  dire();
})();
