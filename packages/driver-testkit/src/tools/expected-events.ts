import type { Row } from '@rowtap/core'

/** What `shapesOf` makes of an insert into the standard table. */
export const insert = (id: number, v: string | null): Row => ({ kind: 'insert', key: { id }, new: { id, v } })

/** What `shapesOf` makes of an update of the standard table. */
export const update = (id: number, v: string | null): Row => ({ kind: 'update', key: { id }, new: { id, v } })

/** What `shapesOf` makes of a delete from the standard table. */
export const remove = (id: number): Row => ({ kind: 'delete', key: { id } })
