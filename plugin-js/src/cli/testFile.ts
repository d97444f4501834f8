import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { PermissionInput } from '../core';
import { checked, parseText, readText, type Place, type Placed } from './documents';
import { readPermission } from './permissions';
import { readPrincipal, type DescribedPrincipal } from './principals';
import { quoted } from '../service/text';
import type { WorldFiles } from './world';

const name = z.string().min(1);
const testSchema = z.strictObject({
  name,
  given: z.strictObject({ principal: z.unknown(), permission: z.unknown(), entity: z.unknown().optional() }),
  expect: z.enum(['allow', 'deny', 'conditional']),
  /** The rule that decides; `null`: none */
  rule: name.nullable().optional(),
  /** What one of the reasons says */
  reason: name.optional(),
});
const fileSchema = z.strictObject({
  policy: name,
  config: z.array(name).optional(),
  catalog: z.array(name).optional(),
  principals: z.record(z.string(), z.unknown()).optional(),
  tests: z.array(testSchema).min(1),
});

/** What a test expects */
export type Expectation = Pick<z.infer<typeof testSchema>, 'expect' | 'rule' | 'reason'>;

/** A question with the answer that is expected */
export interface WrittenTest {
  name: string;
  principal: DescribedPrincipal;
  permission: PermissionInput;
  /** A ref, or the entity itself; `undefined` for none */
  entity?: Placed;
  expected: Expectation;
  place: Place;
}

/** A file of tests; paths are those that this process can open */
export interface TestFile {
  file: string;
  files: WorldFiles;
  tests: WrittenTest[];
}

/** Reads a file of policy tests; `now` in seconds. @throws ConfigurationError with the line of the first mistake */
export function readTestFile(file: string, now: number): TestFile {
  const document = parseText(readText(file), file);
  const written = checked(fileSchema, document);
  const { place } = document;
  const principals = new Map(
    Object.entries(written.principals ?? {}).map(([name, value]) => {
      return [name, readPrincipal({ value, place: place.at('principals', name) }, now)];
    }),
  );
  const besides = (path: string) => join(dirname(file), path);
  const names = new Set<string>();
  const tests = written.tests.map((test, at) => {
    const here = place.at('tests', at);
    if (names.has(test.name))
      throw here.at('name').mistake('two tests have this name', 'it tells them apart when one fails');
    names.add(test.name);
    const { given } = test;
    const within = here.at('given');
    return {
      name: test.name,
      principal: principalOf({ value: given.principal, place: within.at('principal') }, principals, now),
      permission: readPermission(present({ value: given.permission, place: within.at('permission') })),
      entity: given.entity === undefined ? undefined : { value: given.entity, place: within.at('entity') },
      expected: test,
      place: here,
    };
  });
  const { policy, config = [], catalog } = written;
  const files = { policy: besides(policy), config: config.map(besides), catalog: catalog?.map(besides) };
  return { file, files, tests };
}

function present(placed: Placed): Placed {
  if (placed.value === undefined) throw placed.place.mistake('is missing');
  return placed;
}

/** One of the file's principals by name, or one that only this test knows */
function principalOf(placed: Placed, named: ReadonlyMap<string, DescribedPrincipal>, now: number): DescribedPrincipal {
  const { value, place } = present(placed);
  if (typeof value !== 'string') return readPrincipal(placed, now);
  const found = named.get(value);
  if (found) return found;
  const names = [...named.keys()];
  throw place.mistake(
    `there is no principal ${quoted(value)} under \`principals\``,
    names.length > 0 ? `there are ${names.slice(0, 10).join(', ')}` : 'write it down there, or here as a mapping',
  );
}
