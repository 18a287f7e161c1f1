/** What the instances have told of the names that they read most (hot-names.ts), as one list. */
import { keyOf, type Name, nameOf } from '../entry.ts'
import type { Reply } from '../session.ts'
import { type Aside, ask } from './ask.ts'
import { maxNameBytes } from './hot-names.ts'

export interface HotList {
  /** The one that is read most first. */
  readonly names: readonly { readonly name: Name; readonly reads: number }[]
  /** All reads, those of names that are not in the list included. */
  readonly reads: number
}

/** The instances that told last: they see the same app's traffic, and each of them is two megabytes to be read. */
const maxInstances = 8

/** @throws BatonError where Redis refuses it, or when the session is lost */
export async function readHotList(session: Aside, key: Name, top: number): Promise<HotList> {
  const instances = listOf(await ask(session, [['ZREVRANGE', keyOf(key), 0, maxInstances - 1]]))
  const lists: HotList[] = []
  for (const instance of instances) {
    const own = Buffer.concat([keyOf(`${key}:`), instance])
    lists.push(hotListOf(listOf(await ask(session, [['ZREVRANGE', own, 0, top, 'WITHSCORES']]))))
  }
  return mergeHotLists(lists, top)
}

/** Reads of one name are added up. Pure. */
export function mergeHotLists(lists: readonly HotList[], top: number): HotList {
  const sums = new Map<Name, number>()
  for (const { names } of lists) for (const { name, reads } of names) sums.set(name, (sums.get(name) ?? 0) + reads)
  const names = Array.from(sums, ([name, reads]) => ({ name, reads })).sort((a, b) => b.reads - a.reads)
  return { names: names.slice(0, top), reads: lists.reduce((sum, { reads }) => sum + reads, 0) }
}

/** Members and scores in turn. */
function hotListOf(reply: readonly Buffer[]): HotList {
  const names: { name: Name; reads: number }[] = []
  let sum = 0
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const [member, score] = [reply[at], Number(reply[at + 1])]
    if (member === undefined || !(score >= 0 && Number.isFinite(score))) continue
    sum += score
    if (member.length > 0 && member.length <= maxNameBytes) names.push({ name: nameOf(member), reads: score })
  }
  return { names, reads: sum }
}

/** RESP3 has pairs where RESP2 has one list. */
function listOf([reply]: readonly Reply[]): Buffer[] {
  return Array.isArray(reply) ? reply.flat().filter((each) => Buffer.isBuffer(each)) : []
}
