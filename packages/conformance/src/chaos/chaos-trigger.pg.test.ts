import { describeChaos } from '@rowtap/driver-testkit/vitest'

describeChaos('driver-trigger', {
  module: new URL('./trigger-driver.ts', import.meta.url).href,
  // The consumer's process runs the packages' sources, as the tests do.
  nodeArguments: ['--import', new URL('../testing/resolve-sources.ts', import.meta.url).href],
})
