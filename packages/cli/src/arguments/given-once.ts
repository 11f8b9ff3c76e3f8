import type { Command } from 'commander'

import { UsageError } from '../failure/usage-error.ts'

/**
 * Has a command refuse an option with a value that is given a second time, other than those that may be repeated: of two
 * values the first would be dropped in silence. Called once the command has its options; parsing throws UsageError.
 */
export function givenOnce(command: Command, repeatable: readonly string[] = []): void {
  for (const { long, required, optional } of command.options) {
    if (long === undefined || repeatable.includes(long) || !(required || optional)) continue
    let isGiven = false
    command.on(`option:${long.slice(2)}`, () => {
      if (isGiven) throw new UsageError(givenTwice(long))
      isGiven = true
    })
  }
}

function givenTwice(option: string): string {
  const instead = option === '--where' ? 'join the conditions with AND' : 'give it once'
  return `${option} is given twice: ${instead}`
}
