-- The list of all dépenses, in the orders in which it is read: by entry, by day, by amount.

-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = 0;  -- About a second for each million of dépenses.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX depense_saisie ON projection.depense (position);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX depense_jour ON projection.depense (date_piece, position);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX depense_montant ON projection.depense (montant_impute_centimes, position);

-- migrate:down
-- Forward only: there is no way back but a new migration.
