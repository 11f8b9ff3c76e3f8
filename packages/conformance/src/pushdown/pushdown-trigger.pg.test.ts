import { triggerDriver } from '@rowtap/driver-trigger'
import { describePushdown } from './describe-pushdown.ts'

describePushdown(`pushdown: 'conditions'`, ({ url }) => triggerDriver({ connection: url, pushdown: 'conditions' }))
