import { CAPTURE_FUNCTION } from './migration-0001/capture-function.ts'
import { CAPTURED_TOP_FUNCTION } from './migration-0001/captured-top.ts'
import { CAPTURE_STATEMENT_FUNCTION } from './migration-0001/capture-statement-function.ts'
import { PLANNED_SETTINGS_FUNCTION, PRINTED_UNDER_FUNCTION } from './migration-0001/planned-settings.ts'
import { PRINT_SETTINGS_FUNCTIONS } from './migration-0001/print-settings-functions.ts'
import { PRIVILEGES } from './migration-0001/privileges.ts'
import { SIGNAL_FUNCTION } from './migration-0001/signal-function.ts'
import { SHAPE_FUNCTIONS } from './migration-0001/shape-functions.ts'
import { TABLES } from './migration-0001/tables.ts'
import { sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Makes the schema, its tables and its functions. */
export const MIGRATION_0001: Sql = sql`${TABLES}${CAPTURED_TOP_FUNCTION}${PRINTED_UNDER_FUNCTION}${SHAPE_FUNCTIONS}${CAPTURE_FUNCTION}${PRINT_SETTINGS_FUNCTIONS}${PLANNED_SETTINGS_FUNCTION}${CAPTURE_STATEMENT_FUNCTION}${SIGNAL_FUNCTION}${PRIVILEGES}`
