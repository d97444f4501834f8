/** Groups that are not in the token: Microsoft Graph. */
export { DirectoryRoles, type RolesState } from './directoryRoles';
export { GroupCompletion } from './groupCompletion';
export { GroupResolver } from './groupResolver';
export type { GraphState } from './tenantHealth';
