import { join } from 'node:path';
import { workloads } from '../tenant/applications';
import { people } from '../tenant/people';
import { untilChecked } from './checked';
import { Client, untilReady } from './client';
import { startEnvironment, type Environment, type EnvironmentOptions } from './environment';
import { OVERAGE_GRAPH } from './overageGraph';

/** `spec.parent` in catalog/subteams.yaml */
const NESTED = 2;

/** The stage of the story: the common environment, and what only its principals need */
export function startStory(ports?: EnvironmentOptions['ports']): Promise<Environment> {
  return startEnvironment({
    ports,
    configure({ catalog, entraAccess }) {
      catalog.locations.push({ type: 'file', target: join(__dirname, 'catalog/subteams.yaml') });
      entraAccess.tenants[0].clients = [workloads.scanner.clientId];
      entraAccess.groups = OVERAGE_GRAPH;
    },
  });
}

/** The client of a stage on which everybody is in place */
export async function storyClient(environment: Environment): Promise<Client> {
  const client = new Client(environment);
  const adam = () => environment.tenant.mintAccessToken(people.adam);
  await untilReady(client, adam, { nested: NESTED });
  // Otherwise they may find Graph in the outage that the story makes.
  await untilChecked(client, await client.tokenFor(adam()));
  return client;
}
