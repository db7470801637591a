/* Amounts as people write them, in cents: never a float. */
"use strict";

globalThis.montants = {
  /* Nothing when it cannot be read: the server says why. */
  lire(texte) {
    const nu = texte.replace(/[\s\u00a0\u202f€]/g, "").replace("−", "-");
    const lu = /^(-?)(\d{1,13})(?:[.,](\d{1,2}))?$/.exec(nu);
    if (!lu) return 0n;
    const valeur = BigInt(lu[2]) * 100n + BigInt((lu[3] || "").padEnd(2, "0"));
    return lu[1] ? -valeur : valeur;
  },
  ecrire(centimes) {
    const absolu = centimes < 0n ? -centimes : centimes;
    const euros = String(absolu / 100n).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
    const reste = String(absolu % 100n).padStart(2, "0");
    return `${centimes < 0n ? "\u2212" : ""}${euros},${reste}\u00a0€`;
  },
};
