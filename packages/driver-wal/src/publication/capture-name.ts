/** Where the operations of a table go: all of them, or those that need no replica identity. */
export type PublicationKind = 'all' | 'inserts'

/** What a client's objects are called in the database. */
export interface CaptureName {
  readonly slot: string
  readonly publications: Readonly<Record<PublicationKind, string>>
}
