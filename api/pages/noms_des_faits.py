"""The names of facts as people read them: those of the log are ASCII, without accents."""

from collections.abc import Mapping

from api.pages.ecriture import majuscule

#: Words of the names of facts that lose something without their accents.
_MOTS: Mapping[str, str] = {
    "abandonne": "abandonné",
    "acquitte": "acquitté",
    "affectee": "affectée",
    "agd": "de l’AGD",
    "ajournee": "ajournée",
    "ancre": "ancré",
    "annule": "annulé",
    "archive": "archivé",
    "arrete": "arrêté",
    "attribue": "attribué",
    "certifiee": "certifiée",
    "changee": "changée",
    "cle": "clé",
    "cloture": "clôture",
    "cloturee": "clôturée",
    "commence": "commencé",
    "complement": "complément",
    "conteste": "contesté",
    "controle": "contrôle",
    "controlee": "contrôlée",
    "controlees": "contrôlées",
    "conventionnee": "conventionnée",
    "corrige": "corrigé",
    "creance": "créance",
    "csf": "CSF",
    "decide": "décidé",
    "decidee": "décidée",
    "decision": "décision",
    "declaree": "déclarée",
    "definitif": "définitif",
    "delai": "délai",
    "demande": "demandé",
    "demarree": "démarrée",
    "depense": "dépense",
    "depenses": "dépenses",
    "depose": "déposé",
    "deposee": "déposée",
    "deprogrammee": "déprogrammée",
    "designe": "désigné",
    "echantillon": "échantillon",
    "effectue": "effectué",
    "emis": "émis",
    "encaisse": "encaissé",
    "etablie": "établie",
    "etat": "état",
    "executee": "exécutée",
    "ferme": "fermé",
    "fixe": "fixé",
    "fse": "FSE",
    "importe": "importé",
    "intermediaires": "intermédiaires",
    "irrecevabilite": "irrecevabilité",
    "irrecouvrable": "irrécouvrable",
    "juge": "jugé",
    "liberee": "libérée",
    "marche": "marché",
    "modifie": "modifié",
    "note": "noté",
    "notifie": "notifié",
    "operation": "opération",
    "operee": "opérée",
    "ordonnance": "ordonnancé",
    "percue": "perçue",
    "perimetre": "périmètre",
    "pieces": "pièces",
    "plie": "PLIE",
    "prepare": "préparé",
    "prevision": "prévision",
    "previsions": "prévisions",
    "programme": "programmé",
    "prolonge": "prolongé",
    "prononcee": "prononcée",
    "propose": "proposé",
    "publie": "publié",
    "realisation": "réalisation",
    "realisations": "réalisations",
    "recevabilite": "recevabilité",
    "reclame": "réclamé",
    "rectifie": "rectifié",
    "recu": "reçu",
    "recues": "reçues",
    "refaites": "refaites",
    "regularisee": "régularisée",
    "rejete": "rejeté",
    "renseigne": "renseigné",
    "renvoye": "renvoyé",
    "reponse": "réponse",
    "reserve": "réserve",
    "reservee": "réservée",
    "resiliee": "résiliée",
    "resultat": "résultat",
    "retabli": "rétabli",
    "retablie": "rétablie",
    "retire": "retiré",
    "role": "rôle",
    "seance": "séance",
    "signe": "signé",
    "tire": "tiré",
    "transfere": "transféré",
    "valide": "validé",
    "verifies": "vérifiés",
}

#: What stands between two words, that the names of the log leave out.
_LIAISONS: Mapping[str, str] = {
    "appel a projets": "appel à projets",
    "avis PLIE": "avis du PLIE",
    "clôture office": "clôture d’office",
    "contrôle opération": "contrôle d’opération",
    "délai paiement": "délai de paiement",
    "délai réponse": "délai de réponse",
    "délai suite": "délai d’une suite",
    "enveloppe PLIE": "enveloppe d’un PLIE",
    "mise a disposition": "mise à disposition",
    "objectif certification": "objectif de certification",
    "ordre reversement": "ordre de reversement",
    "plan financement": "plan de financement",
    "rapport instruction": "rapport d’instruction",
    "transfert enveloppe": "transfert d’enveloppe",
    "état dépenses": "état de dépenses",
}


def _mot(mot: str) -> str:
    if mot in _MOTS:
        return _MOTS[mot]
    for sans, avec in (("ees", "ées"), ("ee", "ée")):
        if mot.endswith(sans):
            return mot.removesuffix(sans) + avec
    return mot


def dire_le_nom(nom: str) -> str:
    """Say the name of a fact: ``convention.csf_valide.v1`` gives « Convention : CSF validé »."""
    agregat, fait, *_ = nom.split(".")
    dits = (" ".join(map(_mot, part.split("_"))) for part in (agregat, fait))
    dit = " : ".join(dits)
    for sans, avec in _LIAISONS.items():
        dit = dit.replace(sans, avec)
    return majuscule(dit)
