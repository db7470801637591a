-- migrate:up
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '60s';

-- What was paid, is not due and will not come back. A view gains columns at its end only.
CREATE OR REPLACE VIEW oi.montants_operation AS
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
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'depenses_ecartees'), 0)::bigint AS depenses_ecartees,
    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_irrecouvrable'), 0)::bigint AS fse_irrecouvrable
FROM projection.operation AS o
LEFT JOIN projection.mouvement AS m ON o.id = m.operation_id
GROUP BY o.id, o.numero_mdfse, o.statut;

-- migrate:down
-- Forward only: there is no way back but a new migration.
