import { describe, expectTypeOf, it } from 'vitest'
import type { Capabilities } from './capabilities/capabilities.ts'
import type { Client } from './client.ts'
import type { ChangeEvent, Row, SignalEvent } from './event.ts'
import type { SignalListener } from './signal-listener.ts'
import type { SCRIPTED_CAPABILITIES } from './testing/scripted-driver.ts'

type Manifest = typeof SCRIPTED_CAPABILITIES

interface WithoutSignals extends Capabilities {
  readonly listeners: { readonly attachWhileRunning: 'database'; readonly withoutRows: false }
}

describe('a listener without rows', () => {
  it('has signals, and nothing but signals', () => {
    function look(client: Client<Manifest>): void {
      const listener = client.listen({ table: 'orders', rows: false, operations: ['insert', 'truncate'] })
      expectTypeOf(listener).toEqualTypeOf<SignalListener<Manifest>>()
      listener.on('signal', (event) => expectTypeOf(event).toEqualTypeOf<SignalEvent<Manifest>>())
      listener.on('change', ({ new: row, key }) => expectTypeOf([row, key]).toEqualTypeOf<null[]>())
      // @ts-expect-error There are no rows, and so no events of them.
      listener.on('insert', () => {})
      const manual = client.listen({ table: 'orders', rows: false, ack: 'manual' })
      manual.on('signal', (event) => expectTypeOf(event.ack).returns.toBeVoid())
      listener.on('signal', (event) => expectTypeOf(event).not.toHaveProperty('ack'))
      client.listen({ table: 'orders', rows: false, onFailure: ({ operation }) => void operation })
    }
    expectTypeOf(look).returns.toBeVoid()
  })

  it('is one of few options', () => {
    function look(client: Client<Manifest>): void {
      // @ts-expect-error No rows to choose from.
      client.listen({ table: 'orders', rows: false, where: { id: 1 } })
      // @ts-expect-error No columns.
      client.listen({ table: 'orders', rows: false, columns: ['id'] })
      // @ts-expect-error No key.
      client.listen({ table: 'orders', rows: false, key: ['id'] })
      // @ts-expect-error No key to be in order by.
      client.listen({ table: 'orders', rows: false, orderBy: 'key' })
      // @ts-expect-error No rows that are there.
      client.listen({ table: 'orders', rows: false, snapshot: 'initial' })
      // @ts-expect-error No transitions.
      client.listen({ table: 'orders', rows: false, transitions: 'exact' })
      // @ts-expect-error Nothing that would fill a buffer.
      client.listen({ table: 'orders', rows: false, bufferBytes: 1 })
    }
    expectTypeOf(look).returns.toBeVoid()
  })

  it('compiles only where the driver has it, and leaves the others as they are', () => {
    function look(client: Client<WithoutSignals>, other: Client<Manifest>): void {
      // @ts-expect-error The manifest says false.
      client.listen({ table: 'orders', rows: false })
      const plain = other.listen({ table: 'orders', rows: true, where: { id: 1 } })
      plain.on('change', (event) => expectTypeOf(event).toEqualTypeOf<ChangeEvent<Row, Manifest>>())
      void other.plan([
        { table: 'orders', rows: false },
        { table: 'orders', columns: ['id'] },
      ])
    }
    expectTypeOf(look).returns.toBeVoid()
  })
})
