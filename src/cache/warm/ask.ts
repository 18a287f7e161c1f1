import { BatonError } from '../../errors.ts'
import type { Reply, Session, Words } from '../session.ts'

/** What is asked of Redis beside the tracked connections. */
export type Aside = Pick<Session, 'aside'>

/** @throws BatonError `denied` where Redis answers one of them with an error; and when the session is lost */
export async function ask(session: Aside, commands: readonly Words[]): Promise<readonly Reply[]> {
  const replies = await session.aside(commands)
  for (const [at, reply] of replies.entries()) {
    if (reply instanceof Error) throw new BatonError('denied', `redis refuses ${commands[at]?.[0]}: ${reply.message}`, reply)
  }
  return replies
}
