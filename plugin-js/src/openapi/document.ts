import { z } from 'zod';
import { ALWAYS, errorBody, REFUSALS, TO_EVERYBODY, WHERE_NOT_SET, type Refusal } from './errors';
import { OPERATIONS, type Operation } from './operations';
import { ROUTES, type OperationId } from './routes';
import { NAMED } from './schema';

/** Of the routes, not of the package: it changes with what callers can rely on */
const VERSION = '1.0.0';
const COMPONENTS = '#/components/schemas/';
const JSON_TYPE = 'application/json';
/** Media types that are asked for by `Accept` */
export const NDJSON = 'application/x-ndjson';
export const CSV = 'text/csv';

type Json = Record<string, unknown>;

/** An OpenAPI 3.1 document as JSON */
export interface OpenApiDocument extends Json {
  openapi: '3.1.0';
  paths: Record<string, Record<string, Json>>;
  components: { schemas: Record<string, Json>; responses: Record<string, Json>; securitySchemes: Json };
}

/** Describes all operations; `baseUrl` is that of the plugin */
export function openApiDocument(baseUrl: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const [id, operation] of Object.entries(OPERATIONS) as Array<[OperationId, Operation]>) {
    const { method, path } = ROUTES[id];
    paths[path] = { ...paths[path], [method]: operationObject(id, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Entra Access',
      version: VERSION,
      summary: 'Access in Backstage for companies on Microsoft Entra ID',
      description: 'Token inspector, explanations of decisions, status and audit trail.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: baseUrl }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      responses: mapped(REFUSALS, refusalObject),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A Backstage token, or the access token of an Entra or pipeline principal',
        },
      },
    },
  };
}

function operationObject(id: OperationId, operation: Operation): Json {
  const { summary, description, tag, access, setting, query, body } = operation;
  const permission = typeof access === 'object' ? access.permission : undefined;
  const needs = permission && `Needs the permission \`${permission}\`.`;
  return {
    operationId: id,
    summary,
    description: [description, needs].filter(Boolean).join(' ') || undefined,
    tags: [tag],
    ...(permission ? { 'x-permission': permission } : {}),
    ...(access === 'catalog' || access === 'graph' ? { 'x-internal': true } : {}),
    ...(setting ? { 'x-setting': setting } : {}),
    ...(asksForToken(operation) ? {} : { security: [] }),
    ...(query ? { parameters: parameters(query) } : {}),
    ...(body
      ? { requestBody: { required: !operation.bodyOptional, content: { [JSON_TYPE]: { schema: referenceTo(body) } } } }
      : {}),
    responses: responses(operation),
  };
}

const asksForToken = ({ access }: Operation) => access !== 'public' && access !== 'graph';

function parameters(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = schemaOfOne(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description,
    schema,
    ...(schema.type === 'array' ? { style: 'form', explode: true } : {}),
  }));
}

function responses(operation: Operation): Json {
  const { answer, lines, table, text, limit, links, accepted, setting } = operation;
  const content: Json = {};
  if (text !== 'only') content[JSON_TYPE] = { schema: answer ? referenceTo(answer) : { type: 'object' } };
  // Each line has the schema below: OpenAPI 3.2 calls it `itemSchema`, 3.1 has no word for it.
  if (lines) content[NDJSON] = { schema: { type: 'string' }, 'x-itemSchema': referenceTo(lines) };
  if (table) content[CSV] = { schema: { type: 'string' } };
  if (text) content['text/plain'] = { schema: { type: 'string' } };
  const headers = limit && { RateLimit: textHeader('What is left'), 'RateLimit-Policy': textHeader('The limit') };
  const all: Json = {
    '200': { description: operation.summary, ...(headers ? { headers } : {}), content, ...(links ? { links } : {}) },
  };
  if (accepted) all['202'] = { description: accepted };
  const guarded = [...(asksForToken(operation) ? ALWAYS : []), ...(setting ? WHERE_NOT_SET : [])];
  for (const name of [...operation.refusals, ...guarded, ...TO_EVERYBODY]) {
    all[REFUSALS[name].status] = { $ref: `#/components/responses/${name}` };
  }
  return all;
}

function refusalObject(refusal: Refusal): Json {
  const { description, headers, empty } = refusal;
  if (empty) return { description };
  const content = { [JSON_TYPE]: { schema: schemaOfOne(errorBody(refusal)) } };
  return { description, ...(headers ? { headers: mapped(headers, textHeader) } : {}), content };
}

const textHeader = (description: string) => ({ description, schema: { type: 'string' } });

function componentSchemas(): Record<string, Json> {
  const { schemas } = z.toJSONSchema(NAMED, { uri: id => `${COMPONENTS}${id}`, io: 'output' });
  return mapped(schemas, plain);
}

function mapped<T>(from: Readonly<Record<string, T>>, to: (value: T) => Json): Record<string, Json> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));
}

function referenceTo(schema: z.ZodType): Json {
  const id = NAMED.get(schema)?.id;
  if (id === undefined) throw new Error('bodies and answers have names of their own');
  return { $ref: `${COMPONENTS}${id}` };
}

function schemaOfOne(schema: z.ZodType): Json {
  return plain(z.toJSONSchema(schema, { io: 'output' }));
}

/** Without what only a schema by itself says: which dialect it is in, which is that of the document, and what it is called */
function plain(schema: object): Json {
  const { $schema: _dialect, $id: _id, '~standard': _standard, ...rest } = schema as Json;
  return rest;
}
