import { RowtapError } from '@rowtap/core/driver'

/** The subscription cannot go on, and nobody said that it should begin anew. */
export function positionLost(subscription: string, reason: string): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      `Subscription ${JSON.stringify(subscription)} cannot go on where it ended: ${reason} ` +
      `Connect with onPositionLost: 'restart' to begin anew from now on, or remove it: rowtap uninstall --subscription ${subscription}`,
  })
}
