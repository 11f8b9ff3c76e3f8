/**
 * Writes the parts of README.md and docs that follow from the code, or from what was measured: what is between
 * `<!-- name:begin -->` and `<!-- name:end -->`. With `--check` it only says which file is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { ERROR_CODES } from '@rowtap/core'
import { capabilityMarkdown, DRIVER_NAMES, KNOWN_DRIVERS } from 'rowtap'
import { operatorMarkdown } from './operator-markdown.ts'
import { triggerSpeedMarkdown, walSpeedMarkdown } from './speed-markdown.ts'

const root = new URL('../', import.meta.url)

/** A generated part: the file, the name in its marks, and what stands between them. */
interface GeneratedPart {
  readonly file: string
  readonly name: string
  readonly text: string
}

const parts: readonly GeneratedPart[] = [
  {
    file: 'README.md',
    name: 'capabilities',
    text: capabilityMarkdown(DRIVER_NAMES.map((name) => KNOWN_DRIVERS[name].capabilities)),
  },
  { file: 'README.md', name: 'example:orders', text: await exampleMarkdown('orders.ts') },
  { file: 'docs/conditions.md', name: 'example:paid-orders', text: await exampleMarkdown('paid-orders.ts') },
  { file: 'docs/conditions.md', name: 'operators', text: operatorMarkdown() },
  { file: 'docs/speed.md', name: 'wal', text: await walSpeedMarkdown(new URL('bench/measured/wal.json', root)) },
  {
    file: 'docs/speed.md',
    name: 'trigger',
    text: await triggerSpeedMarkdown(new URL('bench/measured/trigger.json', root)),
  },
  {
    file: 'packages/driver-trigger/README.md',
    name: 'cost',
    text: await triggerSpeedMarkdown(new URL('bench/measured/cost.json', root)),
  },
  { file: 'docs/errors.md', name: 'errors', text: errorsMarkdown() },
]

const outdated: string[] = []
for (const file of new Set(parts.map((part) => part.file))) {
  const url = new URL(file, root)
  const before = await readFile(url, 'utf8')
  const after = parts.filter((part) => part.file === file).reduce(replacePart, before)
  if (after === before) continue
  outdated.push(file)
  if (!process.argv.includes('--check')) await writeFile(url, after)
}
if (process.argv.includes('--check') && outdated.length > 0) {
  console.error(`${outdated.join(' and ')} differ from the code: run node scripts/readme.ts.`)
  process.exitCode = 1
}

function replacePart(text: string, { file, name, text: generated }: GeneratedPart): string {
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} followed by ${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${generated}\n\n${text.slice(to)}`
}

async function exampleMarkdown(file: string): Promise<string> {
  const source = await readFile(new URL(`examples/${file}`, root), 'utf8')
  return `\`\`\`ts\n${source.trimEnd()}\n\`\`\``
}

function errorsMarkdown(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, meaning]) => `| \`${code}\` | ${meaning.replaceAll('|', '\\|')} |`,
  )
  return ['| code | what happened, and what to do |', '| --- | --- |', ...rows].join('\n')
}
