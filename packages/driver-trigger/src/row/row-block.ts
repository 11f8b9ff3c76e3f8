import { RowtapError } from '@rowtap/core/driver'

/** What stands for a row that could not be printed. */
export const UNTOLD_ROW = '-'

/** What stands for a row that nobody wants, or for a whole block of such rows. */
export const UNWANTED_ROW = '.'

/**
 * Splits a block of rows, as PostgreSQL's `record_out` prints them, with a line feed between two rows. A line feed inside a
 * field is within quotes, and so is a closing parenthesis.
 *
 * @param rows they are added to these.
 */
export function splitRows(block: string, count: number, rows: string[] = []): readonly string[] {
  if (count === 1) {
    rows.push(block)
    return rows
  }
  const total = rows.length + count
  let start = 0
  let quoteAt = block.indexOf('"')
  while (rows.length < total) {
    let end = start + 1
    if (block.charCodeAt(start) === parenthesis) {
      for (;;) {
        const close = block.indexOf(')', end)
        if (close === -1) throw malformed()
        if (quoteAt !== -1 && quoteAt < end) quoteAt = block.indexOf('"', end)
        if (quoteAt === -1 || quoteAt > close) {
          end = close + 1
          break
        }
        // Doubled quotes inside a field look like one that ends and another one that begins, which comes to the same.
        const closingQuote = block.indexOf('"', quoteAt + 1)
        if (closingQuote === -1) throw malformed()
        end = closingQuote + 1
        quoteAt = block.indexOf('"', end)
      }
    }
    rows.push(block.slice(start, end))
    const isLast = rows.length === total
    if (isLast ? end !== block.length : block.charCodeAt(end) !== lineFeed) throw malformed()
    start = end + 1
  }
  return rows
}

const parenthesis = 0x28
const lineFeed = 0x0a

function malformed(): RowtapError {
  return new RowtapError('ERR_DECODE', { message: 'A block of captured rows cannot be split into its rows.' })
}
