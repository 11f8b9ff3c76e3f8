import type { Driver } from '@rowtap/core'
import { capabilityNames, cellOf } from '@rowtap/core'
import { describe, test } from 'vitest'
import { CAPABILITY_PROOFS } from '../conformance/capability-proofs.ts'
import type { ConformanceCase, ConformanceSizes } from '../conformance/conformance-case.ts'
import { conformanceCases } from '../conformance/conformance-cases.ts'
import { assertRefused } from '../conformance/refusal.ts'
import { applies, runCase } from '../conformance/run-case.ts'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { PostgresUnderTest } from './describe-postgres.ts'
import { describePostgres } from './describe-postgres.ts'
import { postgresVersions } from './postgres-versions.ts'

const DEFAULT_TIMEOUT_MS = 60_000

/** What {@link describeDriver} takes. */
export interface DescribeDriverOptions {
  /** Makes the driver for a database. It must not connect: a driver does not before it is opened. */
  readonly create: (database: Pick<TestDatabase, 'url'>) => Driver
  /** How much the cases do, where the defaults are not right. */
  readonly sizes?: Partial<ConformanceSizes>
  /** Whether the newest version of the run is enough: where the same driver is described with other options besides. Default: false. */
  readonly newestOnly?: boolean
}

/**
 * Describes a driver: every law that its manifest makes it promise, on every PostgreSQL version of the run, and the
 * refusal of everything that its manifest denies.
 */
export function describeDriver(name: string, options: DescribeDriverOptions): void {
  // The manifest is read before any database exists; the address leads nowhere.
  const driver = options.create({ url: 'postgresql://nobody@127.0.0.1:1/none' })
  const refused = capabilityNames().filter((capability) => cellOf(driver.capabilities, capability) === false)
  const unproven = Object.values(CAPABILITY_PROOFS).flatMap(({ cases }) =>
    cases.filter((proof) => !conformanceCases.includes(proof)),
  )
  const cases = [...new Set([...conformanceCases, ...unproven])].filter((conformanceCase) =>
    applies(conformanceCase, driver),
  )

  describe(`${name} refuses what its manifest denies`, () => {
    test.each(refused)('%s', async (capability) => {
      const { refusal } = CAPABILITY_PROOFS[capability]
      if (refusal !== null) await assertRefused(driver, capability, refusal)
    })
  })

  describePostgres(
    name,
    (postgres) => {
      for (const conformanceCase of cases) register(conformanceCase, postgres, options)
    },
    options.newestOnly === true ? postgresVersions().slice(-1) : undefined,
  )
}

function register(conformanceCase: ConformanceCase, postgres: PostgresUnderTest, options: DescribeDriverOptions): void {
  const { law, name, minVersion = 0, timeoutMs = DEFAULT_TIMEOUT_MS } = conformanceCase
  test(`law ${law}: ${name}`, { timeout: timeoutMs }, async ({ skip }) => {
    skip(postgres.version < minVersion, `PostgreSQL ${minVersion} and later`)
    await using database = await postgres.createDatabase()
    await runCase(conformanceCase, { create: options.create, database, sizes: options.sizes ?? {} })
  })
}
