-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- Long work, done while nobody waits: what was asked, how far it is, what came out of it. Outside
-- the sealed log on purpose: it decides nothing, is cut by a restart, and is forgotten.
CREATE SCHEMA travaux;

CREATE TABLE travaux.travail (
    id uuid PRIMARY KEY,
    nature text NOT NULL,
    demande jsonb NOT NULL,
    -- Who asked, in which role, on which territory (null: the whole OI): who may read it.
    identifiant text NOT NULL,
    role text NOT NULL,
    plies text [],
    etat text NOT NULL DEFAULT 'attend',
    fait bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    phrase text NOT NULL DEFAULT '',
    resultat jsonb,
    -- Each file: its name, its media type, its size, its digest.
    fichiers jsonb NOT NULL DEFAULT '[]',
    fichiers_jusqu_au timestamptz,
    -- Somebody asked to stop: the work sees it at its next step.
    a_annuler boolean NOT NULL DEFAULT false,
    -- The work that this one does again.
    reprend uuid,
    demande_le timestamptz NOT NULL,
    commence_le timestamptz,
    fini_le timestamptz,
    CONSTRAINT travail_etat CHECK (
        etat IN ('attend', 'en_cours', 'fini', 'echoue', 'interrompu', 'annule')),
    CONSTRAINT travail_demande CHECK (jsonb_typeof(demande) = 'object'),
    CONSTRAINT travail_fichiers CHECK (jsonb_typeof(fichiers) = 'array')
);

CREATE INDEX travail_identifiant ON travaux.travail (identifiant, demande_le);
CREATE INDEX travail_a_faire ON travaux.travail (demande_le) WHERE etat IN ('attend', 'en_cours');

-- Readers of some PLIE reach it by no connection of theirs: their pages ask the application.
GRANT USAGE ON SCHEMA travaux TO oi_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON travaux.travail TO oi_application;

-- migrate:down
-- Forward only: there is no way back but a new migration.
