import { triggerDriver } from '@rowtap/driver-trigger'
import { describeConditionFold } from './describe-condition-fold.ts'

describeConditionFold('driver-trigger', ({ url }) => triggerDriver({ connection: url }))
