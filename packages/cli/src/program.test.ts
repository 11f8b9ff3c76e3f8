import { describe, expect, test, vi } from 'vitest'

import type { TailOptions } from './commands/tail.ts'
import type { Commands } from './program.ts'
import { UsageError } from './failure/usage-error.ts'
import { program } from './program.ts'

const URL = 'postgresql://localhost/shop'

async function parse(...parameters: readonly string[]): Promise<Record<keyof Commands, unknown[][]>> {
  const commands = {
    demo: vi.fn<Commands['demo']>(() => Promise.resolve()),
    tail: vi.fn<Commands['tail']>(() => Promise.resolve()),
    doctor: vi.fn<Commands['doctor']>(() => Promise.resolve()),
    uninstall: vi.fn<Commands['uninstall']>(() => Promise.resolve()),
    capabilities: vi.fn<Commands['capabilities']>(() => Promise.resolve()),
  }
  await program(commands, {}).parseAsync(['node', 'rowtap', ...parameters])
  return {
    demo: commands.demo.mock.calls,
    tail: commands.tail.mock.calls,
    doctor: commands.doctor.mock.calls,
    uninstall: commands.uninstall.mock.calls,
    capabilities: commands.capabilities.mock.calls,
  }
}

async function tailOptions(...parameters: readonly string[]): Promise<unknown> {
  const { tail } = await parse('tail', '--url', URL, ...parameters)
  return tail[0]?.[0]
}

describe('the command line', () => {
  test('tail has defaults', async () => {
    expect(await tailOptions('--table', 'orders')).toEqual({
      url: URL,
      tables: [{ schema: 'public', name: 'orders' }],
      driver: 'wal',
      json: false,
      values: 'json',
    } satisfies TailOptions)
  })

  test('tail reads every flag', async () => {
    const flags = [
      '--table',
      'orders',
      '--table',
      '"Odd Schema"."Ta""ble.x"',
      '--driver',
      'trigger',
      '--on',
      'insert,delete',
    ]
    const more = ['--columns', 'id,"Mixed"', '--where', "status = 'paid'", '--subscription', 'billing']
    const rest = ['--transitions', 'idempotent', '--snapshot', '--json', '--values', 'text', '--limit', '5', '--plan']
    expect(await tailOptions(...flags, ...more, ...rest)).toEqual({
      url: URL,
      tables: [
        { schema: 'public', name: 'orders' },
        { schema: 'Odd Schema', name: 'Ta"ble.x' },
      ],
      driver: 'trigger',
      operations: ['insert', 'delete'],
      columns: ['id', 'Mixed'],
      where: "status = 'paid'",
      subscription: 'billing',
      transitions: 'idempotent',
      snapshot: true,
      json: true,
      values: 'text',
      limit: 5,
      plan: true,
    } satisfies TailOptions)
  })

  test('tail reads the options of driver-wal, which other drivers do not have', async () => {
    const flags = ['--replica-identity', 'full', '--pushdown', 'inserts']
    expect(await tailOptions('--table', 'orders', ...flags, '--streaming')).toMatchObject({
      wal: { replicaIdentity: 'full', pushdown: 'inserts', streaming: 'on' },
    })
    expect(await tailOptions('--messages', 'a,b', ...flags)).toMatchObject({
      tables: [],
      messages: { prefixes: ['a', 'b'] },
      wal: { replicaIdentity: 'full', pushdown: 'inserts' },
    })
    expect(await tailOptions('--messages')).toMatchObject({ tables: [], messages: true })
    for (const [option, ...value] of [['--replica-identity', 'full'], ['--pushdown', 'inserts'], ['--streaming']]) {
      await expect(tailOptions('--table', 'orders', '--driver', 'trigger', option ?? '', ...value)).rejects.toThrow(
        `${option === '--pushdown' ? '--pushdown inserts' : option} goes with --driver wal`,
      )
    }
    const trigger = ['--table', 'orders', '--pushdown', 'conditions']
    await expect(tailOptions(...trigger)).rejects.toThrow('--pushdown conditions goes with --driver trigger')
    expect(await tailOptions(...trigger, '--driver', 'trigger')).toMatchObject({ trigger: { pushdown: 'conditions' } })
    await expect(tailOptions('--messages', 'a,')).rejects.toThrow(/^--messages takes prefixes/)
    await expect(tailOptions('--table', 'orders', '--pushdown', 'all')).rejects.toThrow(/^--pushdown takes inserts/)
    await expect(tailOptions()).rejects.toThrow(/^a table is needed/)
  })

  test.each([[['--messages']], [['--messages', 'a']], [['--table', 'orders', '--messages']]])(
    'tail refuses %j with --streaming',
    async (flags) => {
      const run = tailOptions(...flags, '--streaming')
      await expect(run).rejects.toThrow(UsageError)
      await expect(run).rejects.toThrow(/^--messages goes without --streaming: /)
    },
  )

  test('tail refuses what cannot be the name of a subscription', async () => {
    const run = tailOptions('--table', 'orders', '--subscription', 'Bad Name')
    await expect(run).rejects.toThrow(UsageError)
    await expect(run).rejects.toThrow(/^--subscription takes 1 to 40 .*, not "Bad Name"$/)
  })

  test('tail prints signals in place of rows, and has no options of rows then', async () => {
    expect(await tailOptions('--table', 'orders', '--signals', '--on', 'insert')).toMatchObject({
      signals: true,
      operations: ['insert'],
    })
    for (const rest of [['--columns', 'id'], ['--where', 'true'], ['--snapshot'], ['--transitions', 'exact']]) {
      await expect(tailOptions('--table', 'orders', '--signals', ...rest)).rejects.toThrow(
        `--signals goes without ${rest[0]}: there are no rows`,
      )
    }
  })

  test('tail refuses an empty condition, naming the option', async () => {
    await expect(tailOptions('--table', 'orders', '--where', ' ')).rejects.toThrow(/^--where is empty/)
  })

  test.each([
    ['--where', `status = 'paid'`, 'total > 1', /^--where is given twice: join the conditions with AND$/],
    ['--url', URL, URL, /^--url is given twice: give it once$/],
    ['--driver', 'wal', 'wal', /^--driver is given twice: give it once$/],
    ['--on', 'insert', 'delete', /^--on is given twice: give it once$/],
    ['--columns', 'id', 'total', /^--columns is given twice: give it once$/],
    ['--subscription', 'a', 'b', /^--subscription is given twice: give it once$/],
    ['--transitions', 'exact', 'idempotent', /^--transitions is given twice: give it once$/],
    ['--values', 'json', 'text', /^--values is given twice: give it once$/],
    ['--messages', 'a', 'b', /^--messages is given twice: give it once$/],
    ['--replica-identity', 'full', 'full', /^--replica-identity is given twice: give it once$/],
    ['--pushdown', 'inserts', 'inserts', /^--pushdown is given twice: give it once$/],
    ['--limit', '1', '2', /^--limit is given twice: give it once$/],
  ])('tail refuses a second %s, so that none of its values is dropped', async (option, first, second, sentence) => {
    const run = parse('tail', '--table', 'orders', option, first, `${option}=${second}`)
    await expect(run).rejects.toThrow(UsageError)
    await expect(run).rejects.toThrow(sentence)
  })

  test('demo refuses a second --seconds; a flag without a value may be repeated', async () => {
    await expect(parse('demo', '--seconds', '1', '--seconds', '2')).rejects.toThrow(/^--seconds is given twice/)
    expect((await parse('capabilities', '--json', '--json')).capabilities).toEqual([[{ json: true }]])
  })

  test('demo lasts ten seconds unless told otherwise', async () => {
    expect((await parse('demo')).demo).toEqual([[{ seconds: 10 }]])
    expect((await parse('demo', '--seconds', '2')).demo).toEqual([[{ seconds: 2 }]])
  })

  test('doctor looks at both drivers unless told otherwise', async () => {
    expect((await parse('doctor', '--url', URL)).doctor).toEqual([[{ url: URL, tables: [], json: false }]])
    const flags = ['--driver', 'trigger', '--table', 'orders', '--table', 's.t', '--json']
    expect((await parse('doctor', '--url', URL, ...flags)).doctor).toEqual([
      [
        {
          url: URL,
          driver: 'trigger',
          tables: [
            { schema: 'public', name: 'orders' },
            { schema: 's', name: 't' },
          ],
          json: true,
        },
      ],
    ])
  })

  test('uninstall asks, and leaves what is in use, unless told otherwise', async () => {
    const defaults = { url: URL, subscriptions: [], yes: false, force: false, json: false }
    expect((await parse('uninstall', '--url', URL)).uninstall).toEqual([[defaults]])
    const flags = ['--subscription', 'a', '--subscription', 'b', '--yes', '--force', '--json']
    expect((await parse('uninstall', '--url', URL, ...flags)).uninstall).toEqual([
      [{ url: URL, subscriptions: ['a', 'b'], yes: true, force: true, json: true }],
    ])
  })

  test('capabilities come as text or as JSON', async () => {
    expect((await parse('capabilities')).capabilities).toEqual([[{ json: false }]])
    expect((await parse('capabilities', '--json')).capabilities).toEqual([[{ json: true }]])
  })
})
