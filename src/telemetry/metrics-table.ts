/** Every metric of baton in one table; the reference, the dashboards and the exposition are made from it. */

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds in seconds, without +Inf. */
  readonly buckets?: readonly number[]
}

/** 0.1 × 2^n up to 3276.8 s: the owner's buckets for the stages of an upgrade. */
const stageBuckets = Array.from({ length: 16 }, (_, n) => Math.round(2 ** n * 100) / 1000)

export const metricsTable = {
  upgrade_duration_seconds: {
    type: 'histogram',
    help: 'Duration of a stage. `apply` is from validating a configuration to its being swapped in.',
    labels: ['stage'],
    buckets: stageBuckets,
  },
  active_connections_before: { type: 'gauge', help: 'Exchanges of the version as its last drain began.', labels: ['version'] },
  active_connections_after: {
    type: 'gauge',
    help: 'Exchanges of the version left as its last drain ended; they were cut.',
    labels: ['version'],
  },
  graceful_shutdown_failures_total: { type: 'counter', help: 'Exchanges cut at the deadline of a drain.', labels: ['version', 'kind'] },

  baton_requests_total: {
    type: 'counter',
    help: 'Exchanges ended, by class of method and of status (`none`: the client had gone before a status).',
    labels: ['version', 'route', 'method', 'status'],
  },
  baton_request_duration_seconds: {
    type: 'histogram',
    help: 'From the request head to the end of the response; upgraded connections not counted.',
    labels: ['version', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  baton_received_bytes_total: {
    type: 'counter',
    help: 'Bytes of request bodies passed on, tunnels included.',
    labels: ['version', 'route'],
  },
  baton_sent_bytes_total: { type: 'counter', help: 'Bytes of response bodies passed on, tunnels included.', labels: ['version', 'route'] },
  baton_in_flight: { type: 'gauge', help: 'Exchanges under way at the version.', labels: ['version'] },
  baton_queued: { type: 'gauge', help: 'Requests that wait for a place among limits.exchanges.', labels: [] },
  baton_retries_total: {
    type: 'counter',
    help: 'Second attempts, by what failed first and where the next one went.',
    labels: ['version', 'reason', 'next'],
  },
  baton_retries_refused_total: { type: 'counter', help: 'Second attempts that the retry budget did not allow.', labels: ['version'] },
  baton_faults_total: { type: 'counter', help: 'Exchanges that ended by a fault, by code.', labels: ['version', 'code'] },
  baton_refused_total: { type: 'counter', help: 'Requests refused before any version was chosen, by code.', labels: ['code'] },
  baton_client_connections: { type: 'gauge', help: 'Connections of clients now.', labels: [] },
  baton_client_connections_total: { type: 'counter', help: 'Connections of clients accepted.', labels: [] },
  baton_upstream_connections: { type: 'gauge', help: 'Connections to the version now.', labels: ['version'] },
  baton_version_ready: { type: 'gauge', help: '1 if the probes say ready.', labels: ['version'] },
  baton_version_serving: { type: 'gauge', help: '1 if the version is ready, active and reachable.', labels: ['version'] },
  baton_role: { type: 'gauge', help: '1 for the version that plays the role.', labels: ['role', 'version'] },
  baton_probes_total: { type: 'counter', help: 'Probes, by outcome (pass, fail).', labels: ['version', 'outcome'] },
  baton_retirements_total: {
    type: 'counter',
    help: 'Retirements of apps that baton has not started, by outcome (stopped, gone, failed).',
    labels: ['version', 'outcome'],
  },
  baton_process_starts_total: { type: 'counter', help: 'Starts of a managed process.', labels: ['version'] },
  baton_process_exits_total: { type: 'counter', help: 'Ends of a managed process that nobody asked for.', labels: ['version'] },
  baton_resolutions_total: {
    type: 'counter',
    help: 'Look-ups of an upstream name, by outcome (same, moved, failed, refused).',
    labels: ['version', 'outcome'],
  },
  baton_config_revision: { type: 'gauge', help: 'Revision of the running configuration.', labels: [] },
  baton_config_stale: { type: 'gauge', help: '1 while the last good configuration serves because the source cannot be read.', labels: [] },
  baton_config_swaps_total: { type: 'counter', help: 'Configurations swapped in.', labels: ['source'] },
  baton_config_rejected_total: { type: 'counter', help: 'Faults of refused configurations.', labels: ['source', 'reason'] },
  baton_keeper_lost: { type: 'gauge', help: '1 if the keeper is gone and this generation serves alone.', labels: [] },
  baton_webhook_deliveries_total: {
    type: 'counter',
    help: 'Deliveries to a webhook, by outcome (delivered, retried, refused, failed).',
    labels: ['webhook', 'outcome'],
  },
  baton_webhook_dropped_total: {
    type: 'counter',
    help: 'Events that a webhook was too slow or too long away to be told of.',
    labels: ['webhook'],
  },
  baton_cache_live: { type: 'gauge', help: '1 while the cache tracks its Redis and may answer.', labels: [] },
  baton_cache_hits_total: { type: 'counter', help: "Commands answered from the version's view.", labels: ['version'] },
  baton_cache_misses_total: { type: 'counter', help: 'Reads that a view could have answered and did not hold.', labels: ['version'] },
  baton_cache_passed_total: { type: 'counter', help: 'Commands that Redis answered, misses included.', labels: ['version'] },
  baton_cache_age_seconds: {
    type: 'histogram',
    help: 'How long ago what was answered from the view is known to have been current.',
    labels: ['version'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1],
  },
  baton_cache_clients: { type: 'gauge', help: "Connections to the version's gateway now.", labels: ['version'] },
  baton_cache_clients_refused_total: {
    type: 'counter',
    help: 'Connections turned away: too many, or no master to speak to.',
    labels: ['version'],
  },
  baton_cache_keys: { type: 'gauge', help: "Keys in the version's view, those known to be missing included.", labels: ['version'] },
  baton_cache_bytes: { type: 'gauge', help: "What the version's view holds.", labels: ['version'] },
  baton_cache_evictions_total: { type: 'counter', help: 'Keys that a view had no room for any more.', labels: ['version'] },
  baton_cache_fills_total: { type: 'counter', help: 'Reads of keys into views.', labels: [] },
  baton_cache_fills_dropped_total: { type: 'counter', help: 'Reads that had no place, or were not begun for a lost Redis.', labels: [] },
  baton_cache_kills_total: { type: 'counter', help: 'Keys dropped because they may have changed.', labels: [] },
  baton_cache_flushes_total: { type: 'counter', help: 'Times that everything was dropped.', labels: [] },
  baton_cache_refreshes_total: { type: 'counter', help: 'Keys read again because they changed while they were in use.', labels: [] },
  baton_cache_refreshes_dropped_total: { type: 'counter', help: 'Keys left dropped because refreshes had no place.', labels: [] },
  baton_cache_warm_seconds: { type: 'gauge', help: "How long the last warm-up of the version's view took so far.", labels: ['version'] },
  baton_cache_warm_share: { type: 'gauge', help: 'The share of what the last warm-up was to reach, 0 to 1.', labels: ['version'] },
  baton_cache_warm_predicted: {
    type: 'gauge',
    help: 'The share of reads that the view would answer as its last warm-up ended, by the names that are read most.',
    labels: ['version'],
  },
  baton_cache_push_lag_seconds: { type: 'gauge', help: "For how long the app's own cache has not had everything.", labels: ['version'] },
  baton_cache_push_dirty_keys: { type: 'gauge', help: 'Keys that the app is still to be told of.', labels: ['version'] },
  baton_cache_push_operations_total: { type: 'counter', help: 'Operations that the app has taken.', labels: ['version'] },
  baton_cache_push_resyncs_total: { type: 'counter', help: 'Times that the app was told everything anew.', labels: ['version'] },
  baton_cache_push_failures_total: { type: 'counter', help: 'Batches that had no right answer.', labels: ['version'] },
  baton_cache_losses_total: { type: 'counter', help: 'Times that the tracked source was lost.', labels: [] },
  baton_log_dropped_total: { type: 'counter', help: 'Access-log lines dropped because the reader was too slow.', labels: [] },
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof metricsTable
