/**
 * The sticky bucket: hash(key, salt) → 0 … 9999, the same on every route, in every pod and in every release.
 *
 * The hash is MurmurHash3_x86_32 (Austin Appleby, public domain, github.com/aappleby/smhasher) over the key's UTF-16 code units, low byte
 * first, seeded with the hash of the salt. It spreads well, needs no copy of the key, and has published vectors. It is not secret: who
 * chooses a key can choose a bucket, as with every peer.
 */

/** A bucket is a hundredth of a percent. */
export const buckets = 10_000

export function bucketOf(key: string, salt: string): number {
  return bucketOfRange(key, 0, key.length, seedOf(salt))
}

export function seedOf(salt: string): number {
  return murmur3(salt, 0, salt.length, 0)
}

/** The bucket of the key in [from, to) of a longer text; `seed` by `seedOf`. */
export function bucketOfRange(text: string, from: number, to: number, seed: number): number {
  return bucketAt(murmur3(text, from, to, seed) / 0x1_0000_0000)
}

/** The bucket of a draw in [0, 1). */
export function bucketAt(draw: number): number {
  return Math.floor(draw * buckets)
}

/** Unsigned 32 bits. */
export function murmur3(text: string, from: number, to: number, seed: number): number {
  let hash = seed | 0
  let at = from
  for (; at + 1 < to; at += 2) {
    hash ^= mixed(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  if (at < to) hash ^= mixed(text.charCodeAt(at))
  return finished(hash ^ (2 * (to - from)))
}

function mixed(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

function finished(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
