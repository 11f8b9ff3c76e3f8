import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PackedPackage } from './pack-packages.ts'
import { run, runOrThrow } from './run.ts'
import type { Outcome, RunOptions } from './run.ts'

const programs = fileURLToPath(new URL('../consumer/', import.meta.url))
const require = createRequire(import.meta.url)

/** A project of a user who wants changes by one driver: a folder of its own, with nothing but what npm put there. */
export interface ConsumerProject {
  readonly folder: string
  /** Every package in its `node_modules`, nested ones included, by name. */
  installed(): Promise<ReadonlySet<string>>
  /** Compiles the program. The outcome's standard output holds the compiler's messages. */
  compile(): Promise<Outcome>
  /** Runs what was compiled, until it ends or `signal` is aborted. */
  start(databaseUrl: string, options: Pick<RunOptions, 'onLine' | 'signal'>): Promise<Outcome>
}

/** Makes the project in `folder`, and installs `packages` in it with npm. */
export async function consumerProject(
  folder: string,
  driver: 'wal' | 'trigger',
  packages: readonly PackedPackage[],
): Promise<ConsumerProject> {
  await mkdir(folder)
  await copyFile(join(programs, 'program.ts'), join(folder, 'program.ts'))
  await copyFile(join(programs, `driver-${driver}.ts`), join(folder, 'driver.ts'))
  await copyFile(join(programs, 'tsconfig.json'), join(folder, 'tsconfig.json'))
  const manifest = {
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(packages.map((one) => [one.name, `file:${one.tarball}`])),
    devDependencies: { '@types/node': await versionOf('@types/node') },
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  await runOrThrow('npm', ['install', ...options], { cwd: folder, env: userEnvironment() })
  return {
    folder,
    installed: () => packagesIn(join(folder, 'node_modules')),
    compile: () => run(process.execPath, [compiler(), '-p', '.', '--pretty', 'false'], { cwd: folder }),
    start: (databaseUrl, options) =>
      run(process.execPath, ['dist/program.js'], {
        cwd: folder,
        env: { ...userEnvironment(), DATABASE_URL: databaseUrl },
        ...options,
      }),
  }
}

/** The workspace's compiler: it is the same program wherever it lies, and large to install twice. */
function compiler(): string {
  return join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
}

async function versionOf(name: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(require.resolve(`${name}/package.json`), 'utf8'))
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) {
    throw new Error(`${name} has no version`)
  }
  return String(manifest.version)
}

/** The environment without what a package manager puts into its scripts': npm is to see what a user's shell has. */
function userEnvironment(): NodeJS.ProcessEnv {
  const variables = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_(?:package|lifecycle|command)|pnpm_|PNPM_)/.test(name),
  )
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.split(sep).includes('node_modules'))
  return { ...Object.fromEntries(variables), PATH: path.join(delimiter) }
}

async function packagesIn(modules: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(modules, { recursive: true })
  const manifests = entries.filter((entry) => entry.endsWith(`${sep}package.json`))
  const names = manifests.map(
    (path) => /(?:^|[\\/]node_modules[\\/])?((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]package\.json$/.exec(path)?.[1],
  )
  return new Set(names.filter((name) => name !== undefined).map((name) => name.replaceAll(sep, '/')))
}
