-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- Who may act as what, and where: no name and no secret here, those are in another schema.
CREATE TABLE projection.compte (
    identifiant text PRIMARY KEY,
    stream_id uuid NOT NULL,
    ouvert_le date NOT NULL,
    statut text NOT NULL,
    position bigint NOT NULL
);

CREATE TABLE projection.compte_role (
    attribution_id uuid PRIMARY KEY,
    identifiant text NOT NULL,
    role text NOT NULL,
    plies text [] NOT NULL,
    du date NOT NULL,
    au date,
    position bigint NOT NULL
);

CREATE INDEX compte_role_identifiant ON projection.compte_role (identifiant);

CREATE TABLE projection.compte_mise_a_disposition (
    mise_id uuid PRIMARY KEY,
    identifiant text NOT NULL,
    plie_id text NOT NULL,
    du date NOT NULL,
    au date,
    position bigint NOT NULL
);

CREATE INDEX compte_mise_identifiant ON projection.compte_mise_a_disposition (identifiant);

-- migrate:down
-- Forward only: there is no way back but a new migration.
