/** Every proxy of the bench, in the order of its tables. */
import { baton } from './baton.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { nodePeer, type Peer } from './peer.ts'

/** The app itself without a proxy: the reference, measured first. */
export const directName = 'direct'

export const peers: readonly Peer[] = [
  nginx,
  haproxy,
  nodePeer('floor', 'floor-server.ts', 'bare node:http → undici Pool dispatch: no forwarding headers, no limits, no timeouts'),
  baton,
  nodePeer(
    'reply-from',
    'reply-from-server.ts',
    '@fastify/reply-from on fastify, undici with its documented defaults (128 connections), no logger',
  ),
  nodePeer('http-proxy-3', 'http-proxy-server.ts', 'keep-alive agent, xfwd', 'http-proxy'),
  nodePeer('http-proxy', 'http-proxy-server.ts', '1.18.1 (legacy), keep-alive agent, xfwd', 'http-proxy-legacy'),
]
