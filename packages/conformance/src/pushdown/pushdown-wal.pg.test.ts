import { walDriver } from '@rowtap/driver-wal'
import { describePushdown } from './describe-pushdown.ts'

describePushdown(`pushdown: 'inserts'`, ({ url }) => walDriver({ connection: url, pushdown: 'inserts' }))
