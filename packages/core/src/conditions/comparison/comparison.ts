/** A value's text, tested. */
export type TextTest = (text: string) => boolean

/** How a value's text stands to a constant: negative where it is less, 0 where it is equal, positive where it is greater. */
export type TextOrder = (text: string) => number

/**
 * How values of one type are compared, given as the type's output function prints them. A constant is prepared once,
 * so that what is called for each row allocates as little as it can.
 */
export interface Comparison {
  /** Two texts are equal in PostgreSQL exactly where this makes the same string of them. `null`: there is no such string. */
  readonly key: ((text: string) => string) | null
  /**
   * The same of a row's value that is compared with constants, where it may be none that the type has.
   *
   * @throws RowtapError ERR_DECODE for such a value.
   */
  readonly checkedKey?: (text: string) => string
  /** Tests for equality with a constant. */
  readonly equalTo: (constant: string) => TextTest
  /** Compares with a constant; `null` where only PostgreSQL knows the order. */
  readonly compareTo: ((constant: string) => TextOrder) | null
}

/** The key of types whose equal values have the same text. */
export function sameText(text: string): string {
  return text
}

/** A comparison by keys, for types whose values are ordered by `compareTo`. */
export function keyComparison(
  key: (text: string) => string,
  compareTo: ((constant: string) => TextOrder) | null,
): Comparison {
  return {
    key,
    equalTo(constant) {
      const wanted = key(constant)
      if (key === sameText) return (text) => text === constant
      return (text) => text === constant || key(text) === wanted
    },
    compareTo,
  }
}

/** The same, for types that have other values at other times: `checkedKey` throws for one that is not known. */
export function checkedComparison(
  key: (text: string) => string,
  checkedKey: (text: string) => string,
  compareTo: ((constant: string) => TextOrder) | null,
): Comparison {
  return {
    key,
    checkedKey,
    equalTo(constant) {
      const wanted = key(constant)
      return (text) => checkedKey(text) === wanted
    },
    compareTo,
  }
}

/** The order of types whose texts have one width, in ASCII. */
export function compareAscii(constant: string): TextOrder {
  return (text) => (text < constant ? -1 : text > constant ? 1 : 0)
}
