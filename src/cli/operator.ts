import { hostname, userInfo } from 'node:os'

/** Who gives an order, as others who share an etcd are told. */
export function operatorName(): string {
  return `${userInfo().username}@${hostname()}`
}
