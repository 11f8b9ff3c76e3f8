import type { LogicalMessage } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { numbersOf } from '../tools/numbers-of.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

const NEEDS = ['messages.logical', 'operations.insert'] as const
const SUBSCRIPTION = 'conformance'

const textOf = ({ content }: LogicalMessage): string => Buffer.from(content).toString()

const inOrder: ConformanceCase = {
  name: 'messages come among the changes in the order of the log, a transaction’s with its id, and none that was rolled back',
  law: 3,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const log: string[] = []
    const messages: LogicalMessage[] = []
    const client = await context.connect({
      messages: true,
      on: {
        message: async (message) => {
          messages.push(message)
          await new Promise((resolve) => setImmediate(resolve))
          log.push(textOf(message))
        },
      },
    })
    const listener = client.listen({ table: 'public.t' })
    const transactions = new Set<string | undefined>()
    listener.on('insert', (event) => {
      transactions.add(event.transaction?.id)
      log.push(`row ${numbersOf([event]).join()}`)
    })
    await listener.ready
    const writer = await database.connect()
    await writer.query(`BEGIN`)
    await writer.query(`SELECT pg_logical_emit_message(true, 'a', 'one')`)
    await writer.query(`INSERT INTO public.t VALUES (1)`)
    await writer.query(`SELECT pg_logical_emit_message(true, 'a', 'two'), pg_logical_emit_message(true, 'b', '')`)
    await writer.query(`SAVEPOINT s; SELECT pg_logical_emit_message(true, 'a', 'rolled back'); ROLLBACK TO s`)
    // It belongs to no transaction, and is there before this one is committed.
    await writer.query(`SELECT pg_logical_emit_message(false, 'a', 'at once')`)
    await writer.query(`INSERT INTO public.t VALUES (2)`)
    // The log up to it is written with the next commit, whoever's it is.
    await database.query('CREATE TABLE public.other ()')
    await context.eventually(() => log.length > 0, 'a message of no transaction')
    await writer.query(`COMMIT`)
    await writer.query(`BEGIN; SELECT pg_logical_emit_message(true, 'a', 'undone'); ROLLBACK`)
    await writer.query(`SELECT pg_logical_emit_message(true, 'a', 'last')`)
    await context.eventually(() => log.includes('last'), 'the last message')
    assert.deepEqual(log, ['at once', 'one', 'row 1', 'two', '', 'row 2', 'last'])
    assert.deepEqual(
      messages.map(({ prefix, transactional }) => [prefix, transactional]),
      [
        ['a', false],
        ['a', true],
        ['a', true],
        ['b', true],
        ['a', true],
      ],
    )
    const ofTransaction = messages.slice(1, 4).map(({ transaction }) => transaction?.id)
    assert.deepEqual(new Set(ofTransaction), transactions, 'a message has another transaction than the rows around it')
    assert.equal(messages[0]?.transaction, null)
    assert.equal(new Set(messages.map(({ id }) => id)).size, messages.length, 'two messages have one id')
    const positions = messages.map(({ position }) => position)
    assert.deepEqual(positions, positions.toSorted(), 'positions do not grow')
  },
}

const someOnly: ConformanceCase = {
  name: 'messages with other prefixes are left out, and any bytes arrive as they were written',
  law: 3,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    const seen: LogicalMessage[] = []
    await context.connect({ messages: { prefixes: ['wanted'] }, on: { message: (message) => void seen.push(message) } })
    await database.query(`SELECT pg_logical_emit_message(true, 'unwanted', 'x')`)
    const bytes = Buffer.from([0, 255, 10, 0, 128])
    await database.query(`SELECT pg_logical_emit_message(true, 'wanted', $1::bytea)`, [bytes])
    await context.eventually(() => seen.length > 0, 'the message with the prefix that is wanted')
    assert.deepEqual(
      seen.map(({ prefix, content }) => [prefix, Buffer.from(content)]),
      [['wanted', bytes]],
    )
  },
}

const atLeastOnce: ConformanceCase = {
  name: 'a message that was not handled comes again after a crash with the same id and position, and one that was does not',
  law: 8,
  needs: [...NEEDS, 'delivery.subscription'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const proxy = await tcpProxy(database.url)
    const before: LogicalMessage[] = []
    const crashing = await context.connectTo(
      proxy.url,
      {
        subscription: SUBSCRIPTION,
        messages: true,
        on: {
          error: () => undefined,
          message: (message) => {
            before.push(message)
            return textOf(message) === 'stuck' ? new Promise(() => undefined) : undefined
          },
        },
      },
      'mayFail',
    )
    await database.query(`SELECT pg_logical_emit_message(true, 'a', 'handled')`)
    await context.eventually(() => crashing.acknowledged === before[0]?.position, 'the acknowledgement of a message')
    await database.query(`SELECT pg_logical_emit_message(false, 'a', 'stuck')`)
    await context.eventually(() => before.length === 2, 'two messages before the crash')
    await database.query(`SELECT pg_logical_emit_message(true, 'a', 'behind it')`)
    await proxy[Symbol.asyncDispose]()

    const after: LogicalMessage[] = []
    await context.connect({
      subscription: SUBSCRIPTION,
      messages: true,
      on: { message: (message) => void after.push(message) },
    })
    await context.eventually(() => after.map(textOf).includes('behind it'), 'the messages that were not handled')
    // What was handled may come again where the crash came before its acknowledgement did.
    const again = after.filter((message) => textOf(message) !== 'handled')
    assert.deepEqual(again.map(textOf), ['stuck', 'behind it'])
    const identity = ({ id, position }: LogicalMessage): unknown => [id, position]
    assert.deepEqual(again.slice(0, 1).map(identity), before.slice(1).map(identity))
  },
}

/** Laws 3 and 8, of logical messages. */
export const messageCases: readonly ConformanceCase[] = [inOrder, someOnly, atLeastOnce]
