import { connect } from '@rowtap/core'
import { walDriver } from '@rowtap/driver-wal'
import { describe, expect, test } from 'vitest'

import { UsageError } from '../failure/usage-error.ts'
import { columnList } from './column-list.ts'
import { conditionText } from './condition-text.ts'
import { connectionUrl } from './connection-url.ts'
import { oneOf, someOf } from './one-of.ts'
import { positiveInteger } from './positive-integer.ts'
import { subscriptionName } from './subscription-name.ts'
import { addTable } from './table-list.ts'

describe('connection strings', () => {
  test.each([
    'postgresql://localhost/shop',
    'postgres://ada:secret@localhost:5432/shop?sslmode=require',
    'postgresql:///shop?host=/var/run/postgresql',
    'postgresql://ada@/shop?host=/var/run/postgresql',
    'postgresql://%2Fvar%2Frun%2Fpostgresql/shop',
  ])('%s is one', (url) => {
    expect(connectionUrl(url, {})).toBe(url)
  })

  test('without --url it is DATABASE_URL', () => {
    expect(connectionUrl(undefined, { DATABASE_URL: 'postgresql://localhost/shop' })).toBe(
      'postgresql://localhost/shop',
    )
  })

  test('none at all is a usage error', () => {
    expect(() => connectionUrl(undefined, {})).toThrow(UsageError)
    expect(() => connectionUrl(undefined, {})).toThrow(/give --url or set DATABASE_URL/)
  })

  test.each(['shop.example', 'mysql://localhost/shop', 'postgresql://ada:s3cr3t#1@localhost:x/shop', '--table'])(
    '%s is refused without repeating what may be a password',
    (url) => {
      expect(() => connectionUrl(url, {})).toThrow(UsageError)
      expect(() => connectionUrl(url, {})).not.toThrow(url)
      expect(() => connectionUrl(url, {})).not.toThrow(/s3cr3t/)
    },
  )
})

describe('numbers', () => {
  const limit = positiveInteger('--limit')
  test('whole numbers from 1 on are read', () => {
    expect(limit('1')).toBe(1)
    expect(limit('100000')).toBe(100_000)
  })
  test.each(['0', '-1', '1.5', '1e3', '', 'ten', '0x10', ' 7', '99999999999999999999'])('%j is none', (text) => {
    expect(() => limit(text)).toThrow(`--limit takes a whole number from 1 on, not ${JSON.stringify(text)}`)
  })
})

describe('words', () => {
  test('one of a few', () => {
    expect(oneOf('--driver', ['wal', 'trigger'], 'trigger')).toBe('trigger')
    expect(() => oneOf('--driver', ['wal', 'trigger'], 'Wal')).toThrow('--driver takes wal or trigger, not "Wal"')
  })
  test('some of a few, each once', () => {
    expect(someOf('--on', ['insert', 'update', 'delete'], 'update, insert,update')).toEqual(['update', 'insert'])
    expect(() => someOf('--on', ['insert', 'update', 'delete'], 'insert,')).toThrow(
      '--on takes insert, update or delete, not ""',
    )
  })
})

describe('columns', () => {
  test.each([
    ['id', ['id']],
    ['id, Status', ['id', 'status']],
    ['"Mixed Case","with,comma","with""quote"', ['Mixed Case', 'with,comma', 'with"quote']],
    ['größe,GRÖSSE', ['größe', 'grÖsse']],
    ['id,id', ['id']],
  ])('%s', (text, names) => {
    expect(columnList(text)).toEqual(names)
  })
  test.each(['', ',', 'id,', 'id status', '"open', '1st'])('%j is no list of columns', (text) => {
    expect(() => columnList(text)).toThrow(UsageError)
  })
})

describe('tables', () => {
  test('each is listened to once', () => {
    const tables = ['orders', 'public.Orders', 'other.orders'].reduce<ReturnType<typeof addTable>>(
      (all, name) => addTable(name, all),
      [],
    )
    expect(tables).toEqual([
      { schema: 'public', name: 'orders' },
      { schema: 'other', name: 'orders' },
    ])
  })
  test('what is not a name is a usage error that says how to write one', () => {
    expect(() => addTable('public.', [])).toThrow(UsageError)
    expect(() => addTable('a.b.c', [])).toThrow(/--table: "a\.b\.c" is not the name of a table/)
  })
})

describe('subscriptions', () => {
  /** What the library says to a name; nobody listens at the address. */
  const codeOf = (subscription: string): Promise<unknown> =>
    connect(walDriver({ connection: 'postgresql://127.0.0.1:1/shop' }), { subscription }).then(
      () => null,
      (error: { readonly code: unknown }) => error.code,
    )

  test.each(['billing', 'b', 'a_1', 'a'.repeat(40)])('%s is the name of one', async (name) => {
    expect(subscriptionName(name)).toBe(name)
    expect(await codeOf(name)).toBe('ERR_CONNECTION_FAILED')
  })

  test.each(['Bad Name', 'Billing', '', '1st', '_a', 'a-b', 'a\n', 'größe', 'a'.repeat(41)])(
    '%j is none: a usage error that says how to write one',
    async (name) => {
      expect(() => subscriptionName(name)).toThrow(UsageError)
      expect(() => subscriptionName(name)).toThrow(
        `--subscription takes 1 to 40 lower-case letters (a to z), digits and underscores, beginning with a letter, not ${JSON.stringify(name)}`,
      )
      expect(await codeOf(name)).toBe('ERR_INVALID_OPTIONS')
    },
  )
})

describe('conditions', () => {
  test('are taken as they are', () => {
    expect(conditionText(' total > 1 ')).toBe(' total > 1 ')
  })

  test.each(['', ' ', '\n\t'])('%j is refused, naming the option', (text) => {
    expect(() => conditionText(text)).toThrow(UsageError)
    expect(() => conditionText(text)).toThrow(/^--where is empty: give a condition, as in .*, or leave it out$/)
  })
})
