import { readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const packages = new URL('./packages/', import.meta.url)

/** Tests run the source of every package, not what was last built: `./dist/x.js` of a package's exports is `src/x.ts`. */
function sources(): { find: RegExp; replacement: string }[] {
  return readdirSync(packages).flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8')) as {
      name: string
      exports?: Record<string, string>
    }
    return Object.entries(exports ?? {})
      .filter(([, target]) => target.startsWith('./dist/'))
      .map(([path, target]) => ({
        find: new RegExp(`^${name}${path.slice(1)}$`, 'u'),
        replacement: fileURLToPath(
          new URL(`${folder}/${target.replace('./dist/', 'src/').replace(/\.js$/u, '.ts')}`, packages),
        ),
      }))
  })
}

export default defineConfig({
  resolve: { alias: sources() },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['packages/driver-testkit/src/vitest/global-setup.ts'],
    // The tests wait for PostgreSQL more than they compute.
    maxWorkers: availableParallelism() + 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
