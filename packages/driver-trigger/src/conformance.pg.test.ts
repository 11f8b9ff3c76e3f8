import { describeDriver } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from './trigger-driver.ts'

describeDriver('driver-trigger', { create: (database) => triggerDriver({ connection: database.url }) })
