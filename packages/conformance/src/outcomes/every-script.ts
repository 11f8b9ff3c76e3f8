import { copyScripts } from './copy-scripts.ts'
import { layoutScripts } from './layout-scripts.ts'
import { routineScripts } from './routine-scripts.ts'
import type { Script } from './script.ts'
import { sessionScripts } from './session-scripts.ts'
import { statementScripts } from './statement-scripts.ts'

/** Everything that a program may do to captured tables. */
export const everyScript: readonly Script[] = [
  ...statementScripts,
  ...routineScripts,
  ...copyScripts,
  ...layoutScripts,
  ...sessionScripts,
]
