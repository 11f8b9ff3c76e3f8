/**
 * For `node --import`: imports of this repository's packages lead to their sources, and not to what was last built.
 * `./dist/x.js` of a package's exports is `src/x.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string>>
}

const packages = new URL('../../../', import.meta.url)
const sources = new Map<string, string>()
for (const folder of readdirSync(packages)) {
  const manifest = new URL(`${folder}/package.json`, packages)
  const { name, exports = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
  for (const [path, target] of Object.entries(exports)) {
    if (!target.startsWith('./dist/')) continue
    const source = target.replace('./dist/', './src/').replace(/\.js$/u, '.ts')
    sources.set(`${name}${path.slice(1)}`, new URL(source, manifest).href)
  }
}

registerHooks({
  resolve: (specifier, context, nextResolve) => nextResolve(sources.get(specifier) ?? specifier, context),
})
