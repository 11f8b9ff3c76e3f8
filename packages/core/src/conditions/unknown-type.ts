import type { BaseType } from './column-type.ts'

/** For drivers: a type with this name of which nothing else is known. Conditions on it are refused. */
export function unknownType(displayName: string): BaseType {
  return { kind: 'base', name: `unknown ${displayName}`, castName: '"pg_catalog"."text"', displayName, collation: null }
}
