import { sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/**
 * What the functions that run in a writer's transaction have in common. They run as their owner, name what they call in a
 * pinned search_path, and convert rows by their types' own output functions (never by a cast, which the table's owner could
 * define). They plan what they run once: for values of its own a query would be planned anew each time.
 */
export const CAPTURE_SETTINGS: Sql = sql`
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'`

/** For what reads catalogues: through their indexes, small ones would be read whole each time. */
export const CATALOG_SETTINGS: Sql = sql`
set enable_seqscan = off`

/** What decides how values are printed, pinned for one function: costs each call some microseconds. */
export const PRINT_SETTINGS: Sql = sql`
set "DateStyle" = 'ISO'
set "IntervalStyle" = 'postgres'
set "TimeZone" = 'UTC'
set bytea_output = 'hex'
set extra_float_digits = 1
set quote_all_identifiers = off
set lc_monetary from current`

/** The largest text of a row that is captured, in bytes. */
export const LARGEST_TEXT: number = 128 * 1024 * 1024
