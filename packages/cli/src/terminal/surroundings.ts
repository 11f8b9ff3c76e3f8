import pc from 'picocolors'

import type { ChangeColors } from '../format/change-line.ts'
import type { ReportColors } from '../doctor/doctor-report.ts'
import { confirm } from './confirm.ts'
import { interruption } from './interruption.ts'
import { LineOutput } from './line-output.ts'

/** What a command runs in: where it writes, and what tells it to end. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv
  readonly output: LineOutput
  /** Standard error: progress and signals, one line each. */
  readonly messages: LineOutput
  /** Whether standard output is a terminal. A pipe gets no colours, and nothing shortened. */
  readonly isTerminal: boolean
  /** The terminal's width now; 80 where there is none. */
  readonly columns: () => number
  /** Colours, which do nothing where there is no terminal or NO_COLOR is set. */
  readonly colors: ChangeColors & ReportColors
  /** Asks a question on the terminal, and tells whether the answer is yes; `null` where there is nobody to ask. */
  readonly ask: ((question: string) => Promise<boolean>) | null
  /** Aborts when the user wants the command to end. */
  readonly interrupted: AbortSignal
}

/** The surroundings of this process. */
export function surroundings(): Surroundings {
  const isTerminal = process.stdout.isTTY
  const interrupted = interruption()
  return {
    environment: process.env,
    output: new LineOutput(process.stdout),
    messages: new LineOutput(process.stderr),
    isTerminal,
    columns: () => process.stdout.columns || 80,
    colors: pc.createColors(isTerminal && pc.isColorSupported),
    ask:
      process.stdin.isTTY && process.stderr.isTTY
        ? (question) => confirm(question, { input: process.stdin, output: process.stderr, signal: interrupted })
        : null,
    interrupted,
  }
}
