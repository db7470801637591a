-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- How persons come in, and what is kept of their comings: outside the sealed log on purpose, since
-- a name is corrected, a session ends and a person is forgotten. What they may do is in the log.
CREATE SCHEMA acces;

-- A person: what the log calls them, and what it never holds. The secrets are of no use to whoever
-- reads this table: an argon2id digest, and the second factor under a key that is a file.
CREATE TABLE acces.compte (
    identifiant text PRIMARY KEY,
    courriel text NOT NULL,
    nom text NOT NULL,
    mot_de_passe text,
    second_facteur text,
    second_facteur_prepare text,
    -- Last step of time whose code served: the same code does not serve twice.
    second_facteur_pas bigint,
    cree_le timestamptz NOT NULL,
    CONSTRAINT compte_courriel UNIQUE (courriel),
    CONSTRAINT compte_courriel_minuscules CHECK (courriel = lower(courriel))
);

CREATE TABLE acces.code_secours (
    identifiant text NOT NULL REFERENCES acces.compte ON DELETE CASCADE,
    empreinte bytea NOT NULL,
    utilise_le timestamptz,
    PRIMARY KEY (identifiant, empreinte)
);

-- The code that lets a person choose a password; one at a time.
CREATE TABLE acces.activation (
    identifiant text PRIMARY KEY REFERENCES acces.compte ON DELETE CASCADE,
    empreinte bytea NOT NULL,
    cree_le timestamptz NOT NULL,
    expire_le timestamptz NOT NULL
);

CREATE TABLE acces.session (
    id uuid PRIMARY KEY,
    empreinte bytea NOT NULL,
    identifiant text NOT NULL REFERENCES acces.compte ON DELETE CASCADE,
    -- The password was right, and the second factor is awaited: it opens nothing yet.
    en_attente boolean NOT NULL,
    ouverte_le timestamptz NOT NULL,
    vue_le timestamptz NOT NULL,
    expire_le timestamptz NOT NULL,
    renforcee_le timestamptz,
    adresse text NOT NULL,
    -- The network that it was opened from: a person who came from there is not a stranger.
    reseau text NOT NULL,
    agent text NOT NULL,
    fermee_le timestamptz,
    fermeture text,
    CONSTRAINT session_empreinte UNIQUE (empreinte)
);

CREATE INDEX session_identifiant ON acces.session (identifiant, reseau);

CREATE TABLE acces.jeton (
    id uuid PRIMARY KEY,
    empreinte bytea NOT NULL,
    identifiant text NOT NULL REFERENCES acces.compte ON DELETE CASCADE,
    nom text NOT NULL,
    roles text [] NOT NULL,
    lecture_seule boolean NOT NULL,
    cree_le timestamptz NOT NULL,
    expire_le timestamptz NOT NULL,
    dernier_usage timestamptz,
    revoque_le timestamptz,
    CONSTRAINT jeton_empreinte UNIQUE (empreinte)
);

CREATE INDEX jeton_identifiant ON acces.jeton (identifiant);

-- Failures, that fade with time; the key is a digest, for people mistype their password as a name.
CREATE TABLE acces.frein (
    cle bytea PRIMARY KEY,
    echecs double precision NOT NULL,
    dernier_le timestamptz NOT NULL,
    jusqu_a timestamptz NOT NULL
);

-- Who came in, who was refused, what left the house.
CREATE TABLE acces.trace (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instant timestamptz NOT NULL,
    nature text NOT NULL,
    identifiant text,
    role text,
    adresse text,
    objet jsonb NOT NULL,
    CONSTRAINT trace_objet CHECK (jsonb_typeof(objet) = 'object')
);

CREATE INDEX trace_instant ON acces.trace (instant);
CREATE INDEX trace_identifiant ON acces.trace (identifiant, id);

-- The one way out of the traces. Never the last six months, whatever is asked.
CREATE FUNCTION acces.purger_traces(p_avant timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = acces, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    -- Not as a setting of the function, which only a superuser may give it.
    PERFORM set_config('acces.retention', 'oui', true);
    DELETE FROM acces.trace AS t
    WHERE t.instant < least(p_avant, clock_timestamp() - interval '180 days');
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM set_config('acces.retention', '', true);
    RETURN n;
END
$$;

CREATE FUNCTION acces.refuser_changement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('acces.retention', true) = 'oui' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'Une trace ne se modifie pas : % refusé.', TG_OP USING ERRCODE = 'OI100';
END
$$;

CREATE TRIGGER trace_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON acces.trace
    FOR EACH STATEMENT EXECUTE FUNCTION acces.refuser_changement();

REVOKE ALL ON FUNCTION acces.purger_traces FROM public;
GRANT USAGE ON SCHEMA acces TO oi_application;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON acces.compte, acces.code_secours, acces.activation, acces.session, acces.jeton, acces.frein
    TO oi_application;
GRANT SELECT, INSERT ON acces.trace TO oi_application;
GRANT EXECUTE ON FUNCTION acces.purger_traces TO oi_application;

-- migrate:down
-- Forward only: there is no way back but a new migration.
