/** What the schemas of requests and answers are made with */
import { z } from 'zod';

/** Schemas with a name of their own below `#/components/schemas` */
export const NAMED = z.registry<{ id: string }>();

/** Names a schema in the document */
export function named<S extends z.ZodType>(id: string, schema: S): S {
  NAMED.add(schema, { id });
  return schema;
}

/**
 * A schema of what a type says already; the compiler refuses one that leaves a field out, adds one, or takes it for optional.
 * So the type stays where it is, and the document cannot say anything else.
 */
export function schemaOf<T>() {
  return <S extends z.ZodType>(schema: S & Fits<z.output<S>, T>): S => schema;
}

type Fits<Said, T> = Same<Plain<Said>, Plain<T>> extends true ? unknown : { isNotThatType: [Said, T] };

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** As JSON has it: nothing is read-only */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

/** A point in time as all answers write it */
export const timeAnswer = z.iso.datetime();
/** Milliseconds or seconds, a number of a record, a count */
export const count = z.int().min(0);
/**
 * Printable, and neither blank, colon nor slash; nor a dot at the beginning, which would lead elsewhere in a path of the catalog, nor
 * beyond 16 bits, which its client cannot send. Written out, as engines differ in what classes such as `\s` hold
 */
const FIRST = '[!-\\-0-9;-~\\u00a1-\\ud7ff\\ue000-\\uffff]';
const MORE = '[!-.0-9;-~\\u00a1-\\ud7ff\\ue000-\\uffff]';
const PART = `${FIRST}${MORE}{0,127}`;
/** Full entity ref, such as `component:default/payments-api`; each part may be longer than Backstage takes it */
export const entityRef = z
  .string()
  .regex(
    new RegExp(`^${PART}:(?:${PART}/)?${FIRST}${MORE}{0,255}$`, 'u'),
    'not an entity reference such as component:default/payments-api',
  );
/** A text to look for; no database takes a NUL */
export const searched = z.string().regex(/^[^\x00]{1,1024}$/u, 'expected a text of 1 to 1024 characters');
