-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- Past operations taken over from lists: not programmed here, their money is in measures of its own.
CREATE TABLE projection.reprise (
    id uuid PRIMARY KEY,
    sg_id uuid NOT NULL,
    oi_id text NOT NULL,
    reglement text NOT NULL,
    programme text NOT NULL,
    intitule text NOT NULL,
    beneficiaire text NOT NULL,
    code_postal text,
    debut date NOT NULL,
    fin date NOT NULL,
    date_programmation date NOT NULL,
    ct_centimes bigint NOT NULL,
    fse_centimes bigint NOT NULL,
    pays text NOT NULL,
    categorie_intervention text,
    fonds text NOT NULL,
    anomalies text [] NOT NULL,
    fichier text NOT NULL,
    fichier_sha256 text NOT NULL,
    ligne integer NOT NULL,
    reference text,
    annulee_le date,
    annulee_position bigint,
    position bigint NOT NULL
);

CREATE UNIQUE INDEX reprise_position ON projection.reprise (position);

-- migrate:down
-- Forward only: there is no way back but a new migration.
