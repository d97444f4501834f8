/** Reads requests by the schemas of the document: what it does not describe does not come in */
import { InputError } from '@backstage/errors';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { coded } from '../service/coded';

/** Of a token that is too large to be judged it must still be said that it is */
const ONE_MIB = bodyOf('1mb', '1 MiB');

/** Longest message: a query may hold a hundred mistakes */
const MESSAGE_LENGTH = 600;

/** How a body is parsed, and up to which size */
export interface BodyParser {
  parse: RequestHandler;
  /** As people write it */
  limit: string;
}

/** JSON up to a size: as Express writes it, and as people do */
export function bodyOf(limit: string, told: string): BodyParser {
  return { parse: express.json({ limit }), limit: told };
}

/**
 * Reads a body.
 * @throws InputError naming what and where, and never what was sent: it may be a token
 */
export async function readBody<S extends z.ZodObject>(
  schema: S,
  request: Request,
  response: Response,
  { parse, limit }: BodyParser = ONE_MIB,
): Promise<z.output<S>> {
  await new Promise<void>((done, failed) => {
    parse(request, response, (error?: unknown) => (error === undefined ? done() : failed(unreadable(error, limit))));
  });
  // Express has left anything that is not called JSON unread.
  if (!request.is('application/json') && hasBody(request)) {
    throw invalid('the request body is not JSON: send it with content-type: application/json');
  }
  return read(schema, request.body ?? {}, 'body');
}

/**
 * For routes that take no body: nothing of it is read.
 * @throws InputError
 */
export function refuseAnyBody(request: Request): void {
  if (hasBody(request)) throw invalid('this route takes no request body');
}

/**
 * Reads what came by another way than HTTP.
 * @throws InputError naming what and where, and never what was sent: it may be a token
 */
export function readInput<S extends z.ZodObject>(schema: S, input: unknown): z.output<S> {
  return read(schema, input, 'body');
}

/**
 * Reads a query: `name=value`, lists as `name=one&name=other`.
 * @throws InputError naming what and where
 */
export function readQuery<S extends z.ZodObject>(schema: S, request: Request): z.output<S> {
  const at = request.originalUrl.indexOf('?');
  const sent = new URLSearchParams(at === -1 ? '' : request.originalUrl.slice(at + 1));
  const known = Object.keys(schema.shape);
  if ([...sent.keys()].some(name => !known.includes(name))) {
    throw invalid(`the query is not as expected: ${onlyThese(known)}`);
  }
  const values = known.flatMap(name => {
    const texts = sent.getAll(name);
    return texts.length === 0 ? [] : [[name, valueOf(name, schema.shape[name] as z.ZodType, texts)]];
  });
  return read(schema, Object.fromEntries(values), 'query');
}

function valueOf(name: string, schema: z.ZodType, texts: string[]): unknown {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (inner instanceof z.ZodArray) return texts;
  if (texts.length > 1) throw invalid(`the query is not as expected: ${name}: given more than once`);
  const [text = ''] = texts;
  return inner instanceof z.ZodNumber && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

function read<S extends z.ZodObject>(schema: S, value: unknown, where: 'body' | 'query'): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(issue => {
    // The names of unknown fields are the caller's, who may have taken a token for a name.
    const unknown = issue.code === 'unrecognized_keys';
    return `${issue.path.join('.') || where}: ${unknown ? onlyThese(Object.keys(schema.shape)) : issue.message}`;
  });
  const name = where === 'body' ? 'the request body' : 'the query';
  throw invalid(`${name} is not as expected: ${mistakes.join('; ').slice(0, MESSAGE_LENGTH)}`);
}

function onlyThese(names: readonly string[]): string {
  return names.length === 0 ? 'there is nothing to be given' : `there is nothing but ${names.join(', ')}`;
}

/** Of the body parser: its errors hold what was sent, token and all, so only what is wrong with it is said */
function unreadable(error: unknown, limit: string): unknown {
  const { type, status } = (error ?? {}) as { type?: unknown; status?: unknown };
  const reason = typeof type === 'string' ? UNREADABLE[type] : undefined;
  if (reason === undefined && typeof status !== 'number') return error;
  const refused = invalid(reason?.replace('LIMIT', limit) ?? 'the request body could not be read');
  return status === 413 || status === 415 ? Object.assign(refused, { statusCode: status }) : refused;
}

/** By the types of errors of body-parser */
const UNREADABLE: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'the request body is not JSON',
  'entity.too.large': 'the request body is larger than LIMIT',
  'charset.unsupported': 'the request body is in an unknown character set; send UTF-8',
  'encoding.unsupported': 'the request body is in an unknown content encoding',
};

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function invalid(message: string): InputError & { code: string } {
  return coded('request_invalid', new InputError(message));
}
