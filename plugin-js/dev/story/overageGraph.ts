import { workloads } from '../tenant/applications';

/** `entraAccess.groups`: the simulated Graph tells the groups that are not in a token */
export const OVERAGE_GRAPH = {
  overage: 'graph',
  graph: { clientId: workloads.groupReader.clientId, clientSecret: workloads.groupReader.secret },
};
