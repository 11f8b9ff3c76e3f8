/** A column's type, as far as it says how large a value may become. */
export interface StoredType {
  /** The type's object id, domains resolved. */
  readonly baseTypeOid: number
  /** The modifier of that type: the column's own, or the one that a domain gives it. `-1`: none. */
  readonly baseTypeModifier: number
  /**
   * `pg_type.typstorage`: `'p'` for types whose values always stay within the row. Not `pg_attribute.attstorage`: it may
   * have become `'p'` after large values were stored, which stay where they are.
   */
  readonly storage: string
}

/** What a server and a database set for all types. */
export interface StorageLimits {
  /**
   * The largest value, with its header, that PostgreSQL never moves out of its row: the size of the pointer that would
   * take its place (`toast_tuple_find_biggest_attribute`). 24 on machines of 64 bits, 20 on others.
   */
  readonly inlineBytes: number
  /** How many bytes one character may have in the database's encoding. */
  readonly characterBytes: number
}

/**
 * Whether a value of the type may be stored outside of its row.
 *
 * What a type modifier says holds for values that were written before the column had it, too: an ALTER TABLE that
 * narrows a column converts every value and writes the table anew, and only one that widens it leaves the table alone.
 */
export function mayBeToasted(type: StoredType, { inlineBytes, characterBytes }: StorageLimits): boolean {
  return type.storage !== 'p' && largestBytes(type, characterBytes) > inlineBytes
}

const BPCHAR = 1042
const VARCHAR = 1043
const BIT = 1560
const VARBIT = 1562
const NUMERIC = 1700
/** Types that have no modifier, and not the whole size that their storage would allow them. */
const LARGEST_BYTES: ReadonlyMap<number, number> = new Map([
  // cidr and inet: a header of 4 bytes, family, netmask, and an address of 16 bytes.
  [650, 22],
  [869, 22],
  // int4range and daterange: a header of 4 bytes, the type, two bounds, and one byte of flags.
  [3904, 17],
  [3912, 17],
])
const HEADER_BYTES = 4

/** The size of the largest value, with a header of 4 bytes; a smaller header may be used. */
function largestBytes({ baseTypeOid, baseTypeModifier }: StoredType, characterBytes: number): number {
  const known = LARGEST_BYTES.get(baseTypeOid)
  if (known !== undefined) return known
  switch (baseTypeOid) {
    case BPCHAR:
    case VARCHAR:
      if (baseTypeModifier < HEADER_BYTES) return Infinity
      return HEADER_BYTES + (baseTypeModifier - HEADER_BYTES) * characterBytes
    case BIT:
    case VARBIT:
      // The number of bits comes first.
      return baseTypeModifier < 0 ? Infinity : HEADER_BYTES + 4 + Math.ceil(baseTypeModifier / 8)
    case NUMERIC:
      return baseTypeModifier < HEADER_BYTES ? Infinity : largestNumeric(baseTypeModifier - HEADER_BYTES)
    default:
      return Infinity
  }
}

/**
 * Sign, scale and weight have 2 bytes or 4 (large scales, and values that are older than version 9.1: the larger is
 * taken for all). Then come groups of 4 digits with 2 bytes each, aligned at the decimal point.
 */
function largestNumeric(modifier: number): number {
  const precision = (modifier >> 16) & 0xffff
  // 11 bits with a sign. Before version 15 there were no negative scales.
  const scale = ((modifier & 0x7ff) ^ 1024) - 1024
  const groups = Math.floor((precision - scale - 1) / 4) - Math.floor(-scale / 4) + 1
  return HEADER_BYTES + 4 + 2 * groups
}
