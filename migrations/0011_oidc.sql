-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- What a browser began at the provider and has not brought back yet: minutes, once, and nothing that
-- serves whoever reads this table without being that browser.
CREATE TABLE acces.oidc_tentative (
    etat bytea PRIMARY KEY,
    navigateur bytea NOT NULL,
    emetteur text NOT NULL,
    nonce text NOT NULL,
    verificateur text NOT NULL,
    suite text NOT NULL,
    expire_le timestamptz NOT NULL
);

CREATE INDEX oidc_tentative_expire_le ON acces.oidc_tentative (expire_le);

-- Whom a provider calls by which name. The address served once, to make the link: it may change
-- there, and even go to somebody else, without moving anybody here.
CREATE TABLE acces.oidc_lien (
    emetteur text NOT NULL,
    sujet text NOT NULL,
    identifiant text NOT NULL REFERENCES acces.compte ON DELETE CASCADE,
    lie_le timestamptz NOT NULL,
    PRIMARY KEY (emetteur, sujet),
    -- Another identity for the same account is a question for an administrator.
    CONSTRAINT oidc_lien_une_identite UNIQUE (identifiant, emetteur)
);

-- What the provider wants back to end its own session along with ours.
CREATE TABLE acces.oidc_session (
    session_id uuid PRIMARY KEY REFERENCES acces.session ON DELETE CASCADE,
    identite text NOT NULL
);

GRANT SELECT, INSERT, DELETE ON acces.oidc_tentative, acces.oidc_lien, acces.oidc_session
TO oi_application;

-- migrate:down
-- Forward only: there is no way back but a new migration.
