import type { ConformanceCase } from '@rowtap/driver-testkit'
import { conformanceCases, runCase } from '@rowtap/driver-testkit'
import { describePostgres, postgresVersions } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from '@rowtap/driver-trigger'
import { expect, test } from 'vitest'
import type { BrokenDriver } from './broken-driver.ts'
import { WRONG_CHANGES } from './wrong-changes.ts'
import { WRONG_CONDUCT } from './wrong-conduct.ts'

const BROKEN_DRIVERS = [...WRONG_CHANGES, ...WRONG_CONDUCT]

/** The cases that name a defect: each broken driver fails its own, and none of the others. */
const WITNESSES = conformanceCases.filter(({ name }) => BROKEN_DRIVERS.some(({ failing }) => failing.includes(name)))
const SOUND: BrokenDriver = { defect: 'is sound', failing: [], break: (driver) => driver }
/** Small, so that what is lost on purpose is not waited for long. */
const SIZES = { rounds: 20, transactions: 12, bigTransactionRows: 500, seed: 1, patienceMs: 5000 }

/** The suite is examined here, not PostgreSQL: one version is enough. */
const version = postgresVersions().at(-1)

describePostgres('the suite, asked about a driver that', (postgres) => {
  /** What the case found wrong with the driver, `null` where it found nothing. */
  async function verdict(witness: ConformanceCase, broken: BrokenDriver): Promise<string | null> {
    await using database = await postgres.createDatabase()
    try {
      const create = ({ url }: { readonly url: string }) => broken.break(triggerDriver({ connection: url }), url)
      await runCase(witness, { database, create, sizes: SIZES })
      return null
    } catch (error) {
      return String(error)
    }
  }

  test.for([SOUND, ...BROKEN_DRIVERS])('$defect', async (broken, { skip }) => {
    skip(typeof version === 'number' && postgres.version !== version, `on PostgreSQL ${version} only`)
    const verdicts = await Promise.all(WITNESSES.map((witness) => verdict(witness, broken)))
    const failed = WITNESSES.filter((_, index) => verdicts[index] !== null).map(({ name }) => name)
    expect(failed, verdicts.join('\n')).toEqual(broken.failing)
  })
})
