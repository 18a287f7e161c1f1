/**
 * The journal as files of STATE/journal: `ledger.json`, replaced whole, and `ID.jsonl` for each upgrade, appended to. Nothing resolves
 * before it is on the disk, and everything is written in the order of the calls, one thing at a time.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically } from '../config/atomic-file.ts'
import type { Warn } from '../config/coalesced-file.ts'
import { errorCode, errorMessage } from '../errors.ts'
import { type Journal, type JournalEntry, summaryOf, type UpgradeSummary } from './journal.ts'
import { readEntry, readLedger } from './journal-form.ts'
import type { Ledger } from './ledger.ts'
import type { Receipt } from './receipt.ts'
import { isOver, type UpgradeId } from './upgrade.ts'
import { isUpgradeId } from './upgrade-id.ts'

/** Upgrades whose moves are kept. */
const keptUpgrades = 50
/** Of one upgrade; past it only its end is still written. */
const maxBytes = 4 * 1024 * 1024

export class FileJournal implements Journal {
  /** STATE/journal; what is named `ID.…` in it goes when the upgrade does. */
  readonly folder: string
  /** Why the ledger that was found could not be read and was set aside; null if nothing was wrong. The configuration's stable then decides. */
  readonly damage: string | null
  readonly #warn: Warn
  #ledger: Ledger | null
  #last: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, warn: Warn, found: Found) {
    this.folder = folder
    this.damage = found.damage
    this.#warn = warn
    this.#ledger = found.ledger
  }

  /** `state` is the state folder; makes it and the journal's (0700). Throws the system's error where that, or reading, cannot be done. */
  static async open(state: string, warn: Warn): Promise<FileJournal> {
    const folder = join(state, 'journal')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return new FileJournal(folder, warn, await findLedger(join(folder, 'ledger.json'), warn))
  }

  read(): Ledger | null {
    return this.#ledger
  }

  write(ledger: Ledger): Promise<void> {
    return this.#inOrder(async () => {
      await writeAtomically(join(this.folder, 'ledger.json'), `${JSON.stringify(ledger, null, 1)}\n`)
      this.#ledger = ledger
    })
  }

  append(id: UpgradeId, entry: JournalEntry): Promise<void> {
    return this.#inOrder(async () => {
      if (!isUpgradeId(id)) throw new Error(`${id} is not the name of an upgrade`)
      const isNew = await this.#add(id, entry)
      if (isNew) await this.#forgetOldest(id)
    })
  }

  async entries(id: string): Promise<readonly JournalEntry[]> {
    if (!isUpgradeId(id)) return []
    const text = await readIfThere(this.#pathOf(id))
    return (text ?? '').split('\n').flatMap((line) => this.#entryOf(line, id))
  }

  /** Under the upgrade's name, so that it goes when the upgrade does. */
  keepReceipt(receipt: Receipt): Promise<void> {
    return this.#inOrder(() => writeAtomically(this.#receiptOf(receipt.id), `${JSON.stringify(receipt, null, 1)}\n`))
  }

  /** Null if none was kept. */
  async receipt(id: string): Promise<Receipt | null> {
    const text = isUpgradeId(id) ? await readIfThere(this.#receiptOf(id)) : null
    return text === null ? null : (JSON.parse(text) as Receipt)
  }

  async history(): Promise<readonly UpgradeSummary[]> {
    const summaries: UpgradeSummary[] = []
    for (const id of await this.#ids()) {
      const summary = summaryOf(await this.entries(id))
      if (summary !== null) summaries.push(summary)
    }
    return summaries.sort((a, b) => b.beganAt - a.beganAt || b.at - a.at)
  }

  /** Whether the file is new. Its first line comes with an fsync of the folder. */
  async #add(id: UpgradeId, entry: JournalEntry): Promise<boolean> {
    const path = this.#pathOf(id)
    const line = `${JSON.stringify(entry)}\n`
    const size = await sizeOf(path)
    if (size === null) await writeAtomically(path, line)
    else if (size > maxBytes && !isOver(entry.upgrade)) this.#warn(`${path} is full: a move is left out`, new Error(entry.event))
    else await appendLine(path, line, size)
    return size === null
  }

  async #forgetOldest(present: UpgradeId): Promise<void> {
    const ids = await this.#ids()
    if (ids.length <= keptUpgrades) return
    const newest = [present, ...(await this.history()).map(({ id }) => id).filter((id) => id !== present)].slice(0, keptUpgrades)
    const names = await readdir(this.folder)
    for (const name of names) {
      const id = name.split('.')[0] ?? ''
      if (isUpgradeId(id) && !newest.includes(id)) await rm(join(this.folder, name), { force: true })
    }
  }

  async #ids(): Promise<readonly UpgradeId[]> {
    const names = await readdir(this.folder)
    return names
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => name.slice(0, -'.jsonl'.length))
      .filter(isUpgradeId)
  }

  #entryOf(line: string, id: UpgradeId): readonly JournalEntry[] {
    if (line === '') return []
    try {
      return [readEntry(line)]
    } catch (error) {
      this.#warn(`${this.#pathOf(id)} has a line that cannot be read; it is passed over`, error)
      return []
    }
  }

  #receiptOf(id: UpgradeId): string {
    return join(this.folder, `${id}.receipt.json`)
  }

  #pathOf(id: UpgradeId): string {
    return join(this.folder, `${id}.jsonl`)
  }

  /** One that fails is its caller's; the next goes ahead. */
  #inOrder<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

interface Found {
  readonly ledger: Ledger | null
  readonly damage: string | null
}

async function findLedger(path: string, warn: Warn): Promise<Found> {
  const text = await readIfThere(path)
  if (text === null) return { ledger: null, damage: null }
  try {
    return { ledger: readLedger(text), damage: null }
  } catch (error) {
    const damage = `${path} cannot be understood (${errorMessage(error)}); it is set aside as ${path}.corrupt, and roles are the configuration's`
    warn(damage, error)
    await rename(path, `${path}.corrupt`)
    return { ledger: null, damage }
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** Null if there is no such file. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

async function appendLine(path: string, line: string, size: number): Promise<void> {
  const file = await open(path, 'a+', 0o600)
  try {
    // A killed baton may have left half a line.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1))
    const isWhole = bytesRead === 0 || buffer.toString() === '\n'
    await file.writeFile(isWhole ? line : `\n${line}`)
    await file.sync()
  } finally {
    await file.close()
  }
}
