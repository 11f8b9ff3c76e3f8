import { triggerDriver } from '@rowtap/driver-trigger'
import { describeOutcomes } from './describe-outcomes.ts'
import { everyScript } from './every-script.ts'

describeOutcomes('driver-trigger', {
  scripts: everyScript,
  create: ({ url }, { replicated = false }) => triggerDriver({ connection: url, enableAlways: replicated }),
})
