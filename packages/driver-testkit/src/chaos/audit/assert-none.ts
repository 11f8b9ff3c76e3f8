import assert from 'node:assert/strict'

const SHOWN = 10

/** Fails where there are violations, and shows the first of them. */
export function assertNone(violations: readonly string[], what: string): void {
  const shown = violations.slice(0, SHOWN).map((violation) => `\n- ${violation}`)
  const more = violations.length > SHOWN ? `\nand ${violations.length - SHOWN} more` : ''
  assert.ok(violations.length === 0, `${what}: ${violations.length} violations${shown.join('')}${more}`)
}
