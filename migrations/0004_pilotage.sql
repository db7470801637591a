-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- A maquette is read from this index alone, at any two dates. Made in the transaction: at the size
-- of a country it takes a second, and writers wait no longer than for a rebuild.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX mouvement_situation ON projection.mouvement (
    sg_id, plie_id, annee, axe, objectif_specifique, dispositif, mesure
) INCLUDE (centimes, position, date_effet, financeur_type, financeur);

-- squawk-ignore require-concurrent-index-deletion
DROP INDEX projection.mouvement_cellule;

-- `oi.montants_operation` is replaced by `oi.montants` (projections/montants.sql); the view goes
-- two releases later.

-- migrate:down
-- Forward only: there is no way back but a new migration.
