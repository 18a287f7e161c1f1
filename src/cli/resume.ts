/** `baton resume`: what "baton pause" kept goes on. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton resume

Lets an upgrade that was paused go on; its present step begins anew.`,
  path: '/v1/resume',
  fleet: 'resume',
})
