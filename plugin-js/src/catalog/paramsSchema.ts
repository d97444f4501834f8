/**
 * What the ownership rules are asked with: constant in size, and what the decision hangs on by numbers that mean the same in
 * every process (docs/decisions/0005). A type, not an interface: Backstage wants an index signature
 */
export type OwnedByPrincipalParams = {
  /** Entity ref of the signed-in principal */
  principal: string;
  /** Number of the directory by which the decision was made; an older one must not answer */
  epoch: number;
  /** Number of the sign-in since which the principal is as it was then; an older one must not answer */
  session: number;
  /** Number of the groups and accounts of Entra by which it was made, where they are followed; older ones must not answer */
  members?: number;
};

const NEEDED = ['principal', 'epoch', 'session'];

const JSON_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    principal: { type: 'string', description: 'Entity ref of the signed-in principal' },
    epoch: { type: 'integer', minimum: 0, description: 'Number of the directory by which the decision was made' },
    session: { type: 'integer', minimum: 0, description: 'Number of the sign-in by which the decision was made' },
    members: { type: 'integer', minimum: 0, description: 'Number of the groups of Entra, where they are followed' },
  },
  required: NEEDED,
  additionalProperties: false,
};

/**
 * A Standard Schema (standardschema.dev) by hand: Backstage validates the params again for every entity, which with zod
 * costs more than the rule itself.
 */
export const paramsSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'entra-access',
    validate(value: unknown) {
      if (isParams(value)) return { value };
      return {
        issues: [
          {
            message:
              'expected { principal: entity ref, epoch: number, session: number, members?: number } and nothing else',
          },
        ],
      };
    },
    jsonSchema: { input: () => JSON_SCHEMA, output: () => JSON_SCHEMA },
    types: undefined as unknown as { input: OwnedByPrincipalParams; output: OwnedByPrincipalParams },
  },
};

function isParams(value: unknown): value is OwnedByPrincipalParams {
  if (typeof value !== 'object' || value === null) return false;
  const { principal, epoch, session, members } = value as Partial<OwnedByPrincipalParams>;
  const count = members === undefined ? NEEDED.length : NEEDED.length + 1;
  const numbers = isNumber(epoch) && isNumber(session) && isNumber(members ?? 0);
  return typeof principal === 'string' && numbers && Object.keys(value).length === count;
}

/** Whole numbers only up to what is compared exactly */
function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
