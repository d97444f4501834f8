import type { MetricsService, MetricsServiceObservable, TracingService } from '@backstage/backend-plugin-api/alpha';
import type { EntraAccess } from '../service/entraAccess';
import { entraStates } from '../service/entraStates';
import { TIMED_IN } from './telemetry';

/** What is measured of the directory, which the plugin has */
interface Directory {
  /** Milliseconds since the epoch */
  readonly refreshedAt?: number;
}

/** A value, and what tells it from the others of its name: configured names and members of closed sets, nothing of a caller */
type Measured = Iterable<readonly [number | undefined, Readonly<Record<string, string>>?]>;

interface Instrument {
  name: string;
  kind: 'counter' | 'gauge';
  unit: string;
  description: string;
  measure(entraAccess: EntraAccess, directory: Directory): Measured;
}

/** Such a thing as a metric of everything: docs/metrics.md names each */
export const INSTRUMENTS: readonly Instrument[] = [
  {
    name: 'entra_access.token.validations',
    kind: 'counter',
    unit: '{token}',
    description: 'Tokens judged, by rejection code, or accepted',
    measure: ({ telemetry }) => labelled('code', telemetry.validations.entries),
  },
  {
    name: 'entra_access.decisions',
    kind: 'counter',
    unit: '{decision}',
    description: 'Answers of the permission policy',
    measure: ({ telemetry }) => labelled('result', Object.entries(telemetry.decisions)),
  },
  {
    name: 'entra_access.keys.age',
    kind: 'gauge',
    unit: 's',
    description: 'Since the signing keys in use were fetched',
    measure: ({ keys }) => keys.states.map(({ issuer, fetchedAt }) => [since(fetchedAt), { issuer }]),
  },
  {
    name: 'entra_access.directory.age',
    kind: 'gauge',
    unit: 's',
    description: 'Since the groups and owners of the catalog were read',
    measure: (_, directory) => [[since(directory.refreshedAt)]],
  },
  {
    name: 'entra_access.directory.epoch',
    kind: 'gauge',
    unit: '{epoch}',
    description: 'Number of the directory; the same on replicas that have the same',
    measure: ({ directory }) => [[directory.current]],
  },
  {
    name: 'entra_access.entra.age',
    kind: 'gauge',
    unit: 's',
    description: 'Since all that is known of a followed tenant was what Microsoft Graph had',
    measure: ({ core }) => entraStates(core).map(({ tenant, ageSeconds }) => [ageSeconds, { tenant }]),
  },
  {
    name: 'entra_access.entra.stale',
    kind: 'gauge',
    unit: '1',
    description: '1 while a followed tenant is known too little, or not at all, so that groups are unknown',
    measure: ({ core }) => entraStates(core).map(({ tenant, stale }) => [Number(stale), { tenant }]),
  },
  {
    name: 'entra_access.policy.age',
    kind: 'gauge',
    unit: 's',
    description: 'Since the policy in force was loaded',
    measure: ({ policyState }) => [[since(policyState.loadedAt)]],
  },
  {
    name: 'entra_access.epoch',
    kind: 'gauge',
    unit: '{epoch}',
    description: 'Version of keys, directory and policy in this process',
    measure: ({ core }) => [[core.epoch]],
  },
  {
    name: 'entra_access.core.available',
    kind: 'gauge',
    unit: '1',
    description: '1, or 0 while the core is being restarted and everything is refused',
    measure: ({ core }) => [[Number(core.available)]],
  },
  {
    name: 'entra_access.sessions',
    kind: 'gauge',
    unit: '{session}',
    description: 'Sign-ins remembered in this process',
    measure: ({ sessions }) => [[sessions.size]],
  },
  {
    name: 'entra_access.audit.queue',
    kind: 'gauge',
    unit: '{record}',
    description: 'Records that wait for the database',
    measure: ({ audit }) => [[audit.state.waiting]],
  },
  {
    name: 'entra_access.audit.recorded',
    kind: 'counter',
    unit: '{record}',
    description: 'Records in the database, of the chain of this process',
    measure: ({ audit }) => [[audit.state.recorded]],
  },
  {
    name: 'entra_access.audit.lost',
    kind: 'counter',
    unit: '{record}',
    description: 'Records given up',
    measure: ({ audit }) => [[audit.state.lost]],
  },
  {
    name: 'entra_access.audit.failing',
    kind: 'gauge',
    unit: '1',
    description: '1 while the last batch of records could not be written',
    measure: ({ audit }) => [[Number(audit.state.error !== undefined)]],
  },
  {
    name: 'entra_access.graph.requests',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests to Microsoft Graph, by what came of them',
    measure: ({ graphClients }) =>
      graphClients.flatMap(({ graph: { tenantId: tenant }, client: { requests } }) =>
        Object.entries(requests).map(([outcome, count]) => [count, { tenant, outcome }] as const),
      ),
  },
  {
    name: 'entra_access.graph.silence',
    kind: 'gauge',
    unit: 's',
    description: 'For how long Microsoft Graph wants to hear nothing; 0 where it does not throttle',
    measure: ({ graphClients }) =>
      graphClients.map(({ graph: { tenantId: tenant }, client }) => [
        Math.max(0, client.silentUntil - Date.now()) / 1_000,
        { tenant },
      ]),
  },
];

export const DURATION = {
  name: 'entra_access.decision.duration',
  options: {
    unit: 's',
    description: `From the question of the permission backend to the answer, its record included; one decision in ${TIMED_IN}`,
    advice: {
      explicitBucketBoundaries: [
        1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25,
        0.5, 1, 2.5, 5, 10,
      ],
    },
  },
};

/**
 * Lets metrics be collected and spans be made.
 * @returns what ends the collecting
 */
export function attachTelemetry({
  metrics,
  tracing,
  entraAccess,
  directory,
}: {
  metrics: MetricsService | undefined;
  tracing: TracingService | undefined;
  entraAccess: EntraAccess;
  directory: Directory;
}): () => void {
  entraAccess.telemetry.attach(metrics?.createHistogram(DURATION.name, DURATION.options), tracing);
  const ends = metrics ? INSTRUMENTS.map(instrument => observed(metrics, instrument, entraAccess, directory)) : [];
  return () => {
    entraAccess.telemetry.attach(undefined, undefined);
    ends.forEach(end => end());
  };
}

function observed(metrics: MetricsService, instrument: Instrument, entraAccess: EntraAccess, directory: Directory) {
  const { name, kind, measure, ...options } = instrument;
  const observable: MetricsServiceObservable =
    kind === 'counter' ? metrics.createObservableCounter(name, options) : metrics.createObservableGauge(name, options);
  const observe: Parameters<MetricsServiceObservable['addCallback']>[0] = result => {
    // What is not known is not 0.
    for (const [value, labels] of measure(entraAccess, directory))
      if (value !== undefined) result.observe(value, labels);
  };
  observable.addCallback(observe);
  return () => observable.removeCallback(observe);
}

function* labelled(label: string, entries: Iterable<[string, number]>): Measured {
  for (const [value, count] of entries) yield [count, { [label]: value }];
}

/** Seconds since a moment in milliseconds */
function since(at: number | undefined): number | undefined {
  return at === undefined ? undefined : Math.max(0, Date.now() - at) / 1_000;
}
