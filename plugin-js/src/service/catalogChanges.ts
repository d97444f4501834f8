/** Backstage's own annotation, written by the msgraph provider or by hand */
export const GROUP_ID_ANNOTATION = 'graph.microsoft.com/group-id';

/**
 * The event by which the catalog's side tells every replica that groups or owners may have changed. It carries nothing: whoever
 * hears it reads the catalog, and who misses it does so within about a minute anyway.
 */
export const CATALOG_CHANGED = 'entra-access.catalog-changed';
