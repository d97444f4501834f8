/** Where everything below `/api/entra-access` is; plain data, so that the client needs nothing else of this folder at run time */

/** One route: method and path below the plugin's base URL */
export interface Route {
  method: 'get' | 'post';
  path: `/${string}`;
}

/** All routes by the name of what they do */
export const ROUTES = {
  getOpenApi: { method: 'get', path: '/openapi.json' },
  inspectToken: { method: 'post', path: '/v1/tokens/inspect' },
  explainDecision: { method: 'post', path: '/v1/decisions/explain' },
  whoami: { method: 'get', path: '/v1/whoami' },
  getStatus: { method: 'get', path: '/v1/status' },
  listAuditEntries: { method: 'get', path: '/v1/audit/entries' },
  verifyAudit: { method: 'get', path: '/v1/audit/verify' },
  receiveNotifications: { method: 'post', path: '/v1/notifications' },
  findOwners: { method: 'post', path: '/v1/internal/owners' },
} as const satisfies Record<string, Route>;

/** Name of a route: its `operationId` */
export type OperationId = keyof typeof ROUTES;
