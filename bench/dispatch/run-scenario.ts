/** Runs one scenario and prints its result as JSON: `node --expose-gc run-scenario.ts <name> <listeners> <rounds>`. */
import { scenario } from './scenario.ts'

const [name, count, rounds] = process.argv.slice(2)
if (name !== 'equality' && name !== 'range' && name !== 'both') throw new Error(`There is no scenario ${String(name)}.`)
process.stdout.write(JSON.stringify(await scenario(name, Number(count), Number(rounds))))
