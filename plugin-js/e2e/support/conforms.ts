/**
 * Every answer of the plugin's routes that an end-to-end test gets is held against the document, by a validator that knows nothing of
 * the schemas that the document is made of. To be imported for that alone.
 */
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { Client } from '../../dev/story/client';
import { openApiDocument } from '../../src/openapi/document';

const BASE = '/api/entra-access';
const DOCUMENT = 'openapi.json';

export const document = openApiDocument(`http://localhost${BASE}`);

const ajv = new Ajv({ allErrors: true, strictTypes: false });
addFormats(ajv);
// Words of OpenAPI that stand beside schemas, not in them.
for (const word of Object.keys(document)) ajv.addKeyword(word);
ajv.addKeyword('x-itemSchema');
ajv.addSchema(document, DOCUMENT);

/** An answer as it came over HTTP */
export interface Exchange {
  method: string;
  /** With the query */
  path: string;
  status: number;
  /** `content-type` */
  type: string;
  text: string;
}

type Content = Record<string, { 'x-itemSchema'?: object } | undefined>;

/** Fails where an answer is not as the document says; answers of other plugins pass */
export function assertConforms({ method, path, status, type, text }: Exchange): void {
  const route = path.startsWith(`${BASE}/`) ? path.slice(BASE.length).split('?', 1)[0]! : undefined;
  // Not ours, or Backstage's own: its permission rules and health.
  if (route === undefined || route.startsWith('/.')) return;
  const operation = document.paths[route]?.[method.toLowerCase()] as { responses: Record<string, object> } | undefined;
  if (!operation) return assert.ok([401, 404, 405].includes(status), `${method} ${path} is not described: ${status}`);
  const key = [String(status), `${Math.floor(status / 100)}XX`].find(each => each in operation.responses);
  assert.ok(key, `${method} ${path} may not answer ${status}: ${text.slice(0, 500)}`);
  const place = pointer('paths', route, method.toLowerCase(), 'responses', key);
  const answered = resolved(operation.responses[key]!, place);
  const media = type.split(';', 1)[0]!.trim();
  const { content: all } = answered.value as { content?: Content };
  if (!all) return assert.equal(text, '', `${method} ${path} ${status} has nothing in it`);
  const content = all[media];
  assert.ok(content, `${method} ${path} ${status} may not be ${type}`);
  const schema = `${answered.place}${pointer('content', media)}`;
  if (media === 'application/json') return assertFits(JSON.parse(text), `${schema}/schema`, path);
  if (!content['x-itemSchema']) return;
  for (const line of text.split('\n').slice(0, -1)) assertFits(JSON.parse(line), `${schema}/x-itemSchema`, path);
}

/** Fails where a value is not as a schema of the document says */
export function assertFits(value: unknown, place: string, what: string): void {
  const validate = ajv.getSchema(`${DOCUMENT}#${place}`);
  assert.ok(validate, place);
  assert.ok(
    validate(value),
    `${what} is not as ${place} says: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(value).slice(0, 500)}`,
  );
}

function resolved(value: object, place: string): { value: object; place: string } {
  const reference = (value as { $ref?: string }).$ref?.slice(1);
  if (reference === undefined) return { value, place };
  const name = reference.split('/').at(-1)!;
  return { value: document.components.responses[name]!, place: reference };
}

const pointer = (...names: string[]) =>
  names.map(name => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

Client.observe = assertConforms;
