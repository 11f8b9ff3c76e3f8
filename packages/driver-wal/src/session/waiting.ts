export { unlessAborted, Waiting } from '@rowtap/core/driver'
