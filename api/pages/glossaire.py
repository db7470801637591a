"""The words of the pages, each with its meaning, and the link that explains a word in place."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from api.filters import insecable


@dataclass(frozen=True, slots=True)
class Terme:
    """A word; ``libelle`` is its full form, ``court`` what people say."""

    code: str
    libelle: str
    sens: str
    court: str = ""

    @property
    def dit(self) -> str:
        """The word as pages write it."""
        return self.court or self.libelle


def _termes(*termes: tuple[str, ...]) -> tuple[Terme, ...]:
    return tuple(Terme(*terme) for terme in termes)


CHAPITRES: Mapping[str, tuple[Terme, ...]] = {
    "Qui": _termes(
        (
            "oi",
            "organisme intermédiaire pivot",
            (
                "Reçoit de l’État une subvention globale de FSE, la répartit entre plusieurs PLIE, "
                "contrôle et paie les opérations."
            ),
            "OI",
        ),
        (
            "plie",
            "plan local pour l’insertion et l’emploi",
            (
                "Accompagne vers l’emploi les personnes de son territoire. Il propose des "
                "opérations ; il n’attribue pas lui-même le FSE."
            ),
            "PLIE",
        ),
        ("beneficiaire", "bénéficiaire", "Personne morale qui porte une opération et en répond."),
        (
            "agd",
            "autorité de gestion déléguée",
            "Service de l’État qui délègue à l’OI une part du programme.",
            "AGD",
        ),
        (
            "autorite_certification",
            "autorité de certification",
            "Présente les dépenses à la Commission européenne ; fonction comptable depuis 2021.",
        ),
        (
            "autorite_audit",
            "autorité d’audit",
            "Contrôle un échantillon d’opérations déjà certifiées, sur place et sur pièces.",
        ),
        ("gestionnaire", "gestionnaire de l’OI", "Instruit les dossiers et contrôle les bilans."),
        (
            "comptable",
            "comptable de l’OI",
            "Saisit les dépenses, prépare les paiements, enregistre les virements et les retours.",
        ),
        (
            "valideur",
            "valideur de l’OI",
            "Valide les rapports d’instruction et les contrôles qu’un autre a faits.",
        ),
        (
            "ordonnateur",
            "ordonnateur de l’OI",
            (
                "Signe les conventions et ordonnance les paiements qu’un autre a préparés, avec "
                "son second facteur."
            ),
        ),
        (
            "deport",
            "déport",
            "Retrait d’une personne qu’un lien d’intérêt écarte d’une décision, noté avec elle.",
        ),
        (
            "separation",
            "séparation des fonctions",
            (
                "Celui qui a préparé, contrôlé ou validé ne fait pas le pas suivant : le service "
                "le refuse, en disant quel acte l’empêche."
            ),
        ),
    ),
    "La maquette": _termes(
        (
            "subvention_globale",
            "subvention globale",
            "Convention par laquelle l’État confie du FSE à l’OI pour plusieurs années.",
        ),
        (
            "maquette",
            "maquette",
            (
                "Tableau de ce qui est alloué et consommé, par tranche, axe ou priorité, objectif "
                "spécifique, dispositif et PLIE."
            ),
        ),
        ("tranche", "tranche", "Part annuelle de la maquette."),
        ("enveloppe", "enveloppe", "Ce qu’une ligne de la maquette accorde à un PLIE."),
        (
            "reserve",
            "réserve",
            "Ce que l’OI garde en main sur une ligne, pour le répartir ensuite.",
        ),
        (
            "programme",
            "programmé",
            "FSE des opérations approuvées par l’instance, déprogrammations déduites.",
        ),
        (
            "programme_ajuste",
            "programmé ajusté",
            "Le programmé, où une opération soldée ne compte plus que pour ce qui lui est dû.",
        ),
        (
            "conventionne",
            "conventionné",
            "Montant maximal des conventions notifiées, au dernier avenant.",
        ),
        (
            "declare",
            "déclaré",
            "FSE que les dépenses des bilans demandent, plafonné par la convention.",
        ),
        (
            "retenu",
            "retenu après CSF",
            "FSE dû après le dernier contrôle de service fait validé : le « consommé ».",
        ),
        ("paye", "payé", "Avances, acomptes et soldes versés, moins les reversements encaissés."),
        ("reliquat", "reliquat", "Programmé moins dû, libéré quand l’opération est soldée."),
        (
            "contrepartie",
            "contrepartie",
            "Tout financement qui n’est pas le FSE : public, privé ou autofinancement.",
        ),
        (
            "levier",
            "levier",
            (
                "FSE, ou autres fonds publics, obtenus pour un euro d’apport direct des communes "
                "et des intercommunalités."
            ),
        ),
        (
            "couverture",
            "couverture",
            "Part du besoin (coût total moins FSE) que des contreparties couvrent.",
        ),
        (
            "n3",
            "dégagement d’office",
            (
                "Perte de ce qu’un engagement annuel n’a pas couvert par des dépenses certifiées "
                "au 31 décembre de la troisième année suivante."
            ),
            "N+3",
        ),
    ),
    "La vie d’un dossier": _termes(
        (
            "recevabilite",
            "recevabilité",
            "Le dossier est complet et remplit les conditions de l’appel à projets.",
        ),
        ("instruction", "instruction", "Analyse du dossier et de son plan de financement."),
        (
            "programmation",
            "programmation",
            "Décision de l’instance de l’OI qui attribue le FSE à une opération.",
        ),
        ("convention", "convention", "Acte signé avec le bénéficiaire ; il fixe plan et durée."),
        ("avenant", "avenant", "Modification réexaminée, programmée, puis signée."),
        (
            "plan",
            "plan de financement",
            "Ce que coûte l’opération, poste par poste, et qui le paie.",
        ),
        (
            "ocs",
            "option de coûts simplifiés",
            "Taux forfaitaire, coût unitaire ou montant forfaitaire, qui remplace des pièces.",
            "OCS",
        ),
        ("poste", "poste", "Catégorie de dépenses du plan : personnel, fonctionnement, etc."),
        (
            "acquittement",
            "acquittement",
            "Preuve qu’une dépense a été payée par le bénéficiaire, dans les délais.",
        ),
        (
            "bilan",
            "bilan d’exécution",
            (
                "Demande de paiement du bénéficiaire, intermédiaire ou finale, avec ses dépenses "
                "et ses ressources."
            ),
        ),
        (
            "csf",
            "contrôle de service fait",
            (
                "Contrôle d’un bilan : chaque dépense est retenue ou écartée, puis le FSE dû est "
                "calculé. Une personne contrôle, une autre valide."
            ),
            "CSF",
        ),
        ("ecarte", "écarté", "Part d’une dépense que le contrôle ne retient pas, avec son motif."),
        (
            "contradictoire",
            "phase contradictoire",
            (
                "Délai laissé au bénéficiaire pour répondre quand le contrôle retient moins que "
                "demandé."
            ),
        ),
        (
            "surfinancement",
            "surfinancement",
            "Ressources plus FSE au-delà du coût : le FSE est réduit d’autant.",
        ),
        (
            "cloture_office",
            "clôture d’office",
            "Fin décidée par l’OI quand un bilan réclamé n’est pas venu.",
        ),
    ),
    "L’argent qui part et qui revient": _termes(
        ("avance", "avance", "Versée au démarrage, avant tout contrôle, puis imputée sur le dû."),
        ("acompte", "acompte", "Versé après le contrôle d’un bilan intermédiaire."),
        ("solde", "solde", "Versé après le contrôle du bilan final."),
        (
            "preparation",
            "préparation",
            "Le comptable prépare un paiement au montant que le contrôle rend dû.",
        ),
        (
            "ordonnancement",
            "ordonnancement",
            "L’ordonnateur signe ce qu’un autre a préparé, si c’est toujours dû.",
        ),
        (
            "delai_paiement",
            "délai de paiement",
            (
                "Jours que le règlement donne, du dépôt du bilan au virement, interruptions "
                "déduites. Le jour du dépôt est le jour 0."
            ),
        ),
        (
            "interruption",
            "interruption du délai",
            (
                "Le délai s’arrête si le montant n’est pas dû, si une pièce manque ou si une "
                "irrégularité est soupçonnée ; le bénéficiaire en est averti par écrit."
            ),
        ),
        (
            "indu",
            "indu, trop-perçu",
            "Ce qui est payé et n’est pas dû, une fois le dernier contrôle rendu.",
        ),
        (
            "ordre_reversement",
            "ordre de reversement",
            "Demande de rendre un indu ; il s’encaisse, se compense, se conteste, ou se perd.",
        ),
        (
            "compensation",
            "compensation",
            "Un ordre de reversement se règle sur un paiement dû au même bénéficiaire.",
        ),
        (
            "irrecouvrable",
            "irrécouvrable",
            "Créance, ou part, dont une décision dit qu’elle ne reviendra pas.",
        ),
        (
            "etat_depenses",
            "état de dépenses",
            "Ce que l’OI transmet à l’autorité de gestion pour le faire certifier.",
        ),
        (
            "certification",
            "certification",
            "Inclusion de dépenses dans un appel de fonds à la Commission.",
        ),
        ("retrait", "retrait", "Dépenses certifiées que l’État retire d’un appel de fonds."),
        (
            "controle_operation",
            "contrôle d’opération",
            "Audit d’une opération déjà certifiée, avec constats, réponses et suites.",
        ),
    ),
    "La preuve": _termes(
        (
            "journal",
            "journal",
            (
                "Suite des faits enregistrés ; rien ne s’y modifie ni ne s’y efface. Une erreur se "
                "corrige par un nouveau fait."
            ),
        ),
        ("fait", "fait, événement", "Un acte enregistré : numéro, jour d’effet, personne, rôle."),
        (
            "date_effet",
            "date d’effet",
            "Jour auquel un fait compte, qui peut précéder celui de son enregistrement.",
        ),
        (
            "situation",
            "situation",
            (
                "Les chiffres à un jour (« Situation au ») et tels que connus à un moment (« telle "
                "que connue le ») : deux dates, sur toutes les pages qui montrent des chiffres."
            ),
        ),
        (
            "ancre",
            "ancre",
            "Empreinte du journal, signée et gardée ailleurs : elle prouve qu’il n’a pas changé.",
        ),
        ("piece", "pièce", "Document joint à un acte, connu par son empreinte SHA-256."),
        ("lot", "lot", "Lignes d’un classeur importées en un seul acte, annulables ensemble."),
        (
            "second_facteur",
            "second facteur",
            "Code d’une application, demandé en plus du mot de passe ; redonné pour signer.",
        ),
    ),
}

GLOSSAIRE: Mapping[str, Terme] = {t.code: t for termes in CHAPITRES.values() for t in termes}


def terme(code: str, mots: str | None = None) -> Markup:
    """Write a word with its meaning at hand, and the way to the glossary.

    In a template: ``{{ terme('csf') }}``, or ``{{ terme('csf', 'contrôles') }}``.
    """
    found = GLOSSAIRE[code]
    return Markup('<a class="terme" href="/glossaire#{}" title="{}">{}</a>').format(
        found.code, insecable(found.sens), escape(mots or found.dit)
    )
