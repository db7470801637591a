/* What the pages do on top of what they do without any script. Each page is whole without it. */
"use strict";

(() => {
  /* A refusal or a cut while a part of a page was being fetched is said, never shown in its place. */
  const dire = (phrase) => {
    const zone = document.getElementById("annonces");
    if (zone) zone.textContent = phrase;
  };
  document.addEventListener("htmx:error", () =>
    dire("Le service n’a pas répondu : rien n’est perdu, recommencez dans un instant."));
  document.addEventListener("htmx:response:error", () =>
    dire("Le service a refusé cette demande : rien n’est enregistré, rechargez la page."));

  /* What is wrong takes the focus, so that it is read first. */
  const resume = document.querySelector(".resume[role=alert]");
  if (resume) resume.focus();

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
