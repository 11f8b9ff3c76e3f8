/** Which part of a table's rows its function captures. */
export interface NarrowedCapture {
  /** The operations that nobody wants, as in `tg_op`. */
  readonly unwanted: readonly string[]
  /** An expression on a row, which is true where somebody wants it; `null`: every row is wanted. */
  readonly expression: string | null
  /** The columns that are printed, by name; `null`: all. */
  readonly columns: readonly string[] | null
  /** The number of the table's shape that it was made for: of a table that was altered since, whole rows are captured, all of them. */
  readonly shape: string
  /** The number of the shape of what is printed. */
  readonly printed: string
}
