import type { Comparison } from './comparison.ts'
import { keyComparison } from './comparison.ts'
import { decimalKey } from './number-comparison.ts'

/** jsonb by equality. Its text is the same for equal values but for zeros at the end of numbers: it keeps their scale. */
export const jsonbComparison: Comparison = keyComparison((text) => {
  if (!text.includes('.')) return text
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+\.\d+/gu, (token) =>
    token.startsWith('"') ? token : decimalKey(token),
  )
}, null)
