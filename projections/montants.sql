-- The amounts of each operation as known at a position and effective on a day, in cents.
CREATE OR REPLACE FUNCTION oi.montants(connu_le bigint, effet_au date)
RETURNS TABLE (
    operation_id uuid, fse_depose bigint, fse_programme bigint, fse_programme_ajuste bigint,
    fse_conventionne bigint, fse_declare bigint, fse_retenu_csf bigint, fse_transmis bigint,
    fse_certifie bigint, fse_paye bigint, fse_irrecouvrable bigint, ct_depose bigint,
    ct_programme bigint, ct_programme_ajuste bigint, ct_conventionne bigint, ct_declare bigint,
    ct_retenu_csf bigint, ct_transmis bigint, ct_certifie bigint, cp_programmee bigint,
    cp_conventionnee bigint, cp_affectee bigint, cp_retenue bigint, depenses_declarees bigint,
    depenses_ecartees bigint
)
LANGUAGE sql STABLE AS $$
    SELECT
        m.operation_id,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_depose'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_programme'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_programme_ajuste'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_conventionne'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_declare'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_retenu_csf'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_transmis'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_certifie'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_paye'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_irrecouvrable'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_depose'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_programme'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_programme_ajuste'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_conventionne'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_declare'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_retenu_csf'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_transmis'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_certifie'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'cp_programmee'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'cp_conventionnee'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'cp_affectee'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'cp_retenue'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'depenses_declarees'), 0)::bigint,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'depenses_ecartees'), 0)::bigint
    FROM projection.mouvement AS m
    WHERE m.operation_id IS NOT NULL AND m.position <= connu_le AND m.date_effet <= effet_au
    GROUP BY m.operation_id
$$;
