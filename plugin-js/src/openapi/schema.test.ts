import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { schemaOf } from './schema';

interface Answer {
  readonly name: string;
  list: readonly number[];
  maybe?: { nested: boolean };
}

const maybe = z.strictObject({ nested: z.boolean() }).optional();
const list = z.array(z.number());

// Judged by the compiler: where one of these is no mistake any more, it says so.
const exact = schemaOf<Answer>()(z.strictObject({ name: z.string(), list, maybe }));
// @ts-expect-error a field is missing
schemaOf<Answer>()(z.strictObject({ name: z.string(), list }));
// @ts-expect-error one too many
schemaOf<Answer>()(z.strictObject({ name: z.string(), list, maybe, more: z.string() }));
// @ts-expect-error one too many that may be left out
schemaOf<Answer>()(z.strictObject({ name: z.string(), list, maybe, more: z.string().optional() }));
// @ts-expect-error one that is always there
schemaOf<Answer>()(z.strictObject({ name: z.string().optional(), list, maybe }));
// @ts-expect-error a narrower one
schemaOf<Answer>()(z.strictObject({ name: z.literal('x'), list, maybe }));
const other = z.strictObject({ nested: z.string() }).optional();
// @ts-expect-error another one inside
schemaOf<Answer>()(z.strictObject({ name: z.string(), list, maybe: other }));

test('a schema of a type is the schema itself', () => {
  assert.deepEqual(exact.parse({ name: 'x', list: [1] }), { name: 'x', list: [1] });
});
