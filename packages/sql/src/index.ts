export { parseCondition } from './parse-condition.ts'
export { sql } from './sql.ts'
export type { SqlCondition } from './sql.ts'
export type { SqlTextPlace } from './sql-text-error.ts'
