import { invalidOptions } from '../options/check-option-names.ts'

/** How deep a condition may be nested. One written by a person has a few levels; what reads it would overflow its stack. */
const DEEPEST = 200

/**
 * Refuses what is nested too deeply, or contains itself.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function checkDepth(where: unknown): void {
  let level: readonly unknown[] = [where]
  for (let depth = 0; level.length > 0; depth += 1) {
    // A level of the object form is one of a list and one of an object.
    if (depth > 2 * DEEPEST)
      throw invalidOptions(
        `'where' is nested more than ${DEEPEST} levels deep. Write it flatter, and see that it does not contain itself.`,
      )
    level = level.flatMap(members)
  }
}

function members(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? Object.values(value) : []
}
