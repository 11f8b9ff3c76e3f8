import { describeDriver } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from './trigger-driver.ts'

describeDriver('driver-trigger, where it leaves out what nobody wants,', {
  create: (database) => triggerDriver({ connection: database.url, pushdown: 'conditions' }),
  newestOnly: true,
})
