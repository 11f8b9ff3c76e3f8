import { createInterface } from 'node:readline/promises'

/** Asks a question that is answered by a line. */
export interface Questioner {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** Takes an interruption for a no. */
  readonly signal: AbortSignal
}

/** Whether the answer to a question is yes. No answer at all is a no. */
export async function confirm(question: string, { input, output, signal }: Questioner): Promise<boolean> {
  // Not as a terminal of its own: Ctrl-C is to reach the program.
  const reader = createInterface({ input, output, terminal: false })
  const ended = new Promise<string>((resolve) => reader.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([reader.question(question, { signal }), ended])
    return /^\s*y(es)?\s*$/iu.test(answer)
  } catch (error) {
    if (signal.aborted) return false
    throw error
  } finally {
    reader.close()
  }
}
