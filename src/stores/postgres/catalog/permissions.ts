import { LoadctlError } from '../../../core/errors.js';
import type { Hazard } from '../../kind/types.js';
import type { Session } from '../connection/session.js';
import { quoteName } from './quote.js';
import type { Table } from './tables.js';

/** A permission on a table, in SQL's words; UPDATE on any column is what locking a row takes. */
type Permission = 'SELECT' | 'INSERT' | 'DELETE' | 'UPDATE';

/** What something takes on a table; INSERT and SELECT on `columns` alone will do where there are any. */
export interface Needed {
  readonly table: Pick<Table, 'oid' | 'quoted' | 'shown'>;
  readonly permissions: readonly Permission[];
  readonly columns?: readonly string[];
}

interface Missing {
  readonly place: number;
  readonly schema: string;
  readonly usable: boolean;
  readonly permissions: Permission[];
}

const missingSql = `
  SELECT w.place, n.nspname::text AS schema, has_schema_privilege(n.oid, 'USAGE') AS usable, m.permissions
    FROM json_to_recordset($1) AS w(place int, oid oid, permissions text[], columns text[])
    JOIN pg_class c ON c.oid = w.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT ARRAY(SELECT p FROM unnest(w.permissions) AS p
      WHERE NOT has_table_privilege(c.oid, p) AND NOT (p = 'UPDATE' AND has_any_column_privilege(c.oid, p))
        AND (p = 'DELETE' OR cardinality(w.columns) = 0 OR EXISTS (SELECT 1 FROM unnest(w.columns) AS o WHERE NOT has_column_privilege(c.oid, o, p)))) AS permissions) AS m
   WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR cardinality(m.permissions) > 0 ORDER BY w.place`;

/** What the role may not do of all that is needed, each with the GRANT to type; one question for any number of tables. */
export async function missingPermissions<Some extends Needed>(session: Session, needed: readonly Some[]): Promise<Map<Some, Hazard>> {
  const asked = needed.map(({ table, permissions, columns = [] }, place) => ({ place, oid: table.oid, permissions, columns }));
  const { rows } = await session.query<Missing>(missingSql, [JSON.stringify(asked)]);
  return new Map(
    rows.flatMap((missing) => {
      const one = needed[missing.place];
      return one === undefined ? [] : [[one, hazardOf(session, one, missing)] as const];
    }),
  );
}

function hazardOf({ place }: Session, { table }: Needed, { schema, usable, permissions }: Missing): Hazard {
  const may = permissions.length === 0 ? [] : [`${permissions.join(' or ')} on ${table.shown}`];
  const role = quoteName(place.role);
  const grants = [
    ...(usable ? [] : [`GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${role};`]),
    ...(permissions.length === 0 ? [] : [`GRANT ${permissions.join(', ')} ON ${table.quoted} TO ${role};`]),
  ];
  const lacks = [...(usable ? [] : [`use the schema ${schema} of ${table.shown}`]), ...may].join(', nor ');
  return {
    reason: 'unavailable',
    message: `${place.name}: the role ${place.role} may not ${lacks} in the database ${place.database}`,
    hint: `As the owner, run: ${grants.join(' ')}`,
  };
}

/** Throws `unavailable` with the GRANT where the role lacks one of these. */
export async function checkPermissions(
  session: Session,
  table: Needed['table'],
  permissions: Needed['permissions'],
  columns: readonly string[] = [],
): Promise<void> {
  await checkAll(session, [{ table, permissions, columns }]);
}

/** The same of several tables. */
export async function checkAll(session: Session, needed: readonly Needed[]): Promise<void> {
  const [missing] = (await missingPermissions(session, needed)).values();
  if (missing !== undefined) throw new LoadctlError('unavailable', missing.message, { hint: missing.hint });
}
