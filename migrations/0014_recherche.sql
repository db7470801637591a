-- Search from anywhere: what a number, a piece, a reference or an amount begins with or is.
-- Ordinary indexes: every PostgreSQL has them, with or without its contributed modules.

-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = 0;  -- Some seconds for each million of events.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX depense_piece_ref ON projection.depense (lower(piece_ref) text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX depense_tiers_ref ON projection.depense (lower(tiers_ref) text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX event_virement ON oi.event (lower(data ->> 'ref_virement') text_pattern_ops)
WHERE name = 'convention.paiement_effectue.v1';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX event_montant_prepare ON oi.event (((data ->> 'montant_centimes')::bigint))
WHERE name = 'convention.paiement_prepare.v1';

-- migrate:down
-- Forward only: there is no way back but a new migration.
