import { describe, expectTypeOf, it } from 'vitest'
import { connect } from '../connect.ts'
import type { Driver } from '../contract/driver.ts'
import type { Capabilities } from './capabilities.ts'
import { supports } from './supports.ts'

interface Able extends Capabilities {
  readonly driver: 'able'
  readonly operations: {
    readonly insert: 'database'
    readonly update: 'database'
    readonly delete: 'database'
    readonly truncate: 'database'
  }
}

interface Unable extends Capabilities {
  readonly driver: 'unable'
  readonly operations: {
    readonly insert: 'database'
    readonly update: 'database'
    readonly delete: 'database'
    readonly truncate: false
  }
}

describe('supports()', () => {
  it('leaves of several drivers those that have the capability', async () => {
    async function attach(driver: Driver<Able> | Driver<Unable>): Promise<void> {
      if (!supports(driver, 'operations.truncate')) return
      expectTypeOf(driver.capabilities.driver).toEqualTypeOf<'able'>()
      const client = await connect(driver)
      client.listen({ table: 'orders', operations: ['truncate'] })
    }
    expectTypeOf(attach).returns.resolves.toBeVoid()
  })

  it('leaves nothing of a driver that has it not', () => {
    function attach(driver: Driver<Unable>): void {
      if (supports(driver, 'operations.truncate')) expectTypeOf(driver).toBeNever()
    }
    expectTypeOf(attach).returns.toBeVoid()
  })

  it('tells of a driver whose type was lost that the cell is not false', () => {
    function attach(driver: Driver): void {
      if (!supports(driver, 'operations.truncate')) return
      expectTypeOf(driver.capabilities.operations.truncate).toEqualTypeOf<'database' | 'process'>()
      expectTypeOf(driver).toExtend<Driver>()
    }
    expectTypeOf(attach).returns.toBeVoid()
  })

  it('knows the cells of the manifest by name', () => {
    function ask(driver: Driver): void {
      // @ts-expect-error there is no such cell
      supports(driver, 'operations.upsert')
    }
    expectTypeOf(ask).returns.toBeVoid()
  })
})
