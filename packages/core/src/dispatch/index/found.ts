/** For which version of a row a member was found, as bits. */
export type Found = number

export const BEFORE: Found = 1
export const AFTER: Found = 2
/** The index cannot tell: the condition has to be tested. */
export const UNKNOWN: Found = 4
