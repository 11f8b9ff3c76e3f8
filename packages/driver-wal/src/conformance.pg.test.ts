import { describeDriver } from '@rowtap/driver-testkit/vitest'
import { walDriver } from './wal-driver.ts'

describeDriver('driver-wal', { create: (database) => walDriver({ connection: database.url, livenessMs: 2000 }) })
