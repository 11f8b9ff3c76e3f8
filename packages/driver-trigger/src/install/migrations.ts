import { MIGRATION_0001 } from '../sql/migration-0001.ts'
import type { Sql } from '../sql/sql.ts'

/** Every change of what the schema holds, in order: the first one is number 1. An applied one is never edited. */
export const MIGRATIONS: readonly Sql[] = [MIGRATION_0001]
