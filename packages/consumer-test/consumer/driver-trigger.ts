import { triggerDriver } from '@rowtap/driver-trigger'

export const driver = triggerDriver({ connection: process.env['DATABASE_URL'] ?? '' })
