/* What the pages do on top of what they do without any script. Each page is whole without it. */
"use strict";

(() => {
  /* A refusal or a cut while a part of a page was being fetched is said, never shown in its place. */
  const zone = document.getElementById("annonces");
  const dire = (...phrases) => {
    if (!zone) return;
    zone.replaceChildren(...phrases);
    delete zone.dataset.attente;
  };
  document.addEventListener("htmx:error", () =>
    dire("Le service n’a pas répondu : rien n’est perdu, recommencez dans un instant."));
  document.addEventListener("htmx:response:error", () =>
    dire("Le service a refusé cette demande : rien n’est enregistré, rechargez la page."));

  /* The session is over, or a fresh code is asked: nothing takes the place of what was typed. A form
     that was being sent is sent again by the browser itself: the page that answers keeps it. */
  const attendre = (lien) => {
    if (!zone || zone.dataset.attente === lien) return;
    const ailleurs = document.createElement("a");
    ailleurs.href = lien;
    ailleurs.target = "_blank";
    ailleurs.rel = "noopener";
    ailleurs.textContent = "identifiez-vous dans un autre onglet";
    dire("Votre session est terminée, ou demande un code. Ce que vous avez écrit est encore là : ",
      ailleurs, ", puis recommencez ici.");
    zone.dataset.attente = lien;
  };
  document.addEventListener("htmx:before:response", (event) => {
    const { response, request, sourceEvent } = event.detail.ctx;
    const lien = response.headers.get("OI-Attente");
    if (!lien) {
      if (zone?.dataset.attente && response.raw.ok) dire();
      return;
    }
    event.preventDefault();
    if (sourceEvent?.type !== "submit" || !request.form) { attendre(lien); return; }
    const { form, submitter } = request;
    if (submitter?.name) {
      const presse = document.createElement("input");
      presse.type = "hidden";
      presse.name = submitter.name;
      presse.value = submitter.value;
      form.append(presse);
    }
    HTMLFormElement.prototype.submit.call(form);
  });

  /* A form is sent once, however often its button is pressed. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.envoye) { event.preventDefault(); return; }
    form.dataset.envoye = "oui";
    form.setAttribute("aria-busy", "true");
  });
  /* Back from the next page, the form can be sent again. */
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-envoye]")) {
      delete form.dataset.envoye;
      form.removeAttribute("aria-busy");
    }
  });

  /* What waits for the reader, beside the pages of the menu where it waits. */
  const attentes = document.querySelectorAll(".attend[data-page]");
  if (attentes.length) {
    fetch("/ce-qui-attend", { headers: { accept: "application/json" } })
      .then((reponse) => (reponse.ok ? reponse.json() : []))
      .then((lues) => {
        for (const { page, nombre, phrase } of lues) {
          const place = document.querySelector(`.attend[data-page="${page}"]`);
          if (!place) continue;
          const dit = document.createElement("span");
          dit.className = "visually-hidden";
          dit.textContent = ` ${phrase}`;
          place.replaceChildren(String(nombre), dit);
          place.hidden = false;
        }
      })
      .catch(() => {});
  }

  /* Suggestions: down enters them, up and down walk them, Escape or leaving closes them. */
  const recherche = document.querySelector("form.recherche");
  if (recherche) {
    const champ = document.getElementById("recherche-globale");
    const zone = document.getElementById("recherche-suggestions");
    const fermer = () => zone.replaceChildren();
    recherche.addEventListener("keydown", (event) => {
      const liens = [...zone.querySelectorAll("a")];
      if (event.key === "Escape" && liens.length) { fermer(); champ.focus(); return; }
      const pas = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!pas || !liens.length) return;
      event.preventDefault();
      (liens[liens.indexOf(document.activeElement) + pas] || champ).focus();
    });
    document.addEventListener("focusin", (event) => {
      if (!recherche.contains(event.target)) fermer();
    });
    document.addEventListener("click", (event) => {
      if (!recherche.contains(event.target)) fermer();
    });
  }

  /* Ctrl-K, or Cmd-K, goes to the search field from anywhere. */
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      const champ = document.getElementById("recherche-globale");
      if (!champ) return;
      event.preventDefault();
      champ.focus();
      champ.select();
    }
  });
})();
