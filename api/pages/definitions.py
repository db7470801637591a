"""What the quantities and the ratios of the maquette are called, and what they mean."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A quantity or a ratio as the page names and explains it."""

    nom: str
    libelle: str
    sens: str


MONTANTS = (
    Definition(
        "fse_maquette",
        "Enveloppe",
        "Subvention FSE attribuée au PLIE dans la maquette en vigueur (notifications, transferts "
        "et avenants compris).",
    ),
    Definition(
        "fse_depose",
        "Déposé",
        "Subvention demandée dans les dossiers déposés, hors dossiers irrecevables ou retirés.",
    ),
    Definition(
        "fse_programme",
        "Programmé",
        "Subvention accordée par le comité de programmation, au dernier montant programmé, nette "
        "des déprogrammations.",
    ),
    Definition(
        "fse_programme_ajuste",
        "Programmé ajusté",
        "Programmé, où une opération soldée ne compte plus que pour le FSE qui lui est dû : son "
        "reliquat est libéré.",
    ),
    Definition(
        "fse_conventionne",
        "Conventionné",
        "Montant maximal de FSE des conventions notifiées, au dernier avenant.",
    ),
    Definition(
        "fse_declare",
        "Déclaré",
        "FSE correspondant aux dépenses déclarées dans les bilans, dans la limite de la "
        "convention.",
    ),
    Definition(
        "fse_retenu_csf",
        "Retenu après CSF",
        "FSE dû au titre du dernier contrôle de service fait (CSF) validé de chaque opération. "
        "C’est ce que nous appelons « consommé ».",
    ),
    Definition(
        "fse_transmis",
        "Transmis",
        "Part du retenu transmise à l’autorité de gestion dans un état de dépenses.",
    ),
    Definition(
        "fse_certifie",
        "Certifié",
        "Part incluse dans un appel de fonds à la Commission européenne, nette des retraits.",
    ),
    Definition(
        "fse_paye",
        "Payé",
        "Avances, acomptes et soldes versés aux bénéficiaires, moins les reversements encaissés.",
    ),
    Definition(
        "fse_irrecouvrable",
        "Irrécouvrable",
        "Part payée qui n’est pas due et qui, par décision, ne sera pas recouvrée.",
    ),
)
SOLDES = (
    Definition(
        "disponible_a_programmer",
        "Disponible à programmer",
        "Enveloppe moins programmé ajusté ; négatif en cas de surprogrammation.",
    ),
    Definition(
        "reste_a_consommer",
        "Reste à consommer",
        "Enveloppe moins retenu après CSF.",
    ),
)
TAUX = (
    Definition("taux_programmation", "Programmation", "Programmé sur enveloppe."),
    Definition("taux_conventionnement", "Conventionnement", "Conventionné sur programmé."),
    Definition("taux_declaration", "Déclaration", "Déclaré sur conventionné."),
    Definition("taux_retenue_csf", "Retenue CSF", "Retenu après CSF sur déclaré."),
    Definition("taux_ecartement", "Écartement", "Dépenses écartées au CSF sur dépenses déclarées."),
    Definition("taux_consommation", "Consommation", "Retenu après CSF sur enveloppe."),
    Definition("taux_certification", "Certification", "Certifié sur enveloppe."),
    Definition(
        "taux_paiement", "Paiement", "Payé sur retenu après CSF ; dépasse 100 % avec les avances."
    ),
)
#: What one funder brings beside the Fund, in the order in which it comes.
CONTREPARTIES = (
    Definition(
        "programmee", "Programmée", "Inscrite au plan de financement des opérations programmées."
    ),
    Definition("conventionnee", "Conventionnée", "Inscrite aux conventions, au dernier avenant."),
    Definition("affectee", "Affectée", "Attribuée par le financeur et affectée à des opérations."),
    Definition("retenue", "Retenue", "Retenue au dernier contrôle de service fait (CSF) validé."),
)
DEFINITIONS = {d.nom: d for d in (*MONTANTS, *SOLDES, *TAUX)}

#: How the fund is named, and how its programme is divided, under each règlement.
FONDS = {"2014-2020": "FSE", "2021-2027": "FSE+"}
DIVISIONS = {"2014-2020": "Axe", "2021-2027": "Priorité"}
