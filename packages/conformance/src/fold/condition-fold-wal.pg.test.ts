import { walDriver } from '@rowtap/driver-wal'
import { describeConditionFold } from './describe-condition-fold.ts'

describeConditionFold('driver-wal', ({ url }) => walDriver({ connection: url }))
