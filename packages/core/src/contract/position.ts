declare const positionBrand: unique symbol

/**
 * A place in a driver's stream of changes: opaque to everyone but the driver that made it.
 *
 * Two positions of one driver compare with `<` and `>` as strings: the later change has the greater
 * position. A position is plain text, so it can be stored and read back.
 */
export type Position = string & { readonly [positionBrand]: 'Position' }

/** For drivers: marks a string as a position. It must sort, by code unit, as the stream does. */
export function position(text: string): Position {
  return text as Position
}
