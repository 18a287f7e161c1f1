/** Those worth finding without making a string, by length, the most frequent first. Letters only: `folds` depends on it. */
const known = [
  'GET SET DEL TTL',
  'MGET HGET MSET HSET PTTL INCR EXEC PING HDEL DECR LPOP RPOP SADD ZADD LLEN EVAL AUTH ECHO SCAN TYPE',
  'HMGET SETEX HMSET MULTI LPUSH RPUSH BRPOP BLPOP ZRANK SETNX GETEX HELLO WATCH TOUCH',
  'EXISTS EXPIRE SELECT UNLINK INCRBY DECRBY APPEND STRLEN LRANGE ZRANGE ZSCORE GETDEL CLIENT',
  'HGETALL EVALSHA HINCRBY HEXISTS PEXPIRE PUBLISH COMMAND DISCARD ZINCRBY',
  'SMEMBERS',
].map((names) => names.split(' '))
const shortest = 3

/** The name of a command in upper case, as latin1. */
export function commandName(bytes: Buffer): string {
  for (const name of known[bytes.length - shortest] ?? []) if (folds(bytes, name)) return name
  return upperCase(bytes)
}

/** Whether the bytes are this name, in whatever case. */
function folds(bytes: Buffer, name: string): boolean {
  for (let at = 0; at < name.length; at++) if (((bytes[at] ?? 0) & 0xdf) !== name.charCodeAt(at)) return false
  return true
}

/** Of ASCII letters alone, as Redis folds; toUpperCase makes two letters of one ß. */
function upperCase(bytes: Buffer): string {
  const upper = Buffer.from(bytes)
  for (let at = 0; at < upper.length; at++) {
    const byte = upper[at] ?? 0
    if (byte >= 0x61 && byte <= 0x7a) upper[at] = byte - 0x20
  }
  return upper.toString('latin1')
}
