export { Interruption } from '@rowtap/core/driver'
