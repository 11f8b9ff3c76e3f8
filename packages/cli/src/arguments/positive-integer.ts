import { UsageError } from '../failure/usage-error.ts'

/** A reader for an option whose value is a whole number from 1 on. It throws UsageError, naming the option. */
export function positiveInteger(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^[0-9]+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
      throw new UsageError(`${option} takes a whole number from 1 on, not ${JSON.stringify(text)}`)
    }
    return value
  }
}
