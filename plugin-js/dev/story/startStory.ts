import { join } from 'node:path';
import { workloads } from '../tenant/applications';
import { people } from '../tenant/people';
import { untilTold } from './accountScenes';
import { untilChecked } from './checked';
import { Client, untilReady } from './client';
import { startEnvironment, type Environment, type EnvironmentOptions } from './environment';

/** `spec.parent` in catalog/subteams.yaml */
const NESTED = 2;

/** The stage of the story: the common environment, and what only its principals need */
export function startStory(ports?: EnvironmentOptions['ports']): Promise<Environment> {
  return startEnvironment({
    ports,
    configure({ backend, catalog, entraAccess }) {
      catalog.locations.push({ type: 'file', target: join(__dirname, 'catalog/subteams.yaml') });
      entraAccess.tenants[0].clients = [workloads.scanner.clientId];
      entraAccess.groups = followedGroups(backend.baseUrl);
    },
  });
}

/** The directory is followed: told of changes, and asked as well where that should fail */
export function followedGroups(baseUrl: string) {
  const { clientId, secret: clientSecret } = workloads.directoryReader;
  const notifications = { url: `${baseUrl}/api/entra-access/v1/notifications` };
  return { source: 'graph', graph: { clientId, clientSecret, directory: { poll: 10, notifications } } };
}

/** The client of a stage on which everybody is in place */
export async function storyClient(environment: Environment): Promise<Client> {
  const client = new Client(environment);
  const adam = () => environment.tenant.mintAccessToken(people.adam);
  await untilReady(client, adam, { nested: NESTED });
  // Otherwise they may find Graph in the outage that the story makes.
  await untilChecked(client, await client.tokenFor(adam()));
  await untilTold(environment.tenant);
  return client;
}
