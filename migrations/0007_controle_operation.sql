-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- Audits of operations: where each stands, what it looks at, what it finds, what follows.
CREATE TABLE projection.controle_operation (
    id uuid PRIMARY KEY,
    sg_id uuid NOT NULL,
    oi_id text NOT NULL,
    reglement text NOT NULL,
    organisme text NOT NULL,
    organisme_nom text,
    reference text NOT NULL,
    statut text NOT NULL,
    resultat text,
    modalite text,
    etat_no text,
    echantillon_id uuid,
    date_annoncee date,
    notifie_le date NOT NULL,
    commence_le date,
    rapport_provisoire_ref text,
    rapport_provisoire_le date,
    date_limite_reponse date,
    rapport_definitif_ref text,
    rapport_definitif_le date,
    date_limite_suites date,
    suites_closes_le date,
    clos_le date,
    cloture_ref text,
    annule_le date,
    version integer NOT NULL,
    position bigint NOT NULL
);

CREATE UNIQUE INDEX controle_operation_position ON projection.controle_operation (position);

CREATE TABLE projection.controle_perimetre (
    controle_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    ct_controle_centimes bigint NOT NULL,
    depenses uuid [] NOT NULL,
    PRIMARY KEY (controle_id, operation_id)
);

CREATE INDEX controle_perimetre_operation ON projection.controle_perimetre (operation_id);

CREATE TABLE projection.controle_constat (
    controle_id uuid NOT NULL,
    numero integer NOT NULL,
    operation_id uuid NOT NULL,
    nature text NOT NULL,
    detecte_le date NOT NULL,
    constatation text NOT NULL,
    assiette text,
    depenses uuid [] NOT NULL,
    extrapole boolean NOT NULL,
    ct_propose_centimes bigint NOT NULL,
    fse_propose_centimes bigint NOT NULL,
    issue text,
    ct_retenu_centimes bigint,
    fse_retenu_centimes bigint,
    mesure_recommandee text,
    motivation text,
    reponse_oi text,
    reponse_oi_le date,
    reponse_beneficiaire text,
    reponse_beneficiaire_le date,
    PRIMARY KEY (controle_id, numero)
);

CREATE TABLE projection.controle_suite (
    controle_id uuid NOT NULL,
    suite_id uuid NOT NULL,
    constat_numero integer NOT NULL,
    mesure text NOT NULL,
    responsable text NOT NULL,
    action text NOT NULL,
    echeance date NOT NULL,
    decidee_le date NOT NULL,
    statut text NOT NULL,
    executee_le date,
    annulee_le date,
    compte_rendu text,
    liens jsonb NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (controle_id, suite_id)
);

-- migrate:down
-- Forward only: there is no way back but a new migration.
