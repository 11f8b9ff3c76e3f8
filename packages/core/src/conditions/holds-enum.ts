import type { ColumnType } from './column-type.ts'

/** Whether a type is an enumeration, or is made of one. */
export function holdsEnum(type: ColumnType): boolean {
  switch (type.kind) {
    case 'enum':
      return true
    case 'array':
      return holdsEnum(type.element)
    case 'range':
      return holdsEnum(type.subtype)
    case 'multirange':
      return holdsEnum(type.range)
    case 'base':
    case 'composite':
      return false
  }
}
