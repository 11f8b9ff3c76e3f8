import { RowtapError } from '@rowtap/core'
import { CommanderError } from 'commander'

import { optionHint } from './option-hint.ts'
import { UsageError } from './usage-error.ts'

/** How a failed command ends. */
export interface Failure {
  /** 2 for a wrong command line, 1 for everything else. */
  readonly exitCode: 1 | 2
  /**
   * One line for standard error; below it, where it points at a place in a condition, its text and a mark, and where it
   * names options of core's, the command's own.
   */
  readonly sentence: string
}

/** Turns whatever a command threw into its exit code and the line that says why. */
export function describeFailure(error: unknown): Failure {
  if (isSuppressedError(error)) return describeFailure(error.suppressed)
  if (error instanceof UsageError) return { exitCode: 2, sentence: `rowtap: ${onOneLine(error.message)}` }
  if (error instanceof CommanderError) {
    return { exitCode: 2, sentence: `rowtap: ${onOneLine(error.message.replace(/^error: /, ''))}` }
  }
  if (RowtapError.is(error)) {
    const hint = optionHint(error.message)
    const sentence = `rowtap: ${error.code}: ${withPlace(error.message)}`
    return { exitCode: 1, sentence: hint === null ? sentence : `${sentence}\n${hint}` }
  }
  return { exitCode: 1, sentence: `rowtap: ${onOneLine(messageOf(error))}` }
}

/** Where a failure came from: the stack of the error and of each cause beneath it, for `ROWTAP_DEBUG`. */
export function traceOf(error: unknown): string {
  if (isSuppressedError(error)) return `${traceOf(error.suppressed)}\nthen, while cleaning up: ${traceOf(error.error)}`
  const stacks: string[] = []
  const seen = new Set<unknown>()
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause)
    stacks.push(cause.stack ?? cause.message)
  }
  return stacks.length === 0 ? String(error) : stacks.join('\ncaused by: ')
}

/** Two errors: one of a block, and one of the cleaning up after it. */
interface BlockAndCleanUpError extends Error {
  /** What went wrong in the block: it came first. */
  readonly suppressed: unknown
  readonly error: unknown
}

// By its name: not every runtime has the class.
function isSuppressedError(error: unknown): error is BlockAndCleanUpError {
  return error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error && 'error' in error
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // An AggregateError of several refused connections has no message of its own.
  if (error.message === '' && error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error.message === '' ? error.name : error.message
}

/** One line, and where the message points at a place in a text, that text and the mark below it. */
function withPlace(message: string): string {
  const pointing = /^(.*?)\n(.*\n *\^)$/s.exec(message)
  return pointing === null ? onOneLine(message) : `${onOneLine(pointing[1] ?? '')}\n${pointing[2]}`
}

function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
