import { SCHEMA, SCHEMA_NAME_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** Takes away what PostgreSQL, or the database, grants on new objects. */
export const PRIVILEGES: Sql = sql`
-- Nobody but the owner may see what is in the queue, whatever the database grants by default.
revoke all on schema ${SCHEMA} from public;
revoke all on all functions in schema ${SCHEMA} from public;

do $rowtap_body$
declare
  granted record;
begin
  for granted in
    select distinct a.grantee
    from pg_catalog.pg_class r
    cross join lateral pg_catalog.aclexplode(r.relacl) a
    where r.relnamespace = ${SCHEMA_NAME_LITERAL}::pg_catalog.regnamespace and a.grantee <> r.relowner
    union
    select distinct a.grantee
    from pg_catalog.pg_namespace n
    cross join lateral pg_catalog.aclexplode(n.nspacl) a
    where n.oid = ${SCHEMA_NAME_LITERAL}::pg_catalog.regnamespace and a.grantee <> n.nspowner
    union
    select distinct a.grantee
    from pg_catalog.pg_proc p
    cross join lateral pg_catalog.aclexplode(p.proacl) a
    where p.pronamespace = ${SCHEMA_NAME_LITERAL}::pg_catalog.regnamespace and a.grantee <> p.proowner
  loop
    execute pg_catalog.format(
      'revoke all on schema %1$s from %2$s;
       revoke all on all tables in schema %1$s from %2$s;
       revoke all on all sequences in schema %1$s from %2$s;
       revoke all on all functions in schema %1$s from %2$s',
      ${SCHEMA_NAME_LITERAL},
      case when granted.grantee = 0 then 'public' else granted.grantee::pg_catalog.regrole::text end
    );
  end loop;
end
$rowtap_body$;

-- Whoever makes or attaches a partition has to be allowed to call what the row triggers of the table call. Nobody else can so
-- much as name these functions: the schema is closed.
grant execute on function ${SCHEMA}.capture(), ${SCHEMA}.signal() to public;
`
