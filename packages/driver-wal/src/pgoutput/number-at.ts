/**
 * Numbers in received bytes, most significant byte first, for whoever knows that they are there: a `Buffer`'s own methods
 * check that anew, which costs more than the reading.
 */

/** An unsigned number of 32 bits. */
export function uint32At(buffer: Buffer, at: number): number {
  return (
    (((buffer[at] ?? 0) << 24) |
      ((buffer[at + 1] ?? 0) << 16) |
      ((buffer[at + 2] ?? 0) << 8) |
      (buffer[at + 3] ?? 0)) >>>
    0
  )
}

/** An unsigned number of 16 bits. */
export function uint16At(buffer: Buffer, at: number): number {
  return ((buffer[at] ?? 0) << 8) | (buffer[at + 1] ?? 0)
}
