/** A file that follows a value which changes often: while one write is under way the changes after it become one more. */
import { writeAtomically } from './atomic-file.ts'

/** Told of what went wrong and did not stop anything. */
export type Warn = (message: string, error: unknown) => void

export class CoalescedFile {
  readonly #path: string
  readonly #warn: Warn
  #next: (() => string) | null = null
  #writing: Promise<void> | null = null

  constructor(path: string, warn: Warn) {
    this.#path = path
    this.#warn = warn
  }

  /** Writes what `render` says, soon; a failure is warned of. */
  write(render: () => string): void {
    this.#next = render
    this.#writing ??= this.#run()
  }

  /** Ends when nothing is left to write. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async #run(): Promise<void> {
    // The changes of one synchronous step are one write.
    await Promise.resolve()
    while (this.#next) {
      const render = this.#next
      this.#next = null
      try {
        await writeAtomically(this.#path, render())
      } catch (error) {
        this.#warn(`${this.#path} cannot be written`, error)
      }
    }
    this.#writing = null
  }
}
