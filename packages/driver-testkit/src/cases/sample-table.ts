import { quoteIdentifier } from '@rowtap/core'
import type { Client } from 'pg'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { TypeFamily } from './type-samples.ts'

const FEATURE_NOT_SUPPORTED = '0A000'

/** Whether this PostgreSQL was built with what the family's types need. */
export async function isBuiltIn(database: TestDatabase, family: TypeFamily): Promise<boolean> {
  if (family.needsLibrary === undefined) return true
  try {
    await database.query(family.needsLibrary)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === FEATURE_NOT_SUPPORTED) return false
    throw error
  }
}

/** Creates `public.samples`: a column for each type, named after it, and `id` and `note`. Its replica identity is full. */
export async function createSamples(database: TestDatabase, family: TypeFamily): Promise<void> {
  if (family.prepare !== undefined) await database.query(family.prepare)
  const columns = Object.keys(family.samples).map((type) => `${quoteIdentifier(type)} ${type}`)
  await database.query(`CREATE TABLE public.samples (id int PRIMARY KEY, ${columns.join(', ')}, note int)`)
  await database.query('ALTER TABLE public.samples REPLICA IDENTITY FULL')
}

/** Inserts one row for each value of each type: the others are NULL. The last row is NULL throughout. */
export async function insertSamples(writer: Client, family: TypeFamily): Promise<void> {
  let id = 0
  for (const [type, values] of Object.entries(family.samples)) {
    for (const value of values) {
      id += 1
      await writer.query(`INSERT INTO public.samples (id, ${quoteIdentifier(type)}) VALUES (${id}, ${value})`)
    }
  }
  await writer.query(`INSERT INTO public.samples (id) VALUES (${id + 1})`)
}
