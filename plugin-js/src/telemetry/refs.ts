import { createServiceFactory, createServiceRef } from '@backstage/backend-plugin-api';
import {
  metricsServiceRef,
  tracingServiceRef,
  type MetricsService,
  type TracingService,
} from '@backstage/backend-plugin-api/alpha';

/** Backstage's metrics; `undefined` on a backend of a release that has none */
export const metricsRef = createServiceRef<MetricsService | undefined>({
  id: metricsServiceRef.id,
  scope: 'plugin',
  defaultFactory: async service => createServiceFactory({ service, deps: {}, factory: () => undefined }),
});

/** Backstage's traces; `undefined` on a backend of a release that has none */
export const tracingRef = createServiceRef<TracingService | undefined>({
  id: tracingServiceRef.id,
  scope: 'plugin',
  defaultFactory: async service => createServiceFactory({ service, deps: {}, factory: () => undefined }),
});
