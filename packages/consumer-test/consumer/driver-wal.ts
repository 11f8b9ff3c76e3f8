import { walDriver } from '@rowtap/driver-wal'

export const driver = walDriver({ connection: process.env['DATABASE_URL'] ?? '' })
