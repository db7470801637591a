-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- Read models. Everything here can be dropped and rebuilt from the log (`oi rebuild`): amounts are
-- cents, and no row says more than the events said. The functions that fill them are in
-- projections/*.sql.

CREATE TABLE projection.subvention_globale (
    id uuid PRIMARY KEY,
    oi_id text NOT NULL,
    oi_nom text NOT NULL,
    reglement text NOT NULL,
    numero text NOT NULL,
    programme text NOT NULL,
    fse_total_centimes bigint NOT NULL,
    programmation_debut date NOT NULL,
    programmation_fin date NOT NULL,
    fictive boolean NOT NULL,
    position bigint NOT NULL
);

CREATE TABLE projection.plie (
    sg_id uuid NOT NULL,
    plie_id text NOT NULL,
    nom text NOT NULL,
    PRIMARY KEY (sg_id, plie_id)
);

CREATE TABLE projection.appel_a_projets (
    id uuid PRIMARY KEY,
    sg_id uuid NOT NULL,
    numero text NOT NULL,
    intitule text NOT NULL,
    date_ouverture date NOT NULL,
    date_cloture date NOT NULL,
    nb_fiches integer NOT NULL,
    clos boolean NOT NULL
);

-- Dossiers and operations: who, where, when, in which state. Amounts are in `mouvement`.
CREATE TABLE projection.operation (
    id uuid PRIMARY KEY,
    sg_id uuid NOT NULL,
    appel_a_projets_id uuid NOT NULL,
    fiche_code text NOT NULL,
    numero_mdfse text NOT NULL,
    siret text NOT NULL,
    beneficiaire text NOT NULL,
    type_beneficiaire text NOT NULL,
    plie_id text NOT NULL,
    annee integer NOT NULL,
    axe text NOT NULL,
    objectif_specifique text NOT NULL,
    dispositif text NOT NULL,
    intitule text NOT NULL,
    objet text NOT NULL,
    debut date NOT NULL,
    fin date NOT NULL,
    depose_le date NOT NULL,
    statut text NOT NULL,
    numero_convention text,
    CONSTRAINT operation_numero_mdfse UNIQUE (numero_mdfse)
);

CREATE INDEX operation_plie ON projection.operation (sg_id, plie_id, statut);
CREATE INDEX operation_statut_fin ON projection.operation (statut, fin);

CREATE TABLE projection.depense (
    id uuid PRIMARY KEY,
    operation_id uuid NOT NULL,
    poste text NOT NULL,
    nature text NOT NULL,
    tiers_ref text NOT NULL,
    piece_ref text NOT NULL,
    date_piece date NOT NULL,
    date_realisation date NOT NULL,
    date_acquittement date,
    montant_impute_centimes bigint NOT NULL,
    statut text NOT NULL,
    bilan_id uuid,
    csf_id uuid,
    retenu_centimes bigint,
    ecarte_centimes bigint,
    motif_code text,
    version integer NOT NULL,
    position bigint NOT NULL
);

CREATE INDEX depense_operation ON projection.depense (operation_id, position);
CREATE INDEX depense_bilan ON projection.depense (bilan_id);

CREATE TABLE projection.contrepartie (
    id uuid PRIMARY KEY,
    sg_id uuid NOT NULL,
    type text NOT NULL,
    financeur text NOT NULL,
    plie_id text,
    annee integer NOT NULL,
    attribue_centimes bigint NOT NULL,
    percu_centimes bigint NOT NULL,
    affecte_centimes bigint NOT NULL,
    position bigint NOT NULL
);

CREATE TABLE projection.affectation (
    contrepartie_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    montant_centimes bigint NOT NULL,
    PRIMARY KEY (contrepartie_id, operation_id)
);

CREATE INDEX affectation_operation ON projection.affectation (operation_id);

-- Guard rows: the ceiling of each enveloppe, held by the database whatever the code does.
CREATE TABLE projection.enveloppe (
    sg_id uuid NOT NULL,
    annee integer NOT NULL,
    axe text NOT NULL,
    objectif_specifique text NOT NULL,
    dispositif text NOT NULL,
    plie_id text NOT NULL,
    alloue_centimes bigint NOT NULL DEFAULT 0,
    programme_centimes bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (sg_id, annee, axe, objectif_specifique, dispositif, plie_id),
    CONSTRAINT enveloppe_jamais_depassee
    CHECK (programme_centimes >= 0 AND programme_centimes <= alloue_centimes)
) WITH (fillfactor = 70);

-- The ledger: every amount that anybody can read is a sum of these lines.
CREATE TABLE projection.mouvement (
    position bigint NOT NULL,
    rang integer NOT NULL,
    mesure text NOT NULL,
    centimes bigint NOT NULL,
    sg_id uuid NOT NULL,
    plie_id text NOT NULL,
    annee integer NOT NULL,
    axe text NOT NULL,
    objectif_specifique text NOT NULL,
    dispositif text NOT NULL,
    operation_id uuid,
    financeur_type text,
    financeur text,
    date_effet date NOT NULL,
    PRIMARY KEY (position, rang)
);

CREATE INDEX mouvement_operation ON projection.mouvement (operation_id, mesure);
CREATE INDEX mouvement_cellule ON projection.mouvement (
    sg_id, plie_id, annee, axe, objectif_specifique, dispositif, mesure
);

-- The amounts of each operation, one column per measure, in cents.
CREATE VIEW oi.montants_operation AS
SELECT
    o.id AS operation_id,
    o.numero_mdfse,
    o.statut,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_depose'), 0)::bigint AS fse_depose,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_programme'), 0)::bigint AS fse_programme,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_programme_ajuste'), 0)::bigint AS fse_programme_ajuste,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_conventionne'), 0)::bigint AS fse_conventionne,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_declare'), 0)::bigint AS fse_declare,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_retenu_csf'), 0)::bigint AS fse_retenu_csf,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_transmis'), 0)::bigint AS fse_transmis,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_certifie'), 0)::bigint AS fse_certifie,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_paye'), 0)::bigint AS fse_paye,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_depose'), 0)::bigint AS ct_depose,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_programme'), 0)::bigint AS ct_programme,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_programme_ajuste'), 0)::bigint AS ct_programme_ajuste,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_conventionne'), 0)::bigint AS ct_conventionne,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_declare'), 0)::bigint AS ct_declare,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_retenu_csf'), 0)::bigint AS ct_retenu_csf,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_transmis'), 0)::bigint AS ct_transmis,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_certifie'), 0)::bigint AS ct_certifie,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'cp_programmee'), 0)::bigint AS cp_programmee,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'cp_conventionnee'), 0)::bigint AS cp_conventionnee,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'depenses_declarees'), 0)::bigint AS depenses_declarees,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'depenses_ecartees'), 0)::bigint AS depenses_ecartees
FROM projection.operation AS o
LEFT JOIN projection.mouvement AS m ON o.id = m.operation_id
GROUP BY o.id, o.numero_mdfse, o.statut;

GRANT SELECT ON oi.montants_operation TO oi_application;

-- migrate:down
-- Forward only: there is no way back but a new migration.
